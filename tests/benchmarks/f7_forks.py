"""F7: a fork of a workspace of 10,000 people, alone and with its first write, against filling such a workspace anew.

What a test pays that starts from a large state of its own. In process, as the handle does it: a fork that nobody has
written to yet has not copied anybody, so the first write to each side is measured too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from fakeio import Fake, WorkspaceHandle
from tests.benchmarks.harness import Result, Target, alternate

PEOPLE, FEW_PEOPLE = 10_000, 1_000
FORKS = 20  # the median of so many is one sample
LIMIT_S = 0.05
LIMIT, ANEW = "fifty milliseconds", "seeding them anew"


def seed(people: int) -> dict[str, Any]:
    """People with twenty attributes each, a tenth of them in a segment."""
    return {
        "people": [
            {"id": str(n), "email": f"{n}@example.com", "attributes": {f"a{at}": f"{n} {at}" for at in range(20)}}
            for n in range(people)
        ],
        "segments": [{"name": "some", "members": [str(n) for n in range(0, people, 10)]}],
    }


def seconds_to_fork(fake: Fake, original: WorkspaceHandle, *, write: bool) -> float:
    """The median of some forks; with `write`, until both the fork and the original were written to."""
    taken = []
    for n in range(FORKS):
        started = time.perf_counter()
        forked = original.fork()
        if write:
            forked.add_person(id="1", attributes={"written": n})
            original.add_person(id="2", attributes={"written": n})
        taken.append(time.perf_counter() - started)
        fake.remove_workspace(forked)
    return median(taken)


def seconds_to_fill(fake: Fake, document: dict[str, Any]) -> float:
    """One workspace made from the same seed."""
    started = time.perf_counter()
    made = fake.new_workspace(seed=document)
    taken = time.perf_counter() - started
    fake.remove_workspace(made)
    return taken


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """Both ways to the same state, turn about."""
    people = FEW_PEOPLE if quick else PEOPLE
    document = seed(people)
    with Fake() as fake:
        original = fake.new_workspace(seed=document)
        sides: dict[str, Callable[[], float]] = {
            "fork": partial(seconds_to_fork, fake, original, write=False),
            "fork and write": partial(seconds_to_fork, fake, original, write=True),
            ANEW: partial(seconds_to_fill, fake, document),
            LIMIT: lambda: LIMIT_S,
        }
        samples = alternate(sides, rounds)
    targets = [Target(LIMIT, first=1.0, goal=0.02, at_least=False), Target(ANEW, first=0.1, goal=0.01, at_least=False)]
    return [
        Result(
            id="F7",
            what=f"a fork of a workspace of {people:,} people{also}",
            unit="s",
            samples={side: samples[side] for side in (name, ANEW, LIMIT)},
            ours=name,
            targets=targets,
        )
        for name, also in (("fork", ""), ("fork and write", ", and a first write to each of the two"))
    ]
