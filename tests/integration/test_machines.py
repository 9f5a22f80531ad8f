"""The machines under this run's Hypothesis profile: engine, fake and truth, and nothing between them agreed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from fakeio import Fake
from scenarios import exploring, invariants, machines, profiles
from scenarios.invariants import INVARIANTS

SOURCES = sorted(Path(machines.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("name", machines.MACHINES)
def test_a_machine_finds_nothing_wrong_in_any_sequence_of(name: str) -> None:
    with Fake() as fake:
        found = exploring.search(name, fake, profiles.PROFILES[profiles.default()])
        fake.raise_first_error()
    assert not found.story, found.story


def test_every_invariant_is_looked_at_by_a_machine() -> None:
    called = {
        node.func.id
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and hasattr(invariants, node.func.id)
    }
    assert {one.__name__ for some in INVARIANTS.values() for one in some} - called == set()
