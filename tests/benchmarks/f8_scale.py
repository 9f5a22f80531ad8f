"""F5 and F8: what a full workspace weighs, and what the App API's largest reads cost in it.

A million people of twenty attributes are loaded through the control API into `fakeio serve`, half of them added to a
segment, and events recorded through v2 batches. Memory is the growth of the server's resident pages, compared with the
JSON text of what was stored; reads are absolute times, beside one second.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx

from fakeio.edge.credentials import DEFAULT_CREDENTIALS
from tests.benchmarks.harness import Result, Target
from tests.benchmarks.processes import first_line, start, stop

PATIENCE_S = 600
CHUNK = 5_000
EVENTS_A_BATCH = 500
PAGE = 30_000
TERMS = 1_000


class Served(NamedTuple):
    """A running server: its clients and its process id."""

    track: httpx.Client
    app: httpx.Client
    control: httpx.Client
    pid: int

    def resident_bytes(self) -> int:
        """Its resident pages now."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as line:
            return int(line.read().split()[1]) * 4096


def person(n: int) -> dict[str, Any]:
    """One person of twenty attributes, as a seed row."""
    attributes: dict[str, Any] = {f"attribute_{k}": f"value {n % (k + 7)}" for k in range(14)}
    attributes |= {"first_name": f"Person {n}", "score": n, "plan": "pro" if n % 2 else "free", "vip": n % 9 == 0}
    return {"id": f"usr_{n:08x}", "email": f"person{n}@example.com", "attributes": attributes}


def event(n: int) -> dict[str, Any]:
    """One event of six properties, as a v2 item."""
    data = {"sku": f"sku-{n % 997}", "total": n % 500, "currency": "EUR", "first": n % 3 == 0, "city": "Bern", "n": n}
    return {
        "type": "person", "action": "event", "identifiers": {"id": f"usr_{n % 1000:08x}"}, "name": "order",
        "id": f"event-{n}", "attributes": data,
    }  # fmt: skip


def chunks(count: int, size: int) -> Iterator[range]:
    return (range(at, min(at + size, count)) for at in range(0, count, size))


def measure(rounds: int, *, quick: bool) -> list[Result]:
    """Loads once, reads `rounds` times."""
    people, events = (20_000, 10_000) if quick else (1_000_000, 200_000)
    command = ["-m", "fakeio", "serve", "--port", "0", "--json", "--tape", "off"]
    process = start(command, env={"FAKEIO_QUIET": "1"})
    try:
        url = json.loads(first_line(process))["url"]
        keys = DEFAULT_CREDENTIALS
        with (
            httpx.Client(base_url=url, auth=(keys.site_id, keys.track_api_key), timeout=PATIENCE_S) as track,
            httpx.Client(
                base_url=url, headers={"authorization": f"Bearer {keys.app_api_key}"}, timeout=PATIENCE_S
            ) as app,
            httpx.Client(base_url=f"{url}/_fakeio/workspaces/default", timeout=PATIENCE_S) as control,
        ):
            served = Served(track, app, control, process.pid)
            control.patch("/settings", json={"rate_limits": "off"}).raise_for_status()
            return [*weigh(served, people, events), *read(served, people, rounds)]
    finally:
        stop(process)


def weigh(served: Served, people: int, events: int) -> list[Result]:
    """F5: bytes a person and an event, against their JSON text."""
    per_person = grown(served, people, load_people)
    per_event = grown(served, events, load_events)
    return [
        Result("F5", f"memory of a person of 20 attributes, at {people:,}", "bytes",
               {"resident": [per_person[0]], "JSON text": [per_person[1]]}, "resident",
               [Target("JSON text", first=4, goal=2.5, at_least=False)]),
        Result("F5", f"memory of an event, at {events:,}", "bytes",
               {"resident": [per_event[0]], "JSON text": [per_event[1]]}, "resident",
               [Target("JSON text", first=3, goal=1.3, at_least=False)]),
    ]  # fmt: skip


def grown(served: Served, count: int, load: Any) -> tuple[float, float]:
    """Bytes of memory and of JSON text, each."""
    before = served.resident_bytes()
    text: int = load(served, count)
    return (served.resident_bytes() - before) / count, text / count


def load_people(served: Served, count: int) -> int:
    """Seeds them through the control API; returns the bytes of their JSON text."""
    text = 0
    for numbers in chunks(count, CHUNK):
        body = json.dumps({"people": [person(n) for n in numbers]}, separators=(",", ":")).encode()
        served.control.post("/people", content=body).raise_for_status()
        text += len(body)
    return text


def load_events(served: Served, count: int) -> int:
    """Records them through v2 batches; returns the bytes of their JSON text."""
    text = 0
    for numbers in chunks(count, EVENTS_A_BATCH):
        body = json.dumps({"batch": [event(n) for n in numbers]}, separators=(",", ":")).encode()
        served.track.post("/api/v2/batch", content=body).raise_for_status()
        text += len(body)
    return text


def read(served: Served, people: int, rounds: int) -> list[Result]:
    """F8: a page of 30,000 members and a search with 1,000 `or` terms."""
    made = served.app.post("/v1/segments", json={"segment": {"name": "half"}}).raise_for_status().json()
    segment = made["segment"]["id"]
    for numbers in chunks(people // 2, 1_000):
        ids = [person(n)["id"] for n in numbers]
        served.track.post(f"/api/v1/segments/{segment}/add_customers", json={"ids": ids}).raise_for_status()
    page = f"/v1/segments/{segment}/membership"
    terms = [{"attribute": {"field": "id", "operator": "eq", "value": person(n)["id"]}} for n in range(TERMS)]
    search = {"filter": {"or": terms}}
    taken: dict[str, list[float]] = {"page": [], "search": []}
    for _ in range(rounds):
        taken["page"].append(timed(lambda: served.app.get(page, params={"limit": PAGE})))
        taken["search"].append(timed(lambda: served.app.post("/v1/customers", params={"limit": 1000}, json=search)))
    return [_absolute(f"a membership page of {PAGE:,}", people, taken["page"]),
            _absolute(f"a search with {TERMS:,} `or` terms", people, taken["search"])]  # fmt: skip


def timed(ask: Any) -> float:
    """Seconds of one request, its answer read to the end."""
    started = time.perf_counter()
    ask().raise_for_status()
    return time.perf_counter() - started


def _absolute(what: str, people: int, seconds: list[float]) -> Result:
    samples = {"fakeio": seconds, "one second": [1.0] * len(seconds)}
    target = Target("one second", first=1, goal=0.1, at_least=False)
    return Result("F8", f"{what} over {people:,} people", "s", samples, "fakeio", [target])
