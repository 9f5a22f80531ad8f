"""The driver on a hand-turned clock: pace, waits, Retry-After, counts, threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import HandTurnedClock
from sync.core.pace import LONGEST_HOLD_S
from sync.core.sending import Api, Failure, FateKind, Reply, Request, RetryPolicy
from sync.core.verdicts import say
from sync.edge.pacing import Pacing
from sync.run import Driver, SystemClock, new_run_id

POLICY = RetryPolicy(retries=3, base_s=1, cap_s=60, budget_s=300)


class World:
    """A clock for the driver, and a destination that gives its answers in turn; the last one for ever."""

    def __init__(self, clock: HandTurnedClock, answers: Sequence[Reply | Failure]) -> None:
        self._clock = clock
        self._answers = list(answers)
        self.sent: list[tuple[float, Api]] = []
        self.monotonic = self.now = clock
        self.sleep = clock.sleep

    def send(self, request: Request) -> Reply | Failure:
        self.sent.append((self._clock(), request.api))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def driver(world: World, **rates: float) -> Driver:
    return Driver(world, pacing=Pacing(rates), policy=POLICY, clock=world, jitter=lambda: 1.0)


def get(api: Api) -> Request:
    return Request(api, "GET", "/")


def test_attempts_and_retries_are_counted(clock: HandTurnedClock) -> None:
    world = World(clock, [Reply(500), Reply(500), Reply(200)])
    drives = driver(world, track=0, app=0)
    assert drives.send(get("track")).kind is FateKind.ACCEPTED
    assert drives.send(get("app")).kind is FateKind.ACCEPTED
    assert (drives.requests, drives.retries) == (4, 2)
    assert clock.slept == [1.0, 2.0]


def test_each_api_keeps_its_own_pace(clock: HandTurnedClock) -> None:
    world = World(clock, [Reply(200)])
    drives = driver(world, track=100, app=2)
    for api in ("app", "app", "track", "app", "track"):
        drives.send(get("app" if api == "app" else "track"))
    start = world.sent[0][0]
    assert [(round(at - start, 2), api) for at, api in world.sent] == [
        (0, "app"), (0, "app"), (0, "track"), (1.01, "app"), (1.01, "track")
    ]


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_holds_back_its_whole_api_and_no_other(clock: HandTurnedClock, status: int) -> None:
    world = World(clock, [Reply(status, {"retry-after": "7"}), Reply(200)])
    pacing = Pacing({"track": 0, "app": 0})
    impatient = Driver(world, pacing=pacing, policy=RetryPolicy(retries=0), clock=world)
    drives = Driver(world, pacing=pacing, policy=POLICY, clock=world)
    start = clock()
    assert impatient.send(get("track")).kind in (FateKind.THROTTLED, FateKind.IN_DOUBT)
    drives.send(get("app"))
    drives.send(get("track"))
    assert [(at - start, api) for at, api in world.sent] == [(0, "track"), (0, "app"), (7, "track")]


def test_a_retry_after_that_is_a_date_is_waited_for(clock: HandTurnedClock) -> None:
    until = "Fri, 01 May 2026 12:00:07 GMT"  # the clock starts at noon
    world = World(clock, [Reply(429, {"retry-after": until}, received_at=clock()), Reply(200)])
    start = clock()
    driver(world, track=0).send(get("track"))
    assert [at - start for at, _ in world.sent] == [0, 7]


@pytest.mark.parametrize("asked", ["86400", "9" * 400], ids=["a day", "for ever"])
def test_whoever_wants_to_be_left_alone_for_long_is_asked_again_within_the_hour(
    clock: HandTurnedClock, asked: str
) -> None:
    world = World(clock, [Reply(429, {"retry-after": asked}), Reply(200)])
    drives = driver(world, track=0)
    assert drives.send(get("track")).kind is FateKind.THROTTLED
    held = drives.send(get("track"))
    assert say(held) == (
        "told to slow down until patience ran out (nothing may be sent for another 3600 s, 0 attempts)"
    )
    clock.advance(LONGEST_HOLD_S)
    assert (drives.send(get("track")).kind, len(world.sent)) == (FateKind.ACCEPTED, 2)


def test_long_waits_are_told(clock: HandTurnedClock) -> None:
    world = World(clock, [Reply(503), Reply(503), Reply(200)])
    told: list[tuple[float, str]] = []
    Driver(
        world, policy=POLICY, clock=world, jitter=lambda: 0.5, on_wait=lambda seconds, why: told.append((seconds, why))
    ).send(get("track"))
    assert told == [(1.0, "answered 503")]


def test_lingering_and_pausing_take_their_time_from_the_policy(clock: HandTurnedClock) -> None:
    drives = driver(World(clock, [Reply(200)]))
    drives.linger(4, "later")
    drives.pause(3)
    drives.linger(0, "not at all")
    assert clock.slept == [4.0, 4.0]


def test_resting_takes_what_was_asked_for_within_the_patience(clock: HandTurnedClock) -> None:
    drives = driver(World(clock, [Reply(200)]))
    for answer in (None, Reply(429), Reply(429, {"retry-after": "1"}), Reply(504, {"retry-after": "7"})):
        drives.rest(2, answer)
    drives.rest(2, Reply(504, {"retry-after": "86400"}))
    assert clock.slept == [2.0, 2.0, 2.0, 7.0, 300.0]


def test_many_threads_share_one_pace(clock: HandTurnedClock) -> None:
    world = World(clock, [Reply(200)])
    drives = driver(world, track=0)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: drives.send(get("track")), range(400)))
    assert drives.requests == len(world.sent) == 400


def test_the_system_clock_tells_the_time() -> None:
    system = SystemClock()
    before = system.monotonic()
    system.sleep(0)
    assert system.monotonic() >= before
    assert system.now() > 1_600_000_000


def test_run_ids_are_ulids_of_now() -> None:
    one, two = new_run_id(), new_run_id()
    assert len(one) == len(two) == 26
    assert one != two
    assert one[:6] <= two[:6]
