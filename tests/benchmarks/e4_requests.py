"""E4 and E6: what a request costs when many are in flight, and how well a limit that the server enforces is kept.

E4 compares processor time, which a busy machine disturbs little. E6 compares with the limit itself.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from tests.benchmarks.harness import Result, Target, alternate
from tests.benchmarks.limited_sink import RATE
from tests.benchmarks.processes import own_server, run

REQUESTS, QUICK_REQUESTS = 10_000, 1_500
AT_ONCE = 32
MANY, ONE = f"{AT_ONCE} in flight", "one in flight"
THROTTLED, TWENTY = "429 answers", "twenty"
USED, ALLOWED = "at the engine's pace", "the limit"


def measure_cpu(rounds: int, *, quick: bool) -> list[Result]:
    """E4, in microseconds of processor time a request."""
    requests = QUICK_REQUESTS if quick else REQUESTS
    with own_server("sink") as url:
        sides = {name: partial(_cpu_us, url, requests, count) for name, count in ((MANY, AT_ONCE), (ONE, 1))}
        samples = alternate(sides, rounds)
    target = Target(ONE, first=2.0, goal=1.3, at_least=False)
    return [Result("E4", "processor time of a request of 1 KB", "µs", samples, MANY, [target])]


def _cpu_us(url: str, requests: int, at_once: int) -> float:
    return float(_part("cpu", url, requests, at_once)["seconds"]) * 1e6


def measure_pace(rounds: int, *, quick: bool) -> list[Result]:
    """E6. Each round has a server of its own, whose window is empty."""
    requests = QUICK_REQUESTS if quick else REQUESTS
    return paced_results(requests, [_paced(requests) for _ in range(rounds)])


def paced_results(requests: int, figures: list[dict[str, Any]]) -> list[Result]:
    """The two rows of E6."""
    rounds = len(figures)
    per_10_000 = [each["throttled"] * 10_000 / requests for each in figures]
    # the first second's worth may leave at once, so it takes no time of its own
    used = [(requests - RATE) / each["seconds"] for each in figures]
    what = f"{requests:,} requests at a cap of {RATE} a second, which the server enforces in every second"
    return [
        Result(
            "E6", f"{what}: refused for 10,000", "answers", {THROTTLED: per_10_000, TWENTY: [20.0] * rounds}, THROTTLED,
            [Target(TWENTY, first=1.0, goal=0.0, at_least=False)],
        ),
        Result(
            "E6", f"{what}: use of it", "requests/s", {USED: used, ALLOWED: [float(RATE)] * rounds}, USED,
            [Target(ALLOWED, first=0.8, goal=0.97, at_least=True)],
        ),
    ]  # fmt: skip


def _paced(requests: int) -> dict[str, Any]:
    with own_server("limited_sink") as url:
        figures = _part("pace", url, requests, RATE)
    if figures["accepted"] != requests:
        raise SystemExit(f"{figures['accepted']} of {requests} requests were accepted")
    return figures


def _part(*arguments: object) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(run(["-m", "tests.benchmarks.engine_parts", *map(str, arguments)]))
    return figures
