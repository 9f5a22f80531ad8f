"""The data of one event, judged on the bytes as they came: an object, not too long, sound all through.

The size is that of the JSON text between its own braces, before decoding. Source: Track API > Invalid requests.
"""

from __future__ import annotations

import msgspec

from fakeio.core.limits import EVENT_DATA
from fakeio.core.outcomes import Refused
from fakeio.edge.decode import is_sound

EMPTY = b"{}"


def event_data(raw: msgspec.Raw, field: str) -> bytes | Refused:
    """A copy of the data, an empty object when it was left out."""
    size = len(raw)
    if size == 0:
        return EMPTY
    data = bytes(raw)
    if data[:1] != b"{":
        return Refused("track.event.data.not_object", "invalid", field, "event data must be a hash")
    if size > EVENT_DATA.strict:
        message = f"event data cannot be longer than {EVENT_DATA.strict} bytes"
        return Refused(EVENT_DATA.rule, "invalid", field, message)
    if not is_sound(data):
        return Refused("track.body", "parse_error", field, "malformed JSON")
    return data
