"""When a sync is due: a slot fixed by its first run, one run a slot, none skipped and none doubled by a restart.

Pure: Unix seconds in, Unix seconds out. A slot counts as done when its run has ended, so that one that was cut off is
run again; slots that passed while nobody was there are made up for by one run. A clock that was put back by more than
a slot makes a schedule start anew, for else nothing would run until it is as late again.
Source: Amplitude > Sync cohorts with destinations (a slot is fixed when a sync is made or edited, and runs at once).
"""

from __future__ import annotations

from typing import Literal

import msgspec

Cadence = Literal["once", "minute", "hourly", "daily"]
PERIODS_S: dict[str, float] = {"minute": 60.0, "hourly": 3600.0, "daily": 86400.0}


class Slots(msgspec.Struct, frozen=True):
    """What is remembered of a sync's schedule. `first_at` is when it was made or edited (Unix seconds), `done` the
    number of the last slot whose run ended, from 0; `disabled` says why it is not run any more, empty while it is."""

    first_at: float
    done: int | None = None
    disabled: str = ""


def believed(cadence: Cadence, slots: Slots, now: float) -> Slots:
    """What is remembered, or a schedule that starts at `now`, where what is remembered is of a later time."""
    if cadence == "once":
        return slots
    ahead = slots.first_at > now + PERIODS_S[cadence] or (slots.done or 0) > slot_at(cadence, slots.first_at, now) + 1
    return Slots(now, disabled=slots.disabled) if ahead else slots


def due_slot(cadence: Cadence, slots: Slots, now: float) -> int | None:
    """The slot to run now; None when its run has ended, or the sync is disabled."""
    if slots.disabled:
        return None
    slot = slot_at(cadence, slots.first_at, now)
    return None if slots.done is not None and slots.done >= slot else slot


def next_at(cadence: Cadence, slots: Slots, now: float) -> float | None:
    """When it is due next (Unix seconds, `now` if it is); None for never."""
    if due_slot(cadence, slots, now) is not None:
        return now
    if slots.disabled or cadence == "once":
        return None
    last = max(slot_at(cadence, slots.first_at, now), slots.done or 0)  # the clock may have been set back
    return slots.first_at + PERIODS_S[cadence] * (last + 1)


def slot_at(cadence: Cadence, first_at: float, now: float) -> int:
    """The number of the slot that `now` is in, whether it is due or not."""
    if cadence == "once":
        return 0
    return max(0, int((now - first_at) // PERIODS_S[cadence]))
