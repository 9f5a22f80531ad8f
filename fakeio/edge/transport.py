"""An httpx transport that reaches the fake without a socket, for `httpx.Client` and `httpx.AsyncClient` alike.

A product request goes straight down the path that the server uses (`run_exchange`); a control request goes to the
control app. What would happen to a socket happens as the httpx error that such a socket causes: a reset is a
ReadError, a close before the status line or in the middle of a body a RemoteProtocolError, an answer later than the
read timeout a ReadTimeout (after which the request has had the effect that it would have had in the end).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
from starlette.types import ASGIApp, Message

from fakeio.core.weather import RESET
from fakeio.edge.asgi import sized
from fakeio.edge.control import PREFIX
from fakeio.edge.exchange import Steps, Universe, run_exchange
from fakeio.edge.http import RawRequest, Reply, Wait
from fakeio.edge.piecemeal import Piecemeal
from fakeio.edge.striking import End

LEFT = True
NO_END = "a fault holds this request for ever, and the client has no read timeout: on a socket it would hang"


class FakeTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Give it to a client: `httpx.Client(transport=fake.transport, base_url=fake.url)`. Safe to share."""

    def __init__(self, universe: Universe, control: ASGIApp) -> None:
        self._universe = universe
        self._control = control

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raw = _raw(request, request.read())
        if _is_control(raw):
            # a fresh thread, since this one may be inside a running event loop
            with ThreadPoolExecutor(max_workers=1) as thread:
                return _response(thread.submit(asyncio.run, _ask(self._control, request, raw)).result(), request)
        drive = _Drive(run_exchange(self._universe, raw), request)
        while (pause := drive.step()) is not None:
            time.sleep(pause)
        return drive.response()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raw = _raw(request, await request.aread())
        if _is_control(raw):
            return _response(await _ask(self._control, request, raw), request)
        drive = _Drive(run_exchange(self._universe, raw), request)
        while (pause := drive.step()) is not None:
            await anyio.sleep(pause)
        return drive.response()


class _Drive:
    """One exchange on its way: how long to sleep next, and how it ended."""

    def __init__(self, steps: Steps, request: httpx.Request) -> None:
        self._steps = steps
        self._request = request
        self._patience_s = _patience_s(request)
        self._end: End | None = None

    def step(self) -> float | None:
        """Seconds to sleep before the next step, None at the end; raises ReadTimeout when patience is spent."""
        if self._patience_s <= 0:
            self._leave()
            raise httpx.ReadTimeout("timed out", request=self._request)
        try:
            wait = next(self._steps)
        except StopIteration as stop:
            self._end = stop.value
            return None
        if math.isinf(wait.seconds) and math.isinf(self._patience_s):
            self._leave()
            raise httpx.ReadTimeout(NO_END, request=self._request)
        pause_s = min(wait.seconds, self._patience_s)
        self._patience_s -= wait.seconds
        return pause_s

    def _leave(self) -> None:
        """Give up listening. What the request was asked to do, it does: nobody notices in time."""
        with contextlib.suppress(StopIteration):
            while True:
                self._steps.send(LEFT)

    def response(self) -> httpx.Response:
        """The answer; raises the httpx error of a connection that was cut."""
        end, request = self._end, self._request
        if isinstance(end, Piecemeal):
            return httpx.Response(
                end.reply.status, headers=list(sized(end.reply)), stream=_Pieces(end, request), request=request
            )
        if isinstance(end, Reply):
            return _response(end, request)
        assert end is not None
        if end.how == RESET:
            raise httpx.ReadError("connection reset by peer", request=request)
        raise httpx.RemoteProtocolError("server disconnected without sending a response", request=request)


class _Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in pieces, as the socket of a server would give it."""

    def __init__(self, end: Piecemeal, request: httpx.Request) -> None:
        self._end = end
        self._request = request
        self._patience_s = _patience_s(request)

    def __iter__(self) -> Iterator[bytes]:
        for step in self._end.steps():
            if isinstance(step, Wait):
                time.sleep(min(step.seconds, self._patience_s))
                self._check(step)
            else:
                yield step
        self._finish()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._end.steps():
            if isinstance(step, Wait):
                await anyio.sleep(min(step.seconds, self._patience_s))
                self._check(step)
            else:
                yield step
        self._finish()

    def _check(self, wait: Wait) -> None:
        if wait.seconds >= self._patience_s:
            raise httpx.ReadTimeout("timed out", request=self._request)

    def _finish(self) -> None:
        if not self._end.whole:
            said = "peer closed connection without sending complete message body"
            raise httpx.RemoteProtocolError(said, request=self._request)


def _patience_s(request: httpx.Request) -> float:
    """How long the client waits for the next bytes."""
    read_s = request.extensions.get("timeout", {}).get("read")
    return math.inf if read_s is None else float(read_s)


def _raw(request: httpx.Request, body: bytes) -> RawRequest:
    path, _, query = request.url.raw_path.partition(b"?")
    headers = tuple((name.lower(), value) for name, value in request.headers.raw)
    origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
    return RawRequest(request.method, path.decode("ascii"), query, headers, body, origin)


def _response(reply: Reply, request: httpx.Request) -> httpx.Response:
    # a stream, since `content=` would add a length to answers that are sent without one
    stream = httpx.ByteStream(reply.body)
    return httpx.Response(reply.status, headers=list(sized(reply)), stream=stream, request=request)


def _is_control(raw: RawRequest) -> bool:
    return raw.path == PREFIX or raw.path.startswith(PREFIX + "/")


async def _ask(app: ASGIApp, request: httpx.Request, raw: RawRequest) -> Reply:
    """One request to an ASGI app that answers whole, as the control app does."""
    said: list[Message] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": raw.method,
        "scheme": request.url.scheme, "path": request.url.path, "raw_path": raw.path.encode(), "root_path": "",
        "query_string": raw.query, "headers": list(raw.headers), "client": None, "server": None,
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": raw.body, "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in said if message["type"] == "http.response.body")
    headers = tuple((name, value) for name, value in said[0]["headers"] if name != b"content-length")
    return Reply(said[0]["status"], headers, body)
