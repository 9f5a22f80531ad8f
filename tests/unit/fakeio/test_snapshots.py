"""Snapshots: what is restored is equal, and behaves as the original would have."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given

from fakeio.core.managing import OPERATIONS
from fakeio.core.restoring import plant
from fakeio.core.snapshots import take
from fakeio.core.workspace import Workspace
from tests.unit.fakeio.histories import NOW, begin, busy, histories, live, operations, settings, told


def restored(document: Any, now: float) -> Workspace:
    """Through text, as it travels."""
    space = Workspace(id=1, name="restored", region="us")
    plant(space, json.loads(json.dumps(document)), now)
    return space


def test_histories_hold_every_operation_there_is() -> None:
    drawn = repr(operations)
    assert [kind.__name__ for kind in OPERATIONS if f"builds({kind.__name__}," not in drawn] == []


@example(values={}, before=busy("before"), after=busy("after"))
@example(values={"segment_build_s": 600}, before=busy("before", held=False), after=[*busy("after"), 700.0])
@given(values=settings, before=histories, after=histories)
def test_a_restored_workspace_is_equal_and_goes_on_as_the_original(
    values: dict[str, Any], before: list[Any], after: list[Any]
) -> None:
    original = begin(values)
    now, _ = live(original, before, NOW)
    document = take(original)
    copy = restored(document, now)
    assert json.loads(json.dumps(take(copy))) == json.loads(json.dumps(document))
    end, outcomes = live(original, after, now)
    assert (end, outcomes) == live(copy, after, now)
    assert told(copy) == told(original)
