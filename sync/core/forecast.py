"""What a run would take, told by a dry run: requests to either API, and seconds at the rates allowed.

An estimate: nobody knows beforehand who will not be found, or what has to be sent twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from sync.core.budgets import MEMBERSHIP_PAGE, SEARCH_PAGE, SEGMENT_IDS

REQUEST_S = 0.2  # until a usual request has its answer; with many requests the rates rule


class Forecast(NamedTuple):
    """Requests to the Track API and to the App API."""

    track: int
    app: int = 0

    def seconds(self, rates_per_s: Mapping[str, float], lanes: int = 1) -> float:
        """How long that takes with `lanes` requests in flight; a rate of 0 is no limit."""
        paced = (self.track, rates_per_s["track"]), (self.app, rates_per_s["app"])
        return max(REQUEST_S * (self.track + self.app) / lanes, *(count / rate for count, rate in paced if rate), 0.0)

    def sentence(self, rates_per_s: Mapping[str, float], lanes: int = 1) -> str:
        """For somebody who watches."""
        seconds = self.seconds(rates_per_s, lanes)
        return f"a run would make about {sum(self):,} requests, which take about {seconds:,.1f} s at the rates allowed"


def forecast_cohort(join: int, leave: int, members: int, waiting: int, *, verify: str, new: bool) -> Forecast:
    """A cohort run that adds `join` people and removes `leave`, after which the segment has `members`; `waiting` could
    not be found before. `new`: the segment has to be made."""
    track = 1 + ceil(join / SEGMENT_IDS.most) + ceil(leave / SEGMENT_IDS.most)
    looking = {
        "membership": max(1, ceil(members / MEMBERSHIP_PAGE.most)),
        "search": ceil((join + leave) / SEARCH_PAGE.most),
    }.get(verify, 0)
    searching = ceil(waiting / SEARCH_PAGE.most) if looking else 0
    return Forecast(track, 2 + new + looking + searching)
