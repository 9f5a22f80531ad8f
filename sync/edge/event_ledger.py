"""Which events are delivered, by their 16-byte ULIDs, and which batches are on their way: why a second run is quiet.

A batch is written down before it is sent and marked when it is settled; settling some and planning the next share a
transaction. Delivered ids are kept by the hour of the event's own time and read an hour
at a time, so that memory stays bounded however many events there were. After a kill, batches still marked SENT are in
doubt: the source is read again and sends them again, under the same ids.
"""

from __future__ import annotations

import sqlite3
import struct
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from sync.core.person_updates import Update
from sync.core.ulids import ULID_BYTES
from sync.edge.ledger import DeadLetter, Ledger
from sync.edge.sent_attributes import SentAttributes

SENT, ACCEPTED = 0, 1  # numbers of one size: SQLite changes such a row in place, however long its ids are
HOUR_MS = 3_600_000
FOLD_AT = 100_000  # accepted ids held apart before they go into their hours: fewer, larger writes
MOST_LOADED = 1_000_000  # ids of past hours in memory, about 25 bytes each
_IDS_IN_SLOT = 32
_LAST_HOUR = ((1 << 48) - 1) // HOUR_MS
_ids_in = struct.Struct(f"{ULID_BYTES}s").iter_unpack
_BEYOND = b"\xff" * (ULID_BYTES + 1)


class PackedSet:
    """A set of 16-byte ids in little more than their own bytes: a hash table whose slots are strings of ids."""

    def __init__(self, packed: Iterable[bytes] = ()) -> None:
        """`packed`: strings of whole ids."""
        blobs = list(packed)
        self._slots: list[bytes] = [b""]
        self._size = 0
        self._make_room(sum(map(len, blobs)) // ULID_BYTES)
        for blob in blobs:
            self.update(unpacked(blob))

    def __len__(self) -> int:
        return self._size

    def __contains__(self, ulid: bytes) -> bool:
        slot = self._slots[hash(ulid) % len(self._slots)]
        at = slot.find(ulid)
        while at > 0 and at % ULID_BYTES:  # across two ids: chance, not a member
            at = slot.find(ulid, at + 1)
        return at >= 0

    def add(self, ulid: bytes) -> None:
        """Keep one more id; the caller knows that it is new."""
        self.update((ulid,))

    def update(self, ulids: Sequence[bytes]) -> None:
        """Keep more ids; the caller knows that they are new."""
        self._size += len(ulids)
        self._make_room(self._size)
        _spread(ulids, self._slots)

    def _make_room(self, size: int) -> None:
        count = len(self._slots)
        while size > _IDS_IN_SLOT * count:
            count *= 2
        if count > len(self._slots):
            smaller, self._slots = self._slots, [b""] * count
            for slot in smaller:
                _spread(unpacked(slot), self._slots)


def _spread(ulids: Sequence[bytes], slots: list[bytes]) -> None:
    """A loop over plain locals: it runs for every event that is delivered or known."""
    count = len(slots)
    for ulid in ulids:
        slots[hash(ulid) % count] += ulid


def unpacked(packed: bytes) -> list[bytes]:
    """The ids in a string of them."""
    return [ulid for (ulid,) in _ids_in(packed)]


class Settled(msgspec.Struct, frozen=True):
    """What became of batch `n`: the ids that are delivered, those that are not, and why, for the dead letters; of its
    updates, those that were accepted, and whose were not."""

    n: int
    delivered: Sequence[bytes]
    given_up: Sequence[bytes] = ()
    letters: Sequence[DeadLetter] = ()
    updates: Sequence[Update] = ()
    forgotten: Sequence[bytes] = ()


class EventLedger:
    """The events of one destination as one run sees them. Without a ledger (a dry run) it remembers only this run."""

    def __init__(self, ledger: Ledger | None, site_id: str, run_id: str) -> None:
        self._ledger = ledger
        self._site_id = site_id
        self._run_id = run_id
        self.people = SentAttributes(ledger, site_id)
        self._recent: set[bytes] = set()  # planned by this run or accepted lately, and not in their hours yet
        self.add = self._recent.add  # this event is in a batch now; the set's own method, for it is called for each
        self._accepted = 0
        self._loaded: OrderedDict[int, PackedSet] = OrderedDict()
        self._first = self._after = b""  # the hour of the bucket at hand: ids from the one up to the other
        self._at_hand = PackedSet()
        self._hours = self._read_hours()
        self._recent.update(ulid for _, _, blob in self._batches(ACCEPTED) for ulid in unpacked(blob))

    # -- asking -------------------------------------------------------------------------------------------------------
    def __contains__(self, ulid: bytes) -> bool:
        """Whether this event is delivered or on its way."""
        return ulid in self._recent or (bool(self._hours) and self._is_delivered(ulid))

    # -- writing ------------------------------------------------------------------------------------------------------
    def step(
        self,
        settled: Sequence[Settled] = (),
        planned: Sequence[tuple[int, Sequence[bytes]]] = (),
        letters: Sequence[DeadLetter] = (),
    ) -> None:
        """Write down, in one transaction, what became of some batches, which are sent next (number, ids), and dead
        letters of events that were never sent."""
        if self._ledger is None:
            return
        with self._ledger.atomic() as connection:
            for one in settled:
                self._settle(connection, one)
            connection.executemany(
                "INSERT INTO event_batches (run_id, n, site_id, state, ulids) VALUES (?, ?, ?, ?, ?)",
                ((self._run_id, n, self._site_id, SENT, b"".join(ulids)) for n, ulids in planned),
            )
            self._ledger.add_dead_letters([*(letter for one in settled for letter in one.letters), *letters])
            if self._accepted >= FOLD_AT:
                self._fold(connection)

    def close(self) -> int:
        """Put every accepted id into its hour and forget batches that need no more doubt.

        Returns how many events of earlier, killed runs are still in doubt: this run's source did not have them.
        """
        if self._ledger is None:
            return 0
        with self._ledger.atomic() as connection:
            self._fold(connection)
            earlier = [batch for batch in self._batches(SENT) if batch[0] != self._run_id]
            return sum(self._resolve(connection, *batch) for batch in earlier)

    def _settle(self, connection: sqlite3.Connection, one: Settled) -> None:
        if one.given_up or one.updates:  # updates were not written down when they were planned
            connection.execute(
                "UPDATE event_batches SET ulids = ? WHERE run_id = ? AND n = ?",
                (b"".join(one.delivered), self._run_id, one.n),
            )
            self._recent.difference_update(one.given_up)
        connection.execute(
            "UPDATE event_batches SET state = ? WHERE run_id = ? AND n = ?", (ACCEPTED, self._run_id, one.n)
        )
        for update in one.updates:
            self.people.store(connection, update)
        for person in one.forgotten:
            self.people.forget(person)
        self._accepted += len(one.delivered)

    def _fold(self, connection: sqlite3.Connection) -> None:
        """Move the accepted ids into their hours."""
        accepted = [ulid for _, _, packed in self._batches(ACCEPTED) for ulid in unpacked(packed)]
        self._into_hours(connection, accepted)
        connection.execute("DELETE FROM event_batches WHERE site_id = ? AND state = ?", (self._site_id, ACCEPTED))
        self._accepted = 0

    def _into_hours(self, connection: sqlite3.Connection, ulids: list[bytes]) -> None:
        hours = dict(by_hour(ulids))
        connection.executemany(
            "INSERT INTO delivered (site_id, bucket, ulids) VALUES (?, ?, ?)",
            ((self._site_id, hour, b"".join(of_hour)) for hour, of_hour in hours.items()),
        )
        self._hours.update(hours)
        self._first = self._after = b""  # the bucket at hand may be one of those that were empty until now
        for hour in hours.keys() & self._loaded.keys():
            self._loaded[hour].update(hours[hour])
        self._recent.difference_update(ulids)

    def _resolve(self, connection: sqlite3.Connection, run_id: str, n: int, packed: bytes) -> int:
        """Shrink a batch in doubt to the events that are still not delivered; returns how many that are."""
        doubtful = [ulid for ulid in unpacked(packed) if not self._is_delivered(ulid)]
        where = (run_id, n)
        if not doubtful:
            connection.execute("DELETE FROM event_batches WHERE run_id = ? AND n = ?", where)
        elif len(doubtful) * ULID_BYTES < len(packed):
            remaining = (b"".join(doubtful), *where)
            connection.execute("UPDATE event_batches SET ulids = ? WHERE run_id = ? AND n = ?", remaining)
        return len(doubtful)

    # -- reading ------------------------------------------------------------------------------------------------------
    def _read_hours(self) -> set[int]:
        if self._ledger is None:
            return set()
        rows = self._ledger.connection.execute(
            "SELECT DISTINCT bucket FROM delivered WHERE site_id = ?", (self._site_id,)
        )
        return {hour for (hour,) in rows}

    def _batches(self, state: int) -> list[tuple[str, int, bytes]]:
        if self._ledger is None:
            return []
        return self._ledger.connection.execute(
            "SELECT run_id, n, ulids FROM event_batches WHERE site_id = ? AND state = ?", (self._site_id, state)
        ).fetchall()

    def _is_delivered(self, ulid: bytes) -> bool:
        if not self._first <= ulid < self._after:  # events come by the hour, so the bucket is mostly the one at hand
            hour = hour_of(ulid)
            self._first, self._after = _first_of(hour), _first_of(hour + 1)
            self._at_hand = self._bucket(hour) if hour in self._hours else PackedSet()
        return ulid in self._at_hand

    def _bucket(self, hour: int) -> PackedSet:
        bucket = self._loaded.get(hour)
        if bucket is None:
            bucket = self._loaded[hour] = self._read_bucket(hour)
            self._evict()
        self._loaded.move_to_end(hour)
        return bucket

    def _read_bucket(self, hour: int) -> PackedSet:
        if self._ledger is None:
            return PackedSet()
        rows = self._ledger.connection.execute(
            "SELECT ulids FROM delivered WHERE site_id = ? AND bucket = ?", (self._site_id, hour)
        )
        return PackedSet(packed for (packed,) in rows)

    def _evict(self) -> None:
        """Let go of the hours that were asked for longest ago."""
        while len(self._loaded) > 1 and sum(map(len, self._loaded.values())) > MOST_LOADED:
            self._loaded.popitem(last=False)


def by_hour(ulids: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """The ids of each hour, sorted; `ulids` is sorted in place. Ids begin with their time, so an hour is a slice."""
    ulids.sort()
    first = 0
    while first < len(ulids):
        hour = hour_of(ulids[first])
        end = bisect_left(ulids, _first_of(hour + 1), first)
        yield hour, ulids[first:end]
        first = end


def hour_of(ulid: bytes) -> int:
    """The bucket of an event: the hour in which it happened."""
    return int.from_bytes(ulid[:6], "big") // HOUR_MS


def _first_of(hour: int) -> bytes:
    """What no id of that hour is below, and all of the hours before are."""
    return (hour * HOUR_MS).to_bytes(6, "big") if hour <= _LAST_HOUR else _BEYOND
