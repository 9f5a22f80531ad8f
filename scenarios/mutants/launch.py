"""`python -m scenarios.mutants.launch NAME -- CMD`: one command against one mutant, in all Pythons that it starts.

The environment that makes it so can be had alone, for whoever starts commands by other means (`running.py` does).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from scenarios.mutants.catalogue import choose

PRELOAD = Path(__file__).parent / "preload"
VARIABLE, MARKS = "FAKEIO_MUTANT", "FAKEIO_MUTANT_MARKS"
USAGE_ERROR = 2


def environment(name: str, marks: Path) -> dict[str, str]:
    """This process's environment, with that mutant in force in every Python below; each writes a file into `marks`."""
    paths = [str(PRELOAD), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), VARIABLE: name, MARKS: str(marks)}


def main(argv: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    name, _, *command = (*argv, "", "")[: max(len(argv), 2)]
    if not command or argv[1] != "--":
        print("usage: python -m scenarios.mutants.launch NAME -- CMD...", file=sys.stderr)  # noqa: T201 - a command
        return USAGE_ERROR
    try:
        choose([name])
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201 - as above
        return USAGE_ERROR
    with tempfile.TemporaryDirectory(prefix="fakeio-mutant-") as marks:
        return run(command, environment(name, Path(marks)))


def run(command: Sequence[str], own: Mapping[str, str]) -> int:
    """The exit code of a command; 127 where there is none of that name."""
    try:
        return subprocess.run(command, env=own, check=False).returncode
    except FileNotFoundError:
        print(f"{command[0]}: not found", file=sys.stderr)  # noqa: T201 - as above
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
