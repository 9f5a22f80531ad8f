"""The cap on requests a second holds in every window, whenever requests come."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.pace import Pacer

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
