"""A cohort in files: Amplitude's CSV or one JSON object a line, plain or gzip, told apart by their content.

Streams identifiers into a spool, byte-exact, and counts what could not be used. Anything that makes a file doubtful
(cut short, broken, without the column) is an error and not a smaller cohort: missing people would be removed.
Source of the format: Amplitude > Behavioral Cohorts API; quoted fields may hold line ends, header names may repeat.
"""

from __future__ import annotations

import glob
import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from isal import igzip, isal_zlib
from msgspec import UNSET

from sync.core.errors import SnapshotIncomplete, SourceError
from sync.core.facts import SnapshotFacts, fit_ids
from sync.core.rows import NOT_JSON, REPLACEMENT, mend
from sync.core.wire_segments import fold
from sync.edge import parquet
from sync.edge.csv_column import BOM, BadCsv, Opened, PlainRows, read_column
from sync.edge.files import spoken
from sync.edge.membership import Spool

CHUNK = 20_000  # rows handled at a time
_NO_ID = object()
UNMAPPED, TOO_LONG, BAD_ROW = "unresolved_mapping", "id_too_long", "bad_row"
_GZIP = b"\x1f\x8b"
_BROKEN_DEFLATE = cast("type[Exception]", isal_zlib.error)  # isal's stubs call the class an instance
_KNOWN_HEADERS = frozenset({"amplitude_id", "amplitudeid", "user_id", "userid", "cohort_id", "email"})
_NOT_TEXT = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet; unpack it, or save it as CSV"),
    (parquet.MAGIC, "a Parquet file inside of gzip; unpack it"),
)


def read_cohort(source: str, id_column: str, id_type: str, spool: Spool) -> SnapshotFacts:
    """Read every file that `source` (a path or a glob) names into `spool` and return the counts.

    Raises SourceError when a file can't be found, read or understood, SnapshotIncomplete when it was cut short.
    """
    rows = _Rows(id_type, spool)
    for path in _paths(source):
        name = spoken(path)
        with _explained(name), path.open("rb") as raw:
            if raw.peek(4).startswith(parquet.MAGIC):
                _read_parquet(path, id_column, rows)
            else:
                _read(name, _unpacked(raw), id_column, rows)
    facts = rows.facts()
    if rows.skipped and not rows.has_column:
        raise SourceError(
            f"no line of {source} has a value called {id_column!r}; nothing was sent",
            hint="name the one that holds the identifiers with --id-column",
            code="no_id_column",
        )
    return facts


def read_downloaded(file: io.BufferedRandom, name: str, id_column: str, id_type: str, spool: Spool) -> SnapshotFacts:
    """The same for one open file; `name` is what errors call it."""
    rows = _Rows(id_type, spool)
    with _explained(name):
        _read(name, _unpacked(file), id_column, rows)
    return rows.facts()


def read_ids(chunks: Iterable[list[str]], id_type: str, spool: Spool) -> SnapshotFacts:
    """The same for identifiers that are there already, some thousands at a time."""
    rows = _Rows(id_type, spool)
    for chunk in chunks:
        rows.add([one.encode() for one in chunk])
    return rows.facts()


def _paths(source: str) -> list[Path]:
    if Path(source).is_dir():
        raise SourceError(f"{source} is a folder; nothing was sent", hint=f"name the files: '{source.rstrip('/')}/*'")
    found = [source] if Path(source).exists() else sorted(glob.glob(source, recursive=True))
    paths = [Path(name) for name in found if Path(name).is_file() or not Path(name).is_dir()]
    if not paths:
        raise SourceError(f"no file matches {source}; nothing was sent", hint="check the path")
    return paths


class _Rows:
    """Turns the values of a column into ids and counts the rest."""

    def __init__(self, id_type: str, spool: Spool) -> None:
        self.skipped: Counter[str] = Counter()
        self.kept = 0
        self.has_column = False  # somewhere: a JSON object may leave out what it has no value for
        self._id_type = id_type
        self._spool = spool

    @property
    def unread(self) -> bool:
        """Whether rows of a CSV may come as they are: where nothing in an identifier is folded."""
        return self._id_type == "id" and self._spool.takes_rows

    def add_rows(self, rows: PlainRows) -> None:
        if not self._spool.take(rows):
            self.add(rows.values())

    def add(self, ids: list[bytes]) -> None:
        if self._id_type != "id":
            ids = [fold(one.decode(), self._id_type).encode() for one in ids]
        fit = fit_ids(ids)
        self._count(len(fit.ids), fit.blank, fit.too_long)
        self.skip(BAD_ROW, fit.broken)
        self._spool.add(fit.ids)

    def _count(self, kept: int, blank: int, too_long: int) -> None:
        self.kept += kept
        self.skip(UNMAPPED, blank)
        self.skip(TOO_LONG, too_long)

    def facts(self) -> SnapshotFacts:
        """The counts, when all is read."""
        for values in self._spool.give_back():
            self.add(values)
        self._count(*self._spool.taken)
        return SnapshotFacts(self.kept, dict(self.skipped))

    def skip(self, reason: str, count: int) -> None:
        if count:
            self.skipped[reason] += count


# -- what kind of file ------------------------------------------------------------------------------------------------
def _unpacked(file: Opened) -> Opened:
    """The file's content, gunzipped when its first bytes say gzip, whatever it is called."""
    if not file.peek(2).startswith(_GZIP):
        return file
    return io.BufferedReader(igzip.IGzipFile(fileobj=file), 1 << 20)


def _read(path: str, file: Opened, id_column: str, rows: _Rows) -> None:
    head = file.peek(4096)[:4096]
    text = head.removeprefix(BOM).lstrip()
    if not text:
        raise SourceError(f"{path} is empty, without even a header; nothing was sent", hint="export the cohort again")
    for magic, what in _NOT_TEXT:
        if head.startswith(magic):
            raise SourceError(f"{path} is {what}; nothing was sent", hint="give a CSV or JSONL file, plain or gzip")
    if b"\0" in text.partition(b"\n")[0]:
        raise _unknown(path)
    if text.startswith(b"{"):
        _read_jsonl(path, file, id_column, rows)
    else:
        _read_csv(path, file, id_column, rows)


def _unknown(path: str) -> SourceError:
    return SourceError(
        f"{path} is of an unknown type; nothing was sent",
        hint="give an Amplitude cohort CSV or one JSON object a line, plain or gzip",
    )


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Every way in which reading can fail, as one clear error; no content is ever quoted."""
    try:
        yield
    except EOFError as error:
        raise SnapshotIncomplete(
            f"{path} is cut short: its gzip stream has no end; nothing was planned or sent",
            hint="download the file again",
        ) from error
    except (gzip.BadGzipFile, _BROKEN_DEFLATE) as error:
        raise SourceError(f"{path} has damaged gzip data; nothing was sent", hint="download it again") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is not UTF-8 text; nothing was sent", hint="export it as UTF-8") from error
    except OSError as error:
        raise SourceError(
            f"{path} can't be read: {error.strerror or 'the system refused'}; nothing was sent", hint="check the file"
        ) from error


# -- CSV --------------------------------------------------------------------------------------------------------------
def _read_csv(path: str, file: Opened, id_column: str, rows: _Rows) -> None:
    try:
        for found in read_column(file, lambda header: _column(path, header, id_column), unread=rows.unread):
            rows.has_column = True
            if isinstance(found, PlainRows):
                rows.add_rows(found)
            else:
                rows.add(found)
    except BadCsv as error:
        if error.cut_short:
            raise SnapshotIncomplete(
                f"{path} is cut short or not quoted well, at or before line {error.line}: {error};"
                " nothing was planned or sent",
                hint="export the cohort again",
            ) from error
        raise SourceError(
            f"{path} is not RFC 4180 CSV at line {error.line} ({error}); nothing was sent",
            hint="export the cohort again",
        ) from error


def _column(path: str, header: list[str], id_column: str) -> int:
    """Where the ids are: the first column of that name, for names may repeat."""
    if id_column in header:
        return header.index(id_column)
    names = ", ".join(dict.fromkeys(header))
    # a first line that is no header holds people, and those are not for an error message
    known = any(name.strip().lower() in _KNOWN_HEADERS for name in header)
    there = f"its columns are: {names[:500]}" if known else "its first line does not look like a header either"
    raise SourceError(
        f"{path} has no column {id_column!r}; {there}; nothing was sent",
        hint="name the column that holds the identifiers with --id-column",
        code="no_id_column",
    )


# -- JSONL ------------------------------------------------------------------------------------------------------------
def _read_jsonl(path: str, file: BinaryIO, id_column: str, rows: _Rows) -> None:
    row = msgspec.defstruct("Row", [("value", Any, UNSET)], rename={"value": id_column}, gc=False)
    decode = msgspec.json.Decoder(row).decode
    lines = (line for line in _lines(file) if not line.isspace())
    while chunk := list(islice(lines, CHUNK)):
        try:
            values = _values(chunk, lambda line: decode(line).value)  # type: ignore[attr-defined]  # made just above
        except (*NOT_JSON, ValueError) as error:
            raise SnapshotIncomplete(
                f"{path} has a line that is not one JSON object; nothing was planned or sent",
                hint="the file is cut short or of another type: export the cohort again",
            ) from error
        _add(values, rows)


def _values(lines: list[bytes], value_of: Callable[[bytes], object]) -> list[object]:
    try:
        return [value_of(line) for line in lines]
    except NOT_JSON:
        return [_mended_value(line, value_of) for line in lines]


def _mended_value(line: bytes, value_of: Callable[[bytes], object]) -> object:
    """The same for a line of which some value is no strict JSON, NaN or half a surrogate pair; an identifier of that
    kind is none. Raises ValueError and NOT_JSON where the line is not whole."""
    try:
        return value_of(line)
    except NOT_JSON:
        line.decode()  # bytes that are no text may be the end of what was cut
        value = value_of(mend(line))
        return _NO_ID if isinstance(value, str) and REPLACEMENT in value else value


def _read_parquet(path: Path, id_column: str, rows: _Rows) -> None:
    for values in parquet.read_values(path, id_column):
        _add(values, rows)


def _add(values: list[object], rows: _Rows) -> None:
    rows.has_column = rows.has_column or any(value is not UNSET for value in values)
    texts = list(map(_text, values))
    rows.add([text.encode() for text in texts if text is not None])
    rows.skip(BAD_ROW, texts.count(None))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    first = file.readline().removeprefix(BOM)
    if first:
        yield first
    yield from file


def _text(value: object) -> str | None:
    """An identifier as text: a whole number by its digits, null and nothing as empty; None for all that is no id."""
    if isinstance(value, str):
        return value
    if value is None or value is UNSET:
        return ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
