"""Properties nested deeper than anybody's: delivered as they are, or a dead letter that says why, whatever is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync.core.conditions import parse_condition
from sync.core.conversions import Conversions
from sync.core.properties import Select
from sync.core.rows import MOST_LEVELS
from tests.integration.event_engine import Engine, counts, ended_report, row
from tests.integration.listening_engine import Listening

DEEP = ("bad_row", "nested more than 300 levels deep")


def deep(levels: int, number: int = 1, place: str = "event_properties", **columns: Any) -> bytes:
    """A row one of whose properties is a list that makes its column nested so many levels deep."""
    text = json.dumps(row(number, **{place: {"n": number, "deep": "HERE"}}, **columns)).encode()
    return text.replace(b'"HERE"', b"[" * (levels - 1) + b"]" * (levels - 1))


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"parity": True}, id="parity"),
        pytest.param({"conversions": Conversions(safe_ints=True, date_keys=frozenset({"n"}))}, id="conversions"),
        pytest.param({"conversions": Conversions(max_depth=5)}, id="as text"),
        pytest.param({"user_properties": Select.ALL}, id="attributes"),
        pytest.param({"where": tuple(map(parse_condition, ("deep contains 1", "country is US")))}, id="conditions"),
    ],
)
@pytest.mark.parametrize("place", ["event_properties", "user_properties"])
@pytest.mark.parametrize("levels", [500, 985, 20_000])
def test_what_nobody_can_read_is_a_dead_letter_and_its_neighbours_arrive(
    engine: Engine, levels: int, place: str, rules: dict[str, Any]
) -> None:
    fine = {"country": "US", "event_properties": {"n": 0, "deep": "1"}}
    ended = engine.run(row(0, **fine), deep(levels, 1, place), row(2, **fine), **rules)
    assert (ended.error, ended_report(ended).discarded) == (None, {"bad_row": 1})
    assert [(one.reason, one.message) for one in engine.letters()] == [DEEP]
    assert len(engine.workspace.events()) == 2


@pytest.mark.parametrize("levels", [41, MOST_LEVELS])
def test_what_can_be_read_arrives_as_it_is(engine: Engine, levels: int) -> None:
    assert counts(engine.report(deep(levels))) == {"received": 1, "delivered": 1}
    (event,) = engine.workspace.events()
    assert json.dumps(event.data["deep"]) == "[" * (levels - 1) + "]" * (levels - 1)


def test_what_is_pushed_too_deep_is_kept_and_told(listening: Listening) -> None:
    assert [listening.push(one, "/events") for one in (deep(500), json.dumps(row(2)).encode())] == [200, 200]
    listening.settle()
    assert [event.data["n"] for event in listening.engine.workspace.events()] == [2]
