"""A signal that comes in the middle of a step takes effect at its end, in the main thread and only there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from sync.lanes import Lanes
from sync.stopping import Shield


def plain(shield: Shield, done: list[str]) -> None:
    with shield.held():
        signal.raise_signal(signal.SIGINT)
        done.append("ended")


def giving_way(shield: Shield, done: list[str]) -> None:
    with shield.held():
        shield.give_way()
        signal.raise_signal(signal.SIGINT)
        shield.give_way()
        done.append("never")


def nested(shield: Shield, done: list[str]) -> None:
    with shield.held():
        with shield.held():
            signal.raise_signal(signal.SIGINT)
        done.append("still inside")


def broken(shield: Shield, done: list[str]) -> None:
    with shield.held():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("the step failed")


@pytest.mark.parametrize(
    ("step", "error", "seen"),
    [
        pytest.param(plain, KeyboardInterrupt, ["told", "ended"], id="a step comes to its end"),
        pytest.param(giving_way, KeyboardInterrupt, ["told"], id="or gives way where it likes"),
        pytest.param(nested, KeyboardInterrupt, ["told", "still inside"], id="an inner step ends with the outer"),
        pytest.param(broken, ValueError, ["told"], id="an error is told before the signal"),
    ],
)
def test_a_signal_takes_effect_after(
    step: Callable[[Shield, list[str]], None], error: type[BaseException], seen: list[str]
) -> None:
    done: list[str] = []
    with pytest.raises(error):
        step(Shield(lambda: done.append("told")), done)
    assert done == seen
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_are_left_alone() -> None:
    seen: list[object] = []

    def work() -> None:
        with Shield().held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert seen == [signal.default_int_handler]


# -- lanes ------------------------------------------------------------------------------------------------------------
def test_each_lane_keeps_its_order_and_all_come_back() -> None:
    with Lanes[int, int](lambda n: n * 10, 3) as lanes:
        for n in range(9):
            lanes.take(n % 3, n)
        found = [lanes.give_back() for _ in range(9)]
        assert sorted(one for one in found if one is not None) == [n * 10 for n in range(9)]
        assert [[one for one in found if one is not None and one // 10 % 3 == lane] for lane in range(3)] == [
            [0, 30, 60], [10, 40, 70], [20, 50, 80],
        ]  # fmt: skip
        assert (lanes.under_way, lanes.give_back(wait_s=0)) == (0, None)


def test_a_bug_in_a_lane_is_raised_where_results_are_taken() -> None:
    with Lanes[int, float](lambda n: 1 / n, 1) as lanes:
        lanes.take(0, 0)
        with pytest.raises(ZeroDivisionError):
            lanes.give_back()


def test_a_wait_can_be_ended() -> None:
    with Lanes[int, int](lambda n: n, 1) as lanes:
        lanes.wake()
        assert lanes.give_back() is None
        assert lanes.give_back(wait_s=0.01) is None
