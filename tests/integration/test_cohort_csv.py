"""The two ways of reading a column of CSV give the same, wherever one hands over to the other."""

from __future__ import annotations

import csv
import io
import itertools
import re
from typing import cast
from unittest import mock

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sync.edge import csv_column
from sync.edge.csv_column import BadCsv, Shape, read_column

plain = st.text(st.characters(codec="utf-8", exclude_characters='\r\n",'), max_size=6)
odd = st.text(st.sampled_from('a",\r\n \0é'), max_size=6)
fields = st.one_of(plain, plain, plain, odd)
widths = st.integers(1, 4)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(widths)
    return draw(st.lists(st.lists(fields, min_size=width, max_size=width), min_size=1, max_size=30))


def read(content: bytes, at: int = 0) -> list[bytes]:
    file = cast("io.BufferedReader", io.BufferedReader(io.BytesIO(content)))  # typeshed tells them apart, Python not
    found = read_column(file, lambda header: min(at, len(header) - 1))
    return [value for values in found if isinstance(values, list) for value in values]


def reference_rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))


def reference(content: bytes, at: int) -> list[bytes]:
    """The standard library alone."""
    header, *rows = reference_rows(content)
    return [row[min(at, len(header) - 1)].encode() for row in rows if row]


@given(
    tables(), st.integers(0, 3), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(["\r\n", "\n"]),
    st.sampled_from([1, 16, 1 << 20]),
)  # fmt: skip
def test_whatever_the_table_the_column_is_the_same(
    table: list[list[str]], at: int, quoting: int, end: str, block_bytes: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator=end).writerows(table)  # type: ignore[arg-type]  # any of the two
    content = out.getvalue().encode()
    parsed = reference_rows(content)
    assume(parsed[0])  # a blank first line is no header
    assume({len(row) for row in parsed if row} == {len(table[0])})  # the writer leaves a lone CR unquoted
    with mock.patch.object(csv_column, "BLOCK_BYTES", block_bytes):
        assert read(content, at) == reference(content, at)


@pytest.mark.parametrize(
    ("content", "values"),
    [
        pytest.param(b'"a","b"\r\n"1","2"', [b"1"], id="no end on the last line"),
        pytest.param(b'a,b\r\n"1",2\r\n3,4\r\n', [b"1", b"3"], id="quotes after a plain header"),
        pytest.param(b'"a","b"\n1,2\n"3","4"\n', [b"1", b"3"], id="no quotes after a quoted header"),
        pytest.param(b'"a\nb","c"\n"1","2"\n', [b"1"], id="a line end in the header"),
        pytest.param(b"a\n1\n\n2\n", [b"1", b"2"], id="a blank line in a single column"),
        pytest.param(b'"a"\n""\n"1"\n', [b"", b"1"], id="an empty field in a single column"),
    ],
)
def test_files_that_change_their_style(content: bytes, values: list[bytes]) -> None:
    assert read(content) == values


def test_a_line_number_counts_from_the_start_of_the_file() -> None:
    lines = [b'"a","b"', *[b'"1","2"'] * 10_000, b'"1","2"x', b'"1","2"']
    with mock.patch.object(csv_column, "BLOCK_BYTES", 1_000), pytest.raises(BadCsv) as raised:
        read(b"\n".join(lines))
    assert (raised.value.line, raised.value.cut_short) == (10_002, False)


def test_text_that_is_not_utf8_is_noticed_on_both_ways() -> None:
    for content in (b'"a"\n"\xff"\n', b'"a"\n"x""\xff"\n'):
        with pytest.raises(UnicodeDecodeError):
            read(content)


@pytest.mark.parametrize(
    ("shape", "alphabet", "plain_rows"),
    [
        pytest.param(Shape(1, 0, True, b"\n"), 'a",\n', r'("a*"\n)+', id="one field in quotes"),
        pytest.param(Shape(2, 0, True, b"\n"), 'a",\n', r'("a*","a*"\n)+', id="two fields in quotes"),
        pytest.param(Shape(1, 0, True, b"\r\n"), 'a"\r\n', r'("a*"\r\n)+', id="one field in quotes, with CR"),
        pytest.param(Shape(1, 0, False, b"\n"), 'a",\n', r"(a+\n)+", id="one field"),
        pytest.param(Shape(1, 0, False, b"\r\n"), "a\0\r\n", r"(a+\r\n)+", id="one field, with CR"),
        pytest.param(Shape(2, 0, False, b"\n"), 'a",\n', r"(a*,a*\n)+", id="two fields"),
    ],
)
def test_rows_are_plain_or_not_whatever_the_text(shape: Shape, alphabet: str, plain_rows: str) -> None:
    """Every text of up to eight characters, of which the last is a line end."""
    expected = re.compile(plain_rows.encode())
    for length in range(8):
        for letters in itertools.product(alphabet, repeat=length):
            block = "".join(letters).encode() + b"\n"
            assert shape.has(block, block.count(b"\n")) == bool(expected.fullmatch(block)), block
