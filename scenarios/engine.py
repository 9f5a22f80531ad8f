"""The engine as its users meet it: a command with an environment, an exit code and a report.

Runs it as a process of its own, from the installed package, so nothing of the scenario's process can help it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

#: Variables that would decide where the engine sends and what it reads; only the scenario's own may reach it.
_FOREIGN = ("CIO_", "AMPLITUDE_")
_PATIENCE_S = 120


class EngineRun(NamedTuple):
    """One run: its exit code, its report (`{}` if it printed none) and what it said on stderr."""

    code: int
    report: Mapping[str, Any]
    said: str


def command(arguments: Sequence[str]) -> list[str]:
    """The command line of `cio-sync ARGUMENTS --json` for this very installation."""
    return [sys.executable, "-P", "-m", "sync", *arguments, "--json"]


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with the engine's variables replaced by `own`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, **own}


def run_engine(arguments: Sequence[str], own: Mapping[str, str]) -> EngineRun:
    """Run to the end; raises subprocess.TimeoutExpired when it takes longer than two minutes."""
    done = subprocess.run(
        command(arguments), env=environment(own), capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
    )
    return EngineRun(done.returncode, parse_report(done.stdout), done.stderr.strip())


def parse_report(text: str) -> Mapping[str, Any]:
    """The one JSON object that `--json` prints; `{}` where there is none, as after a usage error."""
    report: Mapping[str, Any] = json.loads(text) if text.strip() else {}
    return report
