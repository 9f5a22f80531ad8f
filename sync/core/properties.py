"""What goes into an event's `data`: which properties, under which names, of which types.

Event properties stand at the top; user properties, group properties and groups under those names, where they hold
anything. Bytes are passed on untouched where nothing has to change, which is almost always, so every JSON value stays
what it was: any number of digits, any nesting. Only properties that are null are left out.
"""

from __future__ import annotations

import json
import re
from enum import Enum

import msgspec
from msgspec import UNSET, Raw, UnsetType

from sync.core.conversions import Conversions, Converter
from sync.core.rows import NO_PROPERTIES, Row

#: Customer.io takes these from an event's data in place of a campaign's own settings: mail could go to a stranger.
#: Source: docs.customer.io > Track API > events > data.
RESERVED = ("recipient", "from_address", "reply_to")
NESTED = ("user_properties", "group_properties", "groups")
PREFIX = "amplitude_"


class Select(Enum):
    """How much of an event's properties travels; the third way is a set of names."""

    ALL = "all"
    NONE = "none"


class _Special(msgspec.Struct, gc=False):
    """Reads from event properties only what may not stay at the top under its own name."""

    recipient: Raw | UnsetType = UNSET
    from_address: Raw | UnsetType = UNSET
    reply_to: Raw | UnsetType = UNSET
    user_properties: Raw | UnsetType = UNSET
    group_properties: Raw | UnsetType = UNSET
    groups: Raw | UnsetType = UNSET


_NOTHING_SPECIAL = _Special()
_decode_special = msgspec.json.Decoder(_Special).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.Encoder().encode
_NESTED_HEADS = tuple(b'"%b":' % name.encode() for name in NESTED)
_NULL = Raw(b"null")
_NULL_WORD = b"null"
_NOTHING = (NO_PROPERTIES, _NULL, Raw(b"[]"))
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)")
_EMPTY = b"{}"
_OPENED = b'{"'
_QUOTE = ord('"')

_Columns = tuple[Raw, Raw, Raw, Raw]  # event, user and group properties, and groups


class Properties:
    """Encodes the data of events by one rule. `parity` makes every value text, as Amplitude's own stream does.

    A property that is null says nothing and is left out, unless `keep_nulls`; a null inside of a value is part of it.
    """

    def __init__(
        self, select: Select | frozenset[str] = Select.ALL, *, parity: bool = False, keep_nulls: bool = False,
        conversions: Conversions | None = None,
    ) -> None:  # fmt: skip
        self._keep_nulls = keep_nulls
        self._names = select if isinstance(select, frozenset) else None
        self._parity = parity
        self._nothing = select is Select.NONE
        self._converter = Converter(conversions) if conversions is not None and conversions.any else None
        self._may_stay = select is Select.ALL and not parity and self._converter is None

    def encode_data(self, row: Row) -> bytes | None:
        """The JSON object for `data`; None when the event properties are no object, which makes it a bad row."""
        if self._may_stay:
            columns = row.event_properties, row.user_properties, row.group_properties, row.groups
            if not self._keep_nulls:
                columns = _without_nulls(columns)
            own = bytes(columns[0])
            if own[:2] == _OPENED and _decode_special(own) == _NOTHING_SPECIAL:
                return _with_nested(columns, b",", own[:-1])
            if own == _EMPTY:
                return _with_nested(columns, b"", b"{")
        return self._rebuilt(row)

    def _rebuilt(self, row: Row) -> bytes | None:
        own = _members(row.event_properties)
        if own is None:
            return None
        if self._nothing:
            return _EMPTY
        data = {_top_name(name, own): value for name, value in self._chosen(own).items()}
        for name in NESTED:
            members = _members(getattr(row, name))
            if members is None and self._names is None and not self._parity:
                # no object: nothing to choose from, so it stays what it is
                data[name] = getattr(row, name)
            elif kept := self._chosen(members or {}):
                data[name] = Raw(_encode(kept))
        return _encode(data)

    def _chosen(self, members: dict[str, Raw]) -> dict[str, Raw]:
        if self._names is not None:
            members = {name: value for name, value in members.items() if name in self._names}
        if self._converter is not None:
            members = {name: self._converter.convert(name, value) for name, value in members.items()}
        if self._parity:
            return {name: text for name, value in members.items() if (text := as_text(value)) is not None}
        if self._keep_nulls:
            return members
        return {name: value for name, value in members.items() if value != _NULL}


def _without_nulls(columns: _Columns) -> _Columns:
    """The same without properties that are null. Looked into only where the word stands in one, and written anew only
    where it is more than a part of a value: this runs for every event."""
    own, users, group_properties, groups = columns
    return (
        _spared(own) if _NULL_WORD in bytes(own) else own,
        _spared(users) if _NULL_WORD in bytes(users) else users,
        _spared(group_properties) if _NULL_WORD in bytes(group_properties) else group_properties,
        _spared(groups) if _NULL_WORD in bytes(groups) else groups,
    )


def _spared(raw: Raw) -> Raw:
    try:
        members = _decode_members(raw)
    except msgspec.ValidationError:  # no object, so it has no properties
        return raw
    if _NULL not in members.values():
        return raw
    return Raw(_encode({name: value for name, value in members.items() if value != _NULL}))


def compact(data: bytes) -> bytes:
    """The same JSON in the fewest bytes that keep every number's digits: no spaces, no escapes that text can do
    without. Worth its price where an event is near a limit, for exporters escape letters to six bytes each."""
    return _ESCAPE.sub(_unescaped, msgspec.json.format(data, indent=-1))


def _unescaped(escape: re.Match[bytes]) -> bytes:
    letter = json.loads(b'"%b"' % escape.group())
    return escape.group() if letter in '"\\' or letter < " " else letter.encode()


def _with_nested(columns: _Columns, comma: bytes, start: bytes) -> bytes:
    """`start` completed by what stands under names of its own."""
    _, users, group_properties, groups = columns
    if group_properties in _NOTHING and users not in _NOTHING:  # the usual two shapes, at the best price
        if groups in _NOTHING:
            return b"".join((start, comma, b'"user_properties":', users, b"}"))
        return b"".join((start, comma, b'"user_properties":', users, b',"groups":', groups, b"}"))
    named = zip(_NESTED_HEADS, (users, group_properties, groups), strict=True)
    members = [head + bytes(raw) for head, raw in named if raw not in _NOTHING]
    return b"".join((start, comma if members else b"", b",".join(members), b"}"))


def _members(raw: Raw) -> dict[str, Raw] | None:
    """The properties of an object; none for null and for an empty list, which is some exporters' empty object."""
    try:
        members: dict[str, Raw] = _decode_members(raw)
        return members
    except msgspec.ValidationError:
        return {} if raw in _NOTHING else None


def _top_name(name: str, taken: dict[str, Raw]) -> str:
    """The name at the top of `data`: a special one gets a prefix, as often as it takes to stand alone."""
    if name in RESERVED or name in NESTED:
        name = PREFIX + name
        while name in taken:
            name = PREFIX + name
    return name


def as_text(value: Raw) -> Raw | None:
    """A scalar as JSON text, with a number's own digits; None for null, arrays and objects."""
    text = bytes(value)
    if text[0] == _QUOTE:
        return value
    return None if text[:1] in b"[{n" else Raw(b'"' + text + b'"')
