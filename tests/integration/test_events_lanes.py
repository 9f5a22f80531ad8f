"""Several requests in flight: nobody's events overtake each other, a small source stays one request, and a stop on one
lane stops all."""

from __future__ import annotations

import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakeio import Fake
from sync.core.batches import lane_of
from sync.core.mapping import Intent
from sync.core.rows import Row
from sync.core.sending import RetryPolicy
from sync.edge.ledger import Ledger
from tests.integration.event_engine import BATCH_PATH, Engine, counts, ended_report, row
from tests.integration.test_events_kill import Commits, Countdown, Killed

PATIENCE_S = 60.0


def crowd(count: int, people: int = 40, size: int = 8_000) -> list[dict[str, Any]]:
    """Rows of many people in turn, of which about 60 fill a batch; every 31st is too large for one."""
    return [
        row(n, user_id=f"u{n % people}", event_properties={"n": n, "text": "x" * (40_000 if n % 31 == 30 else size)})
        for n in range(count)
    ]


def spread(count: int, lanes: int) -> list[dict[str, Any]]:
    """The same in which each lane gets as many as any other, in turn, so that all have a batch at the same time."""
    names = [f"u{n}" for n in range(400)]
    groups = [[name for name in names if lane_of(person("id", name), lanes) == lane][:10] for lane in range(lanes)]
    turns = [name for group in zip(*groups, strict=True) for name in group]
    return [
        row(n, user_id=turns[n % len(turns)], event_properties={"n": n, "text": "x" * 8_000}) for n in range(count)
    ]


def in_order(engine: Engine) -> bool:
    """Whether everybody's events arrived in the order of the source."""
    arrived: dict[str, list[int]] = defaultdict(list)
    for event in engine.workspace.events():
        assert event.person is not None
        arrived[event.person.id or ""].append(event.data["n"])
    return all(numbers == sorted(numbers) for numbers in arrived.values())


class Gauge(httpx.BaseTransport):
    """The real wire; counts the requests in flight, and holds all but the first batch until so many have been."""

    def __init__(self, wanted: int) -> None:
        self.most = 0
        self._wanted = wanted
        self._now = 0
        self._count = 0
        self._changed = threading.Condition()
        self._wire = httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._changed:
            self._now += 1
            self._count += request.url.path == BATCH_PATH
            self.most = max(self.most, self._now)
            self._changed.notify_all()
            if self._count > 1:  # the first batch goes alone
                self._changed.wait_for(lambda: self.most >= self._wanted, PATIENCE_S)
        try:
            return self._wire.handle_request(request)
        finally:
            with self._changed:
                self._now -= 1

    def close(self) -> None:
        self._wire.close()


@pytest.mark.parametrize("workers", [1, 4])
def test_so_many_requests_are_in_flight_as_there_are_workers(engine: Engine, workers: int) -> None:
    gauge = Gauge(workers)
    report = engine.report(*spread(600, workers), network=gauge, settings=engine.settings(workers=workers))
    assert counts(report) == {"received": 600, "delivered": 600}
    assert gauge.most == workers
    assert in_order(engine)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "status", "status": 503}, id="503"),
        pytest.param({"kind": "lose_reply"}, id="lost reply"),
        pytest.param({"kind": "latency", "seconds": 0.05}, id="slow"),
        pytest.param({"kind": "status", "status": 400}, id="400 that names nobody"),
    ],
)
def test_nobody_is_overtaken_whatever_happens_to_some_requests(engine: Engine, fault: dict[str, Any]) -> None:
    for nth in (2,) if fault.get("status") == 400 else (2, 3, 5, 8):
        engine.workspace.fault(**fault, match={"path": BATCH_PATH, "nth": nth}, times=1)
    report = engine.report(*crowd(500))
    assert counts(report) == {"received": 500, "delivered": 500}
    assert in_order(engine)


def test_a_small_source_is_one_request(engine: Engine) -> None:
    engine.report(*crowd(25))
    assert engine.sent() == [BATCH_PATH]


def test_the_first_batch_has_its_answer_before_another_leaves(engine: Engine) -> None:
    engine.workspace.fault("status", status=401, match={"path": BATCH_PATH})
    ended = engine.run(*crowd(600))
    assert (ended.exit_code, engine.sent()) == (4, [BATCH_PATH])


def test_a_first_batch_that_takes_long_is_not_overtaken(engine: Engine) -> None:
    engine.workspace.fault("latency", seconds=0.4, match={"path": BATCH_PATH, "nth": 1})
    report = engine.report(*crowd(300))
    assert counts(report) == {"received": 300, "delivered": 300}
    assert in_order(engine)


def test_refused_credentials_on_one_lane_end_the_tries_of_all(engine: Engine) -> None:
    """The other one waits for its second try: it is woken, and sends nothing more."""
    engine.workspace.fault("status", status=503, match={"path": BATCH_PATH, "nth": 2})
    engine.workspace.fault("status", status=401, match={"path": BATCH_PATH, "nth": 3})
    ended = engine.run(*crowd(600), policy=RetryPolicy(base_s=120, cap_s=120))
    report = ended_report(ended)
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (4, "credentials_refused")
    assert report.retries == 0
    assert (report.pending, report.expired) == (report.received - report.delivered, 0)
    engine.workspace.clear_faults()
    assert counts(engine.report()) == {
        "received": 600, "delivered": 600 - report.delivered, "duplicates": report.delivered,
    }  # fmt: skip



def person(kind: Any, identifier: str) -> Intent:
    return Intent(0, Row(), kind, identifier, b"", 0, b"")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(person("email", "A@example.com"), person("email", "a@EXAMPLE.com"), id="an address in any case"),
        pytest.param(person("cio_id", "cio_42"), person("cio_id", "42"), id="a cio_id with its prefix and without"),
        pytest.param(person("id", "ü"), person("id", "ü"), id="an id"),
    ],
)
def test_one_person_has_one_lane(one: Intent, other: Intent) -> None:
    assert lane_of(one, 1_000_003) == lane_of(other, 1_000_003)


def test_people_are_spread_over_the_lanes() -> None:
    assert {lane_of(person("id", f"u{n}"), 4) for n in range(50)} == {0, 1, 2, 3}


# -- killed -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("after", [False, True], ids=["before a request", "after its answer"])
def test_a_kill_at_any_request_of_many_lanes_ends_in_the_same_place(fake: Fake, tmp_path: Path, after: bool) -> None:
    for steps in range(1, 40, 2):
        folder = tmp_path / str(steps)
        folder.mkdir()
        if not ends_the_same(Engine(fake, fake.new_workspace(), folder), Countdown(steps, after=after)):
            assert steps > 7
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after it"])
def test_a_kill_at_any_commit_of_many_lanes_ends_in_the_same_place(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    commits = Commits(after=after)
    monkeypatch.setattr(Ledger, "atomic", commits.atomic)
    for steps in range(1, 40, 2):
        folder = tmp_path / str(steps)
        folder.mkdir()
        engine = Engine(fake, fake.new_workspace(), folder)
        if not ends_the_same(engine, commits.until(steps), commits):
            assert steps > 7
            return
    pytest.fail("it never came to its end")


def ends_the_same(engine: Engine, network: httpx.BaseTransport, commits: Commits | None = None) -> bool:
    """A run over several lanes with one kill somewhere in it, then one to its end. False: nobody was killed."""
    engine.export(*crowd(260, size=12_000))
    killed = False
    try:
        engine.run(network=network)
    except Killed:
        killed = True
    if commits is not None:
        commits.spare()
    report = ended_report(engine.run())
    assert (report.received, report.delivered + report.duplicates) == (260, 260)
    assert sorted(engine.numbers()) == list(range(260))
    assert in_order(engine)
    engine.workspace.raise_first_error()
    return killed
