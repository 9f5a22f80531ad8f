"""Many connections at once, over two listeners and in process: as if every request had been alone.

Two event loops and a few threads commit to the same workspaces. What they did is written down in order of commit, done
again one after the other, and has to end the same.
"""

from __future__ import annotations

import itertools
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from fakeio.core.operations import Operation
from fakeio.core.outcomes import Outcome
from fakeio.core.seeding import snapshot
from fakeio.edge.registry import HostedWorkspace

CONNECTIONS = 64
REQUESTS = 12  # on each connection
PATIENCE_S = 120  # a bound on hanging, never a measure
NOW = 1_780_000_000.0
FIELDS = ("a", "b", "c", "d")  # written together by one request

Sent = tuple[str, str, Any]  # method, path, body


@pytest.fixture(autouse=True)
def _threads_take_turns_often() -> Iterator[None]:
    """As many interleavings as Python gives: threads switch a thousand times as often as usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as running:
        yield running
        running.raise_first_error()


def hosted_by(handle: WorkspaceHandle) -> HostedWorkspace:
    return handle._hosted


def written(token: str) -> dict[str, str]:
    return dict.fromkeys(FIELDS, token)


def mixture(worker: int) -> Iterator[Sent]:
    """Writes to the same few people, to people of one's own, and to what they share: devices, segments, merges."""
    dice = random.Random(worker)
    for n in range(REQUESTS):
        token, shared, own = f"{worker}-{n}", f"shared-{dice.randrange(4)}", f"own-{worker}"
        person = f"/api/v1/customers/{shared}"
        yield dice.choice([
            ("PUT", person, written(token)),
            ("PUT", person, written(token) | {"email": f"{shared}@example.com"}),
            ("PUT", f"/api/v1/customers/{own}", written(token)),
            ("PUT", f"{person}/devices", {"device": {"id": "one phone", "platform": "ios", "last_used": n}}),
            ("POST", f"{person}/events", {"name": "order", "data": {"token": token}}),
            ("POST", "/api/v1/segments/1/add_customers", {"ids": [shared, own]}),
            ("POST", "/api/v1/segments/1/remove_customers", {"ids": [shared]}),
            ("POST", "/api/v2/batch", {"batch": [entity(shared, token), entity(own, token), entity(shared, token)]}),
            ("POST", "/api/v1/merge_customers", {"primary": {"id": shared}, "secondary": {"id": own}}),
            ("DELETE", person, None),
        ])  # fmt: skip


def entity(person: str, token: str) -> dict[str, Any]:
    return {"type": "person", "action": "identify", "identifiers": {"id": person}, "attributes": written(token)}


def clients(fake: Fake, handle: WorkspaceHandle, count: int) -> list[httpx.Client]:
    """Half over HTTP, a quarter over HTTPS, a quarter without a socket; each with a connection of its own."""
    auth = (handle.site_id, handle.track_api_key)
    plain = {"base_url": fake.url, "verify": False}
    tls = {"base_url": fake.https_url, "verify": False}
    inside = {"base_url": fake.url, "transport": fake.transport}
    kinds: Iterator[dict[str, Any]] = itertools.cycle([plain, tls, plain, inside])
    return [httpx.Client(auth=auth, timeout=PATIENCE_S, trust_env=False, **next(kinds)) for _ in range(count)]


def all_at_once(tasks: list[Callable[[], None]]) -> None:
    """Each in a thread of its own, starting together; the first failure is raised."""
    ready = threading.Barrier(len(tasks))

    def run(task: Callable[[], None]) -> None:
        ready.wait(PATIENCE_S)
        task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        for done in [pool.submit(run, task) for task in tasks]:
            done.result(PATIENCE_S)


def send_all(client: httpx.Client, requests: Iterator[Sent], mark: str) -> None:
    with client:
        for n, (method, path, body) in enumerate(requests):
            answer = client.request(method, path, json=body, headers={"x-mark": f"{mark}-{n}"})
            assert answer.status_code in (200, 207), answer.text


class Commits:
    """The request numbers of a workspace in the order in which their operations were carried out."""

    def __init__(self, hosted: HostedWorkspace) -> None:
        self.numbers: list[int] = []
        self._apply = hosted.state.apply
        hosted.state.apply = self._noting  # type: ignore[method-assign]  # watched, not replaced: it does what it did

    def _noting(self, operation: Operation, now: float, request: int = 0) -> Outcome:
        self.numbers.append(request)
        return self._apply(operation, now, request)

    def requests(self) -> list[int]:
        """One number a request; a request that was not alone while it committed stands there twice."""
        return [number for number, _ in itertools.groupby(self.numbers)]


def prepared(fake: Fake, **options: Any) -> tuple[WorkspaceHandle, Commits]:
    handle = fake.new_workspace(**options)
    handle.clock.set(NOW)
    handle.add_segment("everybody")
    return handle, Commits(hosted_by(handle))


def essence(handle: WorkspaceHandle) -> dict[str, Any]:
    """Everything that a later request could see, the log in its order included."""
    state = hosted_by(handle).state
    log = [(line.type, line.person, line.info) for line in state.log.after(0, 1_000_000)]
    events = [(event.type, event.name, event.person, event.data) for event in state.events()]
    return {"state": snapshot(state), "log": log, "events": events}


def done_again(fake: Fake, handle: WorkspaceHandle, order: list[int]) -> dict[str, Any]:
    """What comes out when the requests of a tape are made one after the other, in that order, in a fresh workspace."""
    fresh, _ = prepared(fake)
    tape = hosted_by(handle).tape
    auth = (fresh.site_id, fresh.track_api_key)
    with httpx.Client(base_url=str(fake.url), transport=fake.transport, auth=auth, trust_env=False) as client:
        for exchange in map(tape.get, order):
            assert exchange is not None
            answer = client.request(exchange.request.method, exchange.request.path, content=exchange.request.body)
            assert answer.status_code == exchange.status
    return essence(fresh)


def assert_whole(handle: WorkspaceHandle, count: int) -> None:
    """Every request is on the tape once, under a number of its own, and none is missing."""
    tape = handle.requests
    assert [entry.n for entry in tape] == list(range(1, count + 1))
    assert Counter(entry.headers["x-mark"] for entry in tape).most_common(1)[0][1] == 1
    assert {entry.status for entry in tape} <= {200, 207}


def test_the_end_is_that_of_the_same_requests_one_after_the_other(fake: Fake) -> None:
    handle, commits = prepared(fake)
    all_at_once([
        partial(send_all, client, mixture(n), str(n)) for n, client in enumerate(clients(fake, handle, CONNECTIONS))
    ])
    assert_whole(handle, CONNECTIONS * REQUESTS)
    order = commits.requests()
    assert sorted(order) == sorted(set(order)), "two requests took turns while they committed"
    assert sorted(order) == list(range(1, CONNECTIONS * REQUESTS + 1))
    assert essence(handle) == done_again(fake, handle, order)


def test_nobody_sees_half_of_a_request(fake: Fake) -> None:
    handle, _ = prepared(fake)
    for n in range(4):
        handle.add_person(id=f"shared-{n}", attributes=written("first"))
    writers = clients(fake, handle, CONNECTIONS - 8)
    over = threading.Event()
    seen: list[str] = []

    def write() -> None:
        try:
            all_at_once([partial(send_all, client, together(n), str(n)) for n, client in enumerate(writers)])
        finally:
            over.set()

    def look() -> None:
        while not over.is_set():
            seen.extend("|".join(sorted(set(person.attributes.values()))) for person in handle.people)

    all_at_once([write, look, look])
    assert len(set(seen)) > 1, "nobody looked in between"
    assert [torn for torn in seen if "|" in torn] == []
    assert_whole(handle, len(writers) * REQUESTS)
    last = {person.id: set(person.attributes.values()) for person in handle.people}
    assert {len(values) for values in last.values()} == {1}


def together(worker: int) -> Iterator[Sent]:
    """Updates of all the fields of one shared person, in one identify or in one entity."""
    for n in range(REQUESTS):
        person, token = f"shared-{(worker + n) % 4}", f"{worker}-{n}"
        if n % 2:
            yield "POST", "/api/v2/entity", entity(person, token)
        else:
            yield "PUT", f"/api/v1/customers/{person}", written(token)


def test_workspaces_under_load_know_nothing_of_each_other(fake: Fake) -> None:
    bystander, _ = prepared(fake, seed={"people": [{"id": "shared-0", "attributes": {"a": "mine"}}]})
    before = essence(bystander)
    handles = [prepared(fake)[0] for _ in range(4)]
    everybody = [(handle, clients(fake, handle, CONNECTIONS // 4)) for handle in handles]
    all_at_once([
        partial(send_all, client, named(handle, mixture(n)), f"{handle.id}-{n}")
        for handle, own in everybody for n, client in enumerate(own)
    ])  # fmt: skip
    for handle, own in everybody:
        assert_whole(handle, len(own) * REQUESTS)
        assert {entry.headers["x-mark"].split("-")[0] for entry in handle.requests} == {str(handle.id)}
        assert {person.attributes.get("workspace") for person in handle.people} <= {handle.id, None}
    assert essence(bystander) == before
    assert bystander.requests == []


def named(handle: WorkspaceHandle, requests: Iterator[Sent]) -> Iterator[Sent]:
    """The same, but what is identified says whose it is."""
    for method, path, body in requests:
        yield method, path, {**body, "workspace": handle.id} if method == "PUT" and "device" not in body else body
