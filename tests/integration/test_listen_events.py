"""Streamed events by every way they may come, and user updates among them: one event, one person, one truth."""

from __future__ import annotations

import pytest

from sync import run_events as run_events_module
from sync.core.conditions import parse_condition
from sync.core.mapping import Rules
from sync.core.properties import Select
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.listening import GIVEN_UP_AFTER_S, MOST_PAUSE_S, ListenOptions, Worker
from sync.run_events import EventsOptions, run_events
from sync.run_retry import run_retry
from tests.integration.cohort_engine import HASTE
from tests.integration.event_engine import BATCH_PATH, counts, ended_report, row, wide
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


# -- without an answer ------------------------------------------------------------------------------------------------
def test_streamed_events_without_an_answer_wait_and_are_sent_again(listening: Listening) -> None:
    outage = listening.engine.workspace.fault("status", match={"path": BATCH_PATH}, status=503)
    assert listening.push(row(1), "/events") == 200
    for _ in range(3):
        listening.clock.advance(MOST_PAUSE_S)
        listening.settle()
        assert listening.inbox.waiting()["events"] == 1
    outage.remove()
    listening.clock.advance(MOST_PAUSE_S)
    listening.settle()
    assert listening.inbox.waiting()["events"] == 0
    assert [event.data["n"] for event in listening.engine.workspace.events()] == [1]
    with Ledger.open(listening.engine.path) as ledger:
        assert list(ledger.dead_letters(only_open=True)) == []


def test_after_hours_without_an_answer_streamed_events_wait_for_retry(listening: Listening) -> None:
    """So that one that is never answered does not keep those after it for ever."""
    outage = listening.engine.workspace.fault("status", match={"path": BATCH_PATH}, status=503)
    listening.push(row(1), "/events")
    listening.settle()
    listening.clock.advance(GIVEN_UP_AFTER_S - 1)
    listening.settle()
    assert listening.inbox.waiting()["events"] == 1
    listening.clock.advance(MOST_PAUSE_S)
    listening.settle()
    assert listening.inbox.waiting()["events"] == 0
    listening.push(row(2), "/events")  # which gets as much patience
    listening.clock.advance(GIVEN_UP_AFTER_S)
    listening.settle()
    assert listening.inbox.waiting()["events"] == 1
    outage.remove()
    listening.clock.advance(MOST_PAUSE_S)
    listening.settle()
    with Ledger.open(listening.engine.path) as ledger:
        ended = run_retry("all", listening.engine.settings(), ledger, Console(stream=listening.engine.said))
    assert counts(ended_report(ended)) == {"received": 1, "delivered": 1}
    assert sorted(event.data["n"] for event in listening.engine.workspace.events()) == [1, 2]


def test_streamed_events_that_were_never_sent_are_not_given_up(listening: Listening) -> None:
    outage = listening.engine.workspace.fault("status", match={"path": BATCH_PATH}, status=503)
    listening.push(wide(*range(200)), "/events")
    for _ in range(2):
        listening.settle()
        listening.clock.advance(GIVEN_UP_AFTER_S)
    outage.remove()
    listening.settle()
    assert sorted(event.data["n"] for event in listening.engine.workspace.events()) == list(range(200))


def test_of_many_streamed_rows_with_one_flaw_the_first_of_an_hour_are_kept(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_events_module, "MOST_ROWS", 3)

    def kept_after(number: int) -> int:
        listening.push([row(number, user_id=None), row(number + 1, user_id=None)], "/events")
        listening.settle()
        with Ledger.open(listening.engine.path) as ledger:
            return len(list(ledger.dead_letters()))

    assert [kept_after(number) for number in (0, 10, 20)] == [2, 3, 3]
    monkeypatch.setattr(run_events_module, "HOUR_S", -10.0)  # later
    assert kept_after(30) == 5
