"""One v2 operation as sent, and what a parser may make of it.

The values between `track_v2_items.py`, which picks the parser of an action, and the parsers themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fakeio.core.outcomes import Refused
from fakeio.core.settings import Settings
from fakeio.edge.work import Item

NOTHING = msgspec.Raw()


class Entity(msgspec.Struct, gc=False):
    """One operation; attributes stay bytes until it is clear whether they are a person's or an event's."""

    type: Any = None
    action: Any = None
    identifiers: Any = None
    attributes: msgspec.Raw = NOTHING
    name: Any = None
    id: Any = None
    timestamp: Any = None
    device: Any = None
    primary: Any = None
    secondary: Any = None
    cio_relationships: Any = None


Parsed = Item | tuple[Item, ...] | Refused
Parser = Callable[[Entity, Settings], Parsed]
