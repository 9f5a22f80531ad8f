"""The v1 dialect of the Track API, for one event: the way for those too large for a v2 batch.

The person stands in the path, where Customer.io reads the kind of identifier from its shape.
Source: docs.customer.io > Track API > v1 > events.
"""

from __future__ import annotations

from urllib.parse import quote

from sync.core.mapping import CIO_PREFIX, IdKind, Intent, kind_by_shape
from sync.core.sending import Request


def path_segment(kind: IdKind, identifier: str) -> str | None:
    """The person as a path segment, every byte outside `A-Za-z0-9_.~-` percent-encoded.

    None where the path would be read as somebody else: an id that looks like an address, an email that does not, and
    the two segments that clients and servers take for folders.
    """
    text = CIO_PREFIX + identifier.removeprefix(CIO_PREFIX) if kind == "cio_id" else identifier
    if kind_by_shape(text) != kind or text in (".", ".."):
        return None
    return quote(text, safe="")


def encode_event(intent: Intent, ulid: bytes, data: bytes) -> bytes:
    """The body. `ulid` are the 26 characters of the event's id, `data` the JSON object of its properties."""
    return event_body(intent.name, ulid, intent.ms // 1000, data)


def event_body(name: bytes, ulid: bytes, timestamp_s: int, data: bytes) -> bytes:
    """The body from its parts; `name` is JSON text."""
    return b"".join((
        b'{"name":', name, b',"type":"event","id":"', ulid, b'","timestamp":%d,"data":' % timestamp_s, data, b"}",
    ))


def event_request(segment: str, body: bytes) -> Request:
    """Sending it twice is harmless: the event carries its id."""
    return Request("track", "POST", f"/api/v1/customers/{segment}/events", body)
