"""A client that is broken, or means harm, and a normal one beside it that goes on being served."""

from __future__ import annotations

import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import httpx
import pytest

from fakeio import server_guard
from fakeio.app import build_app, build_universe
from fakeio.edge.tls import Certificates
from fakeio.server import ThreadedServer, Tls
from fakeio.server_limits import Limits
from tests.contract.live import PATIENCE_S, basic_header
from tests.contract.serving import identify, serving, url_of

KEYS = ("f0000000000000000001", "f0000000000000000002")
AUTH = basic_header(*KEYS)
PUT = b"PUT /api/v1/customers/7 HTTP/1.1\r\nHost: localhost\r\n" + AUTH
IDENTIFY = PUT + b"Content-Length: 2\r\n\r\n{}"
SNAPSHOT = b"POST /_fakeio/workspaces/default/people HTTP/1.1\r\nHost: localhost\r\n"
SMALL = Limits(head_bytes=2_000, body_bytes=10_000, control_body_bytes=20_000)


@contextmanager
def running(limits: Limits = SMALL, **options: Any) -> Iterator[ThreadedServer]:
    universe = build_universe()
    with ThreadedServer(build_app(universe), limits=limits, **options) as server:
        yield server
        # with limits that short, a busy machine may give up a normal client as well, now and then
        assert any(served(server) for _ in range(100 if 0 < limits.head_s < 1 else 1))
    assert [error for hosted in universe.registry for error in hosted.errors] == []


def served(server: ThreadedServer) -> bool:
    """Whether a normal client gets on."""
    try:
        answer = httpx.get(f"{server.bound.url}/auth", auth=KEYS, timeout=PATIENCE_S, trust_env=False)
    except httpx.RemoteProtocolError:
        return False
    return answer.status_code == 200


def connect(server: ThreadedServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.bound.port), PATIENCE_S)


def rest(connection: socket.socket) -> bytes:
    """Everything until the end; a reset is an end."""
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except ConnectionResetError:
        pass
    return got


def status_of(answer: bytes) -> int:
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


# ---- too large -------------------------------------------------------------------------------------------------------


def padded(size: int) -> bytes:
    return PUT + b"X-Padding: " + b"x" * size + b"\r\n"


@pytest.mark.parametrize(("sent", "status"), [
    pytest.param(padded(3_000) + b"Content-Length: 2\r\n\r\n{}", 431, id="a head that is too large, at once"),
    pytest.param(padded(3_000), 431, id="a head that goes on"),
    pytest.param(b"X" * 3_000, 400, id="no HTTP at all"),
    pytest.param(b"GET /" + b"x" * 3_000, 431, id="a path that goes on"),
    pytest.param(PUT + b"Content-Length: 10001\r\n\r\n{", 413, id="a body that says it is too large"),
    pytest.param(PUT + b"Content-Length: 999999999999\r\n\r\n", 413, id="a body of a terabyte"),
    pytest.param(PUT + b"Content-Length: 999999999999999999999\r\n\r\n", 400, id="a length that is no length"),
    pytest.param(PUT + b"Content-Length: 10001\r\nExpect: 100-continue\r\n\r\n", 413, id="a body that asks first"),
    pytest.param(PUT + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 10001\r\n\r\n", 413, id="an upgrade"),
    pytest.param(SNAPSHOT + b"Content-Length: 20001\r\n\r\n{", 413, id="a control call"),
    pytest.param(IDENTIFY.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n"), 200, id="what fits"),
    pytest.param(padded(1_500) + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}", 200, id="a head that just fits"),
])
def test_a_request_that_is_too_large_is_refused_before_it_is_there(sent: bytes, status: int) -> None:
    with running() as server, closing(connect(server)) as connection:
        connection.sendall(sent)
        answer = rest(connection)
        assert status_of(answer) == status
        assert answer.count(b"HTTP/1.1 ") == 1


def test_a_body_in_chunks_is_refused_once_it_is_too_large() -> None:
    with running() as server, closing(connect(server)) as connection:
        connection.sendall(PUT + b"Transfer-Encoding: chunked\r\n\r\n")
        chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
        try:
            for _ in range(1_000):
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has closed; what it said may still be there
        assert status_of(rest(connection)) in (413, 0)


def test_the_refusal_can_be_read_by_a_client_that_first_sends_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_guard, "_LINGER_S", PATIENCE_S)  # however long a busy machine takes to send it
    with running() as server, closing(connect(server)) as connection:
        connection.sendall(PUT + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        answer = rest(connection)
        assert (status_of(answer), answer.rpartition(b"\r\n\r\n")[2]) == (
            413, b'{"meta":{"error":"the body of a request may take 10000 bytes"}}\n'
        )  # fmt: skip


def test_a_huge_body_behind_a_good_request_does_not_spoil_its_answer() -> None:
    with running() as server, closing(connect(server)) as connection:
        connection.sendall(IDENTIFY + PUT + b"Content-Length: 10001\r\n\r\n{")
        answer = rest(connection)
        assert (status_of(answer), answer.count(b"HTTP/1.1 "), b"HTTP/1.1 413" in answer) == (200, 2, True)


def test_a_huge_body_behind_a_held_request_ends_both() -> None:
    universe = build_universe()
    universe.registry.default.weather.add({"kind": "timeout", "times": 1})
    with ThreadedServer(build_app(universe), limits=SMALL) as server, closing(connect(server)) as connection:
        connection.sendall(IDENTIFY + PUT + b"Content-Length: 10001\r\n\r\n{")
        assert rest(connection) == b""  # no answer may overtake the one that is due
        assert served(server)
    assert [exchange.status for exchange in universe.registry.default.tape] == [None, 200]


def test_over_tls_it_is_refused_too() -> None:
    with closing(Certificates()) as certificates:
        tls = Tls(certificates.cert_file, certificates.key_file)
        with running(tls=tls) as server:
            plain = socket.create_connection(("127.0.0.1", server.bound.https_port or 0), PATIENCE_S)
            context = ssl.create_default_context(cafile=str(certificates.ca_file))
            with closing(context.wrap_socket(plain, server_hostname="localhost")) as connection:
                connection.sendall(PUT + b"Content-Length: 10001\r\n\r\n")
                assert status_of(connection.recv(65536)) == 413


def test_bodies_as_large_as_the_real_service_takes_are_taken() -> None:
    with running(Limits()) as server:
        batch = b'{"batch": [' + b" " * 500_000 + b"]}"
        url = f"{server.bound.url}/api/v2/batch"
        answer = httpx.post(url, content=batch, auth=KEYS, timeout=PATIENCE_S, trust_env=False)
        assert (answer.status_code, answer.json()["errors"][0]["reason"]) == (400, "required")  # read and judged


def test_a_limit_of_0_is_no_limit() -> None:
    with running(Limits(0, 0, 0)) as server, closing(connect(server)) as connection:
        body = b'{"a": "' + b"x" * 300_000 + b'"}'
        connection.sendall(padded(100_000) + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert status_of(rest(connection)) in (200, 400)


# ---- too slow --------------------------------------------------------------------------------------------------------


SHORT_S = 0.1
HALVES = [
    pytest.param(b"PUT /api", b"HTTP/1.1 408", id="half a request line"),
    pytest.param(PUT, b"HTTP/1.1 408", id="half a head"),
    pytest.param(PUT + b"Content-Length: 5\r\n\r\n{", b"HTTP/1.1 408", id="half a body"),
    pytest.param(PUT + b"Transfer-Encoding: chunked\r\n\r\n1\r\n", b"HTTP/1.1 408", id="half a chunk"),
    pytest.param(IDENTIFY + PUT, b"HTTP/1.1 200", id="half a second request"),
]


@pytest.mark.parametrize(("sent", "answer"), HALVES)
def test_a_request_that_does_not_come_to_its_end_is_given_up(sent: bytes, answer: bytes) -> None:
    with running(Limits(head_s=SHORT_S, request_s=SHORT_S)) as server, closing(connect(server)) as connection:
        connection.sendall(sent)
        assert rest(connection).startswith(answer)


def test_a_connection_on_which_nothing_is_asked_is_given_up() -> None:
    with running(Limits(head_s=SHORT_S, idle_s=SHORT_S)) as server, closing(connect(server)) as connection:
        assert rest(connection) == b""


def test_a_request_that_is_held_by_a_fault_is_not_given_up() -> None:
    universe = build_universe()
    tape = universe.registry.default.tape
    universe.registry.default.weather.add({"kind": "latency", "seconds": 0.3, "times": 1})
    limits = Limits(head_s=SHORT_S, request_s=SHORT_S, idle_s=SHORT_S)
    with ThreadedServer(build_app(universe), limits=limits) as server:
        answer = b""
        while len(tape) == 0:  # on a busy machine it may be given up before it has asked anything
            answer = asked(server, IDENTIFY.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n"))
        assert status_of(answer) == 200


def asked(server: ThreadedServer, sent: bytes) -> bytes:
    """What comes back on a connection of its own; nothing when it is closed too early to ask."""
    with closing(connect(server)) as connection:
        try:
            connection.sendall(sent)
        except (BrokenPipeError, ConnectionResetError):
            return b""
        return rest(connection)


def test_two_hundred_half_open_requests_hold_up_nobody() -> None:
    with running(Limits()) as server, ExitStack() as stack:
        halves = [stack.enter_context(closing(connect(server))) for _ in range(200)]
        for turn in range(3):
            for n, half in enumerate(halves):
                half.sendall((PUT + b"Content-Length: 100\r\n\r\n")[turn::3] if n % 2 and turn else b"P" * (turn == 0))
            assert served(server)


def test_a_client_that_reads_nothing_holds_up_nobody() -> None:
    with running(Limits()) as server, closing(connect(server)) as deaf:
        deaf.setblocking(False)
        sent = 0
        try:
            while sent < 50_000_000:
                sent += deaf.send(b"GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1_000)
        except BlockingIOError:
            pass
        assert served(server)
        assert sent < 50_000_000  # it was not read on for ever


# ---- too many --------------------------------------------------------------------------------------------------------


@contextmanager
def files_for(connections: int) -> Iterator[int]:
    """How many connections this process may really open, up to so many; the limit is put back at the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 500
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    try:
        # a system that allows fewer files than that gets fewer connections: what is tried is that all of them wait
        yield min(connections, most - 500)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_idle_connections_hold_up_nobody() -> None:
    with files_for(10_000) as most, serving("--quiet") as server, ExitStack() as stack:
        port = int(url_of(server).rpartition(":")[2])
        for _ in range(most):
            stack.callback(socket.create_connection(("127.0.0.1", port), PATIENCE_S).close)
        assert identify(url_of(server)).status_code == 200
        assert most >= 400


def test_more_connections_than_fit_push_out_idle_ones_and_nobody_else() -> None:
    with running(Limits(connections=20)) as server, ExitStack() as stack:
        busy = stack.enter_context(closing(connect(server)))
        busy.sendall(PUT + b"Connection: close\r\nContent-Length: 2\r\n\r\n{")
        assert served(server)  # what came before that has been read too
        idle = [stack.enter_context(closing(connect(server))) for _ in range(100)]
        assert served(server)
        busy.sendall(b"}")
        assert status_of(rest(busy)) == 200
        for pushed_out in idle[:50]:  # whoever has waited longest goes first
            assert rest(pushed_out) == b""
        idle[-1].sendall(IDENTIFY.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n"))
        assert status_of(rest(idle[-1])) == 200
