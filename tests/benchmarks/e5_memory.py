"""E5: the memory of an events run that reads an export of the size of 4 GB of rows. The ledger is on."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.e1_events import Runs
from tests.benchmarks.export import lines, write_export
from tests.benchmarks.harness import Result, Target
from tests.benchmarks.processes import own_server

EXPORT_BYTES, QUICK_BYTES = 4 * 10**9, 30 * 10**6
PEAK, BOUND = "peak memory", "300 MB"
MOST_MB = 300.0


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """One run decides: memory hardly differs from one to the next."""
    row_bytes = sum(map(len, lines(640, 0))) / 640
    rows = int((QUICK_BYTES if quick else EXPORT_BYTES) / row_bytes)
    with tempfile.TemporaryDirectory() as folder, own_server("sink") as url:
        write_export(Path(folder), rows, hours=24)
        runs = Runs(Path(folder), rows, url)
        runs.engine()
    samples = {PEAK: [float(each["peak_mb"]) for each in runs.engine_figures], BOUND: [MOST_MB]}
    target = Target(BOUND, first=1.0, goal=0.5, at_least=False)
    return [Result("E5", f"memory of `cio-sync events` over {rows:,} export rows", "MB", samples, PEAK, [target])]
