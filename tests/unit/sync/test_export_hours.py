"""Which hours an export run reads, and that no hour is left out or asked for too early."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.export_hours import (
    AVAILABLE_AFTER_H,
    MOST_EMPTY_H,
    MOST_HOURS,
    READ_AGAIN_H,
    Hours,
    export_path,
    hours_of_backfill,
    hours_to_read,
    last_available,
    range_after,
    says_no_events,
)
from sync.core.sending import Reply

NOON = 1_784_030_400.0  # 2026-07-14 12:00:00 UTC
HOUR = int(NOON) // 3600

spans = st.tuples(st.integers(0, 900_000), st.integers(0, 500)).map(lambda pair: Hours(pair[0], sum(pair)))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(404, b"Raw data files were not found.", True, id="in its own words"),
        pytest.param(404, b'{"error":{"details":"raw data files were not found."}}', True, id="in an envelope"),
        pytest.param(404, b"<html><h1>404 Not Found</h1></html>", False, id="a page of a proxy"),
        pytest.param(404, b"", False, id="nothing"),
        pytest.param(400, b"Raw data files were not found.", False, id="another status"),
    ],
)
def test_only_its_own_words_mean_that_there_are_no_events(status: int, body: bytes, expected: bool) -> None:
    assert says_no_events(Reply(status, {}, body, 0.0)) is expected


def test_the_hour_of_the_examples_is_noon() -> None:
    assert datetime.fromtimestamp(NOON, UTC).isoformat() == "2026-07-14T12:00:00+00:00"


@pytest.mark.parametrize(
    ("minutes", "hour"),
    [
        pytest.param(0, HOUR - 3, id="on the hour"),
        pytest.param(59, HOUR - 3, id="late in the hour"),
        pytest.param(60, HOUR - 2, id="the next"),
    ],
)
def test_an_hour_is_available_two_hours_after_its_end(minutes: int, hour: int) -> None:
    assert last_available(NOON + 60 * minutes) == hour
    assert AVAILABLE_AFTER_H == 3


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        pytest.param(None, Hours(HOUR - 26, HOUR - 3), id="the first run: a day"),
        pytest.param(HOUR - 3, Hours(HOUR - 5, HOUR - 3), id="one new hour, and two for stragglers"),
        pytest.param(HOUR - 2, None, id="nothing new"),
        pytest.param(HOUR - 100, Hours(HOUR - 102, HOUR - 3), id="after a long pause"),
    ],
)
def test_a_run_goes_on_at_its_cursor(cursor: int | None, expected: Hours | None) -> None:
    assert hours_to_read(cursor, NOON) == expected


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param(NOON - 36_000, None, Hours(HOUR - 10, HOUR - 3), id="until now"),
        pytest.param(NOON - 360_000, NOON - 356_400, Hours(HOUR - 100, HOUR - 76), id="an hour, uploaded late"),
        pytest.param(None, NOON, Hours(HOUR - 26, HOUR - 3), id="no start: a day"),
        pytest.param(None, NOON - 360_000, Hours(HOUR - 124, HOUR - 77), id="no start: a day before its end"),
        pytest.param(NOON, None, None, id="not there yet"),
        pytest.param(0, None, Hours(0, HOUR - 3), id="as long ago as it says"),
    ],
)
def test_a_back_fill_reads_the_hours_its_events_may_be_in(
    since: float | None, until: float | None, expected: Hours | None
) -> None:
    bounds = (None if since is None else int(since), None if until is None else int(until))
    assert hours_of_backfill(*bounds, NOON) == expected


@given(spans, st.data())
def test_ranges_are_all_of_the_hours_in_order(hours: Hours, data: st.DataObject) -> None:
    ranges: list[Hours] = []
    part, found = range_after(hours, None), True
    while part is not None:
        ranges.append(part)
        assert 1 <= part.size <= (MOST_HOURS if found else MOST_EMPTY_H)
        found = data.draw(st.booleans())
        part = range_after(hours, part, was_empty=not found)
    assert [one for part in ranges for one in range(part.first, part.last + 1)] == list(
        range(hours.first, hours.last + 1)
    )


def test_years_without_events_take_few_requests() -> None:
    decade = Hours(0, 10 * 365 * 24)
    parts = [range_after(decade, None)]
    while parts[-1] is not None:
        parts.append(range_after(decade, parts[-1], was_empty=True))
    assert len(parts) < 130


@given(spans.filter(lambda hours: hours.size > 1))
def test_halves_are_the_whole_and_both_smaller(hours: Hours) -> None:
    first, second = hours.halves()
    assert (first.first, second.last) == hours
    assert first.last + 1 == second.first
    assert max(first.size, second.size) < hours.size


@given(st.lists(st.integers(0, 200), min_size=1, max_size=20))
def test_runs_at_any_times_leave_no_hour_out(pauses: list[int]) -> None:
    now, cursor, read = NOON, None, set[int]()
    for pause in pauses:
        now += 600 * pause
        hours = hours_to_read(cursor, now)
        if hours is not None:
            assert hours.last <= last_available(now)
            read.update(range(hours.first, hours.last + 1))
            cursor = hours.last + 1
    assert read == set(range(min(read), max(read) + 1))
    assert max(read) == last_available(now)


def test_stragglers_of_two_hours_are_looked_for() -> None:
    hours = hours_to_read(HOUR - 3, NOON)
    assert hours is not None
    assert hours.first == HOUR - 3 - READ_AGAIN_H


def test_hours_are_written_as_the_export_api_wants_them() -> None:
    assert export_path(Hours(HOUR, HOUR + 13)) == "/api/2/export?start=20260714T12&end=20260715T01"
