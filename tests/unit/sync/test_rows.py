"""Lines of an export: what is read, what is mended, what is no row; and that one line never harms another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.rows import MOST_LEVELS, NamelessRow, Row, Unreadable, parse_nameless_rows, parse_rows

WHOLE = b'{"event_type":"a","event_time":"t","user_id":"u","device_id":"d","$insert_id":"i","uuid":"x","app":1}'


def only(line: bytes) -> Row:
    (row,) = parse_rows(line)
    return row


def properties(line: bytes) -> Any:
    return json.loads(bytes(only(line).event_properties))


def test_the_columns_of_a_mapping_are_read() -> None:
    row = only(WHOLE)
    assert (row.event_type, row.event_time, row.user_id, row.device_id) == ("a", "t", "u", "d")
    assert (row.insert_id, row.uuid, row.app, bytes(row.event_properties)) == ("i", "x", 1, b"{}")


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(WHOLE, id="no line end"),
        pytest.param(WHOLE + b"\n", id="a line end"),
        pytest.param(WHOLE + b"\r\n", id="a line end of Windows"),
        pytest.param(b"\n\n  \n" + WHOLE + b"\n\n", id="blank lines"),
        pytest.param(b'{"user_id":"u","unknown":{"deep":[1]},' + WHOLE[1:], id="columns that nobody knows"),
    ],
)
def test_a_line_is_one_row(chunk: bytes) -> None:
    assert [row.user_id for row in parse_rows(chunk)] == ["u"]


@pytest.mark.parametrize("neighbour", [b"", b"broken"])
def test_two_objects_in_one_line_are_two_rows(neighbour: bytes) -> None:
    rows = parse_rows(WHOLE + WHOLE + b"\n" + neighbour)
    assert [row.user_id for row in rows[:2]] == ["u", "u"]


NO_ROWS = [
    pytest.param(b'{"event_type":"a","ev', id="cut short"),
    pytest.param(b"[1,2]", id="a list"),
    pytest.param(b"7", id="a number"),
    pytest.param(b"null", id="null"),
    pytest.param(b"hello", id="a word"),
    pytest.param(b"{'event_type':'a'}", id="another kind of quotes"),
    pytest.param(b'{"user_id":{"a":1}}', id="an object as user id"),
    pytest.param(b'{"user_id":true}', id="a truth value as user id"),
    pytest.param(b'{"event_type":["a"]}', id="a list as name"),
    pytest.param(b"\xff\xfe\x00", id="no text at all"),
    pytest.param(b'{"event_properties":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="nesting without end"),
    pytest.param(b'{"event_properties":{"n":' + b"9" * 10_000 + b',"x":NaN}}', id="a number of 10,000 digits to mend"),
]


@pytest.mark.parametrize("line", NO_ROWS)
def test_what_is_no_row_is_kept_as_such_between_its_neighbours(line: bytes) -> None:
    before, bad, after = parse_rows(b"\n".join((WHOLE, line, WHOLE)))
    assert isinstance(bad, Unreadable)
    assert bad.text == line
    assert (before.user_id, after.user_id) == ("u", "u")


MENDED = [
    pytest.param(b'{"event_properties":{"x":NaN}}', {"x": None}, id="NaN"),
    pytest.param(b'{"event_properties":{"x":[Infinity,-Infinity,1]}}', {"x": [None, None, 1]}, id="Infinity"),
    pytest.param(b'{"event_properties":{"x":NaN,"y":1e400}}', {"x": None, "y": None}, id="an overflow beside NaN"),
    pytest.param(b'{"event_properties":{"x":"a\\u0000b"}}', {"x": "a\ufffdb"}, id="an escaped NUL"),
    pytest.param(b'{"event_properties":{"x":"a\x00b"}}', None, id="a raw NUL"),
    pytest.param(b'{"event_properties":{"x":"\\ud800"}}', {"x": "\ufffd"}, id="half a surrogate pair, the first"),
    pytest.param(b'{"event_properties":{"x":"\\udc00!"}}', {"x": "\ufffd!"}, id="half a surrogate pair, the second"),
    pytest.param(b'{"event_properties":{"\\ud800":1}}', {"\ufffd": 1}, id="half a surrogate pair in a name"),
    pytest.param(b'{"event_properties":{"x":"\\ud83d\\ude00"}}', {"x": "\U0001f600"}, id="a whole surrogate pair"),
    pytest.param(b'{"event_properties":{"x":"\xff"}}', {"x": "\ufffd"}, id="a byte that is no UTF-8"),
    pytest.param(b'{"event_properties":{"x":"\xc3\xa9"}}', {"x": "é"}, id="UTF-8"),
]


@pytest.mark.parametrize(("line", "expected"), MENDED)
def test_what_json_does_not_allow_is_mended(line: bytes, expected: Any) -> None:
    if expected is None:
        assert isinstance(only(line), Unreadable)
    else:
        assert properties(line) == expected
        assert bytes(only(line).event_properties).decode("utf-8")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param(b"9223372036854775808", b"9223372036854775808", id="two to the 63"),
        pytest.param(b"123456789012345678901234567890", b"123456789012345678901234567890", id="thirty digits"),
        pytest.param(b"1.10", b"1.10", id="a trailing zero"),
        pytest.param(b'{"a.b":{"":[]}}', b'{"a.b":{"":[]}}', id="names with dots and without letters"),
        pytest.param(b"[" * 41 + b"]" * 41, b"[" * 41 + b"]" * 41, id="41 levels"),
    ],
)
def test_properties_stay_the_bytes_they_were(text: bytes, kept: bytes) -> None:
    assert bytes(only(b'{"event_properties":' + text + b"}").event_properties) == kept


def test_a_number_in_a_text_column_becomes_text() -> None:
    row = only(b'{"event_type":7,"device_id":12,"$insert_id":1.5,"uuid":null,"user_id":42}')
    assert (row.event_type, row.device_id, row.insert_id, row.uuid, row.user_id) == ("7", "12", "1.5", None, 42)


def test_nameless_rows_keep_the_positions_of_all_rows() -> None:
    chunk = b'{"event_id":1}\n\nbroken\n{"event_id":2}\n'
    rows = parse_nameless_rows(chunk)
    assert [type(row).__name__ for row in rows] == ["NamelessRow", "Unreadable", "NamelessRow"]
    assert [bytes(row.event_id) for row in rows if isinstance(row, NamelessRow)] == [b"1", b"2"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=4), st.booleans())
def test_any_json_comes_through_a_line(objects: list[dict[str, Any]], ascii_only: bool) -> None:
    lines = [json.dumps({"event_properties": one}, ensure_ascii=ascii_only) for one in objects]
    rows = parse_rows("\n".join(lines).encode("utf-8", "surrogatepass"))
    assert [json.loads(bytes(row.event_properties)) for row in rows] == [
        json.loads(json.dumps(one).replace("\\u0000", "\\ufffd")) for one in objects
    ]


@given(st.binary(max_size=200))
def test_no_bytes_stop_the_reading(noise: bytes) -> None:
    rows = parse_rows(WHOLE + b"\n" + noise + b"\n" + WHOLE)
    assert (rows[0].user_id, rows[-1].user_id) == ("u", "u")


# -- nesting ----------------------------------------------------------------------------------------------------------
def nested(levels: int, open: bytes, close: bytes) -> bytes:
    """An object that is nested so many levels deep, itself included."""
    return b'{"deep":' + open * (levels - 1) + b"1" + close * (levels - 1) + b"}"


COLUMNS = ("event_properties", "user_properties", "group_properties", "groups")
KINDS = [pytest.param(b"[", b"]", id="lists"), pytest.param(b'{"a":', b"}", id="objects")]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(("open", "close"), KINDS)
def test_properties_are_read_down_to_a_level_and_no_further(column: str, open: bytes, close: bytes) -> None:
    def line(levels: int) -> bytes:
        return b'{"%b":%b,' % (column.encode(), nested(levels, open, close)) + WHOLE[1:]

    whole, too_deep, neighbour = parse_rows(b"\n".join([line(MOST_LEVELS), line(MOST_LEVELS + 1), WHOLE]))
    assert bytes(getattr(whole, column)) == nested(MOST_LEVELS, open, close)
    assert isinstance(too_deep, Unreadable)
    assert (too_deep.text, too_deep.why) == (line(MOST_LEVELS + 1), "nested more than 300 levels deep")
    assert neighbour == only(WHOLE)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_is_a_text_of_brackets_has_no_levels(column: str) -> None:
    """Once, such a text ended the whole run."""
    text = json.dumps("[" * 700).encode()
    strange, neighbour = parse_rows(b'{"%b":%b,' % (column.encode(), text) + WHOLE[1:] + b"\n" + WHOLE)
    assert bytes(getattr(strange, column)) == text
    assert neighbour == only(WHOLE)


@pytest.mark.parametrize("noise", [b"", b'"nan":NaN,'], ids=["plain", "to be mended"])
@pytest.mark.parametrize("levels", [500, 5_000, 100_000])
def test_it_is_told_that_a_line_is_nested_too_deep_however_deep_it_is(levels: int, noise: bytes) -> None:
    row = only(b'{"event_properties":' + nested(levels, b"[", b"]") + b"," + noise + WHOLE[1:])
    assert isinstance(row, Unreadable)
    assert row.why == "nested more than 300 levels deep"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b'"' + b"[{" * 900 + b'"', id="brackets in a text"),
        pytest.param(rb'"\"' + b"[" * 900 + rb"\\" + b'"', id="brackets after an escaped quote"),
        pytest.param(b"[" + b"[]," * 900 + b"[]]", id="lists beside each other"),
    ],
)
def test_what_only_looks_deep_is_no_matter(value: bytes) -> None:
    row = only(b'{"event_properties":{"x":' + value + b"}," + WHOLE[1:])
    assert bytes(row.event_properties) == b'{"x":' + value + b"}"
