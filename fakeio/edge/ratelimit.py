"""Requests in a time, counted in windows of the workspace's own clock.

Decides whether one more fits. Which limit applies is the exchange's business. Windows are our reading: the vendor
publishes the figure, not the way it counts. On a clock that stands still a window never ends, until somebody moves it.
"""

from __future__ import annotations

import math


class Windows:
    """One-second windows, one per key (an API), and longer ones. A reset of the workspace starts afresh."""

    __slots__ = ("_current", "_longer")

    def __init__(self) -> None:
        self._current: dict[str, tuple[int, int]] = {}  # key: the second, and how many it has seen
        self._longer: dict[str, tuple[float, int]] = {}  # key: when the window began, and how many it has seen

    def admit_in(self, key: str, most: int, window_s: int, now: float) -> float:
        """Count one request in a window that its first one begins; else how many seconds are left of it."""
        began, seen = self._longer.get(key, (now, 0))
        if not began <= now < began + window_s:
            began, seen = now, 0
        if seen >= most:
            return began + window_s - now
        self._longer[key] = (began, seen + 1)
        return 0

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
