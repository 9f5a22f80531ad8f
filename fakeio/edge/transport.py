"""An httpx transport that reaches the fake without a socket, for `httpx.Client` and `httpx.AsyncClient` alike.

A product request goes straight down the path that the server uses (`run_exchange`); a control request goes to the
control app. What would happen to a socket happens as the httpx error that such a socket causes: a reset is a
ReadError, a close before the status line a RemoteProtocolError, an answer later than the read timeout a ReadTimeout
(after which the request has had the effect that it would have had in the end).
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
from starlette.types import ASGIApp, Message

from fakeio.core.weather import RESET
from fakeio.edge.asgi import sized
from fakeio.edge.control import PREFIX
from fakeio.edge.exchange import Steps, Universe, run_exchange
from fakeio.edge.http import Cut, RawRequest, Reply, Wait


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
        return _response(drive.reply(), request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raw = _raw(request, await request.aread())
        if _is_control(raw):
            return _response(await _ask(self._control, request, raw), request)
        drive = _Drive(run_exchange(self._universe, raw), request)
        while (pause := drive.step()) is not None:
            await anyio.sleep(pause)
        return _response(drive.reply(), request)


class _Drive:
    """One exchange on its way: how long to sleep next, and how it ended."""

    def __init__(self, steps: Steps, request: httpx.Request) -> None:
        self._steps = steps
        self._request = request
        self._patience_s: float | None = request.extensions.get("timeout", {}).get("read")
        self._end: Reply | Cut | None = None

    def step(self) -> float | None:
        """Seconds to sleep before the next step, None at the end; raises ReadTimeout when patience is spent."""
        if self._patience_s is not None and self._patience_s <= 0:
            # a server does not notice that nobody listens any more: what it was asked to do, it does
            for _ in self._steps:
                pass
            raise httpx.ReadTimeout("timed out", request=self._request)
        try:
            wait: Wait = next(self._steps)
        except StopIteration as stop:
            self._end = stop.value
            return None
        return self._rest(wait.seconds)

    def _rest(self, seconds: float) -> float:
        if self._patience_s is None:
            return seconds
        pause = min(seconds, self._patience_s)
        self._patience_s -= seconds
        return pause

    def reply(self) -> Reply:
        """The answer; raises the httpx error of a connection that was cut."""
        assert self._end is not None
        if isinstance(self._end, Reply):
            return self._end
        if self._end.how == RESET:
            raise httpx.ReadError("connection reset by peer", request=self._request)
        raise httpx.RemoteProtocolError("server disconnected without sending a response", request=self._request)


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
