"""The same comparison for very many ids: DuckDB finds who differs, and Python decides only about those.

Chosen where the extra `scale` is installed, both sides are large and there are cores enough; `CIO_DIFF` names a way.
Rows of a plain CSV are left for DuckDB to read, other ids become lines of private files for it; so one that no line can
hold, any error of DuckDB's, or no room for its files means the plain way. The result is the same: what a difference
means is decided by `core/diff.py` on both ways.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sync.core.diff import Known
from sync.core.errors import ConfigError
from sync.core.facts import fit_ids
from sync.edge.csv_column import PlainRows
from sync.edge.duck import is_installed
from sync.edge.duck_ids import Source, Table, count_fit, find_differences, lines_at
from sync.edge.folders import private_folder
from sync.edge.membership import BUCKETS, SEPARATOR, Members, Spool, room
from sync.edge.settings import DIFFS

AUTO, PYTHON, DUCKDB = DIFFS
WORTH_IDS = 500_000  # on both sides: below, starting DuckDB costs more than it saves
FEWEST_CORES = 3  # with two it takes no less time than Python with one
LINES_AT_ONCE = 200_000
_HEAD = b"id\n"  # a first line that is no id: DuckDB would take a byte order mark off it
_NO_LINES = (b"\r", b"\0", b"\x1f", b"\n\n")


class Lines:
    """A file with an id a line. `is_whole` turns false for good when an id comes that no line can hold."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.is_whole = True
        path.write_bytes(_HEAD)

    def write(self, file: BinaryIO, text: bytes, count: int) -> None:
        """Append `count` ids, each with a line end after it."""
        self.count += count
        strange = text.startswith(b"\n") or any(one in text for one in _NO_LINES)
        self.is_whole = self.is_whole and not strange and text.count(b"\n") == count
        if self.is_whole:
            file.write(text)


class LineSpool(Spool):
    """A spool that keeps its ids as rows and lines, for DuckDB, until somebody asks for a bucket."""

    def __init__(self, *, worth_ids: int = WORTH_IDS) -> None:
        super().__init__()
        self._worth_ids = worth_ids
        self._waiting: list[bytes] | None = []
        self._lines: Lines | None = None
        self._rows: list[PlainRows] = []  # not yet in a table
        self._tables: list[Table] = []
        self._stack = contextlib.ExitStack()
        self._folder: Path | None = None

    def folder(self) -> Path:
        """Its own private folder, made now if there is none. Raises ConfigError without room."""
        if self._folder is None:
            with room():
                self._folder = self._stack.enter_context(private_folder())
        return self._folder

    def close(self) -> None:
        """See Spool.close."""
        super().close()
        self._stack.close()

    @property
    def takes_rows(self) -> bool:
        """See Spool.takes_rows."""
        return self._waiting is not None

    def take(self, rows: PlainRows) -> bool:
        """See Spool.take."""
        if self.takes_rows:
            self._rows.append(rows)
            if sum(one.lines for one in self._rows) >= LINES_AT_ONCE:
                self._write_rows()
        return self.takes_rows

    def give_back(self) -> Iterator[list[bytes]]:
        """See Spool.give_back: too few for DuckDB, or it does not read them as we do."""
        rows = sum(one.lines for one in self._rows) + sum(table.lines for table in self._tables)
        if rows and rows + self.count >= self._worth_ids and self.takes_rows:
            self._write_rows()
            found = count_fit(self._tables, self.folder())
            if found is not None:
                self.taken = found
                self.count += found.kept
                return
        yield from self._read_rows()

    def add(self, ids: Iterable[bytes]) -> None:
        """See Spool.add."""
        ids = list(ids)
        if self._waiting is None:
            super().add(ids)
            return
        self._waiting += ids
        self.count += len(ids)
        if len(self._waiting) >= LINES_AT_ONCE:
            self._flush(self._waiting)

    def bucket(self, number: int) -> list[bytes]:
        """See Spool.bucket. From the first call on there are no rows and no lines any more."""
        self._distribute()
        return super().bucket(number)

    def sources(self, known_ids: int) -> list[Source] | None:
        """Where all ids are, if comparing them with so many is worth it, and none is strange."""
        if self._waiting is None or min(self.count, known_ids) < self._worth_ids:
            return None
        self._flush(self._waiting)
        lines = [] if self._lines is None else [lines_at(self._lines.path)]
        return None if self._waiting is None else [*lines, *(table.source for table in self._tables)]

    def _flush(self, waiting: list[bytes]) -> None:
        with room():
            if self._lines is None:
                self._lines = Lines(self.folder() / "lines")
            with self._lines.path.open("ab") as file:
                self._lines.write(file, b"\n".join(waiting) + b"\n" if waiting else b"", len(waiting))
        if self._lines.is_whole:
            waiting.clear()
        else:
            self._distribute()

    def _write_rows(self) -> None:
        with room():
            for rows in self._rows:
                if not self._tables or self._tables[-1].shape != rows.shape:
                    self._tables.append(Table(self.folder() / f"rows {len(self._tables)}", rows.shape))
                self._tables[-1].write(rows)
        self._rows.clear()

    def _read_rows(self) -> Iterator[list[bytes]]:
        """The values of all rows, which are rows no more."""
        for table in self._tables:
            yield from table.values()
            table.path.unlink()
        yield from (rows.values() for rows in self._rows)
        self._tables, self._rows = [], []

    def _distribute(self) -> None:
        waiting, lines, count = self._waiting, self._lines, self.count
        if waiting is None:
            return
        self._waiting = self._lines = None
        for values in self._read_rows():
            super().add(fit_ids(values).ids)
        if lines is not None:
            with lines.path.open("rb") as file:
                file.readline()
                while chunk := list(islice(file, LINES_AT_ONCE)):
                    super().add([one[:-1] for one in chunk])
            lines.path.unlink()
        super().add(waiting)
        self.count = count


class Changes(NamedTuple):
    """What differs. `new` is only in the cohort, `gone` only among the confirmed, `both` in both, of those whom the
    ledger knows something else about too; `same` counts all others, who are in both. `new` may repeat itself."""

    new: Spool
    gone: Spool
    both: Spool
    same: int

    def sides(self, number: int, rest: Known) -> tuple[frozenset[bytes], Known]:
        """One bucket of the cohort and of what is known, without those who are the `same`."""
        both = frozenset(self.both.bucket(number))
        cohort = both.union(self.new.bucket(number))
        return cohort, rest._replace(confirmed=both.union(self.gone.bucket(number)))


def open_spool(way: str) -> Spool:
    """A spool for a cohort that will be compared. Raises ConfigError when `way` names what is not installed."""
    there = is_installed()
    if way == DUCKDB and not there:
        raise ConfigError(
            "CIO_DIFF is duckdb, which is not installed; nothing was sent",
            hint="pip install 'fakeio[scale]', or leave CIO_DIFF empty",
        )
    if way == PYTHON or not there or (way == AUTO and (os.cpu_count() or 1) < FEWEST_CORES):
        return Spool()
    return LineSpool(worth_ids=0 if way == DUCKDB else WORTH_IDS)


@contextlib.contextmanager
def compared(cohort: Spool, members: Members | None) -> Iterator[Changes | None]:
    """What differs between the cohort and the confirmed members, found by DuckDB; None: compare the plain way."""
    with contextlib.ExitStack() as stack:
        yield _compared(cohort, members, stack)


def _compared(cohort: Spool, members: Members | None, stack: contextlib.ExitStack) -> Changes | None:
    if members is None or not isinstance(cohort, LineSpool):
        return None
    sources = cohort.sources(members.about())
    try:
        return None if sources is None else _found(sources, members, stack)
    except OSError:  # no room for what DuckDB has to read: the plain way needs none of it
        return None


def _found(sources: list[Source], members: Members, stack: contextlib.ExitStack) -> Changes | None:
    with private_folder() as folder:
        known = _written(Lines(folder / "known"), members.blobs(confirmed=True))
        touched = _written(Lines(folder / "touched"), members.blobs(confirmed=False))
        if not (known.is_whole and touched.is_whole):
            return None
        new, gone, both = (stack.enter_context(Spool()) for _ in range(3))
        others = [lines_at(known.path), *([lines_at(touched.path)] if touched.count else ())]
        if not find_differences(sources, others, folder, (new, gone, both)):
            return None
    twice = sum(len(frozenset(both.bucket(number))) for number in range(BUCKETS))  # a cohort may name one id again
    return Changes(new, gone, both, known.count - gone.count - twice)


def _written(lines: Lines, blobs: Iterable[bytes]) -> Lines:
    with lines.path.open("ab") as file:
        for blob in blobs:
            lines.write(file, blob.replace(SEPARATOR, b"\n") + b"\n", blob.count(SEPARATOR) + 1)
    return lines
