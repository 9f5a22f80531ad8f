"""What keeps the receiver quick and its lists right: large messages in small steps, and clocks that are wrong."""

from __future__ import annotations

import asyncio
import math
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from uvicorn import Config, Server

from sync.core.pushes import ListName, Members
from sync.edge import inbox as inboxes
from sync.edge import receiver as receivers
from sync.edge import serving
from sync.edge.inbox import Inbox
from sync.edge.receiver import Receiver
from tests.integration.listening_engine import Web, webhook

COHORT = ListName("vip", "xyz")
NOW = 1_777_636_800.0


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    with Inbox(tmp_path / "inbox.db") as one:
        yield one


def members(inbox: Inbox) -> set[str]:
    return {who for chunk in inbox.inside(COHORT.list_id) for who in chunk}


def apply(inbox: Inbox) -> list[int]:
    """Apply all there is; returns how many people each step had to do with."""
    steps, before = [], len(members(inbox))
    while inbox.apply_members().messages:
        after = len(members(inbox))
        steps.append(after - before)
        before = after
    return steps


def say(inbox: Inbox, *ids: str, entered: bool = True, at: float | None = None, now: float = NOW) -> None:
    inbox.put_members([Members(COHORT, entered, ids, at=at)], now)


# -- small steps ------------------------------------------------------------------------------------------------------
def test_a_message_of_many_people_is_applied_in_steps_that_keep_nobody_waiting(inbox: Inbox) -> None:
    people = [f"u{n:05}" for n in range(2 * inboxes.MOST_IDS + 1)]
    say(inbox, *people)
    say(inbox, "last", entered=True)
    assert apply(inbox) == [inboxes.MOST_IDS, inboxes.MOST_IDS, 2]
    assert members(inbox) == {*people, "last"}


def test_a_message_of_many_people_is_still_known_when_it_comes_again(inbox: Inbox) -> None:
    push = Members(COHORT, True, tuple(f"u{n}" for n in range(inboxes.MOST_IDS + 1)), at=1.0, message_id="m")
    assert [inbox.put_members([push], NOW) for _ in range(2)] == [1, 0]


def test_events_are_taken_together_up_to_a_size(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inboxes, "MOST_BYTES", 100)
    inbox.put_events([b"x" * size for size in (150, 40, 40, 40)], NOW)
    taken = []
    while rows := inbox.events(1000):
        taken.append([len(line) for _, line in rows])
        inbox.drop_events(rows[-1][0])
    assert taken == [[150], [40, 40], [40]]


def test_ids_of_messages_are_forgotten_after_a_month(inbox: Inbox) -> None:
    push = Members(COHORT, True, ("a",), at=1.0, message_id="m")
    later = (0.0, inboxes.SEEN_S - 1, inboxes.SEEN_S + 2 * inboxes.FORGET_EVERY_S)
    assert [inbox.put_members([push], NOW + after) for after in later] == [1, 0, 1]


# -- clocks -----------------------------------------------------------------------------------------------------------
def test_calls_without_a_time_keep_their_order_when_the_clock_is_put_back(tmp_path: Path) -> None:
    with Inbox(tmp_path / "inbox.db") as inbox:
        say(inbox, "a", "b")
        apply(inbox)
    with Inbox(tmp_path / "inbox.db") as again:
        say(again, "a", entered=False, now=NOW - 7200)
        apply(again)
        assert members(again) == {"b"}


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(NOW * 1000, id="milliseconds"),
        pytest.param(253_402_300_799.0, id="the year 9999"),
        pytest.param(1.7e308, id="the end of numbers"),
    ],
)
def test_a_time_far_ahead_counts_as_that_of_arrival_and_silences_nobody(inbox: Inbox, at: float) -> None:
    say(inbox, "a", "b", at=at)
    say(inbox, "a", entered=False, at=NOW + 60, now=NOW + 60)
    apply(inbox)
    assert members(inbox) == {"b"}


@pytest.mark.parametrize("at", [-1.0, 0.0, NOW + 3600], ids=["1969", "1970", "an hour ahead"])
def test_any_other_time_is_what_it_says(inbox: Inbox, at: float) -> None:
    say(inbox, "a", at=at)
    say(inbox, "a", entered=False, at=math.nextafter(at, -math.inf))
    apply(inbox)
    assert members(inbox) == {"a"}


# -- what integrators configure ---------------------------------------------------------------------------------------
@pytest.fixture
def web(inbox: Inbox) -> Web:
    return Web(Receiver(inbox))


@pytest.mark.parametrize("path", ["/cohorts", "/cohorts/", "/"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_slash_at_the_end_and_the_other_method_are_as_good(web: Web, inbox: Inbox, method: str, path: str) -> None:
    assert asyncio.run(web._ask(method, path, json=webhook("a"))).status_code == 200
    assert inbox.waiting()["cohorts"] == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [("POST", "/cohort", 404, "/cohorts"), ("DELETE", "/lists", 405, "POST"), ("POST", "/metrics", 405, "GET")],
)
def test_a_path_that_nobody_knows_is_told_with_those_there_are(
    web: Web, method: str, path: str, status: int, says: str
) -> None:
    answer = asyncio.run(web._ask(method, path))
    assert (answer.status_code, says in answer.json()["error"]) == (status, True)


def test_a_body_that_does_not_come_is_not_waited_for(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receivers, "PATIENCE_S", 0.01)

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    assert web.post("/cohorts", content=never()).status_code == 408


@pytest.mark.parametrize("path", ["/events", "/"])
def test_a_byte_order_mark_is_no_part_of_a_body(web: Web, inbox: Inbox, path: str) -> None:
    assert web.post(path, content=b"\xef\xbb\xbf" + b'{"event_type":"order"}').status_code == 200
    assert inbox.events(1)[0][1] == b'{"event_type":"order"}'


def test_a_connection_on_which_nothing_is_asked_is_closed(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SILENCE_S", 0.05)
    server = Server(Config(Receiver(inbox).app(), http=serving.Impatient, lifespan="off", log_level="critical"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            for said in (b"", b"POST /cohorts HTTP/1.1\r\nhost: x\r\n", b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"):
                with socket.create_connection(listener.getsockname(), timeout=60) as silent:
                    silent.sendall(said)
                    with silent.makefile("rb") as answer:  # to its end, which is that of the connection
                        assert answer.read()[:15] in (b"", b"HTTP/1.1 200 OK")
        finally:
            server.should_exit = True
            thread.join()


def test_what_is_no_event_is_not_kept(web: Web, inbox: Inbox) -> None:
    answer = web.post("/events", json=[{"external_id": "1", "name": "order"}, {}])
    assert (answer.status_code, "event_type" in answer.json()["error"]) == (400, True)
    assert web.post("/events", json=[{"name": "order"}, {"event_type": "order"}]).status_code == 200
    assert inbox.waiting()["events"] == 2  # one bad row is told by its reason, and costs no other
