"""What the pure core and the shell need from the world, as protocols; the adapters are in `sync/edge/`."""

from __future__ import annotations

from typing import Protocol

from sync.core.sending import Failure, Reply, Request


class Sender(Protocol):
    """Puts one request on the wire, once. Never raises for what the network or the other side does."""

    def send(self, request: Request) -> Reply | Failure: ...


class Clock(Protocol):
    """Time, as the driver sees it. `monotonic` never goes back; `now` is Unix seconds."""

    def monotonic(self) -> float: ...

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...
