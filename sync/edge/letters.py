"""Dead letters of events as one destination sees them: which are open, and which are settled by a later run.

A letter is settled when its event was delivered after all, or given up again: then there is a newer letter. That of a
row that never became an event is forgotten when its file has been read again: only its source can be mended, and the
letter just says where. Whoever runs every minute would fill the disk otherwise; so what is settled, and rows that were
not read again, are forgotten after some time too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import msgspec

from sync.core.replaying import parse_ulid
from sync.core.ulids import encode_ulids
from sync.edge.event_ledger import EventLedger, PackedSet
from sync.edge.ledger import Ledger

_ROW_STARTS = b'{"file":'  # the letter of a row, and of nothing else
_OURS = "run_id IN (SELECT run_id FROM runs WHERE kind = 'events' AND sync_key = ?2)"
_OF_ROW = "substr(item, 1, ?4) = ?3"
_PAGE = 500
_BEYOND = (1 << 63) - 1


def count_open(ledger: Ledger) -> tuple[int, int]:
    """How many letters are open at all destinations, of cohorts too, and how many of them are of rows, which nobody can
    send."""
    counted = ledger.connection.execute(
        "SELECT count(*), ifnull(sum(substr(item, 1, ?2) = ?1), 0) FROM dead_letters WHERE settled_by IS NULL",
        (_ROW_STARTS, len(_ROW_STARTS)),
    )
    count, rows = counted.fetchone()
    return count, rows


class OpenLetter(NamedTuple):
    id: int
    item: bytes
    run_id: str
    sync: str | None


class Read(NamedTuple):
    """What a run read from beginning to end: the names of files, by itself or by letters of its `sync` (None: it has
    no name). `whole`: it left out no row by choice, so that all of them have a new fate."""

    files: Collection[str] = ()
    sync: str | None = None
    whole: bool = False

    def covers(self, letter: OpenLetter) -> bool:
        """Whether the row of this letter has been read again."""
        meant = self.whole or (self.sync is not None and letter.sync == self.sync)
        return meant and bool(self.files) and _file_of(letter.item) in self.files


NOTHING_READ = Read()


class EventLetters:
    """The open letters of all runs to one destination."""

    def __init__(self, ledger: Ledger, site_id: str) -> None:
        self._ledger = ledger
        self._site_id = site_id

    def items(self, run_id: str | None) -> Iterator[bytes]:
        """What the open letters hold, oldest first; of one run when its id is given. Letters that are added meanwhile
        don't count."""
        (last,) = self._ledger.connection.execute("SELECT max(id) FROM dead_letters").fetchone()
        first = 0
        while page := self._page(first, (last or 0) + 1, run_id):
            yield from (letter.item for letter in page)
            first = page[-1].id

    def rows_since(self, moment_s: float) -> Counter[str]:
        """How many letters of rows there are of runs that began after that moment, in Unix seconds, by their reason."""
        counted = self._ledger.connection.execute(
            f"SELECT reason, count(*) FROM dead_letters WHERE run_id > ?1 AND {_OURS} AND {_OF_ROW} GROUP BY reason",
            (_first_run_at(moment_s), self._site_id, _ROW_STARTS, len(_ROW_STARTS)),
        )
        return Counter(dict(counted.fetchall()))

    def forget(self, before_s: float) -> None:
        """Forget what runs left that began before that moment, in Unix seconds: letters that are settled, and those of
        rows. What `retry` may still send stays."""
        with self._ledger.atomic() as connection:
            connection.execute(
                f"DELETE FROM dead_letters WHERE run_id < ?1 AND {_OURS} AND (settled_by IS NOT NULL OR {_OF_ROW})",
                (_first_run_at(before_s), self._site_id, _ROW_STARTS, len(_ROW_STARTS)),
            )

    def settle(self, run_id: str, read: Read = NOTHING_READ) -> None:
        """Close every letter whose event is delivered or has a newer letter, and forget those whose row was read again;
        `run_id` is the run that found out."""
        delivered = EventLedger(self._ledger, self._site_id, run_id)
        newer, before = PackedSet(), _BEYOND
        while page := self._page(0, before, newest_first=True, rows=bool(read.files)):
            done = [letter.id for letter in page if _is_done(letter, newer, delivered.__contains__)]
            gone = [letter.id for letter in page if letter.run_id != run_id and read.covers(letter)]
            before = page[-1].id
            with self._ledger.atomic() as connection:
                marks = ((run_id, number) for number in done)
                connection.executemany("UPDATE dead_letters SET settled_by = ? WHERE id = ?", marks)
                connection.executemany("DELETE FROM dead_letters WHERE id = ?", ((number,) for number in gone))

    def _page(
        self, after: int, before: int, run_id: str | None = None, *, newest_first: bool = False, rows: bool = True
    ) -> list[OpenLetter]:
        found = self._ledger.connection.execute(
            "SELECT d.id, d.item, d.run_id, r.sync FROM dead_letters AS d JOIN runs AS r USING (run_id)"
            " WHERE d.id > ?1 AND d.id < ?2 AND (?3 IS NULL OR d.run_id = ?3)"
            " AND d.kind = 'events' AND d.settled_by IS NULL AND r.sync_key = ?4"
            " AND (?5 OR substr(d.item, 1, ?6) != ?7)"
            f" ORDER BY d.id {'DESC' if newest_first else 'ASC'} LIMIT {_PAGE}",
            (after, before, run_id, self._site_id, rows, len(_ROW_STARTS), _ROW_STARTS),
        )
        return [OpenLetter(*row) for row in found]


def _first_run_at(moment_s: float) -> str:
    """The least id of a run that begins then: ids of runs are ULIDs."""
    return encode_ulids([int(max(moment_s, 0.0) * 1000).to_bytes(6, "big") + bytes(10)])[0].decode()


def _is_done(letter: OpenLetter, newer: PackedSet, is_delivered: Callable[[bytes], bool]) -> bool:
    ulid = parse_ulid(letter.item)
    if ulid is None:
        return False
    if ulid in newer or is_delivered(ulid):
        return True
    newer.add(ulid)
    return False


class _RowLetter(msgspec.Struct, gc=False):
    file: str


_decode_row = msgspec.json.Decoder(_RowLetter).decode


def _file_of(item: bytes) -> str | None:
    """The file that the letter of a row names; None for an operation."""
    return _decode_row(item).file if item.startswith(_ROW_STARTS) else None
