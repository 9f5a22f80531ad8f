"""How fast to send: never more than the cap in any one-second window, less while the destination struggles, and not at
all while told to wait.

Pure: the moment is handed in, the answer is how long to hold back. One pacer an API; what it knows is a value, so that
processes can share it (`edge/pacing.py`). What counts is when requests arrive: one whose answer took longer than the
fastest may have been late by that much, and counts from then. Additive increase and multiplicative decrease, as in TCP:
halved by every wave of 429 and 5xx, and a tenth of the cap more for every second that goes well.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort

import msgspec

from sync.core.budgets import APP_RATE_PER_S, TRACK_RATE_PER_S

DEFAULT_RATE_PER_S = {"track": TRACK_RATE_PER_S, "app": APP_RATE_PER_S}
LEAST_SHARE = 0.1  # of the cap; slower would hardly notice that it is over
RECOVERY_PER_S = 0.1
SLACK_S = 0.01  # more than a second to a window, for requests that are late by no more than that
LATEST_S = 0.25  # an answer that takes still longer tells of a slow destination rather than of a late request
STRANGE = 20  # answers by which we know how fast a fast one is; until then a whole second may have been the way
CATCH_UP_S = 0.1  # while slowed: whoever woke up too late makes up for so much, so that the rate is kept on average
LONGEST_HOLD_S = 3600.0  # whoever wants to be left alone for longer is asked once an hour whether that is still so
LONGEST_TURN_S = 60.0  # between looking at the clock and having the lock, on a machine that is very busy
_WINDOW_S = 1.0 + SLACK_S


class Pace(msgspec.Struct, array_like=True):
    """What all senders to one API know. Moments are seconds on a clock that never goes back.

    `share` of the cap is allowed at present; it was halved at `slowed_at` and has grown up to `eased_at`.
    """

    sent: list[float] = []  # when the last requests left, or later, as far as they were late; oldest first
    held_until: float = -math.inf
    share: float = 1.0
    slowed_at: float = -math.inf
    eased_at: float = -math.inf
    due_at: float = -math.inf  # while slowed: when the last one ought to have left


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
        self._answers = 0
        self._fastest_s = math.inf

    def take(self, now: float) -> float:
        """0: send now, it is written down. Else the seconds after which to ask again; nothing is promised till then."""
        pace = self._of_this_clock(now)
        asked_at, now = now, max(now, pace.sent[-1]) if pace.sent else now  # others may have overtaken who waits here
        at = max(now, pace.held_until)
        if self.rate_per_s:
            at = max(at, self._window_opens_at(), self._due_at())
        if at > now:
            return at - asked_at
        if self.rate_per_s:
            del pace.sent[: bisect_right(pace.sent, now - self._window_s)]
            pace.sent.append(now)
            pace.due_at = max(self._due_at(), now - CATCH_UP_S)
        return 0.0

    def late_s(self, took_s: float) -> float:
        """By how much a request may have been late, whose answer took so long; 0 when that makes no difference."""
        if not self.rate_per_s:
            return 0.0
        self._answers += 1
        self._fastest_s = min(self._fastest_s, took_s)
        if self._answers <= STRANGE:
            return min(max(took_s - SLACK_S, 0.0), 1.0)
        return min(max(took_s - self._fastest_s - SLACK_S, 0.0), LATEST_S)

    def count_later(self, sent_at: float, late_s: float) -> None:
        """The request that left at `sent_at` counts from when it arrived, if it still does."""
        sent = self.pace.sent
        at = bisect_left(sent, sent_at)
        if at < len(sent) and sent[at] == sent_at:
            del sent[at]
            insort(sent, sent_at + late_s)

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
            pace.due_at = pace.sent[-1] if pace.sent else now

    def ease(self, now: float) -> None:
        """A request was answered well. Time in which nothing was sent counts for a second at most."""
        pace = self.pace
        if pace.share < 1:
            pace.share = min(1.0, pace.share + RECOVERY_PER_S * min(max(now - pace.eased_at, 0.0), 1.0))
            pace.eased_at = now

    def _window_opens_at(self) -> float:
        sent = self.pace.sent
        return sent[-self._room] + self._window_s if len(sent) >= self._room else -math.inf

    def _due_at(self) -> float:
        pace = self.pace
        return pace.due_at + 1 / (self.rate_per_s * pace.share) if pace.share < 1 else -math.inf

    def _of_this_clock(self, now: float) -> Pace:
        """What is known, unless it is of a later time than it ever was by the clock that tells `now`."""
        if self.pace.sent and self.pace.sent[-1] > now + LONGEST_TURN_S:
            self.pace = Pace()
        return self.pace
