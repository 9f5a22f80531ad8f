"""How fast to send: never more than the cap in any one-second window, less while the destination struggles, and not at
all while told to wait.

Pure: the moment is handed in, the answer is how long to hold back. One pacer an API; what it knows is a value, so that
processes can share it (`edge/pacing.py`). Additive increase and multiplicative decrease, as in TCP: halved by every
wave of 429 and 5xx, and a twentieth of the cap more for every second that goes well.
"""

from __future__ import annotations

import math
from bisect import bisect_right

import msgspec

from sync.core.budgets import APP_RATE_PER_S, TRACK_RATE_PER_S

DEFAULT_RATE_PER_S = {"track": TRACK_RATE_PER_S, "app": APP_RATE_PER_S}
LEAST_SHARE = 0.1  # of the cap; slower would hardly notice that it is over
RECOVERY_PER_S = 0.05
_WINDOW_S = 1.02  # a little over a second, so that a network that bunches requests up does not make us break the cap


class Pace(msgspec.Struct, array_like=True):
    """What all senders to one API know. Moments are seconds on a clock that never goes back.

    `share` of the cap is allowed at present; it was halved at `slowed_at` and has grown up to `eased_at`.
    """

    sent: list[float] = []  # the last sends, oldest first
    held_until: float = -math.inf
    share: float = 1.0
    slowed_at: float = -math.inf
    eased_at: float = -math.inf


class Pacer:
    """Decides by `pace`, which may be replaced between two calls. `rate_per_s` 0: no cap, and so no share of it."""

    def __init__(self, rate_per_s: float) -> None:
        if not 0 <= rate_per_s < math.inf:
            raise ValueError(f"a rate is a number of requests a second, at least 0, not {rate_per_s!r}")
        self.rate_per_s = rate_per_s
        self.pace = Pace()
        self._room = max(1, math.floor(rate_per_s))
        # below one request a second, a window must stretch until one request fits
        self._window_s = _WINDOW_S * max(1.0, self._room / rate_per_s if rate_per_s else 0)

    def take(self, now: float) -> float:
        """0: send now, it is written down. Else the seconds after which to ask again; nothing is promised till then."""
        pace = self.pace
        at = max(now, pace.held_until)
        if self.rate_per_s and pace.sent:
            at = max(at, self._window_opens_at(), self._spaced_at())
        if at > now:
            return at - now
        if self.rate_per_s:
            del pace.sent[: bisect_right(pace.sent, now - self._window_s)]
            pace.sent.append(now)
        return 0.0

    def hold(self, until: float) -> None:
        """Send nothing before `until`; the destination said so (Retry-After)."""
        self.pace.held_until = max(self.pace.held_until, until)

    def slow(self, sent_at: float, now: float) -> None:
        """A request that left at `sent_at` met a 429 or 5xx. Those that left before the last halving tell nothing new:
        they are of the same wave."""
        pace = self.pace
        if sent_at > pace.slowed_at:
            pace.share = max(LEAST_SHARE, pace.share / 2)
            pace.slowed_at = pace.eased_at = now

    def ease(self, now: float) -> None:
        """A request was answered well. Time in which nothing was sent counts for a second at most."""
        pace = self.pace
        if pace.share < 1:
            pace.share = min(1.0, pace.share + RECOVERY_PER_S * min(max(now - pace.eased_at, 0.0), 1.0))
            pace.eased_at = now

    def _window_opens_at(self) -> float:
        sent = self.pace.sent
        return sent[-self._room] + self._window_s if len(sent) >= self._room else -math.inf

    def _spaced_at(self) -> float:
        share = self.pace.share
        return self.pace.sent[-1] + 1 / (self.rate_per_s * share) if share < 1 else -math.inf
