"""Kill -9 of the engine at seeded moments, then run it again: the end is that of a run nobody disturbed.

The moments are chosen by request: the fake holds the chosen one, before or after carrying it out, and the process dies
while it waits or a little later, between any two lines of its own.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from fakeio import Fake
from scenarios.engine import command, environment, run_engine
from scenarios.samples.formats import encode_cohort, parse_export
from scenarios.samples.generate import make_samples
from scenarios.truth import Truth
from scenarios.world import World, new_world

HELD_S = 0.15
PATIENCE_S = 60
SEEDS = range(3)
PEOPLE = [f"u-{number}" for number in range(1_400)]
COHORT = [*PEOPLE[:1_200], *(f"nobody-{number}" for number in range(20))]
AFTERWARDS = [*PEOPLE[200:], "nobody-1"]
EXPORT = make_samples(rows=900)["export.zip"]
ENDED = (0, 1)


class Engine:
    """One ledger and one file, run whole or killed on the way."""

    def __init__(self, world: World, folder: Path, name: str, data: bytes, *arguments: str) -> None:
        self.world = world
        self._newest = 0
        self.file = folder / name
        self.file.write_bytes(data)
        self.arguments = [arguments[0], str(self.file), *arguments[1:]]
        self.own = world.environment(str(folder / "state.db"))

    def runs(self) -> int:
        """To the end; returns how many requests it took."""
        run = run_engine(self.arguments, self.own)
        assert run.code in ENDED, run
        requests: int = run.report["requests"]
        return requests

    def is_killed(self, rng: Random, requests: int) -> None:
        """While its n-th request is held, or up to a moment later; returns when nothing is under way any more."""
        first = self.arrived()
        nth = rng.randint(1, requests)
        when = rng.choice(("before_commit", "after_commit"))
        self.world.arm({"kind": "latency", "seconds": HELD_S, "when": when, "match": {"nth": nth}})
        with killing(self.arguments, self.own) as process:
            self.waits_for(process, first + nth)
            time.sleep(rng.random() * 2 * HELD_S)
        self.world.calm()
        last = self.arrived()
        eventually(lambda: not last or bool(self.world.is_over(last)), "the fake never lets go of a request")

    def arrived(self) -> int:
        """The number of the newest request on the tape, 0 for none."""
        while self.world.is_over(self._newest + 1) is not None:
            self._newest += 1
        return self._newest

    def waits_for(self, process: subprocess.Popen[bytes], number: int) -> None:
        """Until that request has arrived, or the process came to its end without it."""
        eventually(
            lambda: self.world.is_over(number) is not None or process.poll() is not None, "the engine sends nothing"
        )


def eventually(is_so: Callable[[], bool], complaint: str) -> None:
    """Waits until something is so, at most for as long as anybody would."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.005)


@contextmanager
def killing(arguments: list[str], own: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A running engine that doesn't outlive the block."""
    process = subprocess.Popen(
        command(arguments), env=environment(own), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def cohort_engine(world: World, folder: Path, values: list[str]) -> Engine:
    data = encode_cohort([(str(number), value) for number, value in enumerate(values)])
    return Engine(world, folder, "cohort.csv", data, "cohort", "--name", "killed", "--max-removal-share", "1")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_cohort_run_ends_like_one_that_was_not(fake: Fake, tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    with new_world(fake) as world:
        world.seed({"id": person} for person in PEOPLE)
        for values, requests in ((COHORT, 12), (AFTERWARDS, 8)):
            engine = cohort_engine(world, tmp_path, values)
            for _ in range(rng.randint(1, 2)):
                engine.is_killed(rng, requests)
            engine.runs()
            (segment,) = world.segments()
            members = {person.id for person in world.members(segment["id"])}
            assert members == set(values) & set(PEOPLE)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_event_run_delivers_every_event_once(fake: Fake, tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    truth = Truth()
    for _, _, row in parse_export(EXPORT):
        truth.take_event(row)
    with new_world(fake) as world:
        engine = Engine(world, tmp_path, "export.zip", EXPORT, "events")
        for _ in range(rng.randint(1, 3)):
            engine.is_killed(rng, 6)
        engine.runs()
        assert world.events() == truth.events
        assert world.people() == truth.people


def test_a_run_that_nobody_disturbs_takes_enough_requests_to_be_killed_in(fake: Fake, tmp_path: Path) -> None:
    with new_world(fake) as world:
        world.seed({"id": person} for person in PEOPLE)
        assert cohort_engine(world, tmp_path, COHORT).runs() >= 6
        assert Engine(world, tmp_path, "export.zip", EXPORT, "events").runs() >= 4
