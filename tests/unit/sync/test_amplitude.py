"""What Amplitude's answers mean: lists, jobs, the month's quota, and whose fault a refusal is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.amplitude import (
    CohortInfo,
    Usage,
    choose_cohort,
    ends_the_month,
    error_details,
    has_failed,
    is_ready,
    month_of,
    parse_cohorts,
    parse_request_id,
    parse_usage,
    poll_waits,
    quota_used_up,
    refusal,
    request_path,
    wanted_properties,
)
from sync.core.errors import SourceError
from sync.core.sending import Reply


def at(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]  # mypy can't count the numbers


LISTED: dict[str, Any] = {
    "id": "abc", "name": "vip", "size": 3, "lastComputed": 1_679_440_233, "archived": False,
    "definition": {"version": 3}, "appId": 1, "more": ["to", "come"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, CohortInfo("abc", "vip", 3, 1_679_440_233), id="as documented"),
        pytest.param({"size": None, "lastComputed": None}, CohortInfo("abc", "vip"), id="never computed"),
        pytest.param({"lastComputed": 1_679_440_233.9}, CohortInfo("abc", "vip", 3, 1_679_440_233), id="a fraction"),
        pytest.param({"size": "3", "name": 7}, CohortInfo("abc", "", None, 1_679_440_233), id="other types"),
        pytest.param({"archived": True}, CohortInfo("abc", "vip", 3, 1_679_440_233, archived=True), id="archived"),
        pytest.param(
            {"definition": {"countGroup": {"name": "company"}}},
            CohortInfo("abc", "vip", 3, 1_679_440_233, of_people=False), id="of groups",
        ),
        pytest.param(
            {"definition": {"countGroup": {"name": "User"}}}, CohortInfo("abc", "vip", 3, 1_679_440_233), id="of users"
        ),
    ],
)  # fmt: skip
def test_a_listed_cohort_is_read(changes: dict[str, Any], expected: CohortInfo) -> None:
    assert parse_cohorts(msgspec.json.encode({"cohorts": [{**LISTED, **changes}]})) == [expected]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"cohorts":7}', b'{"cohorts":[{}]}', b"\xff"])
def test_what_is_no_list_is_none(body: bytes) -> None:
    assert parse_cohorts(body) is None


@pytest.mark.parametrize(
    ("cohort", "code"),
    [
        pytest.param(CohortInfo("abc", archived=True), "cohort_archived", id="archived"),
        pytest.param(CohortInfo("abc", of_people=False), "cohort_of_groups", id="of groups"),
    ],
)
def test_a_cohort_that_can_not_be_synced_is_refused(cohort: CohortInfo, code: str) -> None:
    with pytest.raises(SourceError) as refused:
        choose_cohort([CohortInfo("other"), cohort], "abc")
    assert refused.value.reason == code


def test_a_cohort_that_is_not_listed_may_exist_all_the_same() -> None:
    assert choose_cohort([CohortInfo("other")], "abc") is None


@pytest.mark.parametrize(
    ("column", "path"),
    [
        pytest.param("user_id", "/api/5/cohorts/request/a%2Fb", id="in every download"),
        pytest.param("amplitude_id", "/api/5/cohorts/request/a%2Fb", id="in every download too"),
        pytest.param("e mail", "/api/5/cohorts/request/a%2Fb?props=1&propKeys=e%20mail", id="a property"),
    ],
)
def test_a_mapped_property_is_asked_for(column: str, path: str) -> None:
    assert request_path("a/b", wanted_properties(column)) == path


@pytest.mark.parametrize(
    ("body", "request_id", "ready"),
    [
        pytest.param(b'{"request_id":"r1","cohort_id":"c"}', "r1", None, id="accepted"),
        pytest.param(b'{"request_id":"r1","async_status":"JOB INPROGRESS"}', "r1", False, id="under way"),
        pytest.param(b'{"request_id":"r1","async_status":"JOB COMPLETED"}', "r1", True, id="done"),
        pytest.param(b'{"request_id":7,"async_status":true}', None, None, id="other types"),
        pytest.param(b"<html>", None, None, id="a page"),
    ],
)
def test_a_job_is_read(body: bytes, request_id: str | None, ready: bool | None) -> None:
    assert (parse_request_id(body), is_ready(Reply(200, body=body))) == (request_id, ready)


@pytest.mark.parametrize(
    ("status", "failed"),
    [("JOB INPROGRESS", False), ("JOB COMPLETED", False), ("JOB FAILED", True), ("Cancelled", True), (7, False)],
)
def test_a_job_that_failed_is_told_by_its_word(status: object, failed: bool) -> None:
    assert has_failed(Reply(200, body=msgspec.json.encode({"async_status": status}))) is failed


@given(st.floats(0, 10_000))
def test_polls_grow_and_end_before_the_deadline(deadline_s: float) -> None:
    waits = list(poll_waits(deadline_s))
    assert waits == sorted(waits)
    assert sum(waits) <= deadline_s
    assert all(2.0 <= wait <= 15.0 for wait in waits)
    assert sum(waits) + 15.0 > deadline_s or not waits


@pytest.mark.parametrize(
    ("now", "month", "anew"),
    [
        pytest.param(at(2026, 7, 31, 23, 59, 59), "2026-07", "2026-08-01", id="the month's last second"),
        pytest.param(at(2026, 8, 1), "2026-08", "2026-09-01", id="the next month's first"),
        pytest.param(at(2026, 12, 5), "2026-12", "2027-01-01", id="December"),
    ],
)
def test_the_quota_is_of_a_month_in_utc(now: float, month: str, anew: str) -> None:
    assert month_of(now) == month
    assert anew in quota_used_up(now).hint


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        pytest.param(b'{"rest_download":{"limit":500,"usage":12,"resets_at":1}}', Usage(12, 500), id="nested"),
        pytest.param(b'{"limit":500,"count":500}', Usage(500, 500), id="flat"),
        pytest.param(b'{"rest_download":{"usage":12}}', None, id="no limit"),
        pytest.param(b'{"rest_download":7,"limit":500,"count":500}', None, id="another shape"),
        pytest.param(b'{"limit":"500","count":true}', None, id="other types"),
        pytest.param(b"[]", None, id="a list"),
        pytest.param(b"<html>", None, id="a page"),
    ],
)
def test_amplitudes_own_count_is_read(body: bytes, usage: Usage | None) -> None:
    assert parse_usage(body) == usage


@pytest.mark.parametrize(
    ("usage", "said", "ends"),
    [
        pytest.param(Usage(500, 500), "", True, id="the count says so"),
        pytest.param(Usage(499, 500), "500 a month, 60 in ten minutes", False, id="the count wins over the words"),
        pytest.param(None, "Exceeded the Monthly limit", True, id="only the words say so"),
        pytest.param(None, "Too many requests", False, id="nothing says so"),
    ],
)
def test_the_quota_is_told_from_the_pace(usage: Usage | None, said: str, ends: bool) -> None:
    assert ends_the_month(usage, said) is ends


def _error(details: str) -> bytes:
    return msgspec.json.encode({"error": {"http_code": 403, "type": "x", "metadata": {"details": details}}})


@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        pytest.param(403, _error("Invalid API Key"), "amplitude_credentials", "AMPLITUDE_API_KEY", id="key or region"),
        pytest.param(
            403, _error("Invalid API/Secret Key combination"), "amplitude_credentials", "AMPLITUDE_SECRET_KEY",
            id="secret",
        ),
        pytest.param(403, _error("Not in plan"), "amplitude_credentials", "Not in plan", id="plan"),
        pytest.param(404, b"", "cohort_unknown", "knows nothing", id="unknown"),
        pytest.param(400, b"bad props", "source_failed", "400 (bad props)", id="other"),
        pytest.param(404, b" <html>gone</html>", "amplitude_elsewhere", "web page answered 404", id="a page: 404"),
        pytest.param(403, b"<!doctype html>", "amplitude_elsewhere", "web page answered 403", id="a page: 403"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_mend(status: int, body: bytes, code: str, says: str) -> None:
    error = refusal(Reply(status, body=body), "asking")
    assert error.reason == code
    assert says in error.message
    assert error.exit_code == 3


@pytest.mark.parametrize(
    ("body", "details"),
    [
        pytest.param(b'{"error":"flat"}', "flat", id="flat"),
        pytest.param(b'{"error":{"message":"said"}}', "said", id="a message"),
        pytest.param(b'{"error":{"metadata":7}}', "", id="odd metadata"),
        pytest.param(b'{"error":7}', "", id="a number"),
        pytest.param(b"[1]", "", id="a list"),
        pytest.param(b"plain", "plain", id="plain text"),
        pytest.param(b"<html>long page</html>", "", id="a page"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_amplitudes_own_words_are_found(body: bytes, details: str) -> None:
    assert error_details(body) == details
