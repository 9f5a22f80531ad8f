"""Who has performed what, for conditions on events: the newest moments of each person, as many as the condition needs.

At least `times` events in a window is the same as the `times`-th newest lying in it, so a tally keeps that many moments
for a person and no more, however many events there are. Moments are the events' own timestamps; one in the future
counts at once (assumed).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # a leaf for all but types
    from fakeio.core.activities import Event
    from fakeio.core.conditions import Performed


class Tally:
    """The moments of one condition, by cio_id, oldest first."""

    __slots__ = ("_moments", "condition")

    def __init__(self, condition: Performed) -> None:
        self.condition = condition
        self._moments: dict[str, list[int]] = {}

    def fork(self) -> Tally:
        """The same moments for another workspace."""
        other = Tally(self.condition)
        other._moments = self._moments.copy()
        return other

    def add(self, event: Event) -> None:
        """Count an event of somebody if it is what the condition asks for."""
        wanted = self.condition
        if event.name != wanted.name or event.type != wanted.type or event.person is None:
            return
        if wanted.data:
            data = msgspec.json.decode(event.data)
            if not all(test(data) for test in wanted.data):
                return
        moments = [*self._moments.get(event.person, ())]  # never in place: a fork may hold the same list
        insort(moments, event.timestamp)
        self._moments[event.person] = moments[-wanted.times :]

    def forget(self, cio_id: str) -> None:
        """Drop what somebody has performed who is gone."""
        self._moments.pop(cio_id, None)

    def count(self, cio_id: str, now: float) -> int:
        """How often within the window that ends at `now`, at most `times`."""
        moments = self._moments.get(cio_id)
        within_s = self.condition.within_s
        if moments is None or within_s is None:
            return 0 if moments is None else len(moments)
        if now < moments[0] + within_s:
            return len(moments)
        return sum(now < moment + within_s for moment in moments)

    def lapses(self) -> Iterator[tuple[str, float]]:
        """When the condition stops, or has stopped, holding for whoever has met it, by itself: cio_id and time."""
        within_s, times = self.condition.within_s, self.condition.times
        for cio_id, moments in self._moments.items() if within_s is not None else ():
            if len(moments) >= times:
                yield cio_id, moments[0] + (within_s or 0)

    def lapses_at(self, cio_id: str, now: float) -> float | None:
        """When the condition, if it holds at `now`, stops holding without anything happening."""
        moments = self._moments.get(cio_id)
        wanted = self.condition
        if wanted.within_s is None or moments is None or len(moments) < wanted.times:
            return None
        due = moments[0] + wanted.within_s
        return due if due > now else None
