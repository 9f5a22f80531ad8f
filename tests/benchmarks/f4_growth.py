"""F4: what one write costs in a full workspace against an almost empty one.

Identify calls at 1,000,000 people and at 10; events on one person who has 100,000 and on one who has 10. Each size in
a process of its own, so that the small one does not pay for the big one's memory. Each kind twice: as a whole request,
and the workspace's own part alone, which shows growth that the rest of a request would hide.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from subprocess import Popen

from tests.benchmarks.harness import Result, Target, alternate
from tests.benchmarks.processes import first_line, start, stop

SMALL = 10
WAYS = {"request": "a request", "apply": "the workspace's own part of it"}


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """People, then events; both sizes filled before the first measurement."""
    many_people, many_events = (20_000, 5_000) if quick else (1_000_000, 100_000)
    return [
        *grown("people", many_people, f"one identify at {many_people:,} people", rounds),
        *grown("events", many_events, f"one event on a person who has {many_events:,}", rounds),
    ]


def grown(kind: str, many: int, what: str, rounds: int) -> list[Result]:
    """Both sizes of one kind, in microseconds a write, both ways."""
    ours, few = f"at {many:,}", f"at {SMALL}"
    targets = [Target(few, first=1.5, goal=1.1, at_least=False)]
    results = []
    with holder(kind, many) as full, holder(kind, SMALL) as empty:
        for way, words in WAYS.items():
            sides = {ours: partial(microseconds, full, way), few: partial(microseconds, empty, way)}
            samples = alternate(sides, rounds)
            results.append(Result("F4", f"{what}, {words}", "µs", samples, ours, targets))
    return results


@contextlib.contextmanager
def holder(kind: str, count: int) -> Iterator[Popen[str]]:
    """A process that holds a workspace of that size."""
    process = start(["-m", "tests.benchmarks.growth", kind, str(count)], feed=True)
    try:
        if first_line(process) != "ready\n":
            raise SystemExit(f"the workspace of {count} {kind} did not come up")
        yield process
    finally:
        stop(process)


def microseconds(process: Popen[str], way: str) -> float:
    """One measurement by that process."""
    assert process.stdin is not None
    process.stdin.write(f"{way}\n")
    process.stdin.flush()
    return float(first_line(process)) * 1e6
