"""`fakeio serve` in a process of its own, for tests of what only a process has: options, signals, exit codes."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any
from unittest import mock

import httpx

from fakeio.cli import main
from tests.contract import plain

PATIENCE_S = 60  # a bound on hanging, never a measure
FAKEIO = (sys.executable, "-m", "fakeio")
SITE, TRACK_KEY, APP_KEY = "f0000000000000000001", "f0000000000000000002", "f0000000000000000000000000000003"
READY = re.compile(r"fakeio ready at (http://127\.0\.0\.1:\d+)\Z")


class Served:
    """A running server. `first_line` is what it said when it was ready, `ready` the same as JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.first_line = self.read_line()

    @property
    def ready(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.first_line)
        return found

    def read_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to stop and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def serving(*options: str, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """A server on a free port with these options; stopped at the end, whatever happened."""
    command = [*FAKEIO, "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=own(environment)) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def run(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """One command to its end, with what it wrote."""
    return subprocess.run(
        [*FAKEIO, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, env=own(environment), check=False
    )


def run_here(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The same in this process, twenty times as fast: for what does not depend on there being one of its own."""
    told, said = io.StringIO(), io.StringIO()
    with redirect_stdout(told), redirect_stderr(said), mock.patch.dict(os.environ, own(environment), clear=True):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    return subprocess.CompletedProcess(arguments, code, told.getvalue(), said.getvalue())


def own(environment: Mapping[str, str] | None) -> dict[str, str]:
    """This process's environment without anybody's settings of the fake, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAKEIO_")}
    return {**kept, **(environment or {})}


def url_of(served: Served) -> str:
    found = READY.match(served.first_line)
    assert found, served.first_line
    return found[1]


def identify(url: str, identifier: str = "1", **attributes: object) -> httpx.Response:
    return plain.put(f"{url}/api/v1/customers/{identifier}", json=attributes, auth=(SITE, TRACK_KEY))
