"""The same comparison for very many ids: DuckDB finds who differs, and Python decides only about those.

Chosen where the extra `scale` is installed and both sides are large; `CIO_DIFF` chooses by name. Ids become lines of
private files for it, so one that no line can hold, or any error of DuckDB's, means the plain way: the result is the
same. What a difference means is decided by `core/diff.py` on both ways.
"""

from __future__ import annotations

import contextlib
import glob
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from sync.core.diff import Known
from sync.core.errors import ConfigError
from sync.edge.duck import is_installed, open_database
from sync.edge.membership import BUCKETS, SEPARATOR, Members, Spool, room
from sync.edge.settings import DIFFS

if TYPE_CHECKING:
    import duckdb

AUTO, PYTHON, DUCKDB = DIFFS
WORTH_IDS = 500_000  # on both sides: below, starting DuckDB costs more than it saves
MOST_MEMORY = "160MB"
LINES_AT_ONCE, ROWS_AT_ONCE = 200_000, 20_000
_HEAD = b"id\n"  # a first line that is no id: DuckDB would take a byte order mark off it
_FIELD_END = b"\x1f"
_NO_LINES = (b"\r", b"\0", _FIELD_END, b"\n\n")


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
    """A spool that keeps its ids as lines, for DuckDB, until somebody asks for a bucket."""

    def __init__(self, *, worth_ids: int = WORTH_IDS) -> None:
        super().__init__()
        self._worth_ids = worth_ids
        self._waiting: list[bytes] | None = []
        self._lines: Lines | None = None

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
        """See Spool.bucket. From the first call on there are no lines any more."""
        self._distribute()
        return super().bucket(number)

    def lines(self, known_ids: int) -> Lines | None:
        """All ids as lines, if comparing them with so many is worth it, and they can be lines."""
        if self._waiting is None or min(self.count, known_ids) < self._worth_ids:
            return None
        self._flush(self._waiting)
        return self._lines

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

    def _distribute(self) -> None:
        waiting, lines, count = self._waiting, self._lines, self.count
        if waiting is None:
            return
        self._waiting = self._lines = None
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
    if way == PYTHON or not there:
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
    lines = cohort.lines(members.about())
    if lines is None:
        return None
    with tempfile.TemporaryDirectory(prefix="cio-sync-") as folder:  # mode 0700: these are people
        known = _written(Lines(Path(folder, "known")), members.blobs(confirmed=True))
        touched = _written(Lines(Path(folder, "touched")), members.blobs(confirmed=False))
        if not (known.is_whole and touched.is_whole):
            return None
        new, gone, both = (stack.enter_context(Spool()) for _ in range(3))
        import duckdb  # here, since it is an extra, and large

        try:
            with open_database(Path(folder, "spilled"), most_memory=MOST_MEMORY) as database:
                _run(database, [lines, known, touched], (new, gone, both))
        except duckdb.Error:
            return None
    twice = sum(len(frozenset(both.bucket(number))) for number in range(BUCKETS))  # a cohort may name one id again
    return Changes(new, gone, both, known.count - gone.count - twice)


def _written(lines: Lines, blobs: Iterable[bytes]) -> Lines:
    with lines.path.open("ab") as file:
        for blob in blobs:
            lines.write(file, blob.replace(SEPARATOR, b"\n") + b"\n", blob.count(SEPARATOR) + 1)
    return lines


_TABLE = (
    "read_csv(?, header = true, delim = '\x1f', quote = '', escape = '', columns = {'id': 'VARCHAR'},"
    " auto_detect = false, strict_mode = true, force_not_null = ['id'])"
)


def _run(database: duckdb.DuckDBPyConnection, files: list[Lines], spools: tuple[Spool, Spool, Spool]) -> None:
    new, gone, both = spools
    touched = files[2]
    also = f" OR c.id IN (SELECT id FROM {_TABLE})" if touched.count else ""
    wanted = files if touched.count else files[:2]
    database.execute("SET preserve_insertion_order = false")  # buckets have no order, and keeping one takes memory
    rows = database.execute(
        f"SELECT c.id, k.id FROM {_TABLE} AS c FULL JOIN {_TABLE} AS k ON c.id = k.id"
        f" WHERE c.id IS NULL OR k.id IS NULL{also}",
        [glob.escape(str(one.path)) for one in wanted],
    )
    while chunk := rows.fetchmany(ROWS_AT_ONCE):
        new.add([one.encode() for one, other in chunk if other is None])
        gone.add([other.encode() for one, other in chunk if one is None])
        both.add([one.encode() for one, other in chunk if one is not None and other is not None])
