"""Packs events into requests within the budgets, in the order in which they came, each event once.

Several requests may be in flight, one a lane. One person's events never overtake each other: all of them go by one
lane, and an event too large for a batch closes the open batch of its lane and goes after it, alone. An item is measured
as the bytes that will be sent, and no value is cut to fit: of an event too large for both dialects, whole groups of
properties are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Protocol
from zlib import crc32

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from sync.core.budgets import EVENT_DATA, V2_BATCH, V2_ITEM
from sync.core.mapping import CIO_PREFIX, NO_EVENT, Discard, Intent
from sync.core.person_updates import PersonUpdates, Planned, Update
from sync.core.properties import Properties, compact
from sync.core.rows import NO_PROPERTIES, Row
from sync.core.sending import Request
from sync.core.ulids import encode_ulids
from sync.core.validation import Reason
from sync.core.wire_v1 import encode_event, event_request, path_segment
from sync.core.wire_v2 import COMMA_BYTES, ENVELOPE_BYTES, batch_request, encode_item


class KnownEvents(Protocol):
    """The ULIDs that are delivered or on their way."""

    def __contains__(self, ulid: bytes, /) -> bool: ...

    def add(self, ulid: bytes, /) -> None: ...


class Batch(msgspec.Struct, gc=False):
    """What goes out together. `items` are v2 operations; `alone` is the v1 request of an event too large for v2.

    `updates` are those that write attributes, by position; `beside` are the positions that go with an event of their
    row or with another update of it, so that they are no row of their own.
    """

    items: list[bytes]
    ulids: list[bytes]
    alone: Request | None = None
    lane: int = 0
    updates: dict[int, Update] = {}
    beside: frozenset[int] = frozenset()

    @property
    def events(self) -> list[bytes]:
        """The ids of the events among the items."""
        return [ulid for at, ulid in enumerate(self.ulids) if at not in self.updates] if self.updates else self.ulids

    @property
    def rows(self) -> int:
        """How many rows of the source the batch settles."""
        return len(self.items) - len(self.beside)

    def request(self, first: int, last: int) -> Request:
        """The request for the items from `first` up to `last`, which is not included."""
        return self.alone or batch_request(self.items[first:last])


class _Open:
    """The batch of one lane that still has room."""

    __slots__ = ("beside", "items", "lane", "room", "ulids", "updates")

    def __init__(self, lane: int) -> None:
        self.lane = lane
        self._clear()

    def _clear(self) -> None:
        self.items: list[bytes] = []
        self.ulids: list[bytes] = []
        self.updates: dict[int, Update] = {}
        self.beside: set[int] = set()
        self.room = V2_BATCH.most - ENVELOPE_BYTES + COMMA_BYTES  # the last item has no comma

    def close(self) -> Iterator[Batch]:
        """What is in it, if anything; then it is empty."""
        batch = Batch(self.items, self.ulids, None, self.lane, self.updates, frozenset(self.beside))
        self._clear()
        if batch.items:
            yield batch


class Packer:
    """Turns events into batches; holds the items of at most one batch a lane.

    Until the first batch is full everything goes into it, whatever the lane: a small source stays one request. It has
    to be settled before any other batch is sent, which also proves the way before several go at once.
    """

    def __init__(
        self, properties: Properties, known: KnownEvents, lanes: int = 1, updates: PersonUpdates | None = None
    ) -> None:
        self.duplicates = 0
        self.unmoved = 0  # rows without an event that say nothing of a wanted property
        self.shed: Counter[str] = Counter()  # events that lost a part so that they fit
        self._properties = properties
        self._updates = updates
        self._known = known
        self._open = [_Open(lane) for lane in range(lanes)]
        self._spread = False  # whether the first batch is out

    def pack(self, intents: list[Intent], discards: list[Discard]) -> Iterator[Batch]:
        """Yields each batch as it is full, counts `duplicates`, and adds to `discards` what can't be sent."""
        if self._updates is None:
            yield from self._pack_events(intents, discards)
            return
        for intent in intents:  # what is new about a person goes before what they did
            yield from self._pack_updates(intent, self._updates.plan(intent))
            if intent.name != NO_EVENT:
                yield from self._pack_events([intent], discards)

    def _pack_updates(self, intent: Intent, planned: Planned) -> Iterator[Batch]:
        for at, one in enumerate(planned.operations):
            size = len(one.item) + COMMA_BYTES
            batch = self._lane(intent)
            if size > batch.room:
                yield from self._close(batch)
                batch = self._lane(intent)
            batch.room -= size
            position = len(batch.items)
            batch.updates[position] = one.update
            if at or intent.name != NO_EVENT:
                batch.beside.add(position)
            batch.items.append(one.item)
            batch.ulids.append(one.ulid)
        if intent.name == NO_EVENT and not planned.operations:
            self.duplicates += planned.spoke
            self.unmoved += not planned.spoke

    def _pack_events(self, intents: list[Intent], discards: list[Discard]) -> Iterator[Batch]:
        is_known, mark, encode_data = self._known.__contains__, self._known.add, self._properties.encode_data
        for intent, text in zip(intents, encode_ulids([intent.ulid for intent in intents]), strict=True):
            if is_known(intent.ulid):
                self.duplicates += 1
                continue
            data = encode_data(intent.row)
            item = b"" if data is None else encode_item(intent, text, data)
            if data is not None and len(item) > V2_ITEM.most:
                data = self._fitted(intent.row, compact(data))
                item = encode_item(intent, text, data)
            if data is None or len(item) > V2_ITEM.most:
                yield from self._odd(intent, text, data, item, discards)
                continue
            size = len(item) + COMMA_BYTES
            batch = self._lane(intent)
            if size > batch.room:
                yield from self._close(batch)
                batch = self._lane(intent)
            batch.room -= size
            batch.items.append(item)
            batch.ulids.append(intent.ulid)
            mark(intent.ulid)

    def flush(self) -> Iterator[Batch]:
        """The open batches, as far as anything is in them."""
        for batch in self._open:
            yield from self._close(batch)

    def _fitted(self, row: Row, data: bytes) -> bytes:
        """`data`, or what is left of it when parts have to go, in one order for all: what is about groups, then about
        the person. An event that is too large without them keeps all, to be told."""
        if len(data) <= EVENT_DATA.most:
            return data
        for part, left_out in _SHED:
            less = self._properties.encode_data(replace(row, **left_out))
            if less is not None and len(less := compact(less)) <= EVENT_DATA.most:
                self.shed[part] += 1
                return less
        return data

    def _lane(self, intent: Intent) -> _Open:
        return self._open[lane_of(intent, len(self._open)) if self._spread else 0]

    def _close(self, batch: _Open) -> Iterator[Batch]:
        self._spread = len(self._open) > 1
        return batch.close()

    def _odd(
        self, intent: Intent, text: bytes, data: bytes | None, item: bytes, discards: list[Discard]
    ) -> Iterator[Batch]:
        """An event for which there is no room in a batch."""
        segment = path_segment(intent.kind, intent.identifier)
        reason = _unfit(data, segment)
        if reason is not None or data is None or segment is None:
            discards.append(Discard(intent.position, intent.row, reason or Reason.BAD_ROW))
            return
        yield from self._close(self._lane(intent))
        self._known.add(intent.ulid)
        request = event_request(segment, encode_event(intent, text, data))
        yield Batch([item], [intent.ulid], request, self._lane(intent).lane)


def lane_of(intent: Intent, lanes: int) -> int:
    """The lane of an event's person, the same in every run. An address is one person in any case, and a cio_id with
    its prefix and without."""
    who = intent.identifier.lower() if intent.kind == "email" else intent.identifier.removeprefix(CIO_PREFIX)
    return crc32(who.encode()) % lanes


_SHED: tuple[tuple[str, dict[str, Raw]], ...] = (
    ("groups", {"group_properties": NO_PROPERTIES, "groups": NO_PROPERTIES}),
    (
        "user_properties",
        {"group_properties": NO_PROPERTIES, "groups": NO_PROPERTIES, "user_properties": NO_PROPERTIES},
    ),
)


def _unfit(data: bytes | None, segment: str | None) -> Reason | None:
    if data is None:
        return Reason.BAD_ROW
    if len(data) > EVENT_DATA.most:
        return Reason.EVENT_TOO_LARGE
    return Reason.IDENTIFIER_AMBIGUOUS if segment is None else None
