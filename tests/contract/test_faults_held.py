"""Faults on the wire itself: which bytes arrive, how the connection ends, and that nobody else waits for those held."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from tests.contract.live import PATIENCE_S, basic_header

HELD: list[dict[str, Any]] = [
    {"kind": "timeout"},
    {"kind": "timeout", "when": "after_commit"},
    {"kind": "latency", "seconds": 3_600},
    {"kind": "stall", "after_bytes": 1, "seconds": 3_600},
    {"kind": "slow_body", "bytes_per_s": 0.001},
]


def ask(space: WorkspaceHandle, person: str) -> socket.socket:
    host, port = str(space.url).removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), PATIENCE_S)
    head = f"PUT /api/v1/customers/{person} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n".encode()
    connection.sendall(head + basic_header(space.site_id, space.track_api_key) + b"\r\n{}")
    return connection


def rest(connection: socket.socket) -> bytes:
    """Everything until the end; a reset is an end."""
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except ConnectionResetError:
        got += b"RESET"
    return got


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_held_requests_hold_up_no_other_and_no_end() -> None:
    with ExitStack() as stack, Fake() as fake:
        spaces = [fake.new_workspace() for _ in HELD]
        connections = []
        for space, fault in zip(spaces, HELD, strict=True):
            space.fault(**fault, match={"path": "*/customers/held"})
            connections.append(stack.enter_context(closing(ask(space, "held"))))
        for space in spaces:
            while not space.requests:
                pass
            auth = (space.site_id, space.track_api_key)
            answer = httpx.put(f"{fake.url}/api/v1/customers/1", json={}, auth=auth, timeout=PATIENCE_S)
            assert (answer.status_code, space.person(id="1") is not None) == (200, True)
        ending = threading.Thread(target=fake.close)
        ending.start()
        assert [body_of(rest(connection)) for connection in connections] == [b"", b"", b"", b"{", b""]
        ending.join(PATIENCE_S)
        assert not ending.is_alive()
        for space, fault in zip(spaces, HELD, strict=True):
            began = fault["kind"] in ("stall", "slow_body")
            told = next((request.status, request.faults) for request in space.requests)
            assert told == (200 if began else None, [fault["kind"]])
            assert (space.person(id="held") is not None) is (began or "when" in fault)
        fake.raise_first_error()


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as fake:
        yield fake
        fake.raise_first_error()


def test_a_stalled_answer_stops_in_the_middle_and_goes_on(fake: Fake) -> None:
    space = fake.new_workspace()
    space.fault("stall", after_bytes=1, seconds=3_600, match={"nth": 1})
    space.fault("stall", after_bytes=1, seconds=0.05, match={"nth": 2})
    with closing(ask(space, "1")) as connection:
        first = b""
        while not body_of(first):
            first += connection.recv(1_000)
        assert (b"content-length: 3" in first, body_of(first)) == (True, b"{")
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(1_000)
    with closing(ask(space, "1")) as connection:
        answer = b""
        while len(body_of(answer)) < 3:
            answer += connection.recv(1_000)
        assert body_of(answer) == b"{}\n"


def test_a_slow_answer_comes_in_small_pieces(fake: Fake) -> None:
    """Slower and slower: a busy machine may read two pieces at a time, but not if there are seconds between them."""
    read = [pieces(fake, bytes_per_s=20)]
    for bytes_per_s in (5, 1, 0.2):
        if len(read[-1]) < 3:
            read.append(pieces(fake, bytes_per_s))
    assert read[-1] == [b"{", b"}", b"\n"]


def pieces(fake: Fake, bytes_per_s: float) -> list[bytes]:
    """The body of an answer as it was read from the wire."""
    space = fake.new_workspace()
    space.fault("slow_body", bytes_per_s=bytes_per_s)
    read: list[bytes] = []
    with closing(ask(space, "1")) as connection:
        while sum(map(len, read)) < 3:
            got = connection.recv(1_000)
            read.append(body_of(got) if got.startswith(b"HTTP/1.1") else got)
    return [piece for piece in read if piece]


def test_a_truncated_answer_ends_in_good_order_before_its_length(fake: Fake) -> None:
    space = fake.new_workspace()
    space.fault("truncate", bytes=2)
    with closing(ask(space, "1")) as connection:
        answer = rest(connection)
        assert (b"content-length: 3" in answer, body_of(answer)) == (True, b"{}")


def test_a_truncated_answer_in_chunks_lacks_its_last_one(fake: Fake) -> None:
    space = fake.new_workspace()
    space.fault("truncate", bytes=5, when="after_commit")
    host, port = fake.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), PATIENCE_S)) as connection:
        key = f"Authorization: Bearer {space.app_api_key}\r\n\r\n"
        connection.sendall(f"GET /v1/segments HTTP/1.1\r\nHost: {host}\r\n{key}".encode())
        answer = rest(connection)
        assert (b"transfer-encoding: chunked" in answer, body_of(answer)) == (True, b'5\r\n{"seg\r\n')


@pytest.mark.parametrize(("fault", "wire"), [
    pytest.param({"kind": "reset"}, b"RESET", id="reset"),
    pytest.param({"kind": "reset", "when": "after_commit"}, b"RESET", id="reset after the commit"),
    pytest.param({"kind": "close"}, b"", id="close"),
    pytest.param({"kind": "close", "when": "before_parse"}, b"", id="close before parsing"),
    pytest.param({"kind": "lose_reply"}, b"", id="lost reply"),
    pytest.param({"kind": "timeout", "seconds": 0.01}, b"", id="timeout with an end"),
])
def test_a_connection_ends_without_a_status_line(fake: Fake, fault: dict[str, Any], wire: bytes) -> None:
    space = fake.new_workspace()
    space.fault(**fault)
    with closing(ask(space, "1")) as connection:
        assert rest(connection) == wire
