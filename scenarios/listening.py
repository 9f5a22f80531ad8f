"""`cio-sync listen` inside this process: its receiver without a socket, and a worker that works when it is told to.

Everything between a push and the segment is the engine's own, the inbox on disk included; `restart` is a kill and a new
start, with nothing but the files left.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios.inprocess import HASTE
from scenarios.runs import TurnedClock
from sync.edge.console import Console
from sync.edge.inbox import Inbox
from sync.edge.metrics import Metrics
from sync.edge.receiver import Receiver
from sync.edge.settings import read_settings
from sync.listening import ListenOptions, Worker


class Listener:
    """A receiver and its worker on one inbox. `own` is the engine's environment."""

    def __init__(self, own: Mapping[str, str], folder: Path, clock: TurnedClock) -> None:
        self._settings = read_settings(own, track_rate="0", app_rate="0")
        self._path = folder / "inbox.db"
        self._clock = clock
        self.said = io.StringIO()
        self._open()

    def _open(self) -> None:
        self._inbox = Inbox(self._path)
        self._app = Receiver(self._inbox, now=self._clock.now).app()
        options = ListenOptions(policy=HASTE, now=self._clock.now)
        self._worker = Worker(self._inbox, self._settings, Console(quiet=True, stream=self.said), Metrics(), options)

    def push(self, path: str, body: Any) -> tuple[int, Any]:
        """POST it; returns the status and the answer's JSON."""
        return asyncio.run(_post(self._app, path, json.dumps(body).encode()))

    def work(self) -> bool:
        """One round of the worker: True when there may be more to do right away."""
        return self._worker.work()

    def settle(self) -> None:
        """Work until there is nothing to do."""
        while self.work():
            pass

    def restart(self) -> None:
        """As a kill and a new start: what is not on disk is gone."""
        self._inbox.close()
        self._open()

    def close(self) -> None:
        self._inbox.close()


async def _post(app: Any, path: str, body: bytes) -> tuple[int, Any]:
    """One request to an ASGI application."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "server": ("receiver", 80),
        "client": ("amplitude", 1), "headers": [(b"content-length", str(len(body)).encode())],
    }  # fmt: skip
    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], json.loads(content)
