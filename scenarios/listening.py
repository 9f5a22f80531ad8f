"""`cio-sync listen` inside this process: its receiver without a socket, and a worker that works when it is told to.

Everything between a push and the segment is the engine's own, the inbox on disk included; `restart` is a kill and a new
start, with nothing but the files left.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios.asgi import ask
from scenarios.inprocess import HASTE
from scenarios.runs import TurnedClock
from sync.edge.console import Console
from sync.edge.inbox import Inbox
from sync.edge.metrics import Metrics
from sync.edge.receiver import Receiver
from sync.edge.settings import read_settings
from sync.edge.transport import Network
from sync.listening import ListenOptions, Worker


class Listener:
    """A receiver and its worker on one inbox. `own` is the engine's environment, `wire` the way to the fake."""

    def __init__(self, own: Mapping[str, str], folder: Path, clock: TurnedClock, wire: Network) -> None:
        self._settings = read_settings(own, track_rate="0", app_rate="0")
        self._path = folder / "inbox.db"
        self._clock = clock
        self._wire = wire
        self.said = io.StringIO()
        self._open()

    def _open(self) -> None:
        self._inbox = Inbox(self._path)
        self._app = Receiver(self._inbox, now=self._clock.now).app()
        options = ListenOptions(policy=HASTE, now=self._clock.now, network=self._wire)
        self._worker = Worker(self._inbox, self._settings, Console(quiet=True, stream=self.said), Metrics(), options)

    def push(self, path: str, body: Any) -> tuple[int, Any]:
        """POST it; returns the status and the answer's JSON."""
        status, _, content = ask(self._app, "POST", path, body=json.dumps(body).encode())
        return status, json.loads(content)

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
