"""Parts of the engine, each measured alone by its own process: the diff of a cohort, a request, the pace.

`python -m tests.benchmarks.engine_parts PART ARGUMENT…` prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sync.cohort_pass import AS_STORED, CohortPass
from sync.core.diff import Known
from sync.core.sending import FateKind, Reply, Request
from sync.edge.cohort_files import read_cohort
from sync.edge.ledger import Ledger
from sync.edge.membership import Members, Spool
from sync.edge.pacing import Pacing
from sync.edge.scale import open_spool
from sync.edge.transport import Endpoints, Transport
from sync.run import Driver
from tests.benchmarks.f1_identify import KEY, SITE_ID

KIB = b'{"name":"x","data":{"text":"%s"}}' % (b"x" * 990)
EVENT = Request("track", "POST", "/api/v1/customers/a/events", KIB)


def diff(before: str, after: str, way: str) -> dict[str, float]:
    """Have a ledger know the members in `before`, then time reading `after` and planning what to send, by `way`."""
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.db") as ledger:
        members = Members(ledger.connection, "key")
        with Spool() as known, ledger.atomic():
            read_cohort(before, "user_id", "id", known)
            for number in members.fit(known.count):
                members.write_changes(number, Known(), Known(confirmed=frozenset(known.bucket(number))))
        began = time.perf_counter()
        with open_spool(way) as cohort:
            read_cohort(after, "user_id", "id", cohort)
            with ledger.atomic():
                totals = CohortPass(cohort, members).plan(AS_STORED, full=False, retry_absent=False, write=True)
        return {"seconds": time.perf_counter() - began, "changes": totals.join + totals.leave, "peak_mb": _peak_mb()}


def cpu(url: str, requests: str, at_once: str) -> dict[str, float]:
    """The processor time of one request of 1 KB, with so many in flight."""
    with Transport(Endpoints(url, url, SITE_ID, KEY, "")) as transport:
        driver = Driver(transport, pacing=Pacing({"track": 0.0}))
        _send(driver, 200, int(at_once))  # connections are open, and all is warm
        began = time.process_time()
        _send(driver, int(requests), int(at_once))
        return {"seconds": (time.process_time() - began) / int(requests)}


def pace(url: str, requests: str, rate: str) -> dict[str, float]:
    """How long so many requests take at the cap `rate`, and how many of them were answered 429."""
    told: list[int] = []
    with Transport(Endpoints(url, url, SITE_ID, KEY, "")) as transport:
        driver = Driver(transport, pacing=Pacing({"track": float(rate)}))
        driver.send(EVENT)
        began = time.perf_counter()
        told += _send(driver, int(requests), 8)
        return {"seconds": time.perf_counter() - began, "throttled": driver.retries, "accepted": sum(told)}


def _send(driver: Driver, requests: int, at_once: int) -> list[int]:
    def one(_: int) -> int:
        return int(driver.send(EVENT, _is_whole).kind is FateKind.ACCEPTED)

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, range(requests)))


def _is_whole(reply: Reply) -> bool:
    return reply.body == b"{}"


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


PARTS: dict[str, Callable[..., dict[str, float]]] = {"diff": diff, "cpu": cpu, "pace": pace}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(PARTS[sys.argv[1]](*sys.argv[2:])) + "\n")
