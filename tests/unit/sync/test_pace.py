"""The cap on requests a second holds in every window, whenever requests come."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.pace import LEAST_SHARE, Pacer

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


def test_trouble_halves_the_rate_and_a_minute_without_brings_it_back() -> None:
    pacer = Pacer(100)
    pacer.take(1_000.0)
    pacer.slow(1_000.0, 1_000.1)
    assert pacer.pace.share == 0.5
    shares = []
    for second in range(1, 15):
        pacer.ease(1_000.1 + second)
        shares.append(round(pacer.pace.share, 2))
    assert shares == [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_while_slowed_requests_keep_their_distance() -> None:
    pacer = Pacer(10)
    pacer.take(1_000.0)
    pacer.slow(1_000.0, 1_000.1)
    sent = moments(pacer, [0.0] * 6)
    assert [round(later - sooner, 6) for sooner, later in pairwise(sent)] == [0.2] * 5


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
    assert pacer.pace.share == 0.55


def test_without_a_cap_only_a_wish_to_wait_slows_down() -> None:
    pacer = Pacer(0)
    pacer.slow(1_000.0, 1_000.0)
    assert moments(pacer, [0.0] * 50) == [1_000.0] * 50
    pacer.hold(1_010.0)
    assert pacer.take(1_000.0) == 10.0
