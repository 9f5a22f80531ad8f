"""Slots: the first run at once, then one a slot, whatever happens to the process in between."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.schedule import PERIODS_S, Cadence, Slots, believed, due_slot, next_at

TEN37 = 1_777_631_820.0  # 10:37 of some day

cadences = st.sampled_from(get_args(Cadence))
periodic = st.sampled_from(sorted(PERIODS_S))


@pytest.mark.parametrize("cadence", get_args(Cadence))
def test_a_sync_runs_as_soon_as_it_is_made(cadence: Cadence) -> None:
    assert due_slot(cadence, Slots(TEN37), TEN37) == 0
    assert next_at(cadence, Slots(TEN37), TEN37) == TEN37


def test_a_one_time_sync_that_was_done_is_never_due_again() -> None:
    done = Slots(TEN37, done=0)
    assert (due_slot("once", done, TEN37 + 10**9), next_at("once", done, TEN37)) == (None, None)


@pytest.mark.parametrize(
    ("done", "now", "slot", "later"),
    [
        pytest.param(0, TEN37 + 3599, None, TEN37 + 3600, id="just before the next slot"),
        pytest.param(0, TEN37 + 3600, 1, TEN37 + 3600, id="on it"),
        pytest.param(0, TEN37 + 3 * 3600 + 5, 3, TEN37 + 3 * 3600 + 5, id="after three: one run makes up for them"),
        pytest.param(3, TEN37 + 3 * 3600 + 5, None, TEN37 + 4 * 3600, id="and then the slot it always had"),
        pytest.param(0, TEN37 - 100, None, TEN37 + 3600, id="a clock that was set back"),
    ],
)
def test_an_hourly_sync_keeps_its_slot(done: int, now: float, slot: int | None, later: float) -> None:
    slots = Slots(TEN37, done=done)
    assert (due_slot("hourly", slots, now), next_at("hourly", slots, now)) == (slot, later)


@pytest.mark.parametrize("cadence", get_args(Cadence))
def test_a_disabled_sync_is_never_due(cadence: Cadence) -> None:
    slots = Slots(TEN37, disabled="archived")
    assert (due_slot(cadence, slots, TEN37), next_at(cadence, slots, TEN37)) == (None, None)


@given(periodic, st.lists(st.floats(0, 200_000), min_size=1, max_size=20))
def test_at_any_moments_each_slot_runs_at_most_once_and_the_current_one_always(
    cadence: Cadence, pauses: list[float]
) -> None:
    slots, now, ran = Slots(TEN37), TEN37, list[int]()
    for pause in pauses:
        now += pause
        slot = due_slot(cadence, slots, now)
        if slot is not None:
            ran.append(slot)
            slots = Slots(TEN37, done=slot)
        assert slots.done == int((now - TEN37) // PERIODS_S[cadence])
    assert ran == sorted(set(ran))


@given(periodic, st.integers(0, 1000), st.floats(0, 10**7))
def test_the_next_moment_is_the_first_at_which_it_is_due(cadence: Cadence, done: int, after: float) -> None:
    slots, now = Slots(TEN37, done=done), TEN37 + after
    moment = next_at(cadence, slots, now)
    assert moment is not None
    assert moment >= now
    if moment > now:
        assert due_slot(cadence, slots, moment - 0.01) is None
        assert due_slot(cadence, slots, moment + 0.01) is not None


# -- a clock that jumps -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("slots", "now", "anew"),
    [
        pytest.param(Slots(TEN37, done=3), TEN37 + 3 * 3600, False, id="as it should be"),
        pytest.param(Slots(TEN37, done=3), TEN37 + 2 * 3600, False, id="put back by less than a slot"),
        pytest.param(Slots(TEN37, done=3), TEN37 + 2 * 3600 - 1, True, id="put back by more"),
        pytest.param(Slots(TEN37, done=3), TEN37 - 86_400, True, id="put back to before it was made"),
        pytest.param(Slots(TEN37), TEN37 - 3600, False, id="made a little later than now"),
        pytest.param(Slots(TEN37), TEN37 - 3601, True, id="made much later than now"),
        pytest.param(Slots(TEN37, done=3), TEN37 + 10**8, False, id="put forward"),
    ],
)
def test_a_schedule_of_a_later_time_starts_anew(slots: Slots, now: float, anew: bool) -> None:
    assert believed("hourly", slots, now) == (Slots(now) if anew else slots)


def test_a_one_time_sync_that_was_done_stays_done_whatever_the_clock_does() -> None:
    slots = Slots(TEN37, done=0)
    assert believed("once", slots, 0.0) is slots


def test_a_disabled_sync_stays_disabled_when_its_clock_is_put_back() -> None:
    assert believed("hourly", Slots(TEN37, 9, "archived"), TEN37) == Slots(TEN37, disabled="archived")


@given(periodic, st.lists(st.floats(-(10**7), 10**7), min_size=1, max_size=20))
def test_whatever_the_clock_does_nobody_waits_for_more_than_two_slots(cadence: Cadence, jumps: list[float]) -> None:
    slots, now = Slots(TEN37), TEN37
    for jump in jumps:
        now += jump
        slots = believed(cadence, slots, now)
        moment = next_at(cadence, slots, now)
        assert moment is not None
        assert 0 <= moment - now <= 2 * PERIODS_S[cadence]
        if (slot := due_slot(cadence, slots, now)) is not None:
            slots = Slots(slots.first_at, max(slots.done or 0, slot))
