"""Events in bad weather: lost replies, partial answers, refusals, outages, and answers that never come."""

from __future__ import annotations

import json
import math
import time
from functools import partialmethod
from typing import Any

import httpx
import pytest

from sync.core.errors import LeaseHeld
from sync.core.sending import RetryPolicy
from sync.edge.ledger import Ledger
from sync.edge.pacing import SharedPacing
from tests.integration.event_engine import BATCH_PATH, IMPATIENT, Engine, counts, ended_report, row, wide

BATCH = {"path": BATCH_PATH}


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
        pytest.param({"kind": "truncate", "bytes": 1}, id="half an answer"),
        pytest.param({"kind": "garbage", "as": "html"}, id="a page that says 200"),
        pytest.param({"kind": "garbage", "as": "bad_json"}, id="half a JSON text that says 200"),
    ],
)
@pytest.mark.parametrize("match", [BATCH, {"path": "/api/v1/customers/*"}], ids=["v2", "v1"])
def test_passing_trouble_loses_and_repeats_nothing(engine: Engine, fault: dict[str, Any], match: Any) -> None:
    rows = [row(0), row(1, event_properties={"n": 1, "text": "x" * 50_000}), row(2)]
    engine.workspace.fault(**fault, match=match, times=1)
    report = engine.report(*rows)
    assert (counts(report), engine.numbers()) == ({"received": 3, "delivered": 3}, [0, 1, 2])
    assert report.requests == 4 + report.retries == len(engine.workspace.requests)


@pytest.mark.parametrize("kind", ["html", "bad_json"])
def test_a_page_that_stays_is_no_delivery(engine: Engine, kind: str) -> None:
    engine.workspace.fault("garbage", **{"as": kind}, match=BATCH)
    ended = engine.run(row(1), policy=IMPATIENT)
    assert (ended.exit_code, counts(ended_report(ended)), engine.numbers()) == (1, {"received": 1, "expired": 1}, [])
    engine.workspace.clear_faults()
    assert (counts(engine.report()), engine.numbers()) == ({"received": 1, "delivered": 1}, [1])


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
        self._wire = httpx.HTTPTransport(verify=False)

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


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_the_only_batch_is_told_too(engine: Engine, status: int) -> None:
    engine.workspace.fault("status", status=status, match=BATCH)
    ended = engine.run(row(1), row(2))
    reason = "request_refused" if status == 404 else "credentials_refused"
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (4, reason)
    assert counts(ended_report(ended)) == {"received": 2, "pending": 2}
    assert engine.sent() == [BATCH_PATH]


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


def test_batches_without_an_answer_that_do_not_follow_each_other_end_nothing(engine: Engine) -> None:
    for nth in (2, 3, 5, 6):
        engine.workspace.fault("status", status=503, match={**BATCH, "nth": nth}, times=1)
    report = ended_report(
        engine.run(*wide(*range(250)), policy=RetryPolicy(retries=0), settings=engine.settings(workers=1))
    )
    assert (report.expired > 50, report.pending, report.delivered) == (True, 0, 250 - report.expired)


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


def test_what_another_process_was_told_holds_for_this_run_too(engine: Engine) -> None:
    told = SharedPacing(engine.path.parent, engine.workspace.site_id)
    told.hold("track", time.monotonic() + 3_600, time.monotonic())
    told.close()
    ended = engine.run(row(1))
    assert (ended.error is not None and ended.error.reason, engine.workspace.requests) == ("throttled", [])
