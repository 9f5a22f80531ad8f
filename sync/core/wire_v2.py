"""The v2 dialect of the Track API: an event or an update as one operation of a batch, and the batch, as exact bytes.

Operations are encoded one by one and joined, so that a batch never has to be written again as it grows.
Source: docs.customer.io > Track API > v2 > batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sync.core.mapping import CIO_PREFIX, Intent
from sync.core.sending import Request

PATH = "/api/v2/batch"
_OPEN, _CLOSE = b'{"batch":[', b"]}"
ENVELOPE_BYTES = len(_OPEN) + len(_CLOSE)
COMMA_BYTES = 1
_HEADS = {
    kind: b'{"type":"person","action":"event","identifiers":{"%b":' % kind.encode()
    for kind in ("id", "email", "cio_id")
}
_encode = msgspec.json.Encoder().encode


def encode_item(intent: Intent, ulid: bytes, data: bytes) -> bytes:
    """One operation. `ulid` are the 26 characters of the event's id, `data` the JSON object of its properties."""
    kind, value = intent.kind, intent.identifier
    if kind == "cio_id":
        value = value.removeprefix(CIO_PREFIX)
    return b"".join((
        _HEADS[kind], _encode(value), b'},"name":', intent.name, b',"id":"', ulid,
        b'","timestamp":%d,"attributes":' % (intent.ms // 1000), data, b"}",
    ))


def encode_update(intent: Intent, attributes: bytes) -> bytes:
    """One operation that writes attributes, a JSON object; of two rows the younger wins, whichever arrives last."""
    kind, value = intent.kind, intent.identifier
    if kind == "cio_id":
        value = value.removeprefix(CIO_PREFIX)
    return b"".join((
        b'{"type":"person","action":"identify","identifiers":{"%b":' % kind.encode(), _encode(value),
        b'},"timestamp":%d,"attributes":' % (intent.ms // 1000), attributes, b"}",
    ))


def encode_batch(items: Sequence[bytes]) -> bytes:
    """The body for some operations, in their order."""
    return b"".join((_OPEN, b",".join(items), _CLOSE))


def batch_request(items: Sequence[bytes]) -> Request:
    """Sending it twice is harmless: the operations carry their ids."""
    return Request("track", "POST", PATH, encode_batch(items))
