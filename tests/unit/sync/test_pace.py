"""The cap on requests a second holds in every window, whenever requests come, and is used."""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_left
from collections.abc import Callable
from itertools import count, cycle, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.pace import CATCH_UP_S, LATEST_S, LEAST_SHARE, LONGEST_TURN_S, SLACK_S, STRANGE, Pacer

gaps = st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=200)
rates = st.one_of(st.integers(1, 40).map(float), st.floats(0.05, 40, allow_nan=False))


def moments(pacer: Pacer, gaps_s: list[float]) -> list[float]:
    """When requests leave that become ready one after the other, each `gap` after the one before left."""
    now, sent = 1_000.0, []
    for gap in gaps_s:
        now += gap
        while wait_s := pacer.take(now):
            now += wait_s
        sent.append(now)
    return sent


@given(rates, gaps)
def test_no_second_ever_holds_more_than_the_cap(rate: float, gaps_s: list[float]) -> None:
    sent = moments(Pacer(rate), gaps_s)
    for first, start in enumerate(sent):
        assert bisect_left(sent, start + 1) - first <= max(1, int(rate))


@given(gaps, st.floats(0, 20, allow_nan=False))
def test_nothing_leaves_while_told_to_wait(gaps_s: list[float], hold_s: float) -> None:
    pacer = Pacer(10)
    pacer.hold(1_000.0 + hold_s)
    assert min(moments(pacer, gaps_s)) >= 1_000.0 + hold_s


def test_a_steady_stream_uses_nearly_all_of_the_rate() -> None:
    sent = moments(Pacer(100), [0.0] * 1_000)
    assert 999 / (sent[-1] - sent[0]) > 97


def test_a_burst_within_the_cap_does_not_wait() -> None:
    assert moments(Pacer(10), [0.0] * 10) == [1_000.0] * 10


def test_zero_means_no_cap() -> None:
    assert moments(Pacer(0), [0.0] * 1_000) == [1_000.0] * 1_000


def test_less_than_one_a_second_waits_longer_than_a_second() -> None:
    first, second = moments(Pacer(0.1), [0.0, 0.0])
    assert second - first >= 10


@pytest.mark.parametrize("rate", [-1.0, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_an_error(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Pacer(rate)


# -- going by the answers ---------------------------------------------------------------------------------------------
answers = st.lists(st.tuples(st.floats(0, 3, allow_nan=False), st.sampled_from(["fine", "struggling", "hold"])))


@given(rates, answers)
def test_the_cap_holds_whatever_the_answers_are(rate: float, told: list[tuple[float, str]]) -> None:
    pacer, now, sent = Pacer(rate), 1_000.0, []
    for gap, answer in told:
        now += gap
        while wait_s := pacer.take(now):
            now += wait_s
        sent.append(now)
        if answer == "struggling":
            pacer.slow(now, now + 0.1)
        elif answer == "hold":
            pacer.hold(now + 2)
        else:
            pacer.ease(now)
        assert LEAST_SHARE <= pacer.pace.share <= 1
    for first, start in enumerate(sent):
        assert bisect_left(sent, start + 1) - first <= max(1, int(rate))


def test_trouble_halves_the_rate_and_good_seconds_bring_it_back() -> None:
    pacer = Pacer(100)
    pacer.take(1_000.0)
    pacer.slow(1_000.0, 1_000.1)
    assert pacer.pace.share == 0.5
    shares = []
    for second in range(1, 8):
        pacer.ease(1_000.1 + second)
        shares.append(round(pacer.pace.share, 2))
    assert shares == [0.6, 0.7, 0.8, 0.9, 1.0, 1.0, 1.0]


def test_while_slowed_requests_keep_their_distance() -> None:
    pacer = Pacer(10)
    pacer.take(1_000.0)
    pacer.slow(1_000.0, 1_000.1)
    sent = moments(pacer, [0.0] * 6)
    assert [round(later - sooner, 6) for sooner, later in pairwise([1_000.0, *sent])] == [0.2] * 6


def test_one_wave_of_refusals_halves_once() -> None:
    pacer = Pacer(100)
    for _ in range(5):
        pacer.slow(1_000.0, 1_000.5)  # they all left before the first of them came back
    assert pacer.pace.share == 0.5
    pacer.slow(1_001.0, 1_001.5)
    assert pacer.pace.share == 0.25


def test_it_never_goes_below_a_least_share() -> None:
    pacer = Pacer(100)
    for n in range(20):
        pacer.slow(1_000.0 + n, 1_000.5 + n)
    assert pacer.pace.share == LEAST_SHARE


def test_silence_is_no_recovery() -> None:
    pacer = Pacer(100)
    pacer.slow(1_000.0, 1_000.0)
    pacer.ease(5_000.0)
    assert pacer.pace.share == 0.6


def test_who_wakes_up_too_late_makes_up_for_it_while_slowed() -> None:
    pacer, now, sent = Pacer(10), 1_000.0, []
    pacer.take(now)
    pacer.slow(now, now)
    for _ in range(20):
        while wait_s := pacer.take(now):
            now += wait_s + 0.07
        sent.append(now)
    assert sent[-1] - 1_000.0 == pytest.approx(20 * 0.2, abs=CATCH_UP_S)


def test_who_was_away_while_slowed_gets_no_more_than_a_moment_back() -> None:
    pacer = Pacer(10)
    pacer.take(1_000.0)
    pacer.slow(1_000.0, 1_000.0)
    sent = moments(pacer, [30.0, *[0.0] * 5])
    assert [round(at - 1_030.0, 6) for at in sent] == [0.0, 0.1, 0.3, 0.5, 0.7, 0.9]


def test_without_a_cap_only_a_wish_to_wait_slows_down() -> None:
    pacer = Pacer(0)
    pacer.slow(1_000.0, 1_000.0)
    assert moments(pacer, [0.0] * 50) == [1_000.0] * 50
    pacer.hold(1_010.0)
    assert pacer.take(1_000.0) == 10.0


# -- what the destination sees ----------------------------------------------------------------------------------------
_ROUNDING_S = 1e-9


class Played:
    """So many lanes send to a server that refuses what is above the cap in any second: a world of events in a heap."""

    def __init__(
        self, rate: float, requests: int, lanes: int, *, way: Callable[[], float], back: Callable[[], float],
        wakes: Callable[[], float],
    ) -> None:  # fmt: skip
        """`way` and `back` tell how long a request and its answer travel, `wakes` how late somebody wakes up."""
        self.arrived: list[float] = []
        self.refused = 0
        pacer, tell_apart, left = Pacer(rate), count(), requests
        heap: list[tuple[float, int, str, float]] = [(1_000.0, next(tell_apart), "asks", 0.0) for _ in range(lanes)]
        while heap:
            now, _, what, sent_at = heapq.heappop(heap)
            if what == "asks" and left:
                wait_s = pacer.take(now)
                left -= not wait_s
                happens = (now + wait_s + wakes(), "asks", 0.0) if wait_s else (now + way(), "arrives", now)
            elif what == "arrives":
                inside = len(self.arrived) - bisect_left(self.arrived, now - 1 + _ROUNDING_S)
                self.refused += inside >= max(1, math.floor(rate))
                self.arrived.append(now)
                happens = now + back(), "answered", sent_at
            elif what == "answered":
                pacer.count_later(sent_at, pacer.late_s(now - sent_at))
                happens = now, "asks", 0.0
            else:
                continue
            heapq.heappush(heap, (happens[0], next(tell_apart), *happens[1:]))

    @property
    def rate(self) -> float:
        """Requests a second, but for the first second's worth, which may come at once."""
        return (len(self.arrived) - 1) / (self.arrived[-1] - self.arrived[0])


delays = st.lists(st.floats(0, LATEST_S + SLACK_S, allow_nan=False), min_size=1, max_size=20)


@given(st.integers(1, 12).map(float), st.integers(1, 8), delays, st.floats(0, 0.2, allow_nan=False))
def test_the_destination_never_sees_more_than_the_cap_however_late_requests_are(
    rate: float, lanes: int, ways: list[float], back_s: float
) -> None:
    """The first few know the fastest way; no answer comes later than the rest of the second."""
    way = cycle([0.0, *ways])
    played = Played(rate, 60, lanes, way=lambda: 0.001 + next(way), back=lambda: back_s, wakes=lambda: 0.0)
    assert (len(played.arrived), played.refused) == (60, 0)


def test_a_first_request_that_was_late_counts_from_its_arrival() -> None:
    """Nobody knows yet how fast a fast answer is: all of the time may have been the way there."""
    way = iter([0.9, *[0.0] * 60])
    played = Played(10, 61, 4, way=lambda: next(way), back=lambda: 0.0, wakes=lambda: 0.0)
    assert played.refused == 0


def test_what_is_always_slow_is_not_late() -> None:
    pacer = Pacer(10)
    assert [pacer.late_s(0.2) for _ in range(STRANGE + 3)] == pytest.approx([0.19] * STRANGE + [0.0] * 3)
    assert pacer.late_s(0.2 + SLACK_S) == pytest.approx(0.0)
    assert pacer.late_s(0.3) == pytest.approx(0.1 - SLACK_S)
    assert pacer.late_s(30.0) == LATEST_S


def test_without_a_cap_nothing_is_late() -> None:
    assert Pacer(0).late_s(5.0) == 0.0


@pytest.mark.parametrize(
    ("longest_s", "often", "least_use"),
    [
        pytest.param(0.0, 0.0, 0.98, id="a quiet machine"),
        pytest.param(0.03, 0.05, 0.97, id="a busy machine"),
        pytest.param(0.08, 0.2, 0.9, id="a machine that is far too busy"),
    ],
)
def test_a_limit_that_is_enforced_is_used_and_never_met(longest_s: float, often: float, least_use: float) -> None:
    """Each step takes 0.5 to 1 ms, and sometimes, by chance, as much as `longest_s` longer."""
    chance = random.Random(6)

    def step_s() -> float:
        return 0.0005 * (1 + chance.random()) + (chance.random() < often) * chance.random() * longest_s

    played = Played(200, 6_000, 8, way=step_s, back=step_s, wakes=step_s)
    assert played.refused == 0
    assert played.rate >= least_use * 200


# -- a clock that jumps -----------------------------------------------------------------------------------------------
HOURS_S = 3 * 3_600.0


def test_after_a_jump_forward_the_cap_holds() -> None:
    pacer = Pacer(10)
    moments(pacer, [0.0] * 15)
    assert _sent_within_a_second(pacer, 1_000.0 + HOURS_S) == 10


@pytest.mark.parametrize("trouble", [False, True], ids=["calm", "slowed and held"])
def test_after_a_jump_back_nobody_waits_for_hours(trouble: bool) -> None:
    pacer = Pacer(10)
    moments(pacer, [0.0] * 15)
    if trouble:
        pacer.slow(1_001.0, 1_001.0)
        pacer.hold(1_020.0)
    assert _sent_within_a_second(pacer, 1_000.0 - HOURS_S) == 10


def test_who_looked_at_the_clock_long_ago_does_not_break_the_cap() -> None:
    """Between looking at the clock and having the lock others may have sent."""
    pacer = Pacer(10)
    moments(pacer, [0.0] * 5)
    assert [pacer.take(1_000.0 - LONGEST_TURN_S) for _ in range(5)] == [0.0] * 5
    assert pacer.take(1_000.0) == pytest.approx(1 + SLACK_S)
    assert pacer.take(1_000.0 - LONGEST_TURN_S) == pytest.approx(LONGEST_TURN_S + 1 + SLACK_S)


def test_what_left_after_a_look_at_the_clock_of_long_ago_counts_from_when_the_others_left() -> None:
    pacer = Pacer(10)
    moments(pacer, [0.0] * 5)
    assert pacer.take(1_000.9) == 0.0
    assert [pacer.take(999.0) for _ in range(4)] == [0.0] * 4
    assert [pacer.take(1_001.02) for _ in range(6)] == [0.0] * 5 + [pytest.approx(0.89)]


def _sent_within_a_second(pacer: Pacer, now: float) -> int:
    return [pacer.take(now + n / 50) for n in range(50)].count(0.0)
