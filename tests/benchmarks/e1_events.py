"""E1 and E3: an export through `cio-sync events`, ledger on, into a sink that costs nothing.

Against the sum of the stages that any pipeline has (decompress, parse, map, encode, send; see `peers.py`) and against
the loop that anybody writes with the standard library. E3 is the share of the engine's time that its ledger takes.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.export import write_export
from tests.benchmarks.f1_identify import KEY, SITE_ID
from tests.benchmarks.harness import Result, Target, alternate
from tests.benchmarks.processes import own_server, run

ROWS, QUICK_ROWS = 1_000_000, 20_000
ENGINE, BOUND, NAIVE = "cio-sync events", "sum of the stages", "standard library loop"
LEDGER_SIDES = {"in ledger steps": "ledger_s", "whole run": "wall_s"}


class Runs:
    """Both peers and the engine over one export and one sink; keeps what the engine said about its ledger."""

    def __init__(self, folder: Path, rows: int, url: str) -> None:
        self._folder = folder
        self._rows = rows
        self._url = url
        self.engine_figures: list[dict[str, Any]] = []

    def engine(self) -> float:
        """One run with an empty ledger; events a second."""
        with tempfile.TemporaryDirectory() as state:
            env = {
                "CIO_SITE_ID": SITE_ID, "CIO_TRACK_API_KEY": KEY, "CIO_APP_API_KEY": "f0000000000000000000000000000003",
                "CIO_REGION": "us", "CIO_TRACK_URL": self._url, "CIO_APP_URL": self._url,
                "CIO_SYNC_STATE": str(Path(state) / "ledger.db"),
            }  # fmt: skip
            command = ["-m", "tests.benchmarks.engine_run", "events", str(self._folder), "--track-rate", "0", "--json"]
            report, figures = (json.loads(line) for line in run(command, env=env).splitlines())
        if report["delivered"] != self._rows:
            raise SystemExit(f"the engine delivered {report['delivered']} of {self._rows} events")
        self.engine_figures.append(figures)
        return self._rows / float(figures["wall_s"])

    def peer(self, which: str) -> float:
        """One run of a peer; events a second."""
        measured = json.loads(run(["-m", "tests.benchmarks.peers", which, str(self._folder), self._url]))
        if measured["rows"] != self._rows:
            raise SystemExit(f"the peer {which} read {measured['rows']} of {self._rows} rows")
        return self._rows / float(measured["seconds"])


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """One export, made once; every side reads it once a round."""
    rows = QUICK_ROWS if quick else ROWS
    with tempfile.TemporaryDirectory() as folder, own_server("sink") as url:
        write_export(Path(folder), rows)
        runs = Runs(Path(folder), rows, url)
        sides: dict[str, Callable[[], float]] = {
            ENGINE: runs.engine,
            BOUND: lambda: runs.peer("stages"),
            NAIVE: lambda: runs.peer("naive"),
        }
        samples = alternate(sides, rounds)
    return [throughput(rows, samples, runs.engine_figures), ledger_share(rows, runs.engine_figures)]


def throughput(rows: int, samples: dict[str, list[float]], figures: list[dict[str, Any]]) -> Result:
    """E1."""
    return Result(
        id="E1",
        what=f"`cio-sync events --track-rate 0`, {rows:,} export rows into a trivial sink, ledger on",
        unit="events/s",
        samples=samples,
        ours=ENGINE,
        targets=[
            Target(BOUND, first=0.35, goal=0.8, at_least=True),
            Target(NAIVE, first=2.0, goal=5.0, at_least=True),
        ],
        notes=f"peak memory of the engine {median(each['peak_mb'] for each in figures):.0f} MB",
    )


def ledger_share(rows: int, figures: list[dict[str, Any]]) -> Result:
    """E3."""
    samples = {name: [float(each[key]) for each in figures] for name, key in LEDGER_SIDES.items()}
    return Result(
        id="E3",
        what=f"the ledger's part of those {rows:,} rows",
        unit="s",
        samples=samples,
        ours="in ledger steps",
        targets=[Target("whole run", first=0.25, goal=0.10, at_least=False)],
        notes=f"{median(each['steps'] for each in figures):.0f} ledger steps a run",
    )
