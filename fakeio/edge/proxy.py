"""A forward proxy on loopback: Customer.io's six hosts end in the fake, other hosts are refused or passed on untouched.

`CONNECT` becomes a tunnel, whose TLS only the fake's own listener speaks; a request in absolute form is handed on with
its host. Keeps count of where clients wanted to go. What the fake makes of a host is `regions.py`; trust is `trust.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from fnmatch import fnmatchcase

from fakeio.edge.asgi import reset
from fakeio.edge.proxy_head import HTTPS_PORT, BadHead, Destination, Head, destination_of, parse_head, parse_upstream
from fakeio.edge.tls import REGIONAL_HOSTS

LOOPBACK = "127.0.0.1"
GRACE_S = 1.0  # how long what is under way may take once the proxy is told to stop, or has refused
_BACKLOG = 2048  # programs that open hundreds of connections at once are what fakes are for
_MOST_HEAD_BYTES = 65_536
_CHUNK_BYTES = 65_536
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
FindUpstream = Callable[[str, str], str | None]


class Refused(Exception):
    """A client can't have what it asked for. The reason stands in the status line too: most clients show only that."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def answer(self) -> bytes:
        """The whole answer."""
        text = "".join(char if " " <= char <= "~" else "?" for char in str(self))
        body = f"fakeio exec: {text}\n".encode()
        head = (
            f"HTTP/1.1 {self.status} {text}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        return head.encode() + body


class Proxy:
    """A proxy in a thread of its own. A context manager; `url` is for `HTTPS_PROXY`.

    `http_port` and `https_port` are the fake's, on loopback; `allowed` are names of other hosts, perhaps with a port,
    `*` standing for anything. `upstream` finds the caller's own proxy for a scheme and a host, None for none.
    """

    def __init__(
        self, *, http_port: int, https_port: int, allowed: Sequence[str] = (),
        upstream: FindUpstream = lambda scheme, host: None,
    ) -> None:  # fmt: skip
        self._ports = {80: http_port, HTTPS_PORT: https_port}
        self._allowed = tuple(name.lower().rstrip(".") for name in allowed)
        self._upstream = upstream
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = socket.create_server((LOOPBACK, 0))
        self._loop = asyncio.new_event_loop()
        self._told_to_stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="fakeio-proxy", daemon=True)
        self.url = f"http://{LOOPBACK}:{self._listening.getsockname()[1]}"
        self.tunnels: Counter[str] = Counter()  # connections to each of the six hosts
        self.refused: Counter[str] = Counter()  # connections that other hosts did not get

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take no more connections, give what is under way GRACE_S, then cut it. Twice is harmless."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop has closed in the meantime
                self._loop.call_soon_threadsafe(self._told_to_stop.set)
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen())

    async def _listen(self) -> None:
        server = await asyncio.start_server(
            self._serve, sock=self._listening, limit=_MOST_HEAD_BYTES, backlog=_BACKLOG
        )
        await self._told_to_stop.wait()
        server.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # whoever is not there to be told, or is told too late
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                await self._answer(reader, writer)
            except Refused as refused:
                await _say(refused, reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await _read_head(reader)
        try:
            destination = destination_of(head)
        except BadHead as bad:
            raise Refused(400, str(bad)) from None
        async with self._far_side(destination) as far:
            if destination.tunnel:
                writer.write(_ESTABLISHED)
            else:
                far[1].write(destination.origin_form(head))
            await _splice((reader, writer), far)

    @contextlib.asynccontextmanager
    async def _far_side(self, destination: Destination) -> AsyncIterator[Stream]:
        far = await self._connect(destination)
        try:
            yield far
        finally:
            far[1].close()

    async def _connect(self, destination: Destination) -> Stream:
        host = destination.host
        if host in REGIONAL_HOSTS:
            if destination.port not in self._ports:
                raise Refused(403, f"{host} listens on ports 443 and 80, not on {destination.port}")
            self.tunnels[host] += 1
            # a client that sends an https address through in the clear has left the TLS to us: there is none to do
            port = self._ports[destination.port if destination.tunnel else 80]
            return await asyncio.open_connection(LOOPBACK, port)
        places = (host, f"{host}:{destination.port}")
        if not any(fnmatchcase(place, name) for name in self._allowed for place in places):
            self.refused[host] += 1
            raise Refused(403, f"{host} is not Customer.io; let it through with --allow-host {host}")
        return await _reached(destination, self._pass_on(destination))

    async def _pass_on(self, destination: Destination) -> Stream:
        proxy = self._upstream(destination.scheme, destination.host)
        if proxy is None:
            far = await asyncio.open_connection(destination.host, destination.port)
        else:
            far = await _through(proxy, destination)
        if destination.scheme == "https" and not destination.tunnel:
            await far[1].start_tls(ssl.create_default_context(), server_hostname=destination.host)
        return far


async def _reached(destination: Destination, connecting: Awaitable[Stream]) -> Stream:
    try:
        return await connecting
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Refused(502, f"{destination.host}:{destination.port} can't be reached: {why}") from None


async def _through(proxy: str, destination: Destination) -> Stream:
    """A connection by way of the caller's own proxy."""
    upstream = parse_upstream(proxy)
    context = ssl.create_default_context() if upstream.tls else None
    reader, writer = await asyncio.open_connection(upstream.host, upstream.port, ssl=context)
    writer.write(upstream.connect_to(destination))
    answer = await reader.readuntil(b"\r\n\r\n")
    status = answer.partition(b"\r\n")[0].decode("latin-1")
    if status.split(" ")[1:2] != ["200"]:
        writer.close()
        raise Refused(502, f"{destination.host}:{destination.port} can't be reached: your own proxy says {status}")
    return reader, writer


async def _say(refused: Refused, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer, then hear the client out: closing on bytes not yet read is a reset, and that would lose the answer."""
    writer.write(refused.answer())
    await writer.drain()
    writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            while await reader.read(_CHUNK_BYTES):
                pass


async def _read_head(reader: asyncio.StreamReader) -> Head:
    try:
        return parse_head(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.LimitOverrunError:
        raise Refused(431, f"the head of a request has more than {_MOST_HEAD_BYTES} bytes") from None
    except BadHead as bad:
        raise Refused(400, str(bad)) from None


async def _splice(near: Stream, far: Stream) -> None:
    """Carry bytes both ways until both sides have ended; a reset of one is a reset of the other."""
    try:
        await asyncio.gather(_carry(near[0], far[1]), _carry(far[0], near[1]))
    except OSError:
        reset(near[1].transport)
        reset(far[1].transport)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
