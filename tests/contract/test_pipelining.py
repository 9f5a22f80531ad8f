"""Keep-alive and pipelining as HTTP/1.1 has them: every request its answer, in the order in which they were asked."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPResponse

import pytest

from fakeio import Fake, WorkspaceHandle
from tests.contract import handling, plain
from tests.contract.live import PATIENCE_S, basic_header
from tests.contract.wire import Visit, pay

fake, space = handling.fake, handling.space
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


def port(fake: Fake) -> int:
    return int(fake.url.rpartition(":")[2])


def ask(space: WorkspaceHandle, method: str, path: str, body: bytes | None = None, *lines: bytes) -> bytes:
    """One request as bytes, with the credentials of its API."""
    auth = basic_header(space.site_id, space.track_api_key)
    if path.startswith("/v1"):
        auth = f"Authorization: Bearer {space.app_api_key}\r\n".encode()
    length = () if body is None else (b"Content-Length: %d" % len(body),)
    head = b"".join(line + b"\r\n" for line in (b"Host: localhost", *length, *lines))
    return f"{method} {path} HTTP/1.1\r\n".encode() + auth + head + b"\r\n" + (body or b"")


def mixed(space: WorkspaceHandle) -> tuple[bytes, tuple[str, ...]]:
    """Requests whose answers are all different, framed in every way there is."""
    chunked = ask(space, "PUT", "/api/v1/customers/2", None, b"Transfer-Encoding: chunked")
    requests = [
        ("PUT", ask(space, "PUT", "/api/v1/customers/1", b"{}")),
        ("GET", ask(space, "GET", "/auth")),
        ("PUT", chunked + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
        ("GET", ask(space, "GET", "/v1/segments")),
        ("HEAD", ask(space, "HEAD", "/api/v1/nowhere")),
        ("POST", ask(space, "POST", "/api/v1/customers/1/events", b"[")),
        ("POST", ask(space, "POST", "/api/v1/forms/f/submit", b'{"data": {"email": "a@example.com"}}')),
        ("PUT", ask(space, "PUT", "/api/v1/customers/3", b"{}", b"Connection: close")),
    ]
    return b"".join(sent for _, sent in requests), tuple(method for method, _ in requests)


IN_ORDER = [
    (200, b"{}\n"), (200, b'{\n  "meta": '), (200, b"{}\n"), (200, b'{"segments":'), (404, b""),
    (400, b'{\n  "meta": '), (204, b""), (200, b"{}\n"),
]  # fmt: skip
CALM: dict[str, object] = {}


@pytest.mark.parametrize("piece_bytes", [pytest.param(0, id="at once"), pytest.param(11, id="in small pieces")])
@pytest.mark.parametrize("fault", [
    pytest.param(CALM, id="fair weather"),
    pytest.param({"kind": "latency", "seconds": 0.05, "match": {"nth": 1}}, id="the first is slow"),
    pytest.param({"kind": "latency", "seconds": 0.02, "match": {"every": 2}}, id="every second is slow"),
    pytest.param({"kind": "stall", "after_bytes": 1, "seconds": 0.05, "match": {"nth": 1}}, id="the first stalls"),
    pytest.param({"kind": "slow_body", "bytes_per_s": 10_000}, id="all arrive slowly"),
])
def test_answers_come_in_the_order_of_the_requests(
    fake: Fake, space: WorkspaceHandle, fault: dict[str, object], piece_bytes: int
) -> None:
    if fault:
        space.load_faults([fault])
    sent, methods = mixed(space)
    answers = pay(port(fake), Visit(sent, methods, piece_bytes=piece_bytes))
    assert [(answer.status, answer.body[:12]) for answer in answers] == IN_ORDER
    assert [(request.method, request.status) for request in space.requests] == [
        (method, status) for method, (status, _) in zip(methods, IN_ORDER, strict=True)
    ]


def test_a_fault_that_answers_keeps_the_connection(fake: Fake, space: WorkspaceHandle) -> None:
    space.fault("status", status=503, match={"nth": 2})
    sent = ask(space, "GET", "/auth") * 2 + ask(space, "GET", "/auth", None, b"Connection: close")
    assert [answer.status for answer in pay(port(fake), Visit(sent, ("GET",) * 3))] == [200, 503, 200]


def test_nothing_is_answered_behind_a_request_that_closes(fake: Fake, space: WorkspaceHandle) -> None:
    sent = ask(space, "GET", "/auth", None, b"Connection: close") + ask(space, "PUT", "/api/v1/customers/1", b"{}")
    assert [answer.status for answer in pay(port(fake), Visit(sent, ("GET", "PUT")))] == [200]
    assert space.people == []


def test_an_old_client_gets_one_answer_and_an_end(fake: Fake, space: WorkspaceHandle) -> None:
    sent = ask(space, "GET", "/auth").replace(b"HTTP/1.1", b"HTTP/1.0")
    (answer,) = pay(port(fake), Visit(sent * 2, ("GET", "GET")))
    assert answer.status == 200
    assert b"connection: close" in answer.head.lower()


def test_a_head_request_is_answered_with_the_head_of_what_a_get_would_get(fake: Fake, space: WorkspaceHandle) -> None:
    sent = ask(space, "HEAD", "/auth") + ask(space, "GET", "/auth", None, b"Connection: close")
    first, second = pay(port(fake), Visit(sent, ("HEAD", "GET")))
    assert (first.body, second.status) == (b"", 200)


@pytest.mark.parametrize("slow", [pytest.param(False, id="at once"), pytest.param(True, id="after a while")])
def test_a_client_that_asks_first_is_told_to_go_on(fake: Fake, space: WorkspaceHandle, slow: bool) -> None:
    if slow:
        space.fault("latency", seconds=0.05)
    head = ask(space, "PUT", "/api/v1/customers/1", None, b"Content-Length: 2", b"Expect: 100-continue")
    with closing(socket.create_connection(("127.0.0.1", port(fake)), PATIENCE_S)) as connection:
        connection.sendall(head)
        assert connection.recv(len(GO_ON), socket.MSG_WAITALL) == GO_ON
        for rest in (b"{}", ask(space, "GET", "/auth")):
            connection.sendall(rest)
            answer = HTTPResponse(connection)
            answer.begin()
            assert (answer.status, answer.read()[:1]) == (200, b"{")
    assert [person.id for person in space.people] == ["1"]


@pytest.mark.parametrize("later", [pytest.param(False, id="sent together"), pytest.param(True, id="sent later")])
def test_what_waits_behind_a_held_request_dies_with_its_client(
    fake: Fake, space: WorkspaceHandle, later: bool
) -> None:
    space.fault("timeout", match={"nth": 1})
    first, behind = ask(space, "GET", "/auth"), ask(space, "PUT", "/api/v1/customers/1", b"{}") * 3
    with closing(socket.create_connection(("127.0.0.1", port(fake)), PATIENCE_S)) as connection:
        connection.sendall(first if later else first + behind)
        until(lambda: len(space.requests) == 1)
        if later:
            connection.sendall(behind)
    until(lambda: held(fake, space) == [])
    assert [(request.method, request.status) for request in space.requests] == [("GET", None)]
    assert space.people == []


def held(fake: Fake, space: WorkspaceHandle) -> list[int]:
    """The numbers of the requests that nobody has given up yet."""
    rows = plain.get(f"{fake.url}/_fakeio/workspaces/{space.id}/requests").json()["requests"]
    return [row["n"] for row in rows if row["status"] is None and row["cut"] is None]


def until(true: Callable[[], bool]) -> None:
    """Wait for what the server's thread is about to do."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)
