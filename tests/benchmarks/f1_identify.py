"""F1: identify calls a second, everything on, against the bare app of `bare_app.py`.

The fake looks up credentials, checks every limit, resolves identifiers, decides an outcome and keeps the exchange on
its tape; the bare app does none of it. One server process each on one core, the client on the other.
"""

from __future__ import annotations

import json

from tests.benchmarks.harness import Result, Target, alternate
from tests.benchmarks.processes import fakeio_server, own_server, run

SITE_ID, KEY = "f0000000000000000001", "f0000000000000000002"
CONNECTIONS = 32


def requests_per_s(url: str, seconds: float) -> float:
    """One window of load on one server; any answer but 200 spoils it."""
    measured = json.loads(run(["-m", "tests.benchmarks.load", url, str(seconds), str(CONNECTIONS), SITE_ID, KEY]))
    if set(measured["statuses"]) != {"200"}:
        raise SystemExit(f"{url} answered {measured['statuses']}")
    return float(measured["requests_per_s"])


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """Both servers stay up; the load goes to one and then to the other."""
    seconds = 1.0 if quick else 4.0
    with fakeio_server() as fake, own_server("bare_app") as bare:
        samples = alternate(
            {"fakeio": lambda: requests_per_s(fake, seconds), "bare app": lambda: requests_per_s(bare, seconds)}, rounds
        )
    return [
        Result(
            id="F1",
            what="identify calls (`PUT /api/v1/customers/{id}`) over 32 connections, everything on",
            unit="requests/s",
            samples=samples,
            ours="fakeio",
            targets=[Target("bare app", first=0.6, goal=1.3, at_least=True)],
        )
    ]
