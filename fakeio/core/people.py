"""People: their identifiers, attributes and devices, and the indexes that find them.

Holds state and keeps its indexes right; decides nothing about who may change what (`identifying.py` does). Memory per
person matters (a million of them is a normal test), so stamps are kept only where they differ from the person's birth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from fakeio.core.identifiers import CIO_ID, EMAIL, ID, PHONE, Ref

_FIRST_CIO_ID = 0xA3000000  # the shape of the vendor's examples: eight lower-case hex digits


class Stamp(NamedTuple):
    """When something was written, by which request (its number on the tape), with which `_timestamp`."""

    at: float
    request: int
    timestamp: int | None = None


class Device(msgspec.Struct, gc=False):
    """One device of one person."""

    token: str
    platform: str
    last_used: int
    attributes: dict[str, Any]


class Person(msgspec.Struct, gc=False):
    """One person. `attributes` never hold `id`, `email` or `cio_id`; `number` is the order of creation."""

    cio_id: str
    number: int
    created_at: float
    born: Stamp
    id: str | None = None
    email: str | None = None
    attributes: dict[str, Any] = {}
    stamps: dict[str, Stamp] | None = None
    device_map: dict[str, Device] | None = None
    segment_set: set[int] | None = None

    def stamp(self, name: str) -> Stamp:
        """Who last wrote the attribute or identifier of that name, and when."""
        return self.born if self.stamps is None else self.stamps.get(name, self.born)

    def mark(self, name: str, stamp: Stamp) -> None:
        """Remember who wrote `name`."""
        if stamp == self.born:
            if self.stamps is not None:
                self.stamps.pop(name, None)
            return
        if self.stamps is None:
            self.stamps = {}
        self.stamps[name] = stamp

    @property
    def devices(self) -> dict[str, Device]:
        """Devices by token; a copy when there are none, so write through `People`."""
        return self.device_map if self.device_map is not None else {}

    @property
    def segments(self) -> set[int]:
        """Ids of the segments this person is a member of."""
        return self.segment_set if self.segment_set is not None else set()

    @property
    def unsubscribed(self) -> bool:
        """True for `true` in any case, 1 and "1"; anything else is subscribed. Source: Track API > Identify."""
        value = self.attributes.get("unsubscribed")
        if isinstance(value, str):
            return value == "1" or value.lower() == "true"
        return value is True or (isinstance(value, int) and value == 1)

    def identifier(self, kind: str) -> str | None:
        """The value of one kind of identifier, None where unset."""
        if kind == ID:
            return self.id
        if kind == EMAIL:
            return self.email
        if kind == CIO_ID:
            return self.cio_id
        phone = self.attributes.get(PHONE)
        return phone if isinstance(phone, str) else None

    def refs(self) -> tuple[Ref, ...]:
        """Its identifiers of kind id and email, those that can be suppressed or freed."""
        return tuple(Ref(kind, value) for kind, value in ((ID, self.id), (EMAIL, self.email)) if value)

    def value_of(self, name: str) -> Any:
        """An attribute or identifier by name; None when absent."""
        return self.identifier(name) if name in (ID, EMAIL, CIO_ID) else self.attributes.get(name)


def as_text(value: Any) -> str:
    """An attribute value the way the App API shows it: always text. Source: App API > Customers > attributes."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Gone(NamedTuple):
    """The identifiers of somebody who was deleted, for the log that still speaks of them."""

    id: str | None
    email: str | None


class People:
    """Everybody in a workspace, by cio_id, by id, by email and by phone, in order of creation.

    After a fork two of these share every person. Whoever is looked up one by one (`find`, `get`, `by_email`,
    `by_device`) may be written to: the look-up makes a copy first if it must. Iterating makes none, so whoever is met
    that way is only read, or asked for with `own`.
    """

    def __init__(self) -> None:
        self._by_cio_id: dict[str, Person] = {}
        self._by_id: dict[str, Person] = {}
        self._by_email: dict[str, Person | list[Person]] = {}  # a list only where several share an address
        self._crowded: set[str] = set()  # the keys of those lists
        self._by_phone: dict[str, Person] = {}
        self._by_device: dict[str, Person] = {}
        self._in_order: list[Person | None] = []  # index = number - 1
        self._gone: dict[str, Gone] = {}  # by cio_id
        self._owned: set[str] | None = None  # whose record is ours alone, by cio_id; None: everybody's

    def __len__(self) -> int:
        return len(self._by_cio_id)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._by_cio_id.values())

    def get(self, cio_id: str) -> Person | None:
        """The person of that cio_id (no prefix)."""
        person = self._by_cio_id.get(cio_id)
        return person if person is None or self._owned is None else self.own(person)

    def peek(self, cio_id: str) -> Person | None:
        """The same, to read only."""
        return self._by_cio_id.get(cio_id)

    def own(self, person: Person) -> Person:
        """The record of this person that may be written to: a copy, the first time after a fork."""
        if self._owned is None or person.cio_id in self._owned:
            return person
        self._owned.add(person.cio_id)
        mine = _copied(person)
        self._by_cio_id[person.cio_id] = self._in_order[person.number - 1] = mine
        if person.id is not None and self._by_id.get(person.id) is person:
            self._by_id[person.id] = mine
        if person.email is not None:
            key = person.email.lower()
            held = self._by_email.get(key)
            self._by_email[key] = [mine if o is person else o for o in held] if isinstance(held, list) else mine
        phone = person.attributes.get(PHONE)
        if isinstance(phone, str) and self._by_phone.get(phone) is person:
            self._by_phone[phone] = mine
        for token in person.devices:
            if self._by_device.get(token) is person:
                self._by_device[token] = mine
        return mine

    def fork(self) -> People:
        """The same people for another workspace; from now on each of the two copies whomever it writes to."""
        other = People()
        other._by_cio_id, other._by_id = self._by_cio_id.copy(), self._by_id.copy()
        other._by_email, other._crowded = self._by_email.copy(), self._crowded.copy()
        for key in self._crowded:
            other._by_email[key] = list(self.holders(key))
        other._by_phone, other._by_device = self._by_phone.copy(), self._by_device.copy()
        other._in_order, other._gone = self._in_order.copy(), self._gone.copy()
        self._owned, other._owned = set(), set()
        return other

    def find(self, ref: Ref) -> Person | None:
        """Who has this identifier. An email that several share (where it identifies nobody) is the first holder's."""
        person = self._look_up(ref)
        return person if person is None or self._owned is None else self.own(person)

    def _look_up(self, ref: Ref) -> Person | None:
        kind, value = ref
        if kind == ID:
            return self._by_id.get(value)
        if kind == EMAIL:
            held = self._by_email.get(value.lower())
            return held[0] if isinstance(held, list) else held
        if kind == CIO_ID:
            return self._by_cio_id.get(value)
        return self._by_phone.get(value)

    def gone(self, cio_id: str) -> Gone | None:
        """Who somebody was that is deleted; None for who exists, or never did."""
        return self._gone.get(cio_id)

    def forget_name(self, cio_id: str) -> None:
        """Of somebody deleted, remember the cio_id alone."""
        self._gone[cio_id] = Gone(None, None)

    def find_gone(self, ref: Ref) -> set[str]:
        """The cio_ids of everybody deleted who had this identifier; phones are not remembered."""
        kind, value = ref
        if kind == CIO_ID:
            return {value} & self._gone.keys()
        if kind == EMAIL:
            return {cio_id for cio_id, was in self._gone.items() if (was.email or "").lower() == value.lower()}
        return {cio_id for cio_id, was in self._gone.items() if kind == ID and was.id == value}

    def by_email(self, text: str) -> list[Person]:
        """Everybody with that address, whatever its case, eldest first."""
        return sorted(map(self.own, self.holders(text.lower())), key=_number)

    def holders(self, key: str) -> Sequence[Person]:
        """Everybody with that address (in lower case), to read only, in the order in which they came to it."""
        held = self._by_email.get(key)
        return () if held is None else held if isinstance(held, list) else (held,)

    def after(self, place: int, limit: int) -> list[Person]:
        """At most `limit` people with a number above `place`, in order."""
        return list(islice(self.iter_after(place), limit))

    def iter_after(self, place: int) -> Iterator[Person]:
        """Everybody with a number above `place`, in order."""
        for at in range(max(place, 0), len(self._in_order)):
            person = self._in_order[at]
            if person is not None:
                yield person

    @property
    def last(self) -> int:
        """The number of whoever came last, there or gone."""
        return len(self._in_order)

    def leave_out(self, last: int) -> None:
        """Go on counting behind that number, as if those up to it had come and gone."""
        self._in_order += [None] * (last - len(self._in_order))

    def create(self, stamp: Stamp, cio_id: str | None = None) -> Person:
        """A new person without any identifier but a cio_id."""
        number = len(self._in_order) + 1
        person = Person(cio_id or self._free_cio_id(number), number, stamp.at, stamp)
        self._by_cio_id[person.cio_id] = person
        if self._owned is not None:
            self._owned.add(person.cio_id)
        self._gone.pop(person.cio_id, None)
        self._in_order.append(person)
        return person

    def _free_cio_id(self, number: int) -> str:
        candidate = f"{_FIRST_CIO_ID + number:x}"
        while candidate in self._by_cio_id:  # a seed may have taken it
            number += 1_000_000
            candidate = f"{_FIRST_CIO_ID + number:x}"
        return candidate

    def remove(self, person: Person) -> None:
        """Forget the person; every identifier is free again."""
        self._gone[person.cio_id] = Gone(person.id, person.email)
        self.assign(person, ID, None)
        self.assign(person, EMAIL, None)
        self.index_phone(person, None)
        for token in person.devices:
            self.index_device(token, None)
        del self._by_cio_id[person.cio_id]
        self._in_order[person.number - 1] = None

    def assign(self, person: Person, kind: str, value: str | None) -> None:
        """Set, change or clear (None) an id or email. The caller has made sure it may."""
        if kind == ID:
            if person.id is not None:
                self._by_id.pop(person.id, None)
            if value is not None:
                self._by_id[value] = person
            person.id = value
            return
        if person.email is not None:
            self._drop_email(person)
        if value is not None:
            self._hold_email(person, value)
        person.email = value

    def index_phone(self, person: Person, value: str | None) -> None:
        """Keep the phone index right when the attribute `phone` changes; first come, first kept."""
        old = person.attributes.get(PHONE)
        if isinstance(old, str) and self._by_phone.get(old) is person:
            del self._by_phone[old]
        if value is not None:
            self._by_phone.setdefault(value, person)

    def by_device(self, token: str) -> Person | None:
        """Whose device this is."""
        person = self._by_device.get(token)
        return person if person is None else self.own(person)

    def index_device(self, token: str, person: Person | None) -> None:
        """Say whose device a token is; None frees it."""
        if person is None:
            self._by_device.pop(token, None)
        else:
            self._by_device[token] = person

    def shared_emails(self) -> dict[str, list[str]]:
        """The addresses (in lower case) that several hold: their cio_ids in the order in which they came to it."""
        return {key: [person.cio_id for person in self.holders(key)] for key in sorted(self._crowded)}

    def order_holders(self, key: str, cio_ids: Sequence[str]) -> None:
        """Say in which order those who share an address came to it; raises ValueError unless it names exactly them."""
        held = {person.cio_id: person for person in self.holders(key)}
        if len(held) < 2 or sorted(cio_ids) != sorted(held):
            raise ValueError(f"those who share {key!r} are {', '.join(held) or 'nobody'}")
        self._by_email[key] = [held[cio_id] for cio_id in cio_ids]

    def phones(self) -> dict[str, str]:
        """Whom each phone number identifies: a cio_id."""
        return {phone: person.cio_id for phone, person in self._by_phone.items()}

    def shared_devices(self) -> dict[str, str | None]:
        """Whose each device is (a cio_id) that several have, or that the one who has it is not found by."""
        found: dict[str, str | None] = {}
        for person in self.iter_after(0):
            for token in person.devices:
                owner = self._by_device.get(token)
                if owner is not person:
                    found[token] = None if owner is None else owner.cio_id
        return found

    def own_phones(self, phones: Mapping[str, str]) -> None:
        """Say whom each phone number identifies; raises ValueError for somebody who does not have it."""
        self._by_phone = {}
        for phone, cio_id in phones.items():
            person = self._by_cio_id.get(cio_id)
            if person is None or person.attributes.get(PHONE) != phone:
                raise ValueError(f"{cio_id} has no such phone")
            self._by_phone[phone] = person

    def all_gone(self) -> dict[str, Gone]:
        """Everybody deleted, by cio_id."""
        return self._gone

    def _hold_email(self, person: Person, value: str) -> None:
        key = value.lower()
        key = value if key == value else key  # one text for both, most of the time
        held = self._by_email.get(key)
        if held is None:
            self._by_email[key] = person
        elif isinstance(held, list):
            held.append(person)
        else:
            self._by_email[key] = [held, person]
            self._crowded.add(key)

    def _drop_email(self, person: Person) -> None:
        key = (person.email or "").lower()
        held = self._by_email.get(key)
        if isinstance(held, list):
            left = [other for other in held if other is not person]
            self._by_email[key] = left if len(left) > 1 else left[0]
            if len(left) == 1:
                self._crowded.discard(key)
        elif held is person:
            del self._by_email[key]


def _copied(person: Person) -> Person:
    """A record of its own, down to whatever is ever changed in place."""
    mine = copy(person)
    mine.attributes = person.attributes.copy()
    mine.stamps = person.stamps and person.stamps.copy()
    mine.device_map = person.device_map and person.device_map.copy()
    mine.segment_set = person.segment_set and person.segment_set.copy()
    return mine


def _number(person: Person) -> int:
    return person.number
