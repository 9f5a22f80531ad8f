"""The big set: ids in hash buckets, in memory while they are few and on disk when they are many.

A `Spool` holds what one run reads or learns; `Members` keeps in the ledger what is agreed. Both cut the set into the
same buckets, so that a cohort of ten million is compared a bucket at a time. The hash is stable: the ledger relies
on it. A sync has few COARSE buckets until its ids are many, and many FINE ones from then on: sets that outgrow the
processor's cache take more than twice the time.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from array import array
from collections.abc import Collection, Iterable, Iterator
from io import SEEK_END, FileIO
from itertools import accumulate
from typing import NamedTuple, Self
from zlib import crc32

from sync.core.diff import Known
from sync.core.errors import ConfigError
from sync.edge.csv_column import PlainRows

BUCKETS, PARTS = 64, 2_048
COARSE = range(BUCKETS)  # numbers of buckets: by the last 6 bits of the hash …
FINE = range(BUCKETS, BUCKETS + PARTS)  # … or by the last 11; no number means both
FINE_AT = 1_000_000  # ids of a sync
_MASK = PARTS - 1
SEPARATOR = b"\xff"  # a byte that UTF-8 never uses, so an id may hold anything, line ends too
IDS_PER_ROW = 3_000  # a blob of about 60 kB: five times as fast to load as a row an id, a third smaller
SPILL_AT = 1_000_000  # ids kept in memory by one spool, about 15 MB


def parts_of(number: int) -> range:
    """The finest parts that make up one bucket."""
    return range(number, PARTS, BUCKETS) if number < BUCKETS else range(number - BUCKETS, number - BUCKETS + 1)


class Taken(NamedTuple):
    """What was in the rows that a spool took as they were."""

    kept: int
    blank: int
    too_long: int


class Spool:
    """Ids on their way, duplicates included. Close it, or use it as a context manager: it may own a file."""

    taken = Taken(0, 0, 0)

    def __init__(self, *, spill_at: int = SPILL_AT) -> None:
        self.count = 0
        self._spill_at = spill_at
        self._held = 0
        self._parts: list[bytearray] = []  # each id with a separator after it; made when the first one comes
        self._file: FileIO | None = None  # without a name: these are people, and a kill leaves nothing
        self._spills: list[array[int]] = []  # of each: where its parts begin, and where the last one ends

    def add(self, ids: Collection[bytes]) -> None:
        parts = self._parts = self._parts or [bytearray() for _ in range(PARTS)]
        for one in ids:
            part = parts[crc32(one) & _MASK]
            part += one
            part += SEPARATOR
        self.count += len(ids)
        self._held += len(ids)
        if self._held >= self._spill_at:
            self._spill()

    @property
    def takes_rows(self) -> bool:
        """Whether rows may be given to `take`."""
        return False

    def take(self, rows: PlainRows) -> bool:
        """Take rows as they are; False: add their values instead."""
        return False

    def give_back(self) -> Iterator[list[bytes]]:
        """Once all is read: values of rows that were taken for nothing. What was in the others is in `taken`."""
        return iter(())

    def bucket(self, number: int) -> list[bytes]:
        """The ids of one bucket, in no particular order."""
        wanted = parts_of(number)
        held = (self._parts[part] for part in wanted) if self._parts else ()
        # every id has a separator after it, so the last piece is empty
        return b"".join((*self._stored(wanted), *held)).split(SEPARATOR)[:-1]

    def _spill(self) -> None:
        with room():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="cio-sync-", buffering=0)  # noqa: SIM115  # close() ends it
            begin = self._file.seek(0, SEEK_END)
            for part in self._parts:
                _write_all(self._file, part)
        self._spills.append(array("Q", accumulate(map(len, self._parts), initial=begin)))
        self._parts, self._held = [], 0

    def _stored(self, wanted: range) -> Iterator[bytes]:
        if self._file is None:
            return
        for begins in self._spills:
            for part in wanted:
                self._file.seek(begins[part])
                yield self._file.read(begins[part + 1] - begins[part])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _write_all(file: FileIO, blob: bytearray) -> None:
    """A file without a buffer of its own may take less than it is given."""
    left = memoryview(blob)
    while left:
        left = left[file.write(left) :]


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Temporary files are written inside; raises ConfigError when they can't be."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"a temporary file can't be written: {error.strerror or 'the system refused'}; nothing more was sent",
            hint="make room, or name another folder in TMPDIR",
        ) from error


CONFIRMED, JOINING, LEAVING, ABSENT = Known._fields


class Members:
    """The agreed membership of one sync. Writing happens inside the caller's `ledger.atomic()`."""

    def __init__(self, connection: sqlite3.Connection, sync_key: str) -> None:
        self._connection = connection
        self.key = sync_key

    @property
    def numbers(self) -> range:
        """The numbers of all buckets that this sync has."""
        (top,) = self._connection.execute("SELECT max(bucket) FROM members WHERE sync_key = ?", (self.key,)).fetchone()
        return COARSE if top is None or top < BUCKETS else FINE

    def fit(self, count: int) -> range:
        """The same, after making them fine where `count` ids of a cohort, or those known, are many."""
        numbers = self.numbers
        if numbers is FINE or max(count, self.about()) < FINE_AT:
            return numbers
        for number in numbers:
            self._refine(number)
        return FINE

    def _refine(self, number: int) -> None:
        for state, ids in zip(Known._fields, self.bucket(number), strict=True):
            parts: dict[int, list[bytes]] = {}
            for one in ids:
                parts.setdefault(BUCKETS + (crc32(one) & _MASK), []).append(one)
            for fine, members in parts.items():
                self.write(fine, state, members)
            if ids:
                self.write(number, state, ())

    def bucket(self, number: int, *, confirmed: bool = True) -> Known:
        """All that is known of one bucket; without the confirmed, what else is."""
        found: dict[str, list[bytes]] = {}
        rows = self._connection.execute(
            "SELECT state, ids FROM members WHERE sync_key = ? AND bucket = ? AND (? OR state != ?)",
            (self.key, number, confirmed, CONFIRMED),
        )
        for state, blob in rows:
            found.setdefault(state, []).extend(blob.split(SEPARATOR))
        return Known(**{state: frozenset(ids) for state, ids in found.items()})

    def write(self, number: int, state: str, ids: Iterable[bytes]) -> None:
        """Replace one state of one bucket."""
        self._connection.execute(
            "DELETE FROM members WHERE sync_key = ? AND bucket = ? AND state = ?", (self.key, number, state)
        )
        ordered = sorted(ids)
        self._connection.executemany(
            "INSERT INTO members (sync_key, bucket, state, n, ids) VALUES (?, ?, ?, ?, ?)",
            (
                (self.key, number, state, n, SEPARATOR.join(ordered[at : at + IDS_PER_ROW]))
                for n, at in enumerate(range(0, len(ordered), IDS_PER_ROW))
            ),
        )

    def write_changes(self, number: int, before: Known, after: Known) -> None:
        """Bring a bucket from `before` to `after`, leaving alone what did not change."""
        for state, old, new in zip(Known._fields, before, after, strict=True):
            # sets compare member by member, even with themselves, and most are the very same
            if old is not new and old != new:
                self.write(number, state, new)

    def ids(self, state: str) -> Iterator[bytes]:
        """Every id of one state, bucket by bucket, sorted within."""
        for number in self.numbers:
            rows = self._connection.execute(
                "SELECT ids FROM members WHERE sync_key = ? AND bucket = ? AND state = ? ORDER BY n",
                (self.key, number, state),
            )
            for (blob,) in rows.fetchall():
                yield from blob.split(SEPARATOR)

    def about(self) -> int:
        """How many are confirmed, more or less: for a choice, and no more."""
        if self.numbers is FINE:
            return PARTS * len(self.bucket(FINE[0]).confirmed)  # hashing makes them all of one size
        query = "SELECT count(*) FROM members WHERE sync_key = ? AND state = ? AND n > 0"  # whole rows
        (rows,) = self._connection.execute(query, (self.key, CONFIRMED)).fetchone()
        return int(rows) * IDS_PER_ROW

    def blobs(self, *, confirmed: bool) -> Iterator[bytes]:
        """The confirmed, or all others, as they are stored: ids with SEPARATOR between them, none empty."""
        rows = self._connection.execute(
            "SELECT ids FROM members WHERE sync_key = ? AND (state = ?) = ?", (self.key, CONFIRMED, confirmed)
        )
        yield from (blob for (blob,) in rows)

    def forget(self) -> None:
        """Drop all of it: the segment it speaks of is gone, or another mapping took its place."""
        self._connection.execute("DELETE FROM members WHERE sync_key = ?", (self.key,))


def in_calls(ids: Iterable[bytes], most: int) -> Iterator[list[bytes]]:
    """Lists of `most` ids, the last one shorter, none empty."""
    call: list[bytes] = []
    for one in ids:
        call.append(one)
        if len(call) == most:
            yield call
            call = []
    if call:
        yield call
