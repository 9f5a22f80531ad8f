"""E2: the diff of a cohort of ten million against what the ledger knows, one in a hundred changed, and its memory.

Both ways of comparing are taken: the plain one of the base install, and DuckDB of the extra `scale`. The other side
has the members sorted already, as the ledger has them in buckets: `sort` of the new ids, then `comm`.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.benchmarks.harness import Result, Target, alternate
from tests.benchmarks.processes import run

IDS, QUICK_IDS = 10_000_000, 200_000
CHURN = 100  # one id in so many leaves, and as many are new
ENGINE, SCALE, TOOLS = "read and plan", "the same by DuckDB", "sort and comm"
MEMORY, SCALE_MEMORY, BOUND = "peak memory", "peak memory by DuckDB", "500 MB"
MOST_MB = 500.0


def ids(count: int, *, new: bool) -> Iterator[str]:
    """The members, or the cohort after the churn; no order that sorting could profit from."""
    for n in range(count):
        left = n % CHURN == 0
        yield f"{'new' if left and new else 'user'}-{n * 7_919 % count:08}"


def write(folder: Path, count: int) -> tuple[Path, Path]:
    """Both cohorts, as the CSV that Amplitude gives."""
    paths = folder / "before.csv", folder / "after.csv"
    for path, new in zip(paths, (False, True), strict=True):
        with path.open("w", encoding="ascii", newline="") as file:
            file.write('"amplitude_id","user_id"\r\n')
            file.writelines(f'"{n}","{one}"\r\n' for n, one in enumerate(ids(count, new=new)))
    return paths


class Sides:
    """Both sides over one pair of cohorts; keeps what the engine said."""

    def __init__(self, folder: Path, count: int) -> None:
        self._before, self._after = write(folder, count)
        self._changes = 2 * (count // CHURN)
        self._sorted = folder / "before.sorted"
        self._sort(self._before, self._sorted)
        self.peaks_mb: dict[str, list[float]] = {"python": [], "duckdb": []}

    def engine(self, way: str) -> float:
        """Seconds."""
        paths = [str(self._before), str(self._after)]
        figures = json.loads(run(["-m", "tests.benchmarks.engine_parts", "diff", *paths, way]))
        if figures["changes"] != self._changes:
            raise SystemExit(f"the engine found {figures['changes']} changes, there are {self._changes}")
        self.peaks_mb[way].append(float(figures["peak_mb"]))
        return float(figures["seconds"])

    def tools(self) -> float:
        """Seconds; taking the column out of the CSV is part of it, as it is of ours."""
        began = time.perf_counter()
        after = self._sorted.with_name("after.sorted")
        self._sort(self._after, after)
        compared = self._shell(f"comm -3 {self._sorted} {after} | wc -l")
        if int(compared) != self._changes:
            raise SystemExit(f"comm found {compared.strip()} changes, there are {self._changes}")
        return time.perf_counter() - began

    def _sort(self, source: Path, into: Path) -> None:
        self._shell(f"tail -n +2 {source} | cut -d, -f2 | sort -u -o {into}")

    def _shell(self, command: str) -> str:
        env = {**os.environ, "LC_ALL": "C"}
        return subprocess.run(command, shell=True, check=True, capture_output=True, text=True, env=env).stdout


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """The files are made once."""
    count = QUICK_IDS if quick else IDS
    with tempfile.TemporaryDirectory() as folder:
        sides = Sides(Path(folder), count)
        ways = {ENGINE: partial(sides.engine, "python"), SCALE: partial(sides.engine, "duckdb")}
        samples = alternate({**ways, TOOLS: sides.tools}, rounds)
    plain = {MEMORY: sides.peaks_mb["python"], BOUND: [MOST_MB] * rounds}
    scale = {SCALE_MEMORY: sides.peaks_mb["duckdb"], BOUND: [MOST_MB] * rounds}
    what = f"the diff of a cohort of {count:,}, one in {CHURN} changed"
    return [
        Result("E2", what, "s", _pair(samples, ENGINE), ENGINE, [Target(TOOLS, first=2.5, goal=1.2, at_least=False)]),
        Result("E2", f"{what}: memory", "MB", plain, MEMORY, [Target(BOUND, first=1.0, goal=0.6, at_least=False)]),
        Result(
            "E2", f"{what}, with the extra `scale`", "s", _pair(samples, SCALE), SCALE,
            [Target(TOOLS, first=2.5, goal=0.6, at_least=False)],
        ),
        Result(
            "E2", f"{what}, with the extra `scale`: memory", "MB", scale, SCALE_MEMORY,
            [Target(BOUND, first=1.0, goal=0.6, at_least=False)],
        ),
    ]


def _pair(samples: dict[str, list[float]], ours: str) -> dict[str, list[float]]:
    return {name: samples[name] for name in (ours, TOOLS)}
