"""What an events run does about properties that do not fit and says about events that are late or no longer come."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest

from sync.core.batches import Packer
from sync.core.mapping import Mapping, Rules
from sync.core.properties import Properties
from sync.core.rows import parse_rows
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.run_events import EventsOptions, run_events
from tests.integration.event_engine import BATCH_PATH, HASTE, Engine, counts, row, wide


def test_a_dry_run_foretells_what_the_run_then_takes(engine: Engine) -> None:
    stream = io.StringIO()
    options = EventsOptions(source=str(engine.export(*wide(*range(60)))), dry_run=True)
    run_events(options, engine.settings(track_rate_per_s=2.0), None, Console(stream=stream), policy=HASTE)
    requests = engine.report().requests
    assert stream.getvalue() == (
        f"a run would make about {requests} requests, which take about {requests / 2:.1f} s at the rates allowed\n"
    )


def said(engine: Engine, *rows: dict[str, Any], quiet: bool = False, **rules: Any) -> list[str]:
    """What a run over `rows` tells somebody who watches, or, `quiet`, who only collects reports."""
    stream = io.StringIO()
    options = EventsOptions(source=str(engine.export(*rows)), rules=Rules(**rules))
    with Ledger.open(engine.path) as ledger:
        run_events(options, engine.settings(), ledger, Console(quiet=quiet, stream=stream), policy=HASTE)
    return [line for line in stream.getvalue().splitlines() if not line.startswith("reading")]


def text(size: int) -> dict[str, str]:
    return {"text": "x" * size}


# -- too large --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("columns", "kept"),
    [
        pytest.param(
            {"user_properties": text(10), "group_properties": text(99_990), "groups": {"g": "1"}},
            {"user_properties": text(10)}, id="groups go first",
        ),
        pytest.param(
            {"user_properties": text(99_990), "groups": {"g": "1"}}, {}, id="then what is about the person",
        ),
        pytest.param(
            {"event_properties": text(60_000), "user_properties": text(50_000), "groups": {"g": "1"}}, text(60_000),
            id="and its own never",
        ),
    ],
)  # fmt: skip
def test_of_an_event_that_is_too_large_parts_are_left_out(
    engine: Engine, columns: dict[str, Any], kept: dict[str, Any]
) -> None:
    lines = said(engine, {**row(1), "event_properties": {}, **columns}, {**row(2)}, quiet=True)
    assert [one.data for one in engine.workspace.events()] == [kept, {"n": 2}]
    assert [line for line in lines if "left out so that they fit" in line] != []


def test_an_event_that_is_too_large_by_itself_is_discarded_and_loses_nothing(engine: Engine) -> None:
    report = engine.report({**row(1), "event_properties": text(99_980), "user_properties": text(500)}, row(2))
    assert counts(report) == {"received": 2, "delivered": 2}
    report = engine.report({**row(3), "event_properties": text(100_000), "user_properties": text(5)})
    assert counts(report) == {"received": 1, "discarded": {"event_too_large": 1}}


@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_is_kept_to_the_byte(over: int) -> None:
    own, users = {"a": "é" * 20_000}, {"b": "x"}
    whole = len(Properties().encode_data(parse_rows(line(own, users))[0]) or b"")
    own["a"] += "x" * (100_000 - whole + over)
    packer = Packer(Properties(), set())
    rows = parse_rows(line(own, users))
    mapped = Mapping(Rules()).map_rows(rows, line(own, users))
    (batch,) = [*packer.pack(mapped.intents, mapped.discards), *packer.flush()]
    assert (dict(packer.shed), b'"user_properties"' in (batch.alone.body or b"") if batch.alone else None) == (
        ({"user_properties": 1}, False) if over else ({}, True)
    )


@pytest.mark.parametrize("over", [0, 1])
def test_what_is_left_may_fill_the_limit_to_the_byte(over: int) -> None:
    own = {"a": "x" * (100_000 - len(b'{"a":""}') + over)}
    rows = parse_rows(line(own, {"b": "x"}))
    mapped = Mapping(Rules()).map_rows(rows, line(own, {"b": "x"}))
    packer = Packer(Properties(), set())
    sent = [*packer.pack(mapped.intents, mapped.discards), *packer.flush()]
    assert (len(sent), dict(packer.shed), [one.reason for one in mapped.discards]) == (
        (0, {}, ["event_too_large"]) if over else (1, {"user_properties": 1}, [])
    )


def line(own: dict[str, Any], users: dict[str, Any]) -> bytes:
    whole = {**row(1), "event_properties": own, "user_properties": users}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


# -- answers that say nothing -----------------------------------------------------------------------------------------
def test_an_answer_that_blames_an_event_of_no_batch_is_told(engine: Engine) -> None:
    body = json.dumps({"errors": [{"batch_index": 99, "reason": "invalid"}]})
    engine.workspace.fault("status", status=207, body=body, match={"path": BATCH_PATH}, times=1)
    now = {"event_time": at(60)}
    assert said(engine, row(1, **now), row(2, **now), quiet=True) == [
        "1 answers of Customer.io named no event of their batch: it was sent again in halves, to be sure"
    ]
    assert engine.numbers() == [1, 2]


# -- late -------------------------------------------------------------------------------------------------------------
def at(seconds_ago: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(time.time() - seconds_ago))


def test_events_too_old_to_start_a_campaign_are_delivered_and_told(engine: Engine) -> None:
    hours = (1, 71, 73, 1_000)
    lines = said(engine, *(row(n, event_time=at(3_600 * ago)) for n, ago in enumerate(hours)))
    assert engine.numbers() == [0, 1, 2, 3]
    assert lines == ["2 events happened more than 72 hours ago: they are recorded, but start no campaign"]


# -- renamed ----------------------------------------------------------------------------------------------------------
def test_an_event_that_no_longer_comes_is_told_with_the_number_of_runs(engine: Engine) -> None:
    now = {"event_time": at(60)}
    wanted: dict[str, Any] = {"events": frozenset({"order", "Checkout"})}
    assert said(engine, row(1, **now), **wanted) == [
        "no event called 'Checkout' came in this run; was it renamed at Amplitude?"
    ]
    assert said(engine, row(2, **now), **wanted) == [
        "no event called 'Checkout' came in the last 2 runs; was it renamed at Amplitude?"
    ]
    assert said(engine, row(3, **now), row(4, event_type=" Checkout ", **now), **wanted) == []
    assert said(engine, row(5, **now), **wanted) == [
        "no event called 'Checkout' came in this run; was it renamed at Amplitude?"
    ]
    assert said(engine, row(6, **now)) == []


def test_a_source_without_events_tells_nothing_of_names(engine: Engine) -> None:
    assert said(engine, events=frozenset({"order"})) == []
