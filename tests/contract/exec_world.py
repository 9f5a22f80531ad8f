"""A run of `fakeio exec` that stays open for the tests of a module, and programs run in the environment it gives.

One run for many programs: what is proved is each client in that environment, and starting the fake anew for every one
would prove nothing more.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.serving import FAKEIO, PATIENCE_S, own

PROGRAMS = Path(__file__).with_name("programs")
_TELL_AND_WAIT = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"


class Inside:
    """What a program under `fakeio exec` finds, and the fake of that run."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A program to its end, in that environment and no other."""
        return subprocess.run(
            command, env={**self.environment, **more}, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )

    def rows(self, plural: str, **query: str) -> list[dict[str, Any]]:
        """A list of the control API."""
        url = f"{self.environment['FAKEIO_URL']}/_fakeio/workspaces/default/{plural}"
        answer = httpx.get(url, params={**query, "limit": 1000}, trust_env=False, timeout=PATIENCE_S)
        found: list[dict[str, Any]] = answer.raise_for_status().json()[plural]
        return found


@contextmanager
def inside_exec(*options: str, environment: Mapping[str, str] | None = None) -> Iterator[Inside]:
    """A run with these options, over at the end of the block."""
    command = [*FAKEIO, "exec", *options, "--", sys.executable, "-c", _TELL_AND_WAIT]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, env=own(environment), **pipes) as process:
        try:
            assert process.stdout
            assert process.stdin
            yield Inside(json.loads(process.stdout.readline()))
            process.stdin.close()
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


def program(name: str) -> str:
    """The path of a program that has to be installed; skips the test where it is not, which CI does not let pass."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} on the PATH")
    return found
