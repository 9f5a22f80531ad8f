"""Updates of people's attributes: what of a row's user properties is new to Customer.io, as operations for a batch.

Only what changed is sent, against what was last sent to that person: a few bytes of digest an attribute, which a Memory
keeps. A row that is older than the person's last update says nothing. Pure; `edge/sent_attributes.py` is the Memory.
"""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b, sha256
from typing import NamedTuple, Protocol

import msgspec

from sync.core.budgets import ATTRIBUTES, V2_ITEM
from sync.core.conversions import Conversions
from sync.core.mapping import CIO_PREFIX, Intent
from sync.core.ulids import update_ulid
from sync.core.user_properties import Attribute, UserProperties, UserPropertiesReader
from sync.core.wire_v2 import encode_update

CROWDED = f"a person has at most {ATTRIBUTES.most} attributes"
DIGEST_BYTES = 8
REMOVED = bytes(DIGEST_BYTES)  # in place of a value's digest
_encode = msgspec.json.Encoder().encode


class Sent:
    """What was sent to one person: a digest of each value by a digest of its name, 300 at most; `at_ms` is the time of
    the newest row. `fresh` once this run has looked at a row of theirs."""

    __slots__ = ("at_ms", "digests", "fresh")

    def __init__(self, at_ms: int | None = None, digests: dict[bytes, bytes] | None = None) -> None:
        self.at_ms = at_ms
        self.digests = digests or {}
        self.fresh = False

    def put(self, name: bytes, value: bytes) -> bool:
        """Take it for sent; False where there is no room: what was removed gives way, what is there does not."""
        if name not in self.digests and len(self.digests) >= ATTRIBUTES.most:
            gone = next((one for one, digest in self.digests.items() if digest == REMOVED), None)
            if gone is None:
                return False
            del self.digests[gone]
        self.digests[name] = value
        return True

    def is_past(self, ms: int) -> bool:
        """Whether a row of that time comes too late. Rows of one moment count in the order of their source, except for
        those of an earlier run: their source may be read again."""
        if self.at_ms is None:
            return False
        return ms < self.at_ms or (ms == self.at_ms and not self.fresh)


class Memory(Protocol):
    """Remembers what was sent."""

    def sent(self, person: bytes, /) -> Sent: ...


class Update(msgspec.Struct, frozen=True, gc=False):
    """What to remember once an operation was accepted."""

    person: bytes  # 16 bytes of a digest
    at_ms: int
    digests: dict[bytes, bytes]


class Operation(NamedTuple):
    """One operation of a batch, the 16 bytes that name it, and what it changes."""

    item: bytes
    ulid: bytes
    update: Update


class Planned(NamedTuple):
    """What a row's user properties come to. `spoke`: they said something about a wanted property."""

    operations: list[Operation]
    spoke: bool


class PersonUpdates:
    """Plans the updates of one run."""

    def __init__(
        self, wanted: UserProperties, memory: Memory, *, parity: bool = False, conversions: Conversions | None = None
    ) -> None:
        self._reader = UserPropertiesReader(wanted, parity=parity, conversions=conversions)
        self._memory = memory
        self._crowded: Counter[tuple[str, str]] = Counter()

    @property
    def left_out(self) -> Counter[tuple[str, str]]:
        """How often an attribute was left out, by its name and why."""
        return self._reader.left_out + self._crowded

    @property
    def waiting(self) -> int:
        """Rows with operations that only Amplitude knows the outcome of."""
        return self._reader.waiting

    def plan(self, intent: Intent) -> Planned:
        """The operations that make the row's properties true, and takes them for sent."""
        attributes = self._reader.read(intent.row.user_properties)
        if not attributes:
            return Planned([], spoke=False)
        person = person_key(intent)
        sent = self._memory.sent(person)
        if sent.is_past(intent.ms):
            return Planned([], spoke=True)
        sent.at_ms, sent.fresh = intent.ms, True
        changed = [one for one in attributes if self._is_new(one, sent)]
        return Planned([_operation(intent, person, part) for part in _parts(changed)], spoke=True)

    def _is_new(self, attribute: Attribute, sent: Sent) -> bool:
        """Whether to send it; if so it counts as sent."""
        name, value = _digests(attribute)
        known = sent.digests.get(name, REMOVED)
        if sent.digests.get(name) == value or (attribute.once and known != REMOVED):
            return False
        if sent.put(name, value) or attribute.removed:
            return True
        self._crowded[attribute.name, CROWDED] += 1
        return False


def person_key(intent: Intent) -> bytes:
    """16 bytes for a person, the same for all spellings of one identifier."""
    who = intent.identifier.lower() if intent.kind == "email" else intent.identifier
    if intent.kind == "cio_id":
        who = who.removeprefix(CIO_PREFIX)
    return sha256(f"{intent.kind}\0{who}".encode()).digest()[:16]


def _digests(attribute: Attribute) -> tuple[bytes, bytes]:
    """Of its name and of its value."""
    return _digest(attribute.name.encode()), REMOVED if attribute.removed else _digest(bytes(attribute.value))


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=DIGEST_BYTES).digest()


def _parts(attributes: list[Attribute]) -> list[list[Attribute]]:
    """Few enough for one operation of a batch each: one attribute has at most 150 + 1,000 bytes, each of which JSON
    writes with at most six."""
    parts: list[list[Attribute]] = []
    room = 0
    for one in attributes:
        size = len(_encode(one.name)) + len(one.value) + 2
        if size > room:
            parts.append([])
            room = _ROOM
        parts[-1].append(one)
        room -= size
    return parts


_ROOM = V2_ITEM.most - 2_000  # an identifier of 150 bytes, escaped, and the words around it


def _operation(intent: Intent, person: bytes, attributes: list[Attribute]) -> Operation:
    members = b",".join(b"%b:%b" % (_encode(one.name), one.value) for one in attributes)
    item = encode_update(intent, b"{%b}" % members)
    update = Update(person, intent.ms, dict(map(_digests, attributes)))
    return Operation(item, update_ulid(intent.ms // 1000, item), update)
