"""A receiver and a worker that works when it is told to: what the tests of `cio-sync listen` share."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from conftest import HandTurnedClock
from sync.edge.console import Console
from sync.edge.inbox import Inbox
from sync.edge.metrics import Metrics
from sync.edge.receiver import Receiver
from sync.listening import ListenOptions, Worker
from tests.integration.cohort_engine import HASTE, Engine


def webhook(*ids: str, entered: bool = True, at: int = 100, **more: Any) -> dict[str, Any]:
    return {
        "cohort_name": "vip", "cohort_id": "xyz", "in_cohort": entered, "computed_time": str(at),
        "users": [{"user_id": one} for one in ids], **more,
    }  # fmt: skip


class Web:
    """The receiver's application without a socket."""

    def __init__(self, receiver: Receiver) -> None:
        self._app = receiver.app()

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._ask("GET", path))

    def post(self, path: str, **body: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, **body))

    async def _ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            return await client.request(method, path, **body)


class Listening:
    """A receiver and a worker that works when it is told to."""

    def __init__(self, engine: Engine, clock: HandTurnedClock, *, id_type: str = "id", **options: Any) -> None:
        self.engine = engine
        self.clock = clock
        self.metrics = Metrics()
        self.inbox = Inbox(engine.path.with_name("inbox.db"))
        self.receiver = Receiver(self.inbox, now=clock, **options)
        self.web = Web(self.receiver)
        told = ListenOptions(id_type=id_type, policy=HASTE, now=clock)
        self.worker = Worker(self.inbox, engine.settings(), Console(stream=engine.said), self.metrics, told)

    def push(self, body: object, path: str = "/cohorts", **headers: str) -> int:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.web.post(path, content=content, headers=headers).status_code

    def settle(self) -> None:
        """Let the worker work until there is nothing to do."""
        while self.worker.work():
            pass
