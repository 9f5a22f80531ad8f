"""Events in bad weather: lost replies, partial answers, refusals, outages, and a kill at every single step."""

from __future__ import annotations

import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partialmethod
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakeio import Fake
from sync.core.errors import LeaseHeld
from sync.core.report import EventsReport
from sync.core.sending import RetryPolicy
from sync.edge.ledger import Ledger
from tests.integration.event_engine import BATCH_PATH, IMPATIENT, Engine, counts, row

BATCH = {"path": BATCH_PATH}
PATIENCE_S = 60


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server


@pytest.fixture
def engine(fake: Fake, tmp_path: Path) -> Iterator[Engine]:
    workspace = fake.new_workspace()
    yield Engine(fake, workspace, tmp_path)
    workspace.raise_first_error()


def wide(*numbers: int) -> list[dict[str, Any]]:
    """Rows of which about 25 fill a batch."""
    return [row(n, event_properties={"n": n, "text": "x" * 19_000}) for n in numbers]


def ended_report(ended: Any) -> EventsReport:
    assert isinstance(ended.report, EventsReport)
    return ended.report


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "status", "status": 500}, id="500"),
        pytest.param({"kind": "status", "status": 502, "body": "<html>bad gateway</html>"}, id="502 with a page"),
        pytest.param({"kind": "status", "status": 503, "retry_after": 0}, id="503 with Retry-After"),
        pytest.param({"kind": "status", "status": 408}, id="408"),
        pytest.param({"kind": "status", "status": 429, "retry_after": 0}, id="429 with Retry-After"),
        pytest.param({"kind": "reset"}, id="reset"),
        pytest.param({"kind": "close"}, id="close"),
        pytest.param({"kind": "lose_reply"}, id="lost reply"),
        pytest.param({"kind": "reset", "when": "after_commit"}, id="reset after applying"),
        pytest.param({"kind": "status", "status": 500, "when": "after_commit"}, id="500 after applying"),
    ],
)
@pytest.mark.parametrize("match", [BATCH, {"path": "/api/v1/customers/*"}], ids=["v2", "v1"])
def test_passing_trouble_loses_and_repeats_nothing(engine: Engine, fault: dict[str, Any], match: Any) -> None:
    rows = [row(0), row(1, event_properties={"n": 1, "text": "x" * 50_000}), row(2)]
    engine.workspace.fault(**fault, match=match, times=1)
    report = engine.report(*rows)
    assert (counts(report), engine.numbers()) == ({"received": 3, "delivered": 3}, [0, 1, 2])
    assert report.requests == 4 + report.retries == len(engine.workspace.requests)


def test_three_503_and_then_an_answer_is_one_delivery(engine: Engine) -> None:
    engine.workspace.fault("status", status=503, match=BATCH, times=3)
    report = engine.report(row(1))
    assert (report.status, report.delivered, report.retries) == ("success", 1, 3)


def test_a_retry_sends_the_same_bytes(engine: Engine) -> None:
    engine.workspace.fault("lose_reply", match=BATCH, times=2)
    engine.report(row(1), row(2))
    first, second, third = [one.body for one in engine.workspace.requests if one.path == BATCH_PATH]
    assert first == second == third


# -- refusals ---------------------------------------------------------------------------------------------------------
def test_a_207_names_those_who_were_refused(engine: Engine) -> None:
    people = ["a", "cio_no!", "b", "cio_#", "c"]  # two that nobody can have
    ended = engine.run(*(row(n, user_id=value) for n, value in enumerate(people)))
    report = ended_report(ended)
    assert (ended.exit_code, counts(report)) == (1, {"received": 5, "delivered": 3, "refused": {"invalid": 2}})
    assert (engine.numbers(), engine.sent()) == ([0, 2, 4], [BATCH_PATH])
    letters = engine.letters()
    assert [json.loads(bytes(one.item))["attributes"]["n"] for one in letters] == [1, 3]
    assert [(one.kind, one.reason, one.field) for one in letters] == [("events", "invalid", "identifiers.cio_id")] * 2
    again = engine.report()
    assert counts(again) == {"received": 5, "duplicates": 3, "refused": {"invalid": 2}}


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"batch_index": 99, "reason": "invalid"}, id="outside the batch"),
        pytest.param({"reason": "invalid", "message": "something is wrong"}, id="without a position"),
        pytest.param("something is wrong", id="no object at all"),
    ],
)
def test_a_207_that_names_nobody_is_taken_apart(engine: Engine, entry: Any) -> None:
    body = json.dumps({"errors": [entry]})
    engine.workspace.fault("status", status=207, body=body, match=BATCH, times=1)
    report = engine.report(*(row(n) for n in range(4)))
    assert (counts(report), engine.numbers()) == ({"received": 4, "delivered": 4}, [0, 1, 2, 3])
    assert report.requests == 1 + 3


class Choosy(httpx.BaseTransport):
    """The real wire, but any request that holds the forbidden words is refused as a whole."""

    def __init__(self, *words: bytes) -> None:
        self.refused = 0
        self._words = words
        self._wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if any(word in request.read() for word in self._words):
            self.refused += 1
            return httpx.Response(400, json={"errors": [{"reason": "invalid", "field": "x", "message": "no"}]})
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


@pytest.mark.parametrize("guilty", [0, 37, 99])
def test_a_400_for_a_whole_batch_leads_to_the_guilty_event(engine: Engine, guilty: int) -> None:
    rows = [row(n, event_properties={"n": n, "word": "guilty" if n == guilty else "innocent"}) for n in range(100)]
    ended = engine.run(*rows, network=Choosy(b'"guilty"'))
    report = ended_report(ended)
    assert (ended.exit_code, counts(report)) == (1, {"received": 100, "delivered": 99, "refused": {"http_400": 1}})
    assert engine.numbers() == [n for n in range(100) if n != guilty]
    assert report.requests - 2 <= 2 * math.ceil(math.log2(100))
    (letter,) = engine.letters()
    assert (letter.reason, letter.message) == ("http_400", "no")
    assert json.loads(bytes(letter.item))["attributes"]["n"] == guilty


def test_a_refused_event_of_its_own_does_not_stop_the_others(engine: Engine) -> None:
    rows = [row(0), row(1, event_properties={"n": 1, "text": "guilty" * 8_000}), row(2)]
    report = ended_report(engine.run(*rows, network=Choosy(b"guilty")))
    assert counts(report) == {"received": 3, "delivered": 2, "refused": {"http_400": 1}}
    assert engine.numbers() == [0, 2]


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_stop_everything(engine: Engine, status: int) -> None:
    engine.workspace.fault("status", status=status, match={**BATCH, "nth": 2})
    ended = engine.run(*wide(*range(100)))
    report = ended_report(ended)
    assert (ended.exit_code, report.status) == (4, "failed")
    assert ended.error is not None
    assert ended.error.reason == "credentials_refused"
    assert 0 < report.delivered < 100
    assert report.pending == report.received - report.delivered
    engine.workspace.clear_faults()
    again = engine.report()
    assert (again.duplicates, again.delivered, engine.numbers()) == (
        report.delivered, 100 - report.delivered, list(range(100)),
    )  # fmt: skip


def test_an_address_that_is_no_track_api_is_told_once(engine: Engine) -> None:
    engine.workspace.fault("status", status=404, match=BATCH)
    ended = engine.run(*wide(*range(60)))
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (4, "request_refused")
    assert engine.sent().count(BATCH_PATH) == 1
    assert engine.letters() == []


def test_wrong_credentials_send_nothing(engine: Engine) -> None:
    ended = engine.run(row(1), settings=engine.settings(track_api_key="wrong"))
    assert (ended.exit_code, engine.sent()) == (4, [])
    assert ended.error is not None
    assert "wrong" not in f"{ended.error.message} {ended.error.hint}"


# -- outages ----------------------------------------------------------------------------------------------------------
def test_what_gets_no_answer_expires_and_is_sent_by_the_next_run(engine: Engine) -> None:
    engine.workspace.fault("status", status=503, match=BATCH)
    ended = engine.run(row(1), row(2), policy=IMPATIENT)
    assert (ended.exit_code, counts(ended_report(ended))) == (1, {"received": 2, "expired": 2})
    assert [(one.reason, json.loads(bytes(one.item))["attributes"]["n"]) for one in engine.letters()] == [
        ("expired", 1), ("expired", 2),
    ]  # fmt: skip
    engine.workspace.clear_faults()
    assert counts(engine.report()) == {"received": 2, "delivered": 2}


def test_after_some_batches_without_an_answer_the_rest_waits_for_the_next_run(engine: Engine) -> None:
    rows = wide(*range(250))
    engine.workspace.fault("status", status=503, match={**BATCH})
    ended = engine.run(*rows, policy=RetryPolicy(retries=0))
    report = ended_report(ended)
    assert (ended.exit_code, report.status, report.received, report.delivered) == (1, "partial", 250, 0)
    assert report.expired > 50
    assert report.pending > 100
    assert report.expired + report.pending == 250
    assert engine.sent().count(BATCH_PATH) in (3, 4)
    engine.workspace.clear_faults()
    assert counts(engine.report()) == {"received": 250, "delivered": 250}
    assert engine.numbers() == list(range(250))


def test_nobody_at_home_sends_nothing(engine: Engine) -> None:
    ended = engine.run(row(1), settings=engine.settings(track_url="http://127.0.0.1:9"), policy=IMPATIENT)
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (1, "unreachable")
    assert counts(engine.report()) == {"received": 1, "delivered": 1}


# -- one at a time ----------------------------------------------------------------------------------------------------
def test_two_runs_of_one_destination_do_not_meet(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "lease", partialmethod(Ledger.lease, wait_s=0.05))
    with Ledger.open(engine.path) as ledger, ledger.lease(f"events {engine.workspace.site_id}"):
        ended = engine.run(row(1))
    assert (ended.exit_code, type(ended.error), engine.sent()) == (5, LeaseHeld, [])


# -- stopped and killed -----------------------------------------------------------------------------------------------
class Stopping(httpx.BaseTransport):
    """The real wire; before the n-th request the process is asked to stop, as by Ctrl-C."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


def test_a_run_that_is_stopped_tells_how_far_it_came(engine: Engine) -> None:
    ended = engine.run(*wide(*range(400)), network=Stopping(4))
    report = ended_report(ended)
    assert (ended.exit_code, report.status) == (130, "stopped")
    assert report.error is not None
    assert report.pending == report.received - report.delivered > 0
    again = engine.report()
    assert counts(again) == {"received": 400, "delivered": 400 - report.delivered, "duplicates": report.delivered}
    assert engine.numbers() == list(range(400))


class Killed(BaseException):
    """Stands for a kill: nothing in the engine may catch it and go on."""


class Countdown(httpx.BaseTransport):
    """The real wire, until the n-th request; then a kill before it leaves, or right after it was answered."""

    def __init__(self, left: int, *, after: bool) -> None:
        self._left = left
        self._after = after
        self._wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        answer = self._wire.handle_request(request)
        if self._left == 0:
            answer.read()
            raise Killed
        return answer

    def close(self) -> None:
        self._wire.close()


@pytest.mark.parametrize("after", [False, True], ids=["before a request", "after its answer"])
def test_a_kill_at_every_request_ends_in_the_same_place(fake: Fake, tmp_path: Path, after: bool) -> None:
    steps = 1
    while ends_the_same(engine_in(fake, tmp_path / str(steps)), Countdown(steps, after=after)):
        steps += 1
    assert steps > 5


@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after it"])
def test_a_kill_at_every_commit_ends_in_the_same_place(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    commits = Commits(after=after)
    monkeypatch.setattr(Ledger, "atomic", commits.atomic)
    steps = 1
    while ends_the_same(engine_in(fake, tmp_path / str(steps)), commits.until(steps), commits.spare):
        steps += 1
    assert steps > 6


def engine_in(fake: Fake, folder: Path) -> Engine:
    folder.mkdir()
    return Engine(fake, fake.new_workspace(), folder)


def ends_the_same(engine: Engine, network: httpx.BaseTransport, spare: Callable[[], None] = lambda: None) -> bool:
    """A run with one kill somewhere in it, then runs that come to their end. False: nobody was killed."""
    large = row(70, event_properties={"n": 70, "text": "x" * 60_000})
    engine.export(*wide(*range(70)), large, row(71), row(72, user_id=""))
    killed = False
    try:
        engine.run(network=network)
    except Killed:
        killed = True
    spare()
    first, second = ended_report(engine.run()), ended_report(engine.run())
    assert engine.numbers() == list(range(72))
    assert (first.received, first.delivered + first.duplicates) == (73, 72)
    assert counts(second) == {"received": 73, "duplicates": 72, "discarded": {"missing_identifier": 1}}
    engine.workspace.raise_first_error()
    with Ledger.open(engine.path) as ledger:
        assert ledger.connection.execute("SELECT count(*) FROM event_batches").fetchone() == (0,)
    return killed


class Commits:
    """The ledger's own steps, until the n-th commit; then a kill right before it, or right after."""

    def __init__(self, *, after: bool) -> None:
        self._after = after
        self._left = 0
        self._real = Ledger.atomic

    def until(self, left: int) -> httpx.BaseTransport:
        self._left = left
        return httpx.HTTPTransport()

    def spare(self) -> None:
        self._left = 0

    @property
    def atomic(self) -> Callable[[Ledger], AbstractContextManager[sqlite3.Connection]]:
        @contextmanager
        def counted(ledger: Ledger) -> Iterator[sqlite3.Connection]:
            outermost = not ledger.connection.in_transaction
            with self._real(ledger) as connection:
                yield connection
                self._count(now=outermost and not self._after)
            self._count(now=outermost and self._after)

        return counted

    def _count(self, *, now: bool) -> None:
        self._left -= now
        if now and self._left == 0:
            raise Killed


def command(engine: Engine) -> tuple[list[str], dict[str, str]]:
    """The engine as a process of its own, and its environment."""
    own = {
        "CIO_SITE_ID": engine.workspace.site_id, "CIO_TRACK_API_KEY": engine.workspace.track_api_key,
        "CIO_TRACK_URL": engine.url, "CIO_APP_URL": engine.url, "CIO_SYNC_STATE": str(engine.path),
    }  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CIO_")}
    return [sys.executable, "-m", "sync", "events", str(engine.file), "--json", "--track-rate", "0"], {**clean, **own}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


@pytest.mark.parametrize("when", ["before_commit", "after_commit"])
@pytest.mark.parametrize("nth", [1, 5])
def test_a_killed_process_is_followed_by_one_that_ends_the_work(engine: Engine, nth: int, when: str) -> None:
    engine.export(*wide(*range(200)))
    engine.workspace.fault("latency", seconds=0.3, match={**BATCH, "nth": nth}, when=when)
    arguments, environment = command(engine)
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL)
    wait_for(lambda: engine.sent().count(BATCH_PATH) >= nth or process.poll() is not None)
    process.kill()
    process.wait(PATIENCE_S)
    time.sleep(0.4)  # what was held is carried out, whoever asked for it
    done = subprocess.run(arguments, env=environment, capture_output=True, check=False, timeout=PATIENCE_S)
    report = json.loads(done.stdout)
    assert (done.returncode, report["received"], report["delivered"] + report["duplicates"]) == (0, 200, 200)
    assert engine.numbers() == list(range(200))


def test_events_in_doubt_of_another_source_are_told_and_kept(engine: Engine, tmp_path: Path) -> None:
    first = engine.export(*wide(*range(60)))
    with pytest.raises(Killed):
        engine.run(network=Countdown(2, after=True))
    engine.file = tmp_path / "other.json"
    engine.report(row(1_000))
    assert "are still in doubt" in engine.said.getvalue()
    engine.said.truncate(0)
    engine.report(source=str(first))
    assert "in doubt" not in engine.said.getvalue()
    assert sorted(engine.numbers()) == [*range(60), 1_000]
