"""What is pushed, from its arrival to the segment: answers, order, repetitions, a destination that is down."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.errors import LedgerError
from sync.core.pushes import ListName, Members
from sync.edge.console import Console
from sync.edge.inbox import Inbox
from sync.edge.receiver import Receiver
from sync.listening import AGAIN_S, ListenOptions, Worker
from tests.integration.cohort_engine import HASTE
from tests.integration.event_engine import row
from tests.integration.listening_engine import Listening, Web, webhook


# -- cohort webhooks --------------------------------------------------------------------------------------------------
def test_people_who_enter_and_leave_become_members_and_leave(listening: Listening) -> None:
    assert listening.push(webhook("a", "b", "nobody")) == 200
    listening.settle()
    assert listening.engine.members() == {"a", "b"}
    assert listening.engine.workspace.segment(1).name == "[Amplitude] vip: xyz"
    assert listening.push(webhook("a", entered=False, at=200)) == 200
    listening.settle()
    assert listening.engine.members() == {"b"}


def test_a_message_is_applied_once_however_often_it_comes(listening: Listening) -> None:
    for _ in range(3):
        assert listening.push(webhook("a", message_id="m1")) == 200
    assert listening.inbox.waiting()["cohorts"] == 1
    assert listening.receiver.taken == {"cohorts": 1, "repeated": 2, "unresolved": 0}
    listening.settle()
    assert listening.engine.calls("add") == [["a"]]


def test_an_exit_that_arrives_before_its_entry_wins_by_its_time(listening: Listening) -> None:
    listening.push(webhook("a", entered=False, at=200))
    listening.push(webhook("a", entered=True, at=100))
    listening.settle()
    assert listening.engine.members() == set()


def test_of_one_moment_the_last_word_wins_and_is_told(listening: Listening) -> None:
    listening.push(webhook("a", at=100))
    listening.push(webhook("a", entered=False, at=100))
    listening.settle()
    assert listening.inbox.dirty() == []
    assert "in and out at the same moment" in listening.engine.said.getvalue()


def test_a_renamed_cohort_keeps_its_segment(listening: Listening) -> None:
    listening.push(webhook("a"))
    listening.settle()
    listening.push(webhook("b", at=200, cohort_name="renamed"))
    listening.settle()
    assert listening.engine.members() == {"a", "b"}
    assert [one.name for one in listening.engine.workspace.segments] == ["[Amplitude] vip: xyz"]


def test_two_cohorts_of_one_name_are_two_segments(listening: Listening) -> None:
    listening.push(webhook("a"))
    listening.push(webhook("b", cohort_id="other"))
    listening.settle()
    assert [one.name for one in listening.engine.workspace.segments] == [
        "[Amplitude] vip: xyz", "[Amplitude] vip (other): other",
    ]  # fmt: skip


def test_somebody_who_appears_later_is_added_within_the_hour(listening: Listening) -> None:
    listening.push(webhook("late"))
    listening.settle()
    listening.engine.people("late")
    listening.settle()
    assert listening.engine.members() == set()
    listening.clock.advance(AGAIN_S)
    listening.settle()
    assert listening.engine.members() == {"late"}


def test_a_member_who_signs_up_again_is_added_back_within_the_hour(listening: Listening) -> None:
    listening.push(webhook("a", "b"))
    listening.settle()
    listening.engine.delete_person("a")
    listening.engine.people("a")
    listening.settle()
    assert listening.engine.members() == {"b"}
    listening.clock.advance(AGAIN_S)
    listening.settle()
    assert listening.engine.members() == {"a", "b"}


def anew(listening: Listening, *lost: str, id_type: str = "id") -> Listening:
    """Started again, where the files whose names begin so are gone."""
    listening.inbox.close()
    for path in [path for name in lost for path in listening.engine.path.parent.glob(f"{name}*")]:
        path.unlink()
    return Listening(listening.engine, listening.clock, id_type=id_type)


@pytest.mark.parametrize("lost", [["inbox.db"], ["inbox.db", "ledger.db"]], ids=["the inbox", "everything"])
def test_a_lost_state_takes_nobody_out_of_whom_no_push_says_that_they_left(
    listening: Listening, lost: list[str]
) -> None:
    listening.push(webhook("a", "b", "c"))
    listening.settle()
    second = anew(listening, *lost)
    second.push(webhook("d", "nobody", at=200))
    second.push(webhook("a", entered=False, at=200))
    listening.engine.people("d")
    second.settle()
    assert listening.engine.members() == {"b", "c", "d"}
    assert "2 people are in the segment of 'vip' of whom no push has spoken yet" in listening.engine.said.getvalue()
    second.push(webhook("b", entered=False, at=50))  # whatever is said of them is newer than nothing
    second.settle()
    third = anew(second)
    third.push(webhook("c", entered=False, at=300))
    third.settle()
    third.inbox.close()
    assert (listening.engine.members(), len(listening.engine.workspace.segments)) == ({"d"}, 1)
    assert listening.engine.said.getvalue().count("no push has spoken") == 1


def test_who_comes_by_an_address_leaves_by_it_in_any_spelling(listening: Listening) -> None:
    listening.engine.workspace.add_people([{"email": f"{one}@example.com"} for one in ("ann", "bob", "cy")])
    listening.push(webhook("Ann@Example.com", "Cy@example.com", "CY@example.com"))
    listening.inbox.apply_members()  # as it was kept before
    second = anew(listening, id_type="email")
    second.push(webhook("bob@example.com", "BOB@example.com", at=150))
    second.settle()
    assert listening.engine.members() == {"ann@example.com", "bob@example.com", "cy@example.com"}
    second.push(webhook("ANN@example.com", "Bob@Example.com", entered=False, at=200))
    second.settle()
    second.inbox.close()
    assert listening.engine.members() == {"cy@example.com"}


# -- the other shapes -------------------------------------------------------------------------------------------------
def test_the_list_protocol_answers_ids_flat_and_nested_and_always_the_same(listening: Listening) -> None:
    answers = [listening.web.post("/lists", json={"name": "[Amplitude] a: b: 7"}).json() for _ in range(2)]
    list_id = answers[0]["listId"]
    nested = {"listId": list_id, "list_id": list_id}
    assert answers == [{**nested, "response": nested}] * 2
    assert listening.push({"userIds": ["a", "b"]}, f"/lists/{list_id}/add") == 200
    assert listening.push({"listId": list_id, "user_ids": ["c"]}, "/lists/add") == 200
    assert listening.push({"userIds": ["a", "unknown"]}, f"/lists/{list_id}/remove") == 200
    listening.settle()
    assert listening.engine.members() == {"b", "c"}
    assert listening.engine.workspace.segment(1).name == "[Amplitude] a: b: 7"


def test_traits_become_members(listening: Listening) -> None:
    trait = "[Amplitude] a: b: 7"
    people = [{"userId": "a", "traits": {trait: True}}, {"userId": "b", "traits": {trait: True}}]
    assert listening.push({"batch": people}, "/traits") == 200
    assert listening.push({"userId": "a", "traits": {trait: False}}, "/") == 200
    listening.settle()
    assert listening.engine.members() == {"b"}


def test_a_host_alone_takes_any_shape(listening: Listening) -> None:
    assert listening.push(webhook("a"), "/") == 200
    assert listening.push({"batch": [{"userId": "b", "traits": {"[Amplitude] vip: xyz": True}}]}, "/") == 200
    assert listening.push(row(1, user_id="c"), "/") == 200
    assert listening.push(b'{"event_type":"x"}\n{"event_type":"y"}', "/") == 200
    assert listening.inbox.waiting() == {"cohorts": 2, "events": 3}


# -- events -----------------------------------------------------------------------------------------------------------
def test_streamed_events_are_delivered_once_however_often_they_come(listening: Listening) -> None:
    for event in (row(1), row(1), row(2, user_id=None), row(3)):
        assert listening.push(event, "/events") == 200
    listening.settle()
    events = listening.engine.workspace.events()
    assert sorted(event.data["n"] for event in events) == [1, 3]
    assert listening.inbox.waiting()["events"] == 0
    assert listening.push(row(1), "/events") == 200
    listening.settle()
    assert len(listening.engine.workspace.events()) == 2


def test_an_event_that_was_pushed_is_the_same_one_in_an_export(listening: Listening) -> None:
    event = {**row(1), "insert_id": "insert-1"}
    del event["$insert_id"]
    listening.push(event, "/events")
    listening.push(row(1), "/events")
    listening.settle()
    assert len(listening.engine.workspace.events()) == 1


# -- trouble ----------------------------------------------------------------------------------------------------------
def test_pushes_are_taken_while_customer_io_is_down_and_delivered_when_it_is_back(listening: Listening) -> None:
    workspace = listening.engine.workspace
    workspace.fault("status", match={"api": "track"}, status=503)
    assert (listening.push(webhook("a")), listening.push(row(1), "/events")) == (200, 200)
    listening.settle()
    assert listening.inbox.waiting()["events"] == 1
    tries = len(workspace.requests)
    listening.settle()
    assert len(workspace.requests) == tries  # nothing is tried again before a pause
    workspace.clear_faults()
    listening.clock.advance(10)
    listening.settle()
    assert listening.engine.members() == {"a"}
    assert [event.data["n"] for event in workspace.events()] == [1]


def test_wrong_credentials_are_told_and_nothing_is_lost(listening: Listening) -> None:
    settings = listening.engine.settings(track_api_key="0" * 20)
    told = ListenOptions(policy=HASTE, now=listening.clock)
    console = Console(stream=listening.engine.said)
    worker = Worker(listening.inbox, settings, console, listening.metrics, told)
    listening.push(webhook("a"))
    while worker.work():
        pass
    assert "CIO_TRACK_API_KEY" in listening.engine.said.getvalue()
    assert "0" * 20 not in listening.engine.said.getvalue()
    listening.settle()
    assert listening.engine.members() == {"a"}


def test_a_ledger_that_can_not_be_opened_is_told_and_tried_again(listening: Listening, tmp_path: Path) -> None:
    settings = listening.engine.settings(state_path=tmp_path)
    told = ListenOptions(policy=HASTE, now=listening.clock)
    worker = Worker(listening.inbox, settings, Console(stream=listening.engine.said), listening.metrics, told)
    listening.push(webhook("a"))
    while worker.work():
        pass
    assert "state file" in listening.engine.said.getvalue()
    assert len(listening.inbox.dirty()) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(sqlite3.OperationalError("database or disk is full"), "disk is full", id="a full disk"),
        pytest.param(KeyError("secret-person"), "KeyError; it is tried again", id="what nobody foresaw"),
    ],
)
@pytest.mark.parametrize("broken", ["sync.listening.run_cohort", "sync.edge.inbox.Inbox.apply_members"])
def test_no_error_ends_the_worker(
    listening: Listening, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str, broken: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    listening.push(webhook("a"))
    with monkeypatch.context() as patched:
        patched.setattr(broken, fail)
        while listening.worker.try_to_work():
            pass
    assert told in listening.engine.said.getvalue()
    assert "secret-person" not in listening.engine.said.getvalue()
    assert "cio_sync_failures_total 1.0" in listening.metrics.text({}, {})
    assert not listening.worker.try_to_work()  # nothing is tried again before a pause
    listening.clock.advance(10)
    while listening.worker.try_to_work():
        pass
    assert listening.engine.members() == {"a"}


def test_a_list_that_fails_keeps_nothing_else_waiting(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("secret-person")

    monkeypatch.setattr("sync.listening.run_cohort", fail)
    assert (listening.push(webhook("a")), listening.push(row(1), "/events")) == (200, 200)
    while listening.worker.try_to_work():
        pass
    assert [event.data["n"] for event in listening.engine.workspace.events()] == [1]


def test_what_a_full_disk_does_not_keep_is_not_taken(listening: Listening) -> None:
    disk = listening.inbox._connection  # its limit of pages stands for a full disk: SQLite says the same of both
    (pages,) = disk.execute("PRAGMA page_count").fetchone()
    disk.execute(f"PRAGMA max_page_count = {pages}").fetchone()
    large = webhook("a", *(f"nobody-{n}" for n in range(2_000)), message_id="m")
    assert (listening.push(large), listening.push([row(1, text="x" * 99_000)], "/events")) == (503, 503)
    assert listening.inbox.waiting() == {"cohorts": 0, "events": 0}
    disk.execute("PRAGMA max_page_count = 100000").fetchone()
    assert listening.push(large) == 200  # its id was not remembered either
    listening.settle()
    assert listening.engine.members() == {"a"}


def test_an_inbox_that_can_not_be_used_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, connect = list[sqlite3.Connection](), sqlite3.connect

    def remembering(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", remembering)
    (tmp_path / "inbox").write_bytes(b"this is no database" * 100)
    with pytest.raises(LedgerError, match="can't be used"):
        Inbox(tmp_path / "inbox")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):  # and keeps no file open
        opened[0].execute("SELECT 1")


def test_figures_are_told_without_people(listening: Listening) -> None:
    listening.push(webhook("a", "secret-person"))
    listening.push(webhook("a", in_cohort=7))
    listening.push(row(1), "/events")
    listening.settle()
    listening.receiver = Receiver(
        listening.inbox, metrics=lambda: listening.metrics.text(listening.receiver.taken, listening.inbox.waiting())
    )
    text = Web(listening.receiver).get("/metrics").text
    assert 'cio_sync_items_total{fate="added",kind="cohort"} 1.0' in text
    assert 'cio_sync_items_total{fate="delivered",kind="events"} 1.0' in text
    assert 'cio_sync_runs_total{kind="cohort",status="partial"} 1.0' in text
    assert 'cio_sync_inbox_waiting{kind="events"} 0.0' in text
    assert "secret-person" not in text


# -- order and repetition: any of them gives the same segment ---------------------------------------------------------
@pytest.fixture(scope="module")
def shared_inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    with Inbox(tmp_path_factory.mktemp("inbox") / "inbox.db") as inbox:
        yield inbox


_numbers = itertools.count()
messages = st.lists(
    st.tuples(st.booleans(), st.frozensets(st.sampled_from("abcd"), min_size=1)), min_size=1, max_size=6
)


@given(messages, st.randoms(use_true_random=False))
def test_any_order_with_any_repetition_ends_in_the_same_people(
    shared_inbox: Inbox, said: list[tuple[bool, frozenset[str]]], shuffler: random.Random
) -> None:
    name = f"cohort {next(_numbers)}"
    pushes = [
        Members(ListName(name, ""), entered, tuple(sorted(who)), at=float(at), message_id=f"{name} {at}")
        for at, (entered, who) in enumerate(said)
    ]
    ought: set[str] = set()
    for entered, who in said:
        ought = ought | who if entered else ought - who
    shuffled = pushes + shuffler.choices(pushes, k=3)
    shuffler.shuffle(shuffled)
    for push in shuffled:
        shared_inbox.put_members([push], 0.0)
    while shared_inbox.apply_members(most=2).messages:
        pass
    assert {who for chunk in shared_inbox.inside(ListName(name, "").list_id) for who in chunk} == ought


def test_calls_that_come_four_at_a_time_end_like_one_after_the_other(listening: Listening) -> None:
    listening.engine.people(*(f"u{n}" for n in range(200)))
    list_id = listening.web.post("/lists", json={"name": "[Amplitude] big: 1"}).json()["listId"]
    calls = [("add", [f"u{n}" for n in range(at, at + 20)]) for at in range(0, 160, 20)]
    calls += [("remove", [f"u{n}" for n in range(at, at + 20)]) for at in range(160, 200, 20)]
    with ThreadPoolExecutor(4) as four:
        answers = four.map(lambda call: listening.push({"ids": call[1]}, f"/lists/{list_id}/{call[0]}"), calls * 2)
        assert set(answers) == {200}
    listening.settle()
    assert listening.engine.members() == {f"u{n}" for n in range(160)}
