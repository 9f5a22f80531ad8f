"""The fidelity page promises nothing that no test keeps, and the code uses no rule that the page leaves out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import fakeio
from fakeio.app_routes import ROUTES
from fakeio.core.rules import RULES, Rule
from fakeio.core.settings import ROWS, Row
from fakeio.edge.routing import Route
from tests.contract.proofs import asking, naming
from tests.contract.source_tree import CHECKOUT

GRADES = {"documented", "recorded", "client-tested", "assumed"}


def used_rules() -> set[str]:
    """The first argument of every outcome that the code makes."""
    used: set[str] = set()
    for path in sorted((CHECKOUT / "fakeio").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id
            if called in ("Ignored", "Refused") and isinstance(node, ast.Call) and node.args:
                first = node.args[0]
                used |= {first.value} if isinstance(first, ast.Constant) and isinstance(first.value, str) else set()
    return used


def test_every_rule_that_the_code_uses_is_on_the_page() -> None:
    assert used_rules() - RULES.keys() == set()


def test_every_rule_on_the_page_is_used() -> None:
    spelled = "\n".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "fakeio").rglob("*.py"))
    assert [rule for rule in RULES if spelled.count(f'"{rule}"') < 1] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: str(rule.id))
def test_a_rule_has_a_grade_a_source_and_a_test(rule: Rule) -> None:
    assert rule.grade in GRADES
    assert rule.source
    assert naming(rule.id) is not None, f"no test names {rule.id}: write one, or take the rule off the page"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.name))
def test_a_switch_has_a_test(row: Row) -> None:
    assert naming(row.name) is not None, f"no test names {row.name}: write one, or take the switch out"


IMITATED = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES if route.imitated]


@pytest.mark.parametrize("route", IMITATED)
def test_an_imitated_route_has_a_test(route: Route) -> None:
    assert asking(route.method, route.path) is not None, f"no test asks for {route.method} {route.path}"


def test_the_package_under_test_is_the_one_that_is_read() -> None:
    assert (CHECKOUT / "fakeio" / "__init__.py").read_text() == Path(str(fakeio.__file__)).read_text()
