"""Which hours of an export to read, in which pieces, and where to go on next time. Hours are counted from 1970, UTC.

The Export API selects by the hour in which events were uploaded, both ends included, and has an hour two hours after
it ended at the earliest; stragglers can come later still, so the last hours of a run are read again by the next.
Source: Amplitude > Export API.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sync.core.sending import Reply

AVAILABLE_AFTER_H = 3  # counted from the start of the hour: it must end, and then two hours must pass
READ_AGAIN_H = 2
FIRST_RUN_H = 24
LATE_UPLOAD_H = 24  # how long after an event a back-fill still looks for it
MOST_HOURS = 12  # asked for at once
MOST_EMPTY_H = 31 * 24  # asked for at once where there was nothing just before; a request may name a year
_HOUR_S = 3600
_NO_EVENTS = b"raw data files were not found"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Hours(NamedTuple):
    """`first` and `last` hour, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    def halves(self) -> tuple[Hours, Hours]:
        """Two ranges that together are this one; it must have more than one hour."""
        middle = (self.first + self.last) // 2
        return Hours(self.first, middle), Hours(middle + 1, self.last)


def last_available(now: float) -> int:
    """The newest hour that is whole at `now` (Unix seconds)."""
    return int(now // _HOUR_S) - AVAILABLE_AFTER_H


def hours_to_read(cursor: int | None, now: float) -> Hours | None:
    """What a run reads that goes on from `cursor` (the first hour that was not yet read; None: never ran).

    None when nothing new can be there. Hours just before the cursor come again, for what arrived late.
    """
    last = last_available(now)
    if cursor is None:
        return Hours(last - FIRST_RUN_H + 1, last)
    return None if cursor > last else Hours(cursor - READ_AGAIN_H, last)


def hours_of_backfill(since: int | None, until: int | None, now: float) -> Hours | None:
    """What a run reads for events of a given time (Unix seconds, `until` exclusive); None when nothing is there yet.

    Events are uploaded at or after their own time, so the range ends later than they do. Without `since` it begins a
    day before its end.
    """
    last = newest = last_available(now)
    if until is not None:
        newest = min(last, (until - 1) // _HOUR_S)
        last = min(last, newest + LATE_UPLOAD_H)
    first = newest - FIRST_RUN_H + 1 if since is None else since // _HOUR_S
    return Hours(first, last) if first <= last else None


def range_after(hours: Hours, before: Hours | None, *, was_empty: bool = False) -> Hours | None:
    """What to ask for at once after `before` (None: to begin with); None at the end of `hours`.

    Where there was nothing, twice as much is asked for next, so that years without events take no thousand requests.
    """
    first = hours.first if before is None else before.last + 1
    if first > hours.last:
        return None
    size = MOST_HOURS if before is None or not was_empty else min(MOST_EMPTY_H, 2 * before.size)
    return Hours(first, min(first + size - 1, hours.last))


def says_no_events(reply: Reply) -> bool:
    """Whether the answer is how the Export API says that nothing was uploaded in those hours. Any other 404, of a proxy
    or a wrong address, says nothing about events: taken for an empty hour, it would lose what is there."""
    return reply.status == 404 and _NO_EVENTS in reply.body.lower()


def encode_hour(hour: int) -> str:
    """An hour as the Export API writes it: 20260714T09."""
    return (_EPOCH + timedelta(hours=hour)).strftime("%Y%m%dT%H")


def export_path(hours: Hours) -> str:
    return f"/api/2/export?start={encode_hour(hours.first)}&end={encode_hour(hours.last)}"
