"""What was last sent to each person of one destination, as digests: why an unchanged property costs no request.

At most 300 pairs of 8 bytes a person, whom a digest names. Written in the step that settles the operation, so that what
a killed run had not settled is sent again. Holds the people that were looked at lately; forgets those whose operations
failed.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict

from sync.core.person_updates import DIGEST_BYTES, Sent, Update
from sync.edge.ledger import Ledger

MOST_PEOPLE = 10_000  # in memory, where one of few attributes takes 1 KB and one of 300 about 50 KB
_PAIR_BYTES = 2 * DIGEST_BYTES


class SentAttributes:
    """The Memory of a run. Without a ledger, or with one of an older version (a dry run), it knows this run only."""

    def __init__(self, ledger: Ledger | None, site_id: str) -> None:
        self._connection = ledger.connection if ledger is not None and ledger.is_current else None
        self._site_id = site_id
        self._people: OrderedDict[bytes, Sent] = OrderedDict()

    def sent(self, person: bytes) -> Sent:
        """What counts as sent to this person; changing it changes what counts."""
        known = self._people.get(person)
        if known is None:
            known = self._people[person] = self._read(person)
            if len(self._people) > MOST_PEOPLE:
                self._people.popitem(last=False)
        else:
            self._people.move_to_end(person)
        return known

    def forget(self, person: bytes) -> None:
        """An operation failed: only what is written down counts."""
        self._people.pop(person, None)

    def store(self, connection: sqlite3.Connection, update: Update) -> None:
        """Write down what was accepted, in the caller's transaction."""
        written = self._read(update.person)
        for name, value in update.digests.items():
            written.put(name, value)
        connection.execute(
            "INSERT OR REPLACE INTO sent_attributes (site_id, person, at_ms, digests) VALUES (?, ?, ?, ?)",
            (
                self._site_id, update.person, max(update.at_ms, written.at_ms or update.at_ms),
                b"".join(name + value for name, value in written.digests.items()),
            ),
        )  # fmt: skip

    def _read(self, person: bytes) -> Sent:
        if self._connection is None:
            return Sent()
        row = self._connection.execute(
            "SELECT at_ms, digests FROM sent_attributes WHERE site_id = ? AND person = ?", (self._site_id, person)
        ).fetchone()
        return Sent() if row is None else Sent(row[0], _unpacked(row[1]))


def _unpacked(packed: bytes) -> dict[bytes, bytes]:
    pairs = (packed[at : at + _PAIR_BYTES] for at in range(0, len(packed), _PAIR_BYTES))
    return {pair[:DIGEST_BYTES]: pair[DIGEST_BYTES:] for pair in pairs}
