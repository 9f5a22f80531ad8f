"""A report's sums, its status and its exit code."""

from __future__ import annotations

import msgspec
import pytest

from sync.core.errors import GuardStop, Interrupted, SourceError, SyncError, Unauthorised, Unreachable
from sync.core.report import AccountingBroken, CohortReport, EventsReport, Report, Segment, encode, finish


def cohort(**counts: object) -> CohortReport:
    segment = Segment(id=7, name="[Amplitude] vip", created=True)
    return msgspec.structs.replace(CohortReport(run_id="r", sync="vip", segment=segment), **counts)


def events(**counts: object) -> EventsReport:
    return msgspec.structs.replace(EventsReport(run_id="r"), **counts)


@pytest.mark.parametrize(
    ("report", "code", "status"),
    [
        pytest.param(cohort(added=3), 0, "success", id="all settled"),
        pytest.param(cohort(collapsed_duplicates=3), 0, "success", id="collapsed duplicates are no loss"),
        pytest.param(cohort(skipped={"id_too_long": 1}), 1, "partial", id="a skipped row"),
        pytest.param(cohort(skipped={"id_too_long": 0}), 0, "success", id="a reason that never happened"),
        pytest.param(cohort(not_found=1), 1, "partial", id="a person who is not there"),
        pytest.param(cohort(pending=1), 1, "partial", id="a person in doubt"),
        pytest.param(cohort(refused={"http_400": 2}), 1, "partial", id="a refused call"),
        pytest.param(events(delivered=1, filtered=2, duplicates=1), 0, "success", id="filtered and duplicate events"),
        pytest.param(events(discarded={"bad_row": 1}), 1, "partial", id="a discarded event"),
        pytest.param(events(expired=1), 1, "partial", id="an expired event"),
    ],
)
def test_the_counts_decide_the_exit_code(report: Report, code: int, status: str) -> None:
    assert (finish(report), report.status) == (code, status)
    assert b'"error"' not in encode(report)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        pytest.param(Unreachable("nobody"), 1, "partial", id="nobody there"),
        pytest.param(SourceError("broken"), 3, "failed", id="source"),
        pytest.param(Unauthorised("wrong key"), 4, "failed", id="credentials"),
        pytest.param(GuardStop("too many"), 5, "stopped", id="guard"),
        pytest.param(Interrupted("stopped"), 130, "stopped", id="signal"),
    ],
)
def test_an_error_decides_over_the_counts(error: SyncError, code: int, status: str) -> None:
    report = cohort(added=1)
    assert (finish(report, error), report.status) == (code, status)
    assert report.error == error.as_dict()


def test_the_keys_are_the_published_ones_in_their_order() -> None:
    assert list(msgspec.json.decode(encode(cohort()))) == [
        "run_id", "kind", "sync", "status", "mode", "segment", "source_rows", "in_cohort", "collapsed_duplicates",
        "skipped", "already_members", "added", "not_found", "pending", "refused", "removed", "requests", "retries",
        "duration_s",
    ]
    assert list(msgspec.json.decode(encode(events()))) == [
        "run_id", "kind", "sync", "status", "mode", "received", "filtered", "delivered", "duplicates", "discarded",
        "refused", "expired", "pending", "requests", "retries", "oldest_event_at", "newest_event_at", "duration_s",
    ]


def test_sums_that_close_pass() -> None:
    cohort(
        source_rows=10, in_cohort=7, collapsed_duplicates=1, skipped={"id_too_long": 2},
        already_members=1, added=2, not_found=1, pending=1, refused={"http_400": 2},
    ).check()
    events(
        received=9, filtered=1, delivered=2, duplicates=1, discarded={"bad_row": 2}, refused={"x": 1}, expired=1,
        pending=1,
    ).check()


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(cohort(source_rows=1), id="a row without a fate"),
        pytest.param(cohort(source_rows=1, in_cohort=1), id="a member without a fate"),
        pytest.param(cohort(added=1), id="a fate without a member"),
        pytest.param(events(received=1), id="an event without a fate"),
    ],
)
def test_sums_that_do_not_close_are_a_bug(report: Report) -> None:
    with pytest.raises(AccountingBroken):
        report.check()
