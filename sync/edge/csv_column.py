"""One column of a CSV file of any size, as bytes, in order.

Machines write CSV of one shape, line after line: such blocks are read at the speed of a regular expression. The first
block with anything else in it (an escaped quote, a line end inside a field, a blank line) and all after it go through
the standard library's reader, strictly as RFC 4180 says. Both give the same. Whoever wants the plain rows themselves
gets them unread.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import NamedTuple, Protocol

BLOCK_BYTES = 1 << 17  # its values are used while the processor's cache has them
ROWS = 20_000
BOM = b"\xef\xbb\xbf"
_CONTENT = bytes(set(range(256)) - set(b'",\r\n\0'))
Opened = io.BufferedReader | io.BufferedRandom  # a file opened for reading, or a temporary one


class Reader(Protocol):
    """What csv.reader gives; its class has no public name."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class Shape(NamedTuple):
    """How plain rows are written: `width` fields, all of them in quotes or none, and always the same line end."""

    width: int
    at: int  # which field is wanted
    quoted: bool
    line_end: bytes

    def line(self, field: bytes) -> bytes:
        """A row of that shape with the same text in each field."""
        field = b'"%b"' % field if self.quoted else field
        return b",".join([field] * self.width) + self.line_end

    def has(self, block: bytes, lines: int) -> bool:
        """Whether `block` is so many rows of this shape, and nothing in them needs a second thought."""
        if block.translate(None, _CONTENT) != self.line(b"") * lines:
            return False
        end = self.line_end
        if not self.quoted:
            blank = self.width == 1 and (block.startswith(end) or end * 2 in block)
            return not blank and (end == b"\n" or block.count(end) == lines)
        # quotes open and close in turn; what is left to see is that no text stands outside of them
        if not (block.startswith(b'"') and block.endswith(b'"' + end)):
            return False
        return block.count(b'","') == lines * (self.width - 1) and block.count(b'"%b"' % end) == lines - 1


class PlainRows(NamedTuple):
    """Rows as they stand in the file."""

    block: bytes
    lines: int
    shape: Shape

    def values(self) -> list[bytes]:
        return _plain_line(self.shape).findall(self.block)


class BadCsv(Exception):
    """Not CSV, or not all of it. `line` is the last line read; `cut_short` when the end is missing."""

    def __init__(self, why: str, line: int, *, cut_short: bool) -> None:
        super().__init__(why)
        self.line = line
        self.cut_short = cut_short


def read_column(
    file: Opened, locate: Callable[[list[str]], int], *, unread: bool = False
) -> Iterator[list[bytes] | PlainRows]:
    """Lists of the values of one column, in UTF-8. `locate` is given the header and returns the column's index. With
    `unread`, rows instead wherever they are plain.

    Raises BadCsv, and UnicodeDecodeError for what is not UTF-8.
    """
    first = file.readline().removeprefix(BOM)
    if first.count(b'"') % 2 or b"\r" in first.rstrip(b"\r\n"):  # a line end inside a name; lines that end with CR
        reader = _reader(first, file)
        header = _header(reader)
        yield from _any_rows(reader, len(header), locate(header), 0)
        return
    header = _header(csv.reader([first.decode()], strict=True))
    line_end = b"\r\n" if first.endswith(b"\r\n") else b"\n"
    shape, line = Shape(len(header), locate(header), first.startswith(b'"'), line_end), 1
    while block := _block(file):
        rows = PlainRows(block, block.count(b"\n"), shape)
        found = _plain(rows, unread=unread)
        if found is None:
            yield from _any_rows(_reader(block, file), len(header), shape.at, line)
            return
        if not block.isascii():
            block.decode()  # raises what a reader of text would raise
        line += rows.lines
        yield found


def _plain(rows: PlainRows, *, unread: bool) -> list[bytes] | PlainRows | None:
    if unread:
        return rows if rows.shape.has(rows.block, rows.lines) else None
    values = rows.values()
    return values if len(values) == rows.lines else None


def _block(file: Opened) -> bytes:
    """Whole lines, each with its end; empty at the end of the file."""
    block = file.read(BLOCK_BYTES)
    if block and not block.endswith(b"\n"):
        block += file.readline()
    return block if not block or block.endswith(b"\n") else block + b"\n"


@cache
def _plain_line(shape: Shape) -> re.Pattern[bytes]:
    """A line of exactly so many fields, all quoted or none, without anything that needs a second thought. Each match
    takes a line end or more, so as many matches as line ends are all of the text, a line each."""
    field = rb'"%b[^"]*+%b"' if shape.quoted else rb'%b[^",\r\n]*+%b'
    if shape.width == 1 and not shape.quoted:
        field = rb'%b[^",\r\n]++%b'  # an empty line is no row
    fields = [field % ((b"(", b")") if number == shape.at else (b"", b"")) for number in range(shape.width)]
    return re.compile(rb"^" + b",".join(fields) + rb"\r?\n", re.MULTILINE)


# -- anything that is CSV ---------------------------------------------------------------------------------------------
class _Rest(io.RawIOBase):
    """What was read already, then what is left of the file."""

    def __init__(self, start: bytes, file: Opened) -> None:
        self._start = memoryview(start)
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer is 3.12's
        if not self._start:
            return self._file.readinto(buffer)
        count = min(len(buffer), len(self._start))
        buffer[:count], self._start = self._start[:count], self._start[count:]
        return count


def _reader(start: bytes, file: Opened) -> Reader:
    return csv.reader(io.TextIOWrapper(io.BufferedReader(_Rest(start, file)), "utf-8", newline=""), strict=True)


def _header(reader: Reader) -> list[str]:
    with _explained(reader, 0):
        return next(reader, [])


def _any_rows(reader: Reader, width: int, at: int, lines_before: int) -> Iterator[list[bytes]]:
    pick = itemgetter(at)
    while True:
        with _explained(reader, lines_before):
            rows = list(islice(reader, ROWS))
        if not rows:
            return
        if set(map(len, rows)) != {width}:
            rows = _whole(rows, width, lines_before + reader.line_num)
        yield list(map(str.encode, map(pick, rows)))


def _whole(rows: list[list[str]], width: int, line: int) -> list[list[str]]:
    """The rows without blank lines; raises on one of another width, which would shift or lose values."""
    rows = [row for row in rows if row]
    odd = next((row for row in rows if len(row) != width), None)
    if odd is not None:
        raise BadCsv(f"a row of {len(odd)} fields where the header has {width}", line, cut_short=True)
    return rows


@contextmanager
def _explained(reader: Reader, lines_before: int) -> Iterator[None]:
    try:
        yield
    except csv.Error as error:
        # the reader has no exception of its own for an end inside a quoted field
        cut_short = "unexpected end of data" in str(error)
        why = "it ends inside a quoted field" if cut_short else str(error)
        raise BadCsv(why, lines_before + reader.line_num, cut_short=cut_short) from error
