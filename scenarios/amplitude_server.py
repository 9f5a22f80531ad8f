"""Serves a fake Amplitude on two free ports of this machine: the API, and the storage that its links lead to.

Runs uvicorn in a thread. Keeps a log of what was asked, and makes the answers go wrong as the project's troubles say.
"""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn import Config, Server

from scenarios.amplitude import Asked, FakeAmplitude, strike

_START_S = 30.0


class AmplitudeServer:
    """A context manager; `url` is where the API is. Answers as one project, which `play` replaces."""

    def __init__(self, project: FakeAmplitude) -> None:
        self._sockets = [_listening() for _ in range(2)]
        self.url, self._storage_url = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in self._sockets)
        self._troubled = _Troubled(project)
        self.play(project)
        config = Config(self._troubled, log_level="critical", lifespan="off", access_log=False)
        self._server = Server(config)
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,), daemon=True)

    def play(self, project: FakeAmplitude) -> None:
        """Be this project from the next request on."""
        project.storage_url = self._storage_url
        self._troubled.play(project)

    def __enter__(self) -> AmplitudeServer:
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        for one in self._sockets:
            one.close()


def _listening() -> socket.socket:
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    return one


class _Troubled:
    """The project's application, with what goes wrong on the way."""

    def __init__(self, project: FakeAmplitude) -> None:
        self.play(project)

    def play(self, project: FakeAmplitude) -> None:
        self._project = project
        self._app: ASGIApp = project.app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        self._project.asked.append(Asked(scope["path"], query, headers, headers.get("host", "")))
        trouble = strike(self._project.troubles, scope["path"])
        if trouble is None:
            await self._app(scope, receive, send)
        elif trouble.cut_bytes is not None:
            await self._app(scope, receive, _Cut(send, trouble.cut_bytes))
        else:
            raw = [(name.encode(), value.encode()) for name, value in trouble.headers.items()]
            await send({"type": "http.response.start", "status": trouble.status, "headers": raw})
            await send({"type": "http.response.body", "body": trouble.body})


class _Cut:
    """Lets so many bytes of a body through; what follows is never sent, so that the server has to close."""

    def __init__(self, send: Send, left: int) -> None:
        self._send = send
        self._left = left

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": message.get("body", b"")[: self._left], "more_body": True}
            self._left -= len(message["body"])
        await self._send(message)
