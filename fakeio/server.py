"""uvicorn on a port, or on two: a ready signal, the same app behind HTTP and HTTPS, and a stop that is clean and short.

Decides how a server starts and ends. Requests in flight when it is told to stop are answered; those still held after
GRACE_S, by a fault or an unfinished body, are cut. Signals are the business of `serve`; `ThreadedServer` has none.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from starlette.types import ASGIApp
from uvicorn import Config, Server

from fakeio.server_guard import Guard, use_all_files
from fakeio.server_limits import Limits
from fakeio.server_protocol import Protocol

try:
    from uvloop import new_event_loop
except ImportError:  # not on Windows
    from asyncio import new_event_loop  # type: ignore[assignment]  # uvloop names its own class of loop

GRACE_S = 1.0  # how long requests in flight may take once the server is told to stop
KEEP_ALIVE_S = 75  # an idle connection; longer than clients keep theirs, so that they close first
LIMITS = Limits()
_BACKLOG = 2048
_LOOK_S = 1.0  # how often connections that wait are looked at, unless a limit is shorter
_TICK_S = 0.01
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


class CannotListen(OSError):
    """The address can't be used; the message says why and what to do."""


class Tls(NamedTuple):
    """A second listener. `port` 0 picks a free one; both files are PEM."""

    cert_file: Path
    key_file: Path
    port: int = 0


class Bound(NamedTuple):
    """Where a server listens. `https_url` is None without TLS."""

    host: str
    port: int
    https_port: int | None

    @property
    def url(self) -> str:
        return f"http://{_in_url(self.host)}:{self.port}"

    @property
    def https_url(self) -> str | None:
        return None if self.https_port is None else f"https://{_in_url(self.host)}:{self.https_port}"


def _in_url(host: str) -> str:
    # a client can't call "every address"; loopback is one of them
    return _WILDCARDS.get(host) or (f"[{host}]" if ":" in host else host)


def serve(
    app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, tls: Tls | None = None, limits: Limits = LIMITS,
    on_ready: Callable[[Bound], None] = lambda bound: None,
) -> None:  # fmt: skip
    """Serve until SIGINT or SIGTERM, then stop cleanly and return. `on_ready` is called once requests are accepted.

    For the main thread. Raises CannotListen when the port is taken, not allowed, or the host is not this machine's.
    """
    use_all_files()
    server = _Server(app, host, port, tls, limits)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        loop = runner.get_loop()
        with _told_by_signals(loop, server.tell_to_stop):
            runner.run(server.listen_and_serve(on_ready))


@contextlib.contextmanager
def _told_by_signals(loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> Iterator[None]:
    def told(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(tell)

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ThreadedServer:
    """A server in a thread of its own, for tests and for `Fake`. A context manager; `bound` says where it listens."""

    def __init__(
        self, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, tls: Tls | None = None, limits: Limits = LIMITS
    ) -> None:
        self._server = _Server(app, host, port, tls, limits)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fakeio-server", daemon=True)
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bound: Bound | None = None

    def start(self) -> Bound:
        """Start and wait until requests are accepted; raises CannotListen."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self.bound

    @property
    def bound(self) -> Bound:
        """Where it listens; only once it was started."""
        if self._bound is None:
            raise RuntimeError("the server was not started")
        return self._bound

    def stop(self) -> None:
        """Stop cleanly and wait for it; twice is harmless."""
        if self._loop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop has closed in the meantime
                self._loop.call_soon_threadsafe(self._server.tell_to_stop)
            self._thread.join()

    def __enter__(self) -> ThreadedServer:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                self._loop = runner.get_loop()
                runner.run(self._server.listen_and_serve(self._on_ready))
        except BaseException as failure:  # handed to whoever waits in start()
            self._failure = failure
        finally:
            self._ready.set()

    def _on_ready(self, bound: Bound) -> None:
        self._bound = bound
        self._ready.set()


class _Server(Server):
    """uvicorn's server with a second listener, a stop that takes effect at once, and a hard end to its patience."""

    def __init__(self, app: ASGIApp, host: str, port: int, tls: Tls | None, limits: Limits) -> None:
        super().__init__(
            Config(
                app, interface="asgi3", http=Protocol, ws="none", lifespan="off", log_config=None, access_log=False,
                server_header=False, proxy_headers=False, timeout_keep_alive=KEEP_ALIVE_S,
            )
        )  # fmt: skip
        self._host, self._port, self._tls = host, port, tls
        self._stop = asyncio.Event()
        self._guard = Guard(limits)
        patience_s = (limits.head_s, limits.request_s, limits.idle_s)
        self._look_s = min([_LOOK_S, *(most_s for most_s in patience_s if most_s)])

    def tell_to_stop(self) -> None:
        """Call on the server's own event loop."""
        self.should_exit = True
        self._stop.set()

    async def listen_and_serve(self, on_ready: Callable[[Bound], None]) -> None:
        """Listen, say so, serve until told to stop."""
        sockets = [_listen(self._host, self._port, "--port")]
        try:
            if self._tls is not None:
                sockets.append(_listen(self._host, self._tls.port, "--tls-port"))
            self.config.load()
            self.lifespan = self.config.lifespan_class(self.config)
            await self.on_tick(0)
            await self._accept(sockets)
            ports = [sock.getsockname()[1] for sock in sockets]
            on_ready(Bound(self._host, ports[0], ports[1] if len(ports) > 1 else None))
            await self.main_loop()
        finally:
            await self.shutdown(sockets)

    async def _accept(self, sockets: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(self._connect, sock=sock, ssl=context, backlog=_BACKLOG)
            for sock, context in zip(sockets, (None, self._tls_context()), strict=False)
        ]
        self.started = True

    def _connect(self) -> asyncio.Protocol:
        protocol = Protocol(
            config=self.config, server_state=self.server_state, app_state={}, _loop=asyncio.get_running_loop()
        )
        protocol.guard = self._guard
        return protocol

    def _tls_context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._tls.cert_file, self._tls.key_file)
        return context

    async def main_loop(self) -> None:
        """Keep the date header right, and no connection waiting for ever, until told to stop."""
        loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._look_s)
            for connection in list(self.server_state.connections):
                self._guard.check_time(connection, loop.time())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what has arrived, then close; cut what is still unanswered after GRACE_S.

        Counted in looks, not by the clock: a machine that stands still for a second has answered nothing in it.
        """
        await asyncio.sleep(_TICK_S)  # what a client sent before the stop is read and answered first
        for server in getattr(self, "servers", []):
            server.close()
        for sock in sockets or []:
            sock.close()
        await asyncio.sleep(_TICK_S)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(round(GRACE_S / _TICK_S)):
            if not self._busy():
                break
            await asyncio.sleep(_TICK_S)
        await self._cut()

    def _busy(self) -> bool:
        return bool(self.server_state.connections or self.server_state.tasks)

    async def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport is not None:
                transport.abort()
        # at once, before those that a fault holds learn that their client is gone, and go on without it
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _listen(host: str, port: int, option: str) -> socket.socket:
    if not 0 <= port <= 65535:
        raise CannotListen(f"{port} is no port; choose one up to 65535 with {option}, or 0 for a free one")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListen(_why_not(error, host, port, option)) from error


def _why_not(error: OSError, host: str, port: int, option: str) -> str:
    another = f"choose another with {option} (0 picks a free one)"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken; stop what listens there, or {another}"
    if error.errno == errno.EACCES:
        return f"port {port} is reserved for administrators; {another}"
    return f"can't listen on {host}: {error.strerror or error}; choose an address of this machine with --host"
