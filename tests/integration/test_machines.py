"""The machines under this run's Hypothesis profile: engine, fake and truth, and nothing between them agreed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis.stateful import run_state_machine_as_test

from fakeio import Fake
from scenarios import profiles
from scenarios.exploring import MACHINES


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as started:
        yield started


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_finds_nothing_wrong_in_any_sequence_of(name: str, fake: Fake) -> None:
    run_state_machine_as_test(MACHINES[name](fake), settings=profiles.PROFILES[profiles.default()])
