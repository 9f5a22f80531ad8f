"""Dead letters back into batches: the operation as it was sent, under the id that it had.

An event that Customer.io has after all ignores the second sending by that id. Which letters are replayed, and when one
is settled, is for `run_retry.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from msgspec import Raw

from sync.core.batches import Batch, KnownEvents
from sync.core.budgets import V2_BATCH, V2_ITEM
from sync.core.mapping import IdKind
from sync.core.rows import NOT_JSON
from sync.core.sending import Request
from sync.core.ulids import decode_ulid, update_ulid
from sync.core.wire_v1 import event_body, event_request, path_segment
from sync.core.wire_v2 import COMMA_BYTES, ENVELOPE_BYTES


class _Operation(msgspec.Struct, gc=False):
    """What a v2 operation says of its event; an update of a person has neither name nor id."""

    identifiers: dict[IdKind, str]
    timestamp: int
    attributes: Raw
    action: Literal["event", "identify"]
    name: Raw = Raw(b"null")
    id: str = ""


_decode = msgspec.json.Decoder(_Operation).decode


def parse_ulid(item: bytes) -> bytes | None:
    """The 16 bytes of the event's id, or those that name an update; None for a letter that holds no operation: its row
    never became one."""
    operation = _parse(item)
    if operation is None:
        return None
    return update_ulid(operation.timestamp, item) if operation.action == "identify" else decode_ulid(operation.id)


def _parse(item: bytes) -> _Operation | None:
    try:
        return _decode(item)
    except NOT_JSON:
        return None


class Replay:
    """Packs the items of dead letters, in their order. Counts `received`, and `duplicates`: what is delivered already
    or came before."""

    def __init__(self, known: KnownEvents) -> None:
        self.received = 0
        self.duplicates = 0
        self.unsendable = 0  # letters of rows that never became events
        self._known = known

    def batches(self, items: Iterable[bytes]) -> Iterator[Batch]:
        batch, room = Batch([], []), _ROOM
        for item in items:
            ulid = self._new(item)
            if ulid is None:
                continue
            alone = _alone(item) if len(item) > V2_ITEM.most else None
            if batch.items and (alone is not None or len(item) + COMMA_BYTES > room):
                yield batch
                batch, room = Batch([], []), _ROOM
            if alone is not None:
                yield Batch([item], [ulid], alone)
                continue
            batch.items.append(item)
            batch.ulids.append(ulid)
            room -= len(item) + COMMA_BYTES
        if batch.items:
            yield batch

    def _new(self, item: bytes) -> bytes | None:
        ulid = parse_ulid(item)
        if ulid is None:
            self.unsendable += 1
            return None
        self.received += 1
        if ulid in self._known:
            self.duplicates += 1
            return None
        self._known.add(ulid)
        return ulid


_ROOM = V2_BATCH.most - ENVELOPE_BYTES + COMMA_BYTES


def _alone(item: bytes) -> Request | None:
    """The v1 request for an event too large for a batch; None where its path would name another person."""
    operation = _parse(item)
    assert operation is not None, "it had an id"
    ((kind, identifier),) = operation.identifiers.items()
    segment = path_segment(kind, identifier)
    if segment is None:
        return None
    body = event_body(
        bytes(operation.name), operation.id.encode(), operation.timestamp, bytes(operation.attributes)
    )
    return event_request(segment, body)
