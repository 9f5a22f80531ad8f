"""Event times as Amplitude writes them, to Unix milliseconds. What is no time stays none: never "now" in its place.

Customer.io puts the moment of receipt where it can't read a timestamp and tells nobody, so a text that this file does
not understand is the caller's `bad_timestamp`. Times without a zone are UTC (amplitude.com > Export API > event_time).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_TEXT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:(Z)|([+-])(\d\d):?(\d\d))?", re.ASCII
)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_FIRST_S, _LAST_S, _MOST_DIGITS = -62_135_596_800, 253_402_300_799, 12  # the years 1 to 9999

# The usual text is 26 characters, `2026-07-14 10:00:00.000000`: read by looking its parts up, a third of the price of
# datetime.fromisoformat and as strict. What is in no table goes the long way round.
_IN_HOUR = {f"{minute:02}:{second:02}": (60 * minute + second) * 1000 for minute in range(60) for second in range(60)}
_IN_SECOND = {f".{n:03}": n for n in range(1000)}
_BEYOND = frozenset({"", "Z"} | {f"{n:03}{zone}" for n in range(1000) for zone in ("", "Z")})
_MOST_HOURS = 4096


class TimeReader:
    """Reads many times that lie close together: remembers the hours it has seen, a bounded number of them."""

    def __init__(self) -> None:
        self._hours: dict[str, int] = {}

    def parse_ms(self, text: object) -> int | None:
        """Unix milliseconds, rounded down (before 1970 they are negative); None for what is no time."""
        if type(text) is not str:
            return None
        try:
            ms = self._hours[text[:14]] + _IN_HOUR[text[14:19]] + _IN_SECOND[text[19:23]]
        except KeyError:
            return self._parse_new(text)
        return ms if text[23:] in _BEYOND else parse_ms(text)

    def _parse_new(self, text: str) -> int | None:
        hour = parse_ms(text[:14] + "00:00")
        if hour is not None:
            if len(self._hours) >= _MOST_HOURS:
                self._hours.clear()
            self._hours[text[:14]] = hour
        return parse_ms(text)


def parse_ms(text: str) -> int | None:
    """One time: a `T` or a space, any fraction, `Z`, an offset or none; None for what is no time."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, off_hours, off_minutes = match.groups()
    try:
        zone = _zone(sign, off_hours, off_minutes)
        at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=zone)
    except ValueError:
        return None
    return (at - _EPOCH) // _MS + int((fraction or "")[:3].ljust(3, "0"))


def _zone(sign: str | None, hours: str, minutes: str) -> timezone:
    if sign is None:
        return UTC
    if int(minutes) > 59:
        raise ValueError("an offset has at most 59 minutes")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(offset if sign == "+" else -offset)


def parse_moment_s(text: str) -> int | None:
    """A moment as a person types it for `--since` and `--until`: a time as above, a day, or Unix seconds.

    None for what is none of these, and beyond the calendar: Unix milliseconds say a year that no event is of.
    """
    if text.isascii() and text.removeprefix("-").isdigit():
        return int(text) if len(text) <= _MOST_DIGITS and _FIRST_S <= int(text) <= _LAST_S else None
    ms = parse_ms(f"{text} 00:00:00" if _DAY.fullmatch(text) else text)
    return None if ms is None else ms // 1000


def encode_moment(seconds: int) -> str:
    """Unix seconds as ISO 8601 in UTC, for a report; a moment beyond the calendar is written as the number."""
    try:
        return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:
        return str(seconds)
