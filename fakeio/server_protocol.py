"""uvicorn's protocol with two additions: faults reach the connection itself, and most requests take a short way.

The short way: a request that is whole when it is read, on a connection that owes nothing, is answered on the spot, with
no task, no scope and no messages in between. Anything else (bodies in pieces, pipelined requests behind a slow one,
HTTP/1.0, upgrades, control calls, bad weather) goes the ordinary way, and the answer is the same.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from fakeio.edge.asgi import BEGUN, TRANSPORT, ProductApp, is_control
from fakeio.edge.http import Headers, Reply, origin_of
from fakeio.server_guard import BODY, HEAD, IDLE, Guard

try:
    import httptools
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as HttpProtocol

    from fakeio.server_upgrades import PlainParser
except ImportError:  # no wheel for this platform: the short way is never taken, the ordinary one is slower
    from uvicorn.protocols.http.h11_impl import H11Protocol as HttpProtocol  # type: ignore[assignment]  # same shape

_LOG = logging.getLogger("fakeio.server")
_CHUNKED = b"transfer-encoding"
_BODYLESS = (204, 304)
_TLS_RECORD = b"\x16\x03"  # how a handshake begins
_SPEAKS_TLS = "speaks TLS to a port of plain HTTP; HTTPS has a port of its own (fakeio serve --tls, Fake.https_url)"
_NUMBERS = itertools.count(1)
_QUEUE = 16  # requests behind a held one that are read ahead, so that it is seen when their sender leaves


class Protocol(HttpProtocol):
    """One connection. `_early` holds the body of a request that may be answered on the spot.

    `_running` is the request being answered, where it took the ordinary way; later ones may wait behind it. `phase`,
    `arrived_bytes` (of the request under way) and `waiting_since` are for the guard, and so is `refused`: from then on
    whatever arrives is thrown away.
    """

    guard: Guard
    phase = IDLE
    arrived_bytes = 0
    waiting_since: float | None = None
    refused = False

    _product: ProductApp | None = None
    _early: list[bytes] | None = None
    number = 0  # of this connection, in the order of their arrival
    _origin = ""
    _running: Any = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self.number = next(_NUMBERS)
        if 0 < self.guard.most < len(self.connections):
            self.guard.make_room(one for one in list(self.connections) if one is not self)
        self._origin = origin_of(self.scheme or "http", self.server)
        if hasattr(self, "parser"):  # there is none without httptools
            self.parser = PlainParser(self)
        app: Any = self.app
        if isinstance(app, ProductApp):
            self._product = app

        def with_transport(scope: Any, receive: Any, send: Any) -> Any:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            return app(scope, receive, send)

        self.app = with_transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        running = self._running  # uvicorn tells the newest request alone, which may not have begun
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def is_waiting(self) -> bool:
        """Whether the next step is the client's: nothing that it has asked for is still to be answered."""
        if not hasattr(self, "parser"):
            return False  # nobody knows
        running = self._running
        answering = running is not None and not running.response_complete
        return not answering or (self.phase == BODY and running is self.cycle)

    def data_received(self, data: bytes) -> None:
        if self.refused:
            return
        self.arrived_bytes += len(data)
        super().data_received(data)
        if self.phase:
            self.guard.check_size(self)
            if self._early is not None and not self.refused and not self.transport.is_closing():
                self._go_the_ordinary_way()  # the rest of the body is still on its way

    def send_400_response(self, msg: str) -> None:
        self.phase = IDLE
        if not self.refused:
            super().send_400_response(msg)

    def refuse_garbled(self, data: bytes, error: Exception) -> None:
        """What has arrived is no HTTP/1.1: tell the client, and whoever runs the server, without a byte of it."""
        if not self.refused:
            _tell_of_garbled("{}:{}".format(*self.client) if self.client else "a client", data, error)
        self.send_400_response("Invalid HTTP request received.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.phase = HEAD

    def on_headers_complete(self) -> None:
        self.phase = BODY
        if self.arrived_bytes > self.guard.limits.head_bytes:
            self.guard.check_head(self)
        if self._may_answer_at_once():
            self._early = []
            return
        super().on_headers_complete()
        if 0 < len(self.pipeline) <= _QUEUE:
            self.flow.resume_reading()

    def on_body(self, body: bytes) -> None:
        if self._early is None:
            super().on_body(body)
        else:
            self._early.append(body)

    def on_message_complete(self) -> None:
        self.phase, self.arrived_bytes, self.waiting_since = IDLE, 0, None
        if self._early is None:
            super().on_message_complete()
            return
        url = httptools.parse_url(self.url)
        if self._product is None or is_control(url.path):
            self._go_the_ordinary_way()
            super().on_message_complete()
            return
        method, body = self.parser.get_method().decode("ascii"), b"".join(self._early)
        begun = self._product.begin(method, url.path, url.query or b"", self.headers, body, self._origin)
        if isinstance(begun.step, Reply):
            self._early = None
            self.transport.write(encode(begun.step, self.server_state.default_headers))
            self.on_response_complete()
            return
        self.scope["extensions"] = {BEGUN: begun}  # type: ignore[dict-item]  # an extension of our own
        self._go_the_ordinary_way()
        super().on_message_complete()

    def _may_answer_at_once(self) -> bool:
        parser = self.parser
        return (
            self._product is not None
            and (self.cycle is None or self.cycle.response_complete)
            and not self.expect_100_continue
            and not self.flow.write_paused
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and parser.get_method() != b"HEAD"
        )

    def _go_the_ordinary_way(self) -> None:
        parts, self._early = self._early or [], None
        super().on_headers_complete()
        for part in parts:
            super().on_body(part)


def _tell_of_garbled(client: str, data: bytes, error: Exception) -> None:
    cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else None
    if data.startswith(_TLS_RECORD):
        _LOG.warning("%s %s", client, _SPEAKS_TLS)
    elif cause is None or isinstance(cause, httptools.HttpParserInvalidURLError):  # which would show the URL
        why = "malformed URL" if cause is not None else error
        _LOG.warning("%s sent what is no HTTP/1.1 request, and got 400: %s", client, why)
    else:
        _LOG.error("a bug of the fake: please report it", exc_info=cause)


def encode(reply: Reply, defaults: list[tuple[bytes, bytes]]) -> bytes:
    """The bytes of an answer on a connection that stays open; `defaults` are the server's own headers."""
    own = b"".join([b"%b: %b\r\n" % header for header in defaults])
    status_line, head, chunked = _head(reply.status, reply.headers)
    if chunked:
        chunk = b"%x\r\n%b\r\n" % (len(reply.body), reply.body) if reply.body else b""
        return b"%b%b%b\r\n%b0\r\n\r\n" % (status_line, own, head, chunk)
    if reply.status in _BODYLESS:
        return b"%b%b%b\r\n" % (status_line, own, head)
    return b"%b%b%bcontent-length: %d\r\n\r\n%b" % (status_line, own, head, len(reply.body), reply.body)


@lru_cache(maxsize=512)
def _head(status: int, headers: Headers) -> tuple[bytes, bytes, bool]:
    """Status line and header lines, which are the same for nearly every answer."""
    known = status in HTTPStatus._value2member_map_
    status_line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase if known else ''}\r\n".encode("ascii")
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    return status_line, lines, any(name == _CHUNKED for name, _ in headers)
