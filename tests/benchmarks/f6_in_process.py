"""F6: what a request costs that never touches a socket, and what the fixture `customerio` costs a test.

Identify calls through `httpx.AsyncClient`, with credentials, limits, outcomes and the tape, against an ASGI app that
does nothing behind the same client. Both ways in: `fake.transport`, and the fake's ASGI app. The fixture has no other
side: its cost is an absolute time, beside five milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from subprocess import Popen

from tests.benchmarks.harness import Result, Target, alternate
from tests.benchmarks.processes import first_line, start, stop

NOTHING = "an app that does nothing"
FIVE_MS = "five milliseconds"
MICROSECONDS_IN_FIVE_MS = 5_000.0


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """Both ways in and the fixture, in microseconds; `quick` takes one round."""
    process = start(["-m", "tests.benchmarks.in_process"], feed=True)
    try:
        if first_line(process) != "ready\n":
            raise SystemExit("the fake did not come up")
        for way in ("transport", "app", "nothing", "fixture"):
            microseconds(process, way)  # to be warm
        return compare(partial(microseconds, process), 1 if quick else rounds)
    finally:
        stop(process)


def compare(take: Callable[[str], float], rounds: int) -> list[Result]:
    """The three rows. `take` measures one way once."""
    samples = alternate({
        "fake.transport": partial(take, "transport"), "the fake's app": partial(take, "app"),
        NOTHING: partial(take, "nothing"),
    }, rounds)  # fmt: skip
    target = Target(NOTHING, first=3, goal=1.5, at_least=False)
    what = "one identify in process, through httpx's client"
    fixture = {"the fixture": [take("fixture") for _ in range(rounds)], FIVE_MS: [MICROSECONDS_IN_FIVE_MS] * rounds}
    absolute = Target(FIVE_MS, first=1, goal=0.1, at_least=False)
    return [
        Result("F6", f"{what}: `fake.transport`", "µs", samples, "fake.transport", [target]),
        Result("F6", f"{what}: `asgi_app(fake)`", "µs", samples, "the fake's app", [target]),
        Result("F6", "a workspace for a test, made and removed", "µs", fixture, "the fixture", [absolute]),
    ]


def microseconds(process: Popen[str], way: str) -> float:
    """One measurement by that process."""
    assert process.stdin is not None
    process.stdin.write(f"{way}\n")
    process.stdin.flush()
    return float(first_line(process)) * 1e6
