"""How a benchmark is taken: both sides in one run, turn about, and only ratios are compared.

An absolute figure belongs to one machine on one day; a ratio of two sides measured alternately survives the trip to
another. What a benchmark measures is in its own file; starting processes is in `processes.py`.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from statistics import median
from typing import NamedTuple, TextIO

LIBRARIES = ("uvicorn", "uvloop", "httptools", "starlette", "msgspec", "httpx", "isal")


class Target(NamedTuple):
    """What a ratio must reach: `first` for the first working version, `goal` for where it is going.

    `at_least` tells the direction: True where more is better (requests a second), False where less is (seconds).
    """

    against: str
    first: float
    goal: float
    at_least: bool

    def verdict(self, ratio: float) -> str:
        """`goal`, `first` or `missed`."""
        reached = [bound for bound in (self.goal, self.first) if (ratio >= bound if self.at_least else ratio <= bound)]
        if self.goal in reached:
            return "goal"
        return "first" if reached else "missed"


class Result(NamedTuple):
    """One benchmark as measured: the samples of each side, in the order they were taken, in `unit`."""

    id: str
    what: str
    unit: str
    samples: Mapping[str, Sequence[float]]
    ours: str
    targets: Sequence[Target]
    notes: str = ""

    def ratios(self, target: Target) -> list[float]:
        """Ours over the other side, round by round."""
        pairs = zip(self.samples[self.ours], self.samples[target.against], strict=True)
        return [mine / theirs for mine, theirs in pairs]


def alternate(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measures every side once a round; the order turns round each time, so that neither always runs second."""
    samples: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds):
        names = list(sides) if turn % 2 == 0 else list(sides)[::-1]
        for name in names:
            samples[name].append(sides[name]())
    return samples


def spread(values: Sequence[float]) -> str:
    """Median, and the lowest and highest value in brackets."""
    return f"{_figure(median(values))} ({_figure(min(values))} to {_figure(max(values))})"


def _figure(value: float) -> str:
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def print_result(result: Result, out: TextIO) -> None:
    """A result for a reader at a terminal."""
    print(f"\n{result.id}: {result.what}", file=out)
    for name, values in result.samples.items():
        print(f"  {name:<34} {spread(values)} {result.unit}", file=out)
    for target in result.targets:
        bound = "at least" if target.at_least else "at most"
        print(
            f"  against {target.against:<26} {spread(result.ratios(target))}x; {bound} {target.first:g}x first,"
            f" {target.goal:g}x as the goal: {target.verdict(median(result.ratios(target)))}",
            file=out,
        )
    if result.notes:
        print(f"  {result.notes}", file=out)


def render_rows(result: Result) -> list[str]:
    """A result as rows of the table in README.md."""
    ours = spread(result.samples[result.ours])
    return [
        f"| {result.id} | {result.what} | {ours} {result.unit} | {target.against}: "
        f"{spread(result.samples[target.against])} {result.unit} | **{spread(result.ratios(target))}x** | "
        f"{'≥' if target.at_least else '≤'} {target.first:g}x | {'≥' if target.at_least else '≤'} {target.goal:g}x | "
        f"{target.verdict(median(result.ratios(target)))} |"
        for target in result.targets
    ]


def machine() -> str:
    """What the figures were taken on, in one line."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_cores()} cores ({_processor()}), {platform.system()}, {python}"


def busyness() -> str:
    """How many processes wanted a core meanwhile; whatever is above one or two is disturbance."""
    return f"{os.getloadavg()[2]:.1f} processes at work over the last quarter of an hour"


def libraries() -> str:
    """The versions that matter to the figures, in one line."""
    return ", ".join(f"{name} {version(name)}" for name in LIBRARIES)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
