"""F1: identify calls a second, everything on, against the bare app of `bare_app.py`.

The fake looks up credentials, checks every limit, resolves identifiers, decides an outcome and keeps the exchange on
its tape; the bare app does none of it. Measured with the tape on, with the tape off, and with faults armed. One server
process each on one core, the client on the other.
"""

from __future__ import annotations

import json
from functools import partial

import httpx

from tests.benchmarks.harness import Result, Target, alternate
from tests.benchmarks.processes import fakeio_server, own_server, run

SITE_ID, KEY = "f0000000000000000001", "f0000000000000000002"
CONNECTIONS = 32
ARMED = [
    {"kind": "status", "status": 503, "match": {"api": "app"}},
    {"kind": "lose_reply", "match": {"path": "/api/v1/customers/*", "method": "PUT", "nth": 1_000_000_000}},
    {"kind": "reset", "match": {"probability": 0.0, "seed": 1}},
    {"kind": "throttle", "per_s": 1_000_000},
]


def requests_per_s(url: str, seconds: float) -> float:
    """One window of load on one server; any answer but 200 spoils it."""
    measured = json.loads(run(["-m", "tests.benchmarks.load", url, str(seconds), str(CONNECTIONS), SITE_ID, KEY]))
    if set(measured["statuses"]) != {"200"}:
        raise SystemExit(f"{url} answered {measured['statuses']}")
    return float(measured["requests_per_s"])


def arm(url: str) -> None:
    """Put the faults of ARMED in force: each is looked at and counted by every request, and none ever strikes."""
    armed = httpx.put(f"{url}/_fakeio/workspaces/default/faults", json={"faults": ARMED}, trust_env=False)
    armed.raise_for_status()


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """All servers stay up; the load goes to one after the other."""
    seconds = 1.0 if quick else 4.0
    with (
        fakeio_server() as fake,
        fakeio_server("--tape", "off") as untaped,
        fakeio_server() as armed,
        own_server("bare_app") as bare,
    ):
        arm(armed)
        servers = {"fakeio": fake, "tape off": untaped, "faults armed": armed, "bare app": bare}
        samples = alternate(
            {name: partial(requests_per_s, url, seconds) for name, url in servers.items()}, rounds
        )
    identify = "identify calls (`PUT /api/v1/customers/{id}`) over 32 connections"
    return [
        _result(f"{identify}, everything on", samples, "fakeio"),
        _result(f"{identify}, tape off", samples, "tape off"),
        _result(f"{identify}, {len(ARMED)} faults armed that never strike", samples, "faults armed"),
    ]


def _result(what: str, samples: dict[str, list[float]], ours: str) -> Result:
    return Result(
        id="F1", what=what, unit="requests/s", samples={name: samples[name] for name in (ours, "bare app")}, ours=ours,
        targets=[Target("bare app", first=0.6, goal=1.3, at_least=True)],
    )  # fmt: skip
