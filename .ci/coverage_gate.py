"""Holds each part of the project to its share of covered branches: 95 % in both cores, 90 % everywhere else.

Reads the JSON report of coverage.py. A part counts its branches and, so that a file without any is not free, its
statements too must reach the same share. Prints one line a part, the worst files of a part that fails, and exits 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

GATES = {  # the first part whose prefix fits takes the file
    "fakeio/core/": 95.0,
    "sync/core/": 95.0,
    "fakeio/": 90.0,
    "sync/": 90.0,
    "scenarios/": 90.0,
}
WORST = 8


class Covered(NamedTuple):
    """Covered and all branches, covered and all statements, of one file or of one part."""

    name: str
    branches: int
    all_branches: int
    lines: int
    all_lines: int

    @property
    def branch_share(self) -> float:
        """Percent of branches taken; 100 where there are none."""
        return 100 * self.branches / self.all_branches if self.all_branches else 100.0

    @property
    def line_share(self) -> float:
        """Percent of statements run; 100 where there are none."""
        return 100 * self.lines / self.all_lines if self.all_lines else 100.0

    def __str__(self) -> str:
        return (
            f"{self.name:<40} branches {self.branch_share:6.2f} % of {self.all_branches:<5}"
            f" statements {self.line_share:6.2f} % of {self.all_lines}"
        )


def parse_report(report: dict[str, Any]) -> list[Covered]:
    """The files of a JSON report of coverage.py that was measured with branches."""
    return [
        Covered(
            name,
            entry["summary"]["covered_branches"],
            entry["summary"]["num_branches"],
            entry["summary"]["covered_lines"],
            entry["summary"]["num_statements"],
        )
        for name, entry in sorted(report["files"].items())
    ]


def part_of(name: str) -> str:
    """The gate a file belongs to; a file outside every part is a mistake in the measuring."""
    for prefix in GATES:
        if name.startswith(prefix):
            return prefix
    raise SystemExit(f"coverage measured {name}, which belongs to no part of {', '.join(GATES)}")


def total(name: str, files: Iterable[Covered]) -> Covered:
    """All files of one part as one row."""
    rows = [file[1:] for file in files]
    return Covered(name, *(sum(column) for column in zip(*rows, strict=True)))


def failures(files: list[Covered], out: Any) -> int:
    """Prints every part; returns how many are below their gate. A part of which nothing was measured fails."""
    failed = 0
    for part, gate in GATES.items():
        members = [file for file in files if part_of(file.name) == part]
        if not members:
            print(f"{part:<40} not measured at all", file=out)
            failed += 1
            continue
        row = total(part, members)
        passed = row.branch_share >= gate and row.line_share >= gate
        print(f"{row}  (gate {gate:.0f} %){'' if passed else '  BELOW'}", file=out)
        if not passed:
            failed += 1
            for file in sorted(members, key=lambda each: each.branches - each.all_branches)[:WORST]:
                print(f"  {file}", file=out)
    return failed


def main(arguments: list[str]) -> int:
    """The command: the path of the report; 1 when a part is below its gate."""
    report = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    return 1 if failures(parse_report(report), sys.stdout) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
