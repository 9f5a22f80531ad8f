"""How fast to send: never more than the cap in any one-second window, and not at all while told to wait.

Pure: the moment is handed in, the answer is how long to hold back. One pacer an API; the driver owns the clock, the
sleeping and the lock between threads.
"""

from __future__ import annotations

import math
from collections import deque

from sync.core.budgets import APP_RATE_PER_S, TRACK_RATE_PER_S

DEFAULT_RATE_PER_S = {"track": TRACK_RATE_PER_S, "app": APP_RATE_PER_S}
_WINDOW_S = 1.02  # a little over a second, so that a network that bunches requests up does not make us break the cap


class Pacer:
    """Keeps the moments of the last sends, as many as one window may hold. `rate_per_s` 0 means no cap."""

    def __init__(self, rate_per_s: float) -> None:
        if not 0 <= rate_per_s < math.inf:
            raise ValueError(f"a rate is a number of requests a second, at least 0, not {rate_per_s!r}")
        self.rate_per_s = rate_per_s
        self._room = max(1, math.floor(rate_per_s))
        # below one request a second, a window must stretch until one request fits
        self._window_s = _WINDOW_S * max(1.0, self._room / rate_per_s if rate_per_s else 0)
        self._sent: deque[float] = deque(maxlen=self._room)
        self._held_until = -math.inf

    def take(self, now: float) -> float:
        """Book the next free moment and return how many seconds it is away (0: send at once).

        `now` is in seconds on any clock that never goes back. A booking can't be given back: wait, then send.
        """
        at = max(now, self._held_until)
        if self.rate_per_s:
            if len(self._sent) == self._room:
                at = max(at, self._sent[0] + self._window_s)
            self._sent.append(at)
        return at - now

    def hold(self, until: float) -> None:
        """Book nothing before `until`; the destination said so (429 with Retry-After)."""
        self._held_until = max(self._held_until, until)
