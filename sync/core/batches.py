"""Packs events into requests within the budgets, in the order in which they came, each event once.

One person's events never overtake each other: an event too large for a batch closes the open batch and goes after it,
alone. An item is measured as the bytes that will be sent, and nothing is cut to fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from sync.core.budgets import EVENT_DATA, V2_BATCH, V2_ITEM
from sync.core.mapping import Discard, Intent
from sync.core.properties import Properties, compact
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
    """What goes out together. `items` are v2 operations; `alone` is the v1 request of an event too large for v2."""

    items: list[bytes]
    ulids: list[bytes]
    alone: Request | None = None

    def request(self, first: int, last: int) -> Request:
        """The request for the items from `first` up to `last`, which is not included."""
        return self.alone or batch_request(self.items[first:last])


class Packer:
    """Turns events into batches; holds the items of at most one."""

    def __init__(self, properties: Properties, known: KnownEvents) -> None:
        self.duplicates = 0
        self._properties = properties
        self._known = known
        self._open()

    def _open(self) -> None:
        self._items: list[bytes] = []
        self._ulids: list[bytes] = []
        self._room = V2_BATCH.most - ENVELOPE_BYTES + COMMA_BYTES  # the last item has no comma

    def pack(self, intents: list[Intent], discards: list[Discard]) -> Iterator[Batch]:
        """Yields each batch as it is full, counts `duplicates`, and adds to `discards` what can't be sent."""
        is_known, mark, encode_data = self._known.__contains__, self._known.add, self._properties.encode_data
        for intent, text in zip(intents, encode_ulids([intent.ulid for intent in intents]), strict=True):
            if is_known(intent.ulid):
                self.duplicates += 1
                continue
            data = encode_data(intent.row)
            item = b"" if data is None else encode_item(intent, text, data)
            if data is not None and len(item) > V2_ITEM.most:
                data = compact(data)
                item = encode_item(intent, text, data)
            if data is None or len(item) > V2_ITEM.most:
                yield from self._odd(intent, text, data, item, discards)
                continue
            size = len(item) + COMMA_BYTES
            if size > self._room:
                yield from self.flush()
            self._room -= size
            self._items.append(item)
            self._ulids.append(intent.ulid)
            mark(intent.ulid)

    def flush(self) -> Iterator[Batch]:
        """The open batch, if anything is in it."""
        batch = Batch(self._items, self._ulids)
        self._open()
        if batch.items:
            yield batch

    def _odd(
        self, intent: Intent, text: bytes, data: bytes | None, item: bytes, discards: list[Discard]
    ) -> Iterator[Batch]:
        """An event for which there is no room in a batch."""
        segment = path_segment(intent.kind, intent.identifier)
        reason = _unfit(data, segment)
        if reason is not None or data is None or segment is None:
            discards.append(Discard(intent.position, intent.row, reason or Reason.BAD_ROW))
            return
        yield from self.flush()
        self._known.add(intent.ulid)
        yield Batch([item], [intent.ulid], event_request(segment, encode_event(intent, text, data)))


def _unfit(data: bytes | None, segment: str | None) -> Reason | None:
    if data is None:
        return Reason.BAD_ROW
    if len(data) > EVENT_DATA.most:
        return Reason.EVENT_TOO_LARGE
    return Reason.IDENTIFIER_AMBIGUOUS if segment is None else None
