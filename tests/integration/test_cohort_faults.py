"""Cohort runs in bad weather: lost replies, throttling, dead hosts, and a kill at every single step."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from fakeio import Fake
from sync.core.report import CohortReport
from sync.core.sending import RetryPolicy
from sync.edge import transport
from sync.edge.ledger import Ledger
from tests.integration.cohort_engine import Engine, counts
from tests.integration.test_events_faults import Choosy

IMPATIENT = RetryPolicy(retries=1, base_s=0.001, cap_s=0.001, budget_s=1)


ADD = {"path": "*/add_customers"}


@pytest.mark.parametrize(
    "match",
    [
        pytest.param({"path": "*"}, id="the first"),
        pytest.param({"api": "track", "every": 2}, id="every second of Track"),
        pytest.param({"path": "*/membership"}, id="reading back"),
        pytest.param({"path": "/v1/customers"}, id="searching"),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "status", "status": 500}, id="500"),
        pytest.param({"kind": "status", "status": 502, "body": "<html>bad gateway</html>"}, id="502 with a page"),
        pytest.param({"kind": "status", "status": 503, "retry_after": 0}, id="503 with Retry-After"),
        pytest.param({"kind": "status", "status": 429}, id="429"),
        pytest.param({"kind": "reset"}, id="reset"),
        pytest.param({"kind": "close"}, id="close"),
        pytest.param({"kind": "lose_reply"}, id="lost reply"),
        pytest.param({"kind": "reset", "when": "after_commit"}, id="reset after applying"),
        pytest.param({"kind": "status", "status": 500, "when": "after_commit"}, id="500 after applying"),
        pytest.param({"kind": "truncate", "bytes": 1}, id="half an answer"),
        pytest.param({"kind": "truncate", "bytes": 1, "when": "after_commit"}, id="half an answer after applying"),
        pytest.param({"kind": "garbage", "as": "html"}, id="a page that says 200"),
        pytest.param({"kind": "garbage", "as": "bad_json"}, id="half a JSON text that says 200"),
    ],
)
def test_passing_trouble_changes_nothing_but_the_retries(
    engine: Engine, fault: dict[str, Any], match: dict[str, Any]
) -> None:
    ids = [f"user-{n}" for n in range(1_500)]
    engine.people(*ids, "late")
    for _ in ids[::500]:
        engine.workspace.fault(**fault, match=match, times=None if "every" in match else 1)
    report = engine.report(*ids, "nobody")
    assert counts(report) == {"added": 1_500, "not_found": 1}
    assert report.retries > 0
    report = engine.report(*ids[1:], "late")
    assert counts(report) == {"already_members": 1_499, "added": 1, "removed": 1}
    assert engine.members() == {*ids[1:], "late"}
    assert len(engine.workspace.segments) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "timeout", "seconds": 30}, id="no answer"),
        pytest.param({"kind": "stall", "after_bytes": 0, "seconds": 30}, id="an answer that stops"),
        pytest.param({"kind": "slow_body", "bytes_per_s": 0.05}, id="an answer that drips"),
    ],
)
@pytest.mark.parametrize("path", ["*/add_customers", "*/membership"])
def test_an_answer_that_takes_half_a_minute_is_not_waited_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], path: str
) -> None:
    monkeypatch.setattr(transport, "READ_S", 0.1)
    engine.people("a")
    engine.workspace.fault(**fault, match={"path": path}, times=1)
    report = engine.report("a")
    assert (counts(report), report.retries, engine.members()) == ({"added": 1}, 1, {"a"})


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "lose_reply"}, id="lost reply"),
        pytest.param({"kind": "status", "status": 500, "when": "after_commit"}, id="500 after applying"),
        pytest.param({"kind": "status", "status": 500}, id="500 before applying"),
        pytest.param({"kind": "status", "status": 200}, id="an answer without the segment"),
    ],
)
def test_a_segment_is_made_once_whatever_happens_to_the_answer(engine: Engine, fault: dict[str, Any]) -> None:
    engine.people("a")
    engine.workspace.fault(**fault, match={"path": "/v1/segments", "method": "POST"}, times=2)
    report = engine.report("a")
    assert (counts(report), report.segment.created) == ({"added": 1}, True)
    assert len(engine.workspace.segments) == 1


@pytest.mark.parametrize("verb", ["add", "remove"])
def test_what_was_accepted_and_not_done_is_seen_and_sent_again(engine: Engine, verb: str) -> None:
    ids = [f"user-{n}" for n in range(20)]
    engine.people(*ids)
    if verb == "remove":
        engine.report(*ids)
        ids = ids[:15]
    engine.workspace.fault("drop", match={"path": f"*/{verb}_customers"}, times=2)
    report = engine.report(*ids)
    expected = {"added": 20} if verb == "add" else {"already_members": 15, "removed": 5}
    assert (report.status, counts(report), engine.members()) == ("success", expected, set(ids))


def test_a_page_proves_no_key(engine: Engine) -> None:
    engine.workspace.fault("garbage", **{"as": "html"}, match={"path": "/v1/workspaces"})
    ended = engine.run("a", policy=IMPATIENT)
    assert ended.error is not None
    assert (ended.exit_code, ended.error.message) == (
        1, "proving CIO_APP_API_KEY: no final answer came; it may have been applied (last answer 200, 2 attempts)"
    )  # fmt: skip
    assert engine.writes() == 0


def test_a_segment_that_is_never_made_for_certain_is_pending(engine: Engine) -> None:
    engine.people("a")
    fault = engine.workspace.fault("status", status=500, match={"path": "/v1/segments", "method": "POST"})
    ended = engine.run("a")
    assert isinstance(ended.report, CohortReport)
    assert (ended.exit_code, counts(ended.report), ended.report.segment.id) == (1, {"pending": 1}, None)
    fault.remove()
    assert counts(engine.report("a")) == {"added": 1}


@pytest.mark.parametrize("guilty", [0, 417, 999])
def test_a_call_that_is_refused_for_good_leaves_the_others_alone(engine: Engine, guilty: int) -> None:
    ids = [f"user-{n:04}" for n in range(2_500)]
    engine.people(*ids)
    engine.report(*ids[1_000:])  # so that the thousand of the first call are known
    network = Choosy(f'"{ids[guilty]}"'.encode())
    ended = engine.run(*ids, network=network)
    report = ended.report
    assert isinstance(report, CohortReport)
    assert (ended.exit_code, counts(report)) == (
        1, {"already_members": 1_500, "added": 999, "refused": {"http_400": 1}},
    )  # fmt: skip
    assert len(engine.calls("add")) - 3 + network.refused - 1 <= 2 * math.ceil(math.log2(1_000))
    with Ledger.open(engine.path) as ledger:
        (letter,) = ledger.dead_letters(report.run_id)
    assert (letter.kind, letter.reason, letter.message) == ("cohort", "http_400", "no")
    assert msgspec.json.decode(letter.item) == {"id": ids[guilty]}
    assert counts(engine.report(*ids)) == {"already_members": 2_499, "added": 1}
    assert engine.calls("add")[-1] == [ids[guilty]]


def test_what_is_not_about_the_ids_is_not_asked_id_by_id(engine: Engine) -> None:
    ids = [f"user-{n}" for n in range(2_500)]
    engine.people(*ids)
    body = {"meta": {"errors": ["no such thing"]}}
    fault = engine.workspace.fault("status", status=400, body=body, match=ADD)
    assert counts(engine.report(*ids)) == {"refused": {"http_400": 2_500}}
    assert len(engine.calls("add")) < 100
    fault.remove()
    assert counts(engine.report(*ids)) == {"added": 2_500}


def test_halves_that_get_no_answer_are_pending(engine: Engine) -> None:
    ids = [f"user-{n}" for n in range(1_000)]
    engine.people(*ids)
    engine.workspace.fault("status", status=400, match=ADD, times=1)
    fault = engine.workspace.fault("status", status=500, match=ADD)
    assert counts(engine.report(*ids, policy=IMPATIENT)) == {"pending": 1_000}
    fault.remove()
    assert counts(engine.report(*ids)) == {"added": 1_000}


def test_a_call_that_never_gets_an_answer_is_pending_and_sent_next_time(engine: Engine) -> None:
    ids = [f"user-{n}" for n in range(1_500)]
    engine.people(*ids)
    fault = engine.workspace.fault("status", status=500, match=ADD, times=2)
    report = engine.report(*ids, policy=IMPATIENT)
    assert (report.status, counts(report)) == ("partial", {"added": 500, "pending": 1_000})
    fault.remove()
    assert counts(engine.report(*ids)) == {"already_members": 500, "added": 1_000}


def test_a_dead_host_is_not_asked_for_ever(engine: Engine) -> None:
    ids = [f"user-{n}" for n in range(9_000)]
    engine.people(*ids)
    fault = engine.workspace.fault("status", status=503, match=ADD)
    report = engine.report(*ids, policy=IMPATIENT)
    assert (report.status, counts(report)) == ("partial", {"pending": 9_000})
    assert len(engine.calls("add")) == 6  # three calls, each tried twice
    fault.remove()
    assert counts(engine.report(*ids)) == {"added": 9_000}


def test_a_removal_without_an_answer_is_told_and_done_next_time(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    fault = engine.workspace.fault("status", status=500, match={"path": "*/remove_customers"})
    ended = engine.run("a", policy=IMPATIENT)
    assert (ended.exit_code, ended.report.status) == (1, "partial")
    assert ended.error is not None
    assert "1 people" in ended.error.message
    assert isinstance(ended.report, CohortReport)
    assert counts(ended.report) == {"already_members": 1}, "who is still there was not removed"
    fault.remove()
    assert counts(engine.report("a")) == {"already_members": 1, "removed": 1}
    assert engine.members() == {"a"}


def test_members_that_cannot_be_read_back_are_pending(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a")
    fault = engine.workspace.fault("status", status=200, body="<html>", match={"path": "*/membership"})
    ended = engine.run("a", "b", policy=IMPATIENT)
    assert isinstance(ended.report, CohortReport)
    assert (ended.exit_code, counts(ended.report)) == (1, {"already_members": 1, "pending": 1})
    fault.remove()
    assert counts(engine.report("a", "b")) == {"already_members": 1, "added": 1}


def test_a_segment_that_vanishes_in_mid_run_stops_it(engine: Engine) -> None:
    engine.people("a")
    engine.workspace.update_settings(segment_unknown_id="404")
    engine.workspace.fault("status", status=404, match=ADD, times=1)
    ended = engine.run("a")
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (4, "segment_gone")


def test_nobody_at_home_is_partial_and_loses_nothing(engine: Engine) -> None:
    engine.people("a")
    ended = engine.run("a", settings=engine.settings(track_url="http://127.0.0.1:9"), policy=IMPATIENT)
    assert isinstance(ended.report, CohortReport)
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (1, "unreachable")
    assert counts(ended.report) == {"pending": 1}
    assert counts(engine.report("a")) == {"added": 1}


class Killed(BaseException):
    """Stands for a kill: nothing in the engine may catch it and go on."""


class Countdown(httpx.BaseTransport):
    """The real wire, until the n-th request; then a kill before it leaves, or right after it was answered."""

    def __init__(self, left: int, *, after: bool) -> None:
        self.left = left
        self.after = after
        self._wire = httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        answer = self._wire.handle_request(request)
        if self.left == 0:
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
    assert steps > 12  # so many requests until nothing was left to kill


@pytest.mark.parametrize("after", [False, True], ids=["before a commit", "after it"])
def test_a_kill_at_every_commit_ends_in_the_same_place(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    commits = Commits(after=after)
    monkeypatch.setattr(Ledger, "atomic", commits.atomic)
    steps = 1
    while ends_the_same(engine_in(fake, tmp_path / str(steps)), commits.until(steps), commits.spare):
        steps += 1
    assert steps > 8


def engine_in(fake: Fake, folder: Path) -> Engine:
    folder.mkdir()
    return Engine(fake, fake.new_workspace(), folder)


def ends_the_same(engine: Engine, network: httpx.BaseTransport, spare: Callable[[], None] = lambda: None) -> bool:
    """Two runs with different cohorts, one kill somewhere in them, then runs that come to their end. False: nobody was
    killed. `spare` ends the danger."""
    engine.people("a", "b", "c", "moved")
    killed = False
    for cohort in (["a", "b", "nobody"], ["b", "c", "moved", "nobody"]):
        try:
            engine.run(*cohort, network=network)
        except Killed:
            killed = True
            break
    spare()
    for _ in range(2):
        report = engine.report("b", "c", "moved", "nobody")
        assert engine.members() == {"b", "c", "moved"}
    assert counts(report) == {"already_members": 3, "not_found": 1}
    assert len(engine.workspace.segments) == 1
    engine.workspace.raise_first_error()
    return killed


class Commits:
    """The ledger's own steps, until the n-th commit; then a kill right before it, or right after."""

    def __init__(self, *, after: bool) -> None:
        self._after = after
        self._left = 0
        self._planned = 0
        self._real = Ledger.atomic

    def until(self, left: int) -> httpx.BaseTransport:
        self._left = left
        return httpx.HTTPTransport(verify=False)

    def armed_later(self, left: int) -> Commits:
        """Count from `arm` on only."""
        self._planned = left
        return self

    def arm(self) -> httpx.BaseTransport:
        return self.until(self._planned)

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
