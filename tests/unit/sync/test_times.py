"""Event times: every spelling that Amplitude uses, and none that it does not; never "now"."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.times import TimeReader, encode_moment, parse_moment_s, parse_ms

TEN = 1_784_023_200_000  # 2026-07-14 10:00:00 UTC

READABLE = [
    pytest.param("2026-07-14 10:00:00.999999", TEN + 999, id="an export row: rounded down, not to the nearest"),
    pytest.param("2026-07-14 10:00:00.000000", TEN, id="a whole second, written in full"),
    pytest.param("2026-07-14 10:00:00", TEN, id="no fraction"),
    pytest.param("2026-07-14T10:00:00", TEN, id="a T"),
    pytest.param("2026-07-14T10:00:00Z", TEN, id="a Z"),
    pytest.param("2026-07-14T10:00:00.123", TEN + 123, id="three digits, as a webhook writes"),
    pytest.param("2026-07-14T10:00:00.123Z", TEN + 123, id="three digits and a Z"),
    pytest.param("2026-07-14 10:00:00.1", TEN + 100, id="one digit"),
    pytest.param("2026-07-14 10:00:00.12", TEN + 120, id="two digits"),
    pytest.param("2026-07-14 10:00:00.1234567", TEN + 123, id="seven digits"),
    pytest.param("2026-07-14T10:00:00.123456Z", TEN + 123, id="six digits and a Z"),
    pytest.param("2026-07-14T12:00:00+02:00", TEN, id="an offset"),
    pytest.param("2026-07-14T06:30:00.5-0330", TEN + 500, id="an offset without a colon"),
    pytest.param("1970-01-01 00:00:00", 0, id="the epoch"),
    pytest.param("1969-12-31 23:59:59.500000", -500, id="before the epoch"),
    pytest.param("0001-01-01 00:00:00", -62_135_596_800_000, id="the first year"),
    pytest.param("9999-12-31 23:59:59.999999", 253_402_300_799_999, id="the last year"),
    pytest.param("2024-02-29 00:00:00", 1_709_164_800_000, id="a leap day"),
    pytest.param("2026-10-25 02:30:00", 1_792_895_400_000, id="an hour that clocks with summer time see twice: UTC"),
]
UNREADABLE = [
    pytest.param("", id="empty"),
    pytest.param("garbage", id="garbage"),
    pytest.param("2026-07-14", id="a day alone"),
    pytest.param("2026-13-45 99:99:99.000000", id="no such moment"),
    pytest.param("2026-02-29 10:00:00", id="no such day"),
    pytest.param("2026-07-14 24:00:00", id="hour 24"),
    pytest.param("2026-07-14 10:60:00", id="minute 60"),
    pytest.param("2026-07-14 10:00:60", id="a leap second"),
    pytest.param("0000-01-01 00:00:00", id="no such year"),
    pytest.param("2026-07-14 10:00", id="no seconds"),
    pytest.param("2026-07-14 10:00:00.", id="a dot alone"),
    pytest.param("2026-07-14 10:00:00.12x", id="a letter in the fraction"),
    pytest.param("2026-07-14 10:00:00.123ZZ", id="two zones"),
    pytest.param("2026-07-14 10:00:00 CEST", id="a zone by name"),
    pytest.param("2026-07-14T10:00:00+02:60", id="an offset of 60 minutes"),
    pytest.param("2026-07-14T10:00:00+24:00", id="an offset of a day"),
    pytest.param(" 2026-07-14 10:00:00", id="a space before it"),
    pytest.param("2026-07-14 10:00:00\n", id="a line end behind it"),
    pytest.param("\uff12\uff10\uff12\uff16-07-14 10:00:00", id="digits of another script"),
    pytest.param("2026-07-14 10:00:00.\uff11\uff12\uff13", id="a fraction of another script"),
    pytest.param("1784023200000", id="a number"),
]


@pytest.mark.parametrize(("text", "ms"), READABLE)
def test_a_time_is_read_as_utc(text: str, ms: int) -> None:
    reader = TimeReader()
    assert [parse_ms(text), reader.parse_ms(text), reader.parse_ms(text)] == [ms, ms, ms]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_time_stays_none(text: str) -> None:
    reader = TimeReader()
    reader.parse_ms("2026-07-14 10:00:00.000000")  # the hour is known, and that must not make it any kinder
    assert [parse_ms(text), reader.parse_ms(text)] == [None, None]


@pytest.mark.parametrize("value", [None, 1_784_023_200, 1.5, True, ["2026-07-14 10:00:00"]])
def test_what_is_no_text_is_no_time(value: object) -> None:
    assert TimeReader().parse_ms(value) is None


@given(st.datetimes(), st.sampled_from(["microseconds", "milliseconds", "seconds"]), st.sampled_from(" T"))
def test_every_moment_comes_back_as_itself(moment: datetime, precision: str, separator: str) -> None:
    text = moment.isoformat(sep=separator, timespec=precision)
    cut = datetime.fromisoformat(text).replace(tzinfo=UTC)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    expected = (cut - epoch).days * 86_400_000 + (cut - epoch).seconds * 1000 + cut.microsecond // 1000
    reader = TimeReader()
    assert [parse_ms(text), reader.parse_ms(text), reader.parse_ms(text)] == [expected] * 3


def test_the_reader_forgets_hours_before_it_holds_too_many() -> None:
    reader = TimeReader()
    hours = [f"{year:04}-{month:02}-01 00:00:00.000000" for year in range(1000, 1400) for month in range(1, 13)]
    assert [reader.parse_ms(text) for text in hours] == [parse_ms(text) for text in hours]
    assert len(reader._hours) < len(hours)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("2026-07-14", 1_783_987_200, id="a day"),
        pytest.param("2026-07-14T10:00:00Z", 1_784_023_200, id="a moment"),
        pytest.param("1784023200", 1_784_023_200, id="Unix seconds"),
        pytest.param("-1", -1, id="before the epoch"),
        pytest.param("2026-02-30", None, id="no such day"),
        pytest.param("yesterday", None, id="a word"),
        pytest.param("", None, id="nothing"),
        pytest.param("²", None, id="a digit that is no number"),
        pytest.param("253402300799", 253_402_300_799, id="the last second of 9999"),
        pytest.param("253402300800", None, id="beyond the calendar"),
        pytest.param("1784023200000", None, id="Unix milliseconds"),
        pytest.param("9" * 5_000, None, id="digits without end"),
        pytest.param("-62135596801", None, id="before the calendar"),
    ],
)
def test_a_typed_moment_is(text: str, seconds: int | None) -> None:
    assert parse_moment_s(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (1_784_023_200, "2026-07-14T10:00:00Z"),
     (10**13, "10000000000000")],
)  # fmt: skip
def test_a_moment_is_written(seconds: int, text: str) -> None:
    assert encode_moment(seconds) == text
