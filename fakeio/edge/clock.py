"""The clock of one workspace: the machine's own time, shifted if asked, or a time that moves only when told to.

Decides what `now` is. What falls due when it moves is run by the workspace (`sweep`), and who may move it is decided
by the caller, which holds the workspace's lock while it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

REAL, MANUAL = "real", "manual"
MODES = (REAL, MANUAL)
LATEST = 253_402_300_799  # the end of the year 9999, after which no calendar library goes on


class Clock:
    """Unix seconds. `read` is the machine's clock; a test may give another."""

    __slots__ = ("_offset_s", "_read", "_stopped_at")

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self._offset_s = 0.0
        self._stopped_at: float | None = None

    @property
    def mode(self) -> str:
        return REAL if self._stopped_at is None else MANUAL

    def now(self) -> float:
        return self._read() + self._offset_s if self._stopped_at is None else self._stopped_at

    def set(self, now: float) -> None:
        """Stop at that moment, in the past or the future; the mode becomes manual."""
        self._stopped_at = float(now)

    def advance(self, seconds: float) -> None:
        """Move on without changing the mode: a real clock keeps ticking from there."""
        if self._stopped_at is None:
            self._offset_s += seconds
        else:
            self._stopped_at += seconds

    def use(self, mode: str) -> None:
        """`manual` stops the clock where it is; `real` goes back to the machine's own time, without an offset."""
        if mode == MANUAL:
            self._stopped_at = self.now()
        else:
            self.reset()

    def set_like(self, other: Clock) -> None:
        """Show the same time, in the same mode."""
        self._read, self._offset_s, self._stopped_at = other._read, other._offset_s, other._stopped_at

    def as_dict(self) -> dict[str, float | None]:
        """What it would take to show the same time in another process, at the same moment."""
        return {"offset_s": self._offset_s, "stopped_at": self._stopped_at}

    def restore(self, told: Mapping[str, float | None]) -> None:
        """Show the time that `as_dict` told of."""
        self._offset_s, self._stopped_at = told["offset_s"] or 0.0, told["stopped_at"]

    def reset(self) -> None:
        """As it was at the start: the machine's own time."""
        self._offset_s = 0.0
        self._stopped_at = None
