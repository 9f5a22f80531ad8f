"""The strategy for histories: it reaches what it promises, and what it draws a workspace takes, each time alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import Phase, find, given, settings

from fakeio import Fake
from scenarios.histories import Pause, Step, histories, play
from scenarios.interleaving import Write, picture
from scenarios.world import new_world

POOL = ("1", "2", "é")
STATUSES = {200, 400}  # a merge of somebody with themselves is refused


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server
        server.raise_first_error()


@given(histories(POOL))
def test_any_history_is_taken_and_ends_alike_in_two_workspaces(fake: Fake, history: list[Step]) -> None:
    ends = []
    for _ in range(2):
        with new_world(fake) as world:
            statuses = play(world, history)
            assert set(statuses) <= STATUSES, statuses
            ends.append((statuses, picture(world)))
    assert ends[0] == ends[1]


ACTIONS = ("identify", "event", "delete", "suppress", "unsuppress", "add_device", "delete_device", "merge")


def _acts(step: Step, action: str) -> bool:
    return isinstance(step, Write) and step.path == "/api/v2/entity" and step.body["action"] == action


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_drawn(action: str) -> None:
    assert find(histories(POOL), lambda history: any(_acts(step, action) for step in history), settings=_MANY)


@pytest.mark.parametrize("path", ["add_customers", "remove_customers", "/api/v1/events"])
def test_segments_and_anonymous_events_are_drawn(path: str) -> None:
    def holds(history: list[Step]) -> bool:
        return any(isinstance(step, Write) and step.path.endswith(path) for step in history)

    assert find(histories(POOL), holds, settings=_MANY)


def test_time_passes() -> None:
    assert find(histories(POOL), lambda history: any(isinstance(one, Pause) for one in history), settings=_MANY)


_MANY = settings(max_examples=2_000, database=None, phases=[Phase.generate])  # any will do, not only the shortest
