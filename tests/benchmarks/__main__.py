"""`python -m tests.benchmarks [ID…] [--rounds N] [--quick] [--write]`: takes the benchmarks, prints ratios.

Writes nothing unless told: with `--write` the table in this folder's README.md is replaced by what was measured, with
the machine, the versions and the command. Nothing here passes or fails; the targets are printed beside the ratios.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import (
    e1_events,
    e2_diff,
    e4_requests,
    e5_memory,
    f1_identify,
    f3_start,
    f4_growth,
    f6_in_process,
    f7_forks,
    f8_scale,
)
from tests.benchmarks.harness import Result, busyness, libraries, machine, print_result, render_rows

BENCHMARKS: dict[str, Callable[..., list[Result]]] = {
    "F1": f1_identify.measure,
    "F3": f3_start.measure,
    "F4": f4_growth.measure,
    "F6": f6_in_process.measure,
    "F7": f7_forks.measure,
    "F8": f8_scale.measure,  # and F5, of the same server
    "E1": e1_events.measure,  # and E3, from the same runs
    "E2": e2_diff.measure,
    "E4": e4_requests.measure_cpu,
    "E5": e5_memory.measure,
    "E6": e4_requests.measure_pace,
}
README = Path(__file__).with_name("README.md")
START, END = "<!-- measured -->\n", "<!-- /measured -->\n"
TABLE_HEAD = [
    "| id | what | ours | the other side | ratio | first | goal | reached |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
]


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"which ones: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is measured (default 5)")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that they run, not to compare")
    parser.add_argument("--write", action="store_true", help="replace the table in README.md by this measurement")
    return parser


def report(results: Sequence[Result], command: str) -> str:
    """The part of README.md that a measurement replaces."""
    head = [
        f"Taken on {datetime.now(UTC):%Y-%m-%d} with `{command}`.",
        f"Machine: {machine()}; {busyness()} (about one is our own).",
        f"Versions: {libraries()}.",
        "",
        *TABLE_HEAD,
    ]
    notes = [f"- {result.id}: {result.notes}" for result in results if result.notes]
    return "\n".join([*head, *(row for result in results for row in render_rows(result)), "", *notes]).rstrip() + "\n"


def write_report(text: str) -> None:
    """Puts a measurement between the two marks of README.md."""
    before, _, rest = README.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{START}{text}{END}{after}", encoding="utf-8")


def main() -> None:
    """The command."""
    parser = arguments()
    options = parser.parse_args()
    unknown = [name for name in options.ids if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    results: list[Result] = []
    for name in options.ids or BENCHMARKS:
        taken = BENCHMARKS[name](options.rounds, quick=options.quick)
        for result in taken:
            print_result(result, sys.stderr)
        results += taken
    if options.write:
        write_report(report(results, " ".join(["python -m tests.benchmarks", *sys.argv[1:]])))


if __name__ == "__main__":
    main()
