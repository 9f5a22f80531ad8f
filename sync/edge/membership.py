"""The big set: ids in hash buckets, in memory while they are few and on disk when they are many.

A `Spool` holds what one run reads or learns; `Members` keeps in the ledger what is agreed. Both cut the set into the
same buckets, so that a cohort of ten million is compared a bucket at a time. The hash is stable: the ledger relies
on it.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Self
from zlib import crc32

from sync.core.diff import Known
from sync.core.errors import ConfigError

BUCKETS = 64
_MASK = BUCKETS - 1
SEPARATOR = b"\xff"  # a byte that UTF-8 never uses, so an id may hold anything, line ends too
IDS_PER_ROW = 3_000  # a blob of about 60 kB: five times as fast to load as a row an id, a third smaller
SPILL_AT = 400_000  # ids kept in memory by one spool, about 30 MB


class Spool:
    """Ids on their way, duplicates included. Close it, or use it as a context manager: it may own a folder."""

    def __init__(self, *, spill_at: int = SPILL_AT) -> None:
        self.count = 0
        self._spill_at = spill_at
        self._held = 0
        self._buckets: list[list[bytes]] = [[] for _ in range(BUCKETS)]
        self._appends = [bucket.append for bucket in self._buckets]
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def add(self, ids: Collection[bytes]) -> None:
        appends = self._appends
        for key, one in zip(map(crc32, ids), ids, strict=True):
            appends[key & _MASK](one)
        self.count += len(ids)
        self._held += len(ids)
        if self._held >= self._spill_at:
            self._spill()

    def bucket(self, number: int) -> list[bytes]:
        """The ids of one bucket, in no particular order."""
        path = self._path(number)
        stored = path.read_bytes() if path is not None and path.exists() else b""
        # every stored id ends with a separator, so the last part is empty
        return stored.split(SEPARATOR)[:-1] + self._buckets[number]

    def folder(self) -> Path:
        """Its own private folder on disk, made now if there is none."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="cio-sync-")  # mode 0700: these are people
        return Path(self._folder.name)

    def _spill(self) -> None:
        with room():
            self._write()

    def _write(self) -> None:
        self.folder()
        for number, ids in enumerate(self._buckets):
            path = self._path(number)
            if ids and path is not None:
                with path.open("ab") as file:
                    file.write(SEPARATOR.join(ids) + SEPARATOR)
                ids.clear()
        self._held = 0

    def _path(self, number: int) -> Path | None:
        return None if self._folder is None else Path(self._folder.name, f"{number:02}")

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
        for number in range(BUCKETS):
            rows = self._connection.execute(
                "SELECT ids FROM members WHERE sync_key = ? AND bucket = ? AND state = ? ORDER BY n",
                (self.key, number, state),
            )
            for (blob,) in rows.fetchall():
                yield from blob.split(SEPARATOR)

    def about(self) -> int:
        """How many are confirmed, counted by whole rows: for a choice, and no more."""
        query = "SELECT count(*) FROM members WHERE sync_key = ? AND state = ? AND n > 0"
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


