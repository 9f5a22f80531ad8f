"""Dead letters of events as one destination sees them: which are open, and which are settled by a later run.

A letter is settled when its event was delivered after all, or given up again: then there is a newer letter. Rows that
never became events stay open, for only their source can be mended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sync.core.replaying import parse_ulid
from sync.edge.event_ledger import EventLedger, PackedSet
from sync.edge.ledger import Ledger

_PAGE = 500
_BEYOND = (1 << 63) - 1


class OpenLetter(NamedTuple):
    id: int
    item: bytes


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

    def settle(self, run_id: str) -> None:
        """Close every letter whose event is delivered or has a newer letter; `run_id` is the run that found out."""
        delivered = EventLedger(self._ledger, self._site_id, run_id)
        newer, before = PackedSet(), _BEYOND
        while page := self._page(0, before, newest_first=True):
            done = [letter.id for letter in page if _is_done(letter, newer, delivered.__contains__)]
            before = page[-1].id
            with self._ledger.atomic() as connection:
                marks = ((run_id, number) for number in done)
                connection.executemany("UPDATE dead_letters SET settled_by = ? WHERE id = ?", marks)

    def _page(
        self, after: int, before: int, run_id: str | None = None, *, newest_first: bool = False
    ) -> list[OpenLetter]:
        rows = self._ledger.connection.execute(
            "SELECT d.id, d.item FROM dead_letters AS d JOIN runs AS r USING (run_id)"
            " WHERE d.id > ?1 AND d.id < ?2 AND (?3 IS NULL OR d.run_id = ?3)"
            " AND d.kind = 'events' AND d.settled_by IS NULL AND r.sync_key = ?4"
            f" ORDER BY d.id {'DESC' if newest_first else 'ASC'} LIMIT {_PAGE}",
            (after, before, run_id, self._site_id),
        )
        return [OpenLetter(*row) for row in rows]


def _is_done(letter: OpenLetter, newer: PackedSet, is_delivered: Callable[[bytes], bool]) -> bool:
    ulid = parse_ulid(letter.item)
    if ulid is None:
        return False
    if ulid in newer or is_delivered(ulid):
        return True
    newer.add(ulid)
    return False
