"""Streamed events by every way they may come, and user updates among them: one event, one person, one truth."""

from __future__ import annotations

import pytest

from sync.core.conditions import parse_condition
from sync.core.mapping import Rules
from sync.core.properties import Select
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.listening import ListenOptions, Worker
from sync.run_events import EventsOptions, run_events
from tests.integration.cohort_engine import HASTE
from tests.integration.event_engine import counts, ended_report, row
from tests.integration.listening_engine import Listening


def backfill(listening: Listening, *, elsewhere: bool) -> dict[str, object]:
    """An events run over the same row in a file, on this machine or on another."""
    engine = listening.engine
    source = engine.path.with_name("export.json")
    source.write_bytes(b"".join(line + b"\n" for line in LINES))
    path = engine.path.with_name("other.db") if elsewhere else engine.path
    settings = engine.settings(state_path=path)
    with Ledger.open(path) as ledger:
        options = EventsOptions(source=str(source))
        ended = run_events(options, settings, ledger, Console(stream=engine.said), policy=HASTE)
    return counts(ended_report(ended))


LINES = [
    b'{"event_type":"order","event_time":"2026-07-14 10:00:00.5","user_id":"42","device_id":"d","app":1,'
    b'"$insert_id":"i-1","uuid":"u-1","event_properties":{"n":1}}',
    b'{"event_type":"order","event_time":"2026-07-14 10:00:00.5","user_id":"42","device_id":"d","app":1,'
    b'"$insert_id":null,"uuid":"u-2","event_properties":{"n":2}}',
    b'{"event_type":"order","event_time":"2026-07-14 10:00:00.5","user_id":"42","device_id":"d","app":1,'
    b'"$insert_id":null,"uuid":null,"event_id":7,"amplitude_id":9,"client_event_time":"2026-07-14 09:59:59.0",'
    b'"event_properties":{"n":3}}',
]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["on this machine", "on another"])
def test_an_event_that_was_streamed_twice_and_then_exported_is_one(listening: Listening, elsewhere: bool) -> None:
    for line in LINES * 2:
        assert listening.push(line, "/events") == 200
    listening.settle()
    assert backfill(listening, elsewhere=elsewhere) == {
        "received": 3, ("delivered" if elsewhere else "duplicates"): 3,
    }  # fmt: skip
    assert sorted(event.data["n"] for event in listening.engine.workspace.events()) == [1, 2, 3]


def test_pushed_user_updates_become_attributes_when_asked_for(listening: Listening) -> None:
    rules = Rules(user_properties=Select.ALL, where=(parse_condition("country is not US"),))
    listening.worker = Worker(
        listening.inbox, listening.engine.settings(), Console(stream=listening.engine.said), listening.metrics,
        ListenOptions(policy=HASTE, now=listening.clock, rules=rules),
    )  # fmt: skip
    for second, plan, country in ((1, "free", "DE"), (2, "pro", "DE"), (3, "none", "US"), (2, "pro", "DE")):
        update = {"user_id": "42", "event_time": f"2026-07-14 10:00:0{second}", "country": country}
        assert listening.push({**update, "user_properties": {"plan": plan}}, "/events") == 200
    assert listening.push(row(1, user_properties={"plan": "max"}, country="DE"), "/events") == 200
    listening.settle()
    person = listening.engine.workspace.person(id="42")
    assert person is not None
    assert person.attributes["plan"] == "pro"  # of the second after the event, which told an older truth
    assert listening.inbox.waiting()["events"] == 0
