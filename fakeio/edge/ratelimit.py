"""Requests a second, counted in fixed windows of the workspace's own clock.

Decides whether one more fits. Which limit applies is the exchange's business. Windows are our reading: the vendor
publishes the figure, not the way it counts. On a clock that stands still a window never ends, until somebody moves it.
"""

from __future__ import annotations

import math


class Windows:
    """One-second windows, one per key (an API). A reset of the workspace starts afresh."""

    __slots__ = ("_current",)

    def __init__(self) -> None:
        self._current: dict[str, tuple[int, int]] = {}  # key: the second, and how many it has seen

    def admit(self, key: str, per_s: int, now: float) -> bool:
        """Count one request; False if this second has had `per_s` already. Refused ones do not count."""
        second = math.floor(now)
        began, seen = self._current.get(key, (second, 0))
        if began != second:
            seen = 0
        if seen >= per_s:
            return False
        self._current[key] = (second, seen + 1)
        return True
