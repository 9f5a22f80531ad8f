"""One line of an Amplitude export, read as far as a mapping needs it; properties stay the bytes they were.

Reads a chunk of lines at a time. Lines that strict JSON does not allow are mended where that is harmless (NaN and
Infinity become null, what is no Unicode becomes U+FFFD, a number in a text column becomes text); a line that is still
no row is kept as Unreadable and never stops its neighbours.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Any

import msgspec
from msgspec import Raw, field

NO_PROPERTIES = Raw(b"{}")
_TEXT_COLUMNS = ("event_type", "event_time", "device_id", "$insert_id", "uuid")
REPLACEMENT = "\ufffd"  # stands where there was no text
_NO_TEXT = re.compile("[\ud800-\udfff\0]")
MOST_LEVELS = 300  # of nesting in properties. Amplitude takes 40; where more is harmful depends on who reads it
TOO_DEEP = f"nested more than {MOST_LEVELS} levels deep"
_DEEP_BYTES = 2 * MOST_LEVELS  # an opening and a closing bracket for each level
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
#: What reading a text raises that is no JSON; RecursionError is nesting of about a thousand levels.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Row(msgspec.Struct, gc=False):
    """The columns that a mapping reads, of the 55 there are; each may be null or missing.

    Source: amplitude.com > Export API; the key list of a live export.
    """

    event_type: str | None = None
    event_time: str | None = None
    user_id: str | int | None = None
    device_id: str | None = None
    insert_id: str | None = field(name="$insert_id", default=None)
    uuid: str | None = None
    app: int | str | None = None
    event_properties: Raw = NO_PROPERTIES
    user_properties: Raw = NO_PROPERTIES
    group_properties: Raw = NO_PROPERTIES
    groups: Raw = NO_PROPERTIES


class Unreadable(Row, gc=False):
    """Stands in for a line that is no row, so that the rows around it keep their positions. `why` says more than that,
    where there is more to say."""

    text: bytes = b""
    why: str = ""


class NamelessRow(Row, gc=False):
    """A row with what tells it from others when it has neither `$insert_id` nor `uuid`. Rare, so read on demand."""

    client_event_time: Raw = Raw(b"null")
    event_id: Raw = Raw(b"null")
    amplitude_id: Raw = Raw(b"null")


_ROWS = msgspec.json.Decoder(Row)
_NAMELESS = msgspec.json.Decoder(NamelessRow)


def parse_rows(chunk: bytes) -> list[Row]:
    """The rows of a chunk of whole lines, in order; blank lines don't count."""
    return _parse(chunk, _ROWS)


def parse_nameless_rows(chunk: bytes) -> list[Row]:
    """The same rows as NamelessRow, where they are readable."""
    return _parse(chunk, _NAMELESS)


def parse_rows_as(chunk: bytes, decoder: msgspec.json.Decoder[Any]) -> list[Row]:
    """The same rows as another kind of Row, where they are readable."""
    return _parse(chunk, decoder)


def _parse(chunk: bytes, decoder: msgspec.json.Decoder[Any]) -> list[Row]:
    if _is_plain(chunk):
        try:
            rows: list[Row] = decoder.decode_lines(chunk)
            if not any(map(_is_deep, _long(rows))):
                return rows
        except NOT_JSON:
            pass
    return [row for line in chunk.split(b"\n") if line.strip() for row in _parse_line(line, decoder)]


def _parse_line(line: bytes, decoder: msgspec.json.Decoder[Any]) -> list[Row]:
    why = ""
    for prepare in (_as_it_is, _mend_row):
        try:
            rows: list[Row] = decoder.decode_lines(prepare(line))
            return [Unreadable(text=line, why=TOO_DEEP) if _is_deep(row) else row for row in rows]
        except (*NOT_JSON, ValueError) as error:
            why = TOO_DEEP if isinstance(error, RecursionError) else ""
    return [Unreadable(text=line, why=why)]


def _long(rows: list[Row]) -> list[Row]:
    """Those long enough to be deep."""
    return [
        row for row in rows
        if len(row.event_properties) > _DEEP_BYTES or len(row.user_properties) > _DEEP_BYTES
        or len(row.group_properties) > _DEEP_BYTES or len(row.groups) > _DEEP_BYTES
    ]  # fmt: skip


def _is_deep(row: Row) -> bool:
    """Whoever reads a value does so level by level, and nobody can go down for ever."""
    raws = (row.event_properties, row.user_properties, row.group_properties, row.groups)
    return any(_levels(bytes(raw)) > MOST_LEVELS for raw in raws if len(raw) > _DEEP_BYTES)


def _levels(text: bytes) -> int:
    if text.count(b"[") + text.count(b"{") <= MOST_LEVELS:  # those inside of texts included
        return 0
    steps = (1 if bracket in b"[{" else -1 for bracket in _BRACKET.findall(_TEXT.sub(b"", text)))
    return max(accumulate(steps), default=0)  # none at all, where a column is nothing but a text of brackets


def _as_it_is(line: bytes) -> bytes:
    if not _is_plain(line):
        raise ValueError("the line needs mending")
    return line


def _is_plain(text: bytes) -> bool:
    """Nothing here that the decoder would let through inside untouched properties: bad UTF-8 or an escaped NUL."""
    if b"\\" in text and b"\\u0000" in text:
        return False
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def mend(text: bytes) -> bytes:
    """Any JSON text as strict JSON on one line; raises ValueError or RecursionError where it is beyond that."""
    return _encode(_read_loosely(text))


def _mend_row(line: bytes) -> bytes:
    value = _read_loosely(line)
    if isinstance(value, dict):
        value.update({key: str(value[key]) for key in _TEXT_COLUMNS if _is_number(value.get(key))})
    return _encode(value)


def _read_loosely(text: bytes) -> Any:
    return _clean(json.loads(text.decode("utf-8", "replace")))


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_clean_text(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _clean_text(text: str) -> str:
    """Half a surrogate pair and NUL are no text that a receiver could keep."""
    return _NO_TEXT.sub(REPLACEMENT, text)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
