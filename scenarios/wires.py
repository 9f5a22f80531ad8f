"""The engine's ways out without a socket, to the fake and to a fake Amplitude: who was asked, and with which headers.

What was `asked` is for I12: credentials go home and nowhere else. The wire to the fake can send the engine astray, as a
proxy or another region does with a redirect; nobody who is meant is to be found there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from scenarios.amplitude import Asked, FakeAmplitude, strike
from scenarios.asgi import ask
from sync.edge.transport import Network

AMPLITUDE, STORAGE, ELSEWHERE = "http://amplitude.test", "http://storage.test", "http://elsewhere.test"


class Wire(Network, ABC):
    """Remembers every request as (host, headers in lower case); `home` is the one host that credentials may go to."""

    def __init__(self, home: str) -> None:
        self.home = urlsplit(home).netloc
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def handle_request(self, request: Any) -> Any:
        """What httpx calls for each request."""
        self.asked.append((request.url.netloc.decode(), dict(request.headers)))
        return self.answer(request)

    @abstractmethod
    def answer(self, request: httpx.Request) -> httpx.Response:
        """What whoever is at the other end answers."""


class HomeWire(Wire):
    """To the fake at `url`. The next `astray` requests are answered with the way to another host."""

    def __init__(self, wire: Network, url: str) -> None:
        super().__init__(url)
        self.astray = 0
        self._wire = wire

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.asked[-1][0] != self.home:
            return httpx.Response(404, request=request)
        if self.astray:
            self.astray -= 1
            where = f"{ELSEWHERE}{request.url.raw_path.decode()}"
            return httpx.Response(307, headers={"location": where}, request=request)
        return self._wire.handle_request(request)


class AmplitudeWire(Wire):
    """To a project: its API, and the storage that its links lead to, with what goes wrong on the way."""

    def __init__(self, project: FakeAmplitude) -> None:
        super().__init__(AMPLITUDE)
        project.storage_url = STORAGE
        self._project = project
        self._app = project.app()

    def answer(self, request: httpx.Request) -> httpx.Response:
        host, headers = self.asked[-1]
        self._project.asked.append(Asked(request.url.path, request.url.query.decode(), headers, host))
        trouble = strike(self._project.troubles, request.url.path)
        if trouble is not None and trouble.cut_bytes is not None:
            raise httpx.RemoteProtocolError("the connection was closed", request=request)
        if trouble is not None:
            return _answer(request, trouble.status, list(trouble.headers.items()), trouble.body)
        raw = [(name.lower(), value) for name, value in request.headers.raw]
        status, answered, body = ask(self._app, request.method, request.url.raw_path.decode(), raw)
        return _answer(request, status, answered, body)


def _answer(request: httpx.Request, status: int, headers: Any, body: bytes) -> httpx.Response:
    # a stream, as from a socket: a body given as `content` counts as read, and could not be read as it came
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), request=request)
