"""The join between an ASGI server and an exchange: bytes in, `run_exchange`, bytes out, and real cuts of a real socket.

Decides nothing about any product. A server that wants resets and closes to reach its sockets puts the transport of the
connection into the scope under `TRANSPORT`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from fakeio.core.weather import RESET
from fakeio.edge.control import PREFIX
from fakeio.edge.exchange import Universe, run_exchange
from fakeio.edge.http import Cut, Headers, RawRequest, Reply

TRANSPORT = "fakeio.transport"

_CONTROL = PREFIX.encode("ascii")
_BODYLESS = (204, 304)
_LINGER_0 = struct.pack("ii", 1, 0)  # close at once and drop what is unsent: that is a reset on the wire


class ProductApp:
    """The whole origin: control routes to the control app, everything else to the products."""

    def __init__(self, universe: Universe, control: ASGIApp) -> None:
        self.universe = universe
        self.control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _answer_other(scope, receive, send)
            return
        raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
        if raw_path.startswith(_CONTROL) and raw_path[len(_CONTROL) : len(_CONTROL) + 1] in (b"", b"/"):
            await self.control(scope, receive, send)
            return
        try:
            await self._exchange(raw_path, scope, receive, send)
        except asyncio.CancelledError:
            transport = _transport(scope)
            if transport is None or not transport.is_closing():
                raise
            # the server stops and has closed the connection already: there is nobody to answer

    async def _exchange(self, raw_path: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        path = raw_path.decode("ascii") if raw_path.isascii() else quote(raw_path, safe="/%:@!$&'()*+,;=~-._")
        request = RawRequest(scope["method"], path, scope["query_string"], tuple(scope["headers"]), body)
        end = await self._drive(request)
        if isinstance(end, Cut):
            await _sever(end, scope, receive)
            return
        await send({"type": "http.response.start", "status": end.status, "headers": sized(end)})
        await send({"type": "http.response.body", "body": end.body})

    async def _drive(self, request: RawRequest) -> Reply | Cut:
        steps = run_exchange(self.universe, request)
        try:
            while True:
                await asyncio.sleep(next(steps).seconds)
        except StopIteration as stop:
            end: Reply | Cut = stop.value
            return end
        finally:
            steps.close()


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
    transport = _transport(scope)
    if transport is None:
        raise ConnectionAbortedError(f"a fault ends this connection ({cut.how}); this server gives no access to it")
    if cut.how == RESET:
        reset(transport)
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


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
