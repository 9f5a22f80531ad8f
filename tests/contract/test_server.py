"""The server over real sockets: ports, two listeners, cuts that reach the wire, and a stop that answers what it has."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import fakeio.server
from fakeio.app import build_app, build_universe
from fakeio.edge.exchange import Universe
from fakeio.edge.tls import Certificates
from fakeio.server import CannotListen, ThreadedServer, Tls, serve
from tests.contract.live import PATIENCE_S, basic_header

KEYS = ("f0000000000000000001", "f0000000000000000002")
AUTH = basic_header(*KEYS)
IDENTIFY = b"PUT /api/v1/customers/7 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n" + AUTH + b"\r\n{}"


@contextmanager
def running(**options: Any) -> Iterator[tuple[Universe, ThreadedServer]]:
    """A server of its own on a free port."""
    universe = build_universe()
    with ThreadedServer(build_app(universe), **options) as server:
        yield universe, server
    assert [error for hosted in universe.registry for error in hosted.errors] == []


def connect(server: ThreadedServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.bound.port), PATIENCE_S)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


# ---- ports -----------------------------------------------------------------------------------------------------------


def test_a_free_port_is_found_and_told() -> None:
    with running() as (_, server):
        assert server.bound.url == f"http://127.0.0.1:{server.bound.port}"
        assert server.bound.https_url is None
        assert httpx.get(f"{server.bound.url}/auth", auth=KEYS).status_code == 200


def test_a_port_that_is_taken_says_so() -> None:
    with running() as (universe, server), pytest.raises(CannotListen) as caught:
        ThreadedServer(build_app(universe), port=server.bound.port).start()
    assert str(caught.value) == (
        f"port {server.bound.port} on 127.0.0.1 is taken; stop what listens there, "
        "or choose another with --port (0 picks a free one)"
    )


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [
        pytest.param("127.0.0.1", 99_999, "is no port", id="a port beyond ports"),
        pytest.param("192.0.2.1", 0, "choose an address of this machine", id="an address of another machine"),
        pytest.param("no.such.host.invalid", 0, "choose an address of this machine", id="a name nobody has"),
    ],
)
def test_an_address_that_cannot_be_used_says_so(host: str, port: int, says: str) -> None:
    with pytest.raises(CannotListen, match=says):
        serve(build_app(build_universe()), host=host, port=port)


def test_a_server_can_be_asked_where_it_listens_only_once_it_does() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = ThreadedServer(build_app(build_universe())).bound


def test_one_app_is_behind_http_and_https() -> None:
    with closing(Certificates()) as certificates, running(tls=_tls(certificates)) as (universe, server):
        assert server.bound.https_url is not None
        trust = ssl.create_default_context(cafile=str(certificates.ca_file))
        for url, verify in ((server.bound.url, False), (server.bound.https_url, trust)):
            assert httpx.put(f"{url}/api/v1/customers/7", json={}, auth=KEYS, verify=verify).status_code == 200
        assert [exchange.status for exchange in universe.registry.default.tape] == [200, 200]


def test_all_addresses_are_told_as_one_that_a_client_can_call() -> None:
    with running(host="0.0.0.0") as (_, server):
        assert server.bound.url == f"http://127.0.0.1:{server.bound.port}"


# ---- HTTP ------------------------------------------------------------------------------------------------------------


def test_one_connection_serves_many_requests_in_order() -> None:
    with running() as (universe, server), closing(connect(server)) as connection:
        connection.sendall(IDENTIFY * 3 + IDENTIFY.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n"))
        assert read_all(connection).count(b"HTTP/1.1 200 OK\r\n") == 4
        assert [exchange.n for exchange in universe.registry.default.tape] == [1, 2, 3, 4]


def test_a_body_may_come_in_pieces_and_chunks() -> None:
    with running() as (universe, server), closing(connect(server)) as connection:
        head = b"PUT /api/v1/customers/7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        for piece in (head + AUTH + b"\r\n", b"9\r\n{\"plan\":\"\r\n", b"5\r\npro\"}\r\n", b"0\r\n\r\n"):
            connection.sendall(piece)
        assert read_all(connection).endswith(b"\r\n\r\n{}\n")
        assert [person.attributes for person in universe.registry.default.state.people] == [{"plan": "pro"}]


def test_the_server_names_neither_itself_nor_its_parts() -> None:
    with running() as (_, server):
        assert "server" not in httpx.get(f"{server.bound.url}/nope").headers


# ---- cuts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before_parse", "before_commit", "after_commit"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_reset_reaches_the_wire(when: str, secure: bool) -> None:
    with closing(Certificates()) as certificates, running(tls=_tls(certificates)) as (universe, server):
        hosted = universe.registry.default
        hosted.weather.add({"kind": "reset", "when": when, "times": 1})
        with closing(_talk(server, certificates if secure else None)) as connection:
            connection.sendall(IDENTIFY)
            # below TLS, whose library tells a reset as an end of file
            with socket.socket(fileno=os.dup(connection.fileno())) as wire:
                wire.settimeout(PATIENCE_S)
                with pytest.raises(ConnectionResetError):
                    read_all(wire)
        assert len(hosted.state.people) == (when == "after_commit")
        [exchange] = hosted.tape
        assert (exchange.status, exchange.cut, exchange.faults) == (None, "reset", ("reset",))


def _tls(certificates: Certificates) -> Tls:
    return Tls(certificates.cert_file, certificates.key_file)


def _talk(server: ThreadedServer, certificates: Certificates | None) -> socket.socket:
    if certificates is None:
        return connect(server)
    plain = socket.create_connection(("127.0.0.1", server.bound.https_port or 0), PATIENCE_S)
    context = ssl.create_default_context(cafile=str(certificates.ca_file))
    return context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize(("kind", "applied"), [("close", 0), ("lose_reply", 1)])
def test_a_close_ends_the_connection_without_a_status_line(kind: str, applied: int) -> None:
    with running() as (universe, server), closing(connect(server)) as connection:
        universe.registry.default.weather.add({"kind": kind, "times": 1})
        connection.sendall(IDENTIFY)
        assert read_all(connection) == b""
        assert len(universe.registry.default.state.people) == applied


@pytest.mark.parametrize("kind", ["reset", "close"])
def test_what_was_sent_behind_a_request_that_is_cut_never_happens(kind: str) -> None:
    with running() as (universe, server), closing(connect(server)) as connection:
        universe.registry.default.weather.add({"kind": kind, "times": 1})
        connection.sendall(IDENTIFY * 3)
        assert _rest(connection) == b""
        assert len(universe.registry.default.tape) == 1
        assert len(universe.registry.default.state.people) == 0


def test_requests_behind_a_slow_one_wait_for_it() -> None:
    with running() as (universe, server), closing(connect(server)) as connection:
        universe.registry.default.weather.add({"kind": "latency", "seconds": 0.05, "match": {"nth": 2}})
        connection.sendall(IDENTIFY * 3 + IDENTIFY.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n"))
        assert read_all(connection).count(b"HTTP/1.1 200 OK\r\n") == 4
        assert [exchange.n for exchange in universe.registry.default.tape] == [1, 2, 3, 4]


def test_a_client_that_resets_harms_nobody() -> None:
    with running() as (_, server):
        for sent in (IDENTIFY, IDENTIFY[:-1], IDENTIFY[:20]):
            with closing(connect(server)) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(sent)
        assert httpx.get(f"{server.bound.url}/auth", auth=KEYS).status_code == 200


def test_a_latency_holds_one_request_and_no_other() -> None:
    with running() as (universe, server), closing(connect(server)) as held:
        universe.registry.default.weather.add({"kind": "latency", "seconds": 600, "match": {"path": "*/customers/7"}})
        held.sendall(IDENTIFY)
        assert httpx.get(f"{server.bound.url}/auth", auth=KEYS).status_code == 200


# ---- stopping --------------------------------------------------------------------------------------------------------


def test_a_request_held_by_a_fault_is_cut_and_told_as_abandoned() -> None:
    with running() as (universe, server), closing(connect(server)) as connection:
        hosted = universe.registry.default
        hosted.weather.add({"kind": "latency", "seconds": 600})
        connection.sendall(IDENTIFY)
        _until(lambda: len(hosted.tape) == 1)
        server.stop()
        assert _rest(connection) == b""
        assert [(exchange.status, exchange.cut) for exchange in hosted.tape] == [(None, "abandoned")]


def test_an_unfinished_body_is_cut() -> None:
    with running() as (universe, server), closing(connect(server)) as connection:
        connection.sendall(IDENTIFY[:-1])
        _until(lambda: _reached(server))
        server.stop()
        assert _rest(connection) == b""
        assert [exchange.request.method for exchange in universe.registry.default.tape] == ["GET"]


def test_a_request_in_flight_is_answered_while_the_server_stops() -> None:
    with running() as (universe, server), closing(connect(server)) as connection:
        universe.registry.default.weather.add({"kind": "latency", "seconds": 0.3})
        connection.sendall(IDENTIFY)
        _until(lambda: len(universe.registry.default.tape) == 1)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        answer = read_all(connection)
        stopping.join(PATIENCE_S)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\n{}\n")


def test_a_machine_that_stands_still_while_the_server_stops_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fakeio.server, "GRACE_S", 0.4)
    with running() as (universe, server), closing(connect(server)) as connection:
        universe.registry.default.weather.add({"kind": "latency", "seconds": 0.3})
        connection.sendall(IDENTIFY)
        _until(lambda: len(universe.registry.default.tape) == 1)
        loop = server._loop
        assert loop is not None
        loop.call_soon_threadsafe(loop.call_later, 0.1, time.sleep, 0.8)  # longer than anybody waits
        server.stop()
        assert read_all(connection).startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_idle_connection_does_not_hold_up_the_stop() -> None:
    with running() as (_, server), closing(connect(server)) as idle:
        server.stop()
        assert _rest(idle) == b""
        server.stop()


def _rest(connection: socket.socket) -> bytes:
    """What still comes; a reset counts as nothing."""
    try:
        return read_all(connection)
    except ConnectionResetError:
        return b""


def _reached(server: ThreadedServer) -> bool:
    return httpx.get(f"{server.bound.url}/auth").status_code == 401


def _until(true: Callable[[], bool]) -> None:
    """Wait for something that another thread is about to do."""
    waiting = threading.Event()
    for _ in range(PATIENCE_S * 100):
        if true():
            return
        waiting.wait(0.01)
    raise AssertionError("it never became true")


SERVE = """
from fakeio.app import build_app, build_universe
from fakeio.server import serve
universe = build_universe()
universe.registry.default.weather.add({"kind": "latency", "seconds": 0.3, "match": {"path": "*/customers/*"}})
serve(build_app(universe), on_ready=lambda bound: print(bound.port, flush=True))
print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_stops_the_process_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "serving.py"
    script.write_text(SERVE)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with closing(socket.create_connection(("127.0.0.1", port), PATIENCE_S)) as connection:
            connection.sendall(IDENTIFY)
            _until(lambda: "PUT" in httpx.get(f"http://127.0.0.1:{port}/_fakeio/workspaces/default/requests").text)
            process.send_signal(number)
            assert read_all(connection).endswith(b"\r\n\r\n{}\n")
        assert process.stdout.readline() == "stopped\n"
        assert process.wait(PATIENCE_S) == 0


def test_without_the_fast_parts_everything_still_works(tmp_path: Path) -> None:
    script = tmp_path / "serving.py"
    without = "import sys\nsys.modules['httptools'] = sys.modules['uvloop'] = None\n"
    script.write_text(without + SERVE.replace("0.3", "0"))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        faults = f"{url}/_fakeio/workspaces/default/faults"
        assert httpx.put(f"{url}/api/v1/customers/7", json={}, auth=KEYS).content == b"{}\n"
        assert httpx.post(faults, json={"kind": "reset", "match": {"path": "/auth"}}).status_code == 201
        with pytest.raises(httpx.ReadError):
            httpx.get(f"{url}/auth", auth=KEYS)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "stopped\n"
        assert process.wait(PATIENCE_S) == 0


# ---- other doors -----------------------------------------------------------------------------------------------------


def _ask_app(scope: dict[str, Any], *received: dict[str, Any]) -> list[dict[str, Any]]:
    """Talk to the app as a server does, and collect what it sends."""
    sent: list[dict[str, Any]] = []
    waiting = iter(received)

    async def receive() -> Any:
        return next(waiting)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(_run(build_app(build_universe()), scope, receive, send))
    return sent


async def _run(app: Any, *arguments: Any) -> None:
    await app(*arguments)


def test_any_asgi_server_can_run_the_app() -> None:
    started = _ask_app({"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert [message["type"] for message in started] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert _ask_app({"type": "websocket"}) == [{"type": "websocket.close", "code": 1000}]
    scope = {"type": "http", "method": "PUT", "path": "/api/v1/customers/é", "query_string": b"", "headers": [
        (b"authorization", AUTH.partition(b": ")[2].strip())]}  # fmt: skip
    start, body = _ask_app(scope, {"type": "http.request", "body": b"{}", "more_body": False})
    assert (start["status"], body["body"]) == (200, b"{}\n")
