"""Starts and stops the processes that a benchmark compares, each on a core of its own where there are two.

Everything listens on the loopback interface, on a port the system chose, and is ended by its own process object.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SERVER_CORE, CLIENT_CORE = 0, 1
STOP_WITHIN_S = 30


def pin(pid: int, core: int) -> None:
    """Keeps a process on one core, so that client and server do not fight; does nothing where that is impossible."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            os.sched_setaffinity(pid, {cores[core % len(cores)]})


def free_port() -> int:
    """A port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    command: Sequence[str], *, core: int = SERVER_CORE, feed: bool = False, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A Python process running `python COMMAND…` in the checkout, its standard output to be read line by line.

    `feed` leaves its standard input open for us to write to; `env` is added to our own environment.
    """
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=CHECKOUT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    pin(process.pid, core)
    return process


def stop(process: subprocess.Popen[str]) -> None:
    """Ends a process and waits until it is gone."""
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()


def first_line(process: subprocess.Popen[str]) -> str:
    """What a server says once it accepts requests."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args!r} ended before it was ready")
    return line


@contextlib.contextmanager
def fakeio_server(*options: str) -> Iterator[str]:
    """`fakeio serve` as any user starts it, rate limits and all; gives its address."""
    process = start(["-m", "fakeio", "serve", "--port", "0", "--json", *options])
    try:
        yield str(json.loads(first_line(process))["url"])
    finally:
        stop(process)


@contextlib.contextmanager
def own_server(module: str) -> Iterator[str]:
    """One of the servers in this folder, which print their address when they are ready."""
    process = start(["-m", f"tests.benchmarks.{module}"])
    try:
        yield first_line(process).strip()
    finally:
        stop(process)


def run(command: Sequence[str], *, core: int = CLIENT_CORE, env: Mapping[str, str] | None = None) -> str:
    """Runs `python COMMAND…` to its end and returns what it printed; a failure ends the benchmark."""
    process = start(command, core=core, env=env)
    printed, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return printed
