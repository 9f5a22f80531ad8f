"""Every scenario of the two integrations that must be held is held by tests that exist."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.contract.amplitude_scenarios import REQUIRED, SCENARIOS, Scenario

TESTS = Path(__file__).resolve().parents[1]


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the test functions of a file below the folder of the tests; none where there is no such file."""
    file = TESTS / path
    if not file.is_file():
        return frozenset()
    found = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return frozenset(one.name for one in found if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


def missing(tests: tuple[str, ...]) -> list[str]:
    """Those node ids that name no test."""
    return [one for one in tests if one.partition("::")[2] not in names_in(one.partition("::")[0])]


def test_every_scenario_that_must_be_held_is_listed() -> None:
    assert sorted(REQUIRED - SCENARIOS.keys()) == []
    assert SCENARIOS.keys() <= set(range(1, 81))


@pytest.mark.parametrize(("number", "scenario"), [pytest.param(*one, id=str(one[0])) for one in SCENARIOS.items()])
def test_the_tests_of_a_scenario_exist(number: int, scenario: Scenario) -> None:
    assert scenario.says
    assert scenario.tests, f"scenario {number} names no test"
    assert missing(scenario.tests) == []


def test_a_test_that_is_gone_is_noticed() -> None:
    gone = ("integration/test_events_runs.py::test_nothing_of_that_name", "integration/nowhere.py::test_x", "nonsense")
    assert missing(gone) == list(gone)
