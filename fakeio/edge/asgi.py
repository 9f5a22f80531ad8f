"""The join between an ASGI server and an exchange: bytes in, `run_exchange`, bytes out, and real cuts of a real socket.

Decides nothing about any product. A server that wants resets and closes to reach its sockets puts the transport of the
connection into the scope's extensions under `TRANSPORT`; one that has the whole request in its hands can `begin` it
without ASGI, and hand it over under `BEGUN` if it turns out to take time.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from fakeio.core.weather import CLOSE, RESET
from fakeio.edge.control import PREFIX
from fakeio.edge.exchange import Steps, Universe, run_exchange
from fakeio.edge.http import Cut, Headers, RawRequest, Reply, Wait, origin_of
from fakeio.edge.piecemeal import Piecemeal
from fakeio.edge.striking import End

TRANSPORT = "fakeio.transport"
BEGUN = "fakeio.begun"

_CONTROL = PREFIX.encode("ascii")
_BODYLESS = (204, 304)
_LINGER_0 = struct.pack("ii", 1, 0)  # close at once and drop what is unsent: that is a reset on the wire

Header = tuple[bytes, bytes]
Step = Wait | End


class Begun(NamedTuple):
    """An exchange under way, and the step it stands at."""

    steps: Steps
    step: Step


class ProductApp:
    """The whole origin: control routes to the control app, everything else to the products."""

    def __init__(self, universe: Universe, control: ASGIApp) -> None:
        self.universe = universe
        self.control = control

    def begin(
        self, method: str, raw_path: bytes, query: bytes, headers: Iterable[Header], body: bytes, origin: str
    ) -> Begun:
        """Take a product request as far as it goes without waiting. `origin`: see `RawRequest`."""
        path = raw_path.decode("ascii") if raw_path.isascii() else quote(raw_path, safe="/%:@!$&'()*+,;=~-._")
        steps = run_exchange(self.universe, RawRequest(method, path, query, tuple(headers), body, origin))
        return Begun(steps, _advance(steps))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _answer_other(scope, receive, send)
            return
        try:
            await self._answer(scope, receive, send)
        except asyncio.CancelledError:
            transport = _transport(scope)
            if transport is None or not transport.is_closing():
                raise
            # the server stops and has closed the connection already: there is nobody to answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun: Begun | None = (scope.get("extensions") or {}).pop(BEGUN, None)
        if begun is None:
            raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
            if scope.get("root_path"):  # mounted in another application, below that path
                raw_path = raw_path.removeprefix(quote(scope["root_path"]).encode("ascii"))
            if is_control(raw_path):
                await self.control(scope, receive, send)
                return
            body = await _read(receive)
            if body is None:
                return
            origin = origin_of(scope.get("scheme", "http"), scope.get("server"))
            begun = self.begin(scope["method"], raw_path, scope["query_string"], scope["headers"], body, origin)
        client = _Client(receive)
        try:
            end = await _drive(begun, client)
            if isinstance(end, Piecemeal):
                await _send_in_pieces(end, scope, client, send)
        finally:
            await client.forget()
        if isinstance(end, Cut):
            await _sever(end, scope, receive)
        elif isinstance(end, Reply):
            await send({"type": "http.response.start", "status": end.status, "headers": sized(end)})
            await send({"type": "http.response.body", "body": end.body})


def is_control(raw_path: bytes) -> bool:
    """Whether a percent-encoded path belongs to the control API."""
    return raw_path.startswith(_CONTROL) and raw_path[len(_CONTROL) : len(_CONTROL) + 1] in (b"", b"/")


class _Client:
    """The other end while time passes: watched only once somebody waits, since few requests are ever held."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._leaving: asyncio.Task[None] | None = None

    async def wait(self, seconds: float) -> bool:
        """Let time pass, but no longer than the client is there; True when it left."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(_leave(self._receive))
        done, _ = await asyncio.wait([self._leaving], timeout=None if math.isinf(seconds) else seconds)
        return bool(done)

    async def forget(self) -> None:
        """Stop watching."""
        if self._leaving is not None:
            self._leaving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._leaving


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drive(begun: Begun, client: _Client) -> End:
    steps, step = begun
    try:
        while isinstance(step, Wait):
            left = False
            if step.on is not None:
                # shielded: others wait for the same, and go on waiting when this client has left
                await asyncio.shield(asyncio.wrap_future(step.on))
            elif step.until_left:
                left = await client.wait(step.seconds)
            else:
                await asyncio.sleep(step.seconds)
            step = _advance(steps, left=left)
        return step
    finally:
        steps.close()


def _advance(steps: Steps, *, left: bool | None = None) -> Step:
    try:
        return steps.send(left)
    except StopIteration as stop:
        end: End = stop.value
        return end


async def _send_in_pieces(end: Piecemeal, scope: Scope, client: _Client, send: Send) -> None:
    """The head, then the body piece by piece, for as long as somebody reads it."""
    await send({"type": "http.response.start", "status": end.reply.status, "headers": sized(end.reply)})
    for step in end.steps():
        if not isinstance(step, Wait):
            await send({"type": "http.response.body", "body": step, "more_body": True})
        elif await client.wait(step.seconds):
            return
    if end.whole:
        await send({"type": "http.response.body", "body": b""})
    else:
        _end_connection(CLOSE, scope)
        await client.wait(math.inf)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when the client left before it was there."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        whole: bytes = message.get("body", b"")
        return whole
    parts: list[bytes] = []
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
    return None


def sized(reply: Reply) -> Headers:
    """The headers as they are sent: with a length, unless the answer is chunked or has no body."""
    for name, _ in reply.headers:
        if name == b"transfer-encoding":
            return reply.headers
    if reply.status in _BODYLESS:
        return reply.headers
    return (*reply.headers, (b"content-length", b"%d" % len(reply.body)))


def _transport(scope: Scope) -> Any:
    return (scope.get("extensions") or {}).get(TRANSPORT)


async def _sever(cut: Cut, scope: Scope, receive: Receive) -> None:
    """End the connection instead of answering, and wait until it is gone."""
    _end_connection(cut.how, scope)
    await _leave(receive)


def _end_connection(how: str, scope: Scope) -> None:
    transport = _transport(scope)
    if transport is None:
        raise ConnectionAbortedError(f"a fault ends this connection ({how}); this server gives no access to it")
    if how == RESET:
        reset(transport)
    else:
        transport.close()


def reset(transport: Any) -> None:
    """Close with a TCP reset."""
    found = transport.get_extra_info("socket")
    if found is not None:
        # a copy of the descriptor names the same socket, and works with every event loop's idea of a socket object
        with socket.socket(fileno=socket.dup(found.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
    transport.abort()


async def _answer_other(scope: Scope, receive: Receive, send: Send) -> None:
    """Start-up and shutdown need nothing; there are no web sockets."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    while scope["type"] == "lifespan":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
