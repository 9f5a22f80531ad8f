"""F3: from starting the process to its first 200, against uvicorn and Starlette with two routes.

What a test session pays before its first request. Both are asked the same thing over and over until they answer. Both
start as they do where they are installed, from bytecode: `pip` compiles what it installs, and a checkout is compiled
when it first runs. Here the first round does it, in a folder of its own, so that neither a fresh checkout nor
PYTHONDONTWRITEBYTECODE in our own environment makes the fake compile its sources at every start.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import tempfile
import time
from collections.abc import Mapping, Sequence

from tests.benchmarks.f1_identify import KEY, SITE_ID
from tests.benchmarks.harness import Result, Target, alternate
from tests.benchmarks.processes import free_port, start, stop

GIVE_UP_S = 60.0
PAUSE_S = 0.002
CREDENTIALS = {"Authorization": "Basic " + base64.b64encode(f"{SITE_ID}:{KEY}".encode()).decode()}


def seconds_to_first_200(command: Sequence[str], port: int, env: Mapping[str, str]) -> float:
    """Starts a server, asks until it answers 200, stops it."""
    started = time.perf_counter()
    process = start(command, env=env)
    try:
        while time.perf_counter() - started < GIVE_UP_S:
            if answers(port):
                return time.perf_counter() - started
            time.sleep(PAUSE_S)
    finally:
        stop(process)
    raise SystemExit(f"{' '.join(command)} did not answer within {GIVE_UP_S:.0f} s")


def answers(port: int) -> bool:
    """One question; False when nobody listens yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request("GET", "/api/v1/accounts/region", headers=CREDENTIALS)
        return connection.getresponse().status == 200
    return False


def fakeio_starts(env: Mapping[str, str]) -> float:
    """`fakeio serve` on a free port."""
    port = free_port()
    return seconds_to_first_200(["-m", "fakeio", "serve", "--port", str(port), "--quiet"], port, env)


def bare_app_starts(env: Mapping[str, str]) -> float:
    """The bare app on a free port."""
    port = free_port()
    return seconds_to_first_200(["-m", "tests.benchmarks.bare_app", str(port)], port, env)


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """Starts each side once a round; the first round compiles, warms the disk cache and is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        fakeio_starts(env), bare_app_starts(env)
        starts = {"fakeio": functools.partial(fakeio_starts, env), "bare app": functools.partial(bare_app_starts, env)}
        samples = alternate(starts, rounds if quick else rounds * 2)
    return [
        Result(
            id="F3",
            what="`fakeio serve`, start of the process to the first 200",
            unit="s",
            samples=samples,
            ours="fakeio",
            targets=[Target("bare app", first=2.0, goal=1.2, at_least=False)],
        )
    ]
