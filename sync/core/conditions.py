"""Conditions on the properties of a row: `country is not US`. Which rows hold is decided in three values.

A condition about a property that is not there, or null, is neither true nor false, and a row passes only where every
condition is true: what is unknown never passes, by `is not` as little as by `is`. Pure.
Source: amplitude.com > Custom events: is, is not, contains, does not contain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, get_args

import msgspec
from msgspec import UNSET, Raw, field

from sync.core.errors import ConfigError
from sync.core.rows import NO_PROPERTIES, Row, Unreadable, parse_rows_as

Operator = Literal["is not", "is", "does not contain", "contains"]
_OPERATORS = "|".join(one.replace(" ", r"\s+") for one in get_args(Operator))
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_SYNTAX = re.compile(
    rf"\s*(?:(?P<place>event|user):)?(?P<name>{_QUOTED}|.+?)\s+(?P<operator>{_OPERATORS})\s+(?P<value>.+?)\s*",
    re.DOTALL,
)
_MAYBE: Any = Raw | msgspec.UnsetType
_NULL = Raw(b"null")
_QUOTE = ord('"')


class Condition(NamedTuple):
    """`place`: event or user properties; empty: the event's, else the person's, else the row's own column."""

    place: Literal["", "event", "user"]
    name: str
    operator: Operator
    value: str


def parse_condition(text: str) -> Condition:
    """`[event:|user:]NAME is|is not|contains|does not contain VALUE`; a name or value may be a JSON text. Raises
    ConfigError."""
    found = _SYNTAX.fullmatch(text)
    if found is None:
        raise ConfigError(
            f"the condition {text!r} can't be read; nothing was sent",
            hint="write NAME is VALUE, NAME is not VALUE, NAME contains VALUE or NAME does not contain VALUE; quote a"
            ' name or value that holds such words, or nothing: plan is not ""',
        )
    place: Any = found["place"] or ""
    operator: Any = " ".join(found["operator"].split())
    return Condition(place, _unquoted(found["name"]), operator, _unquoted(found["value"]))


def _unquoted(text: str) -> str:
    try:
        return msgspec.json.decode(text, type=str) if text.startswith('"') else text
    except msgspec.DecodeError:
        return text


class Conditions:
    """All of some conditions, for chunk after chunk."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._conditions = conditions
        names = list(dict.fromkeys(one.name for one in conditions))
        self._at = {name: f"p{number}" for number, name in enumerate(names)}
        members = {name: (key, _MAYBE, field(name=name, default=UNSET)) for name, key in self._at.items()}
        columns = [member for name, member in members.items() if name not in Row.__struct_encode_fields__]
        self._rows = msgspec.json.Decoder(msgspec.defstruct("Columns", columns, bases=(Row,), gc=False))
        wanted = msgspec.defstruct("Wanted", list(members.values()), gc=False)
        self._properties: Callable[[Raw], Any] = msgspec.json.Decoder(wanted).decode

    def barred(self, rows: Sequence[Row], chunk: bytes) -> frozenset[int]:
        """The positions of the rows that do not pass; a line that is no row passes, to be told as such."""
        if not self._conditions:
            return _NOBODY
        told = parse_rows_as(chunk, self._rows)
        return frozenset(
            at for at, row in enumerate(told) if not isinstance(rows[at], Unreadable) and not self._passes(row)
        )

    def _passes(self, row: Any) -> bool:
        if isinstance(row, Unreadable):  # a wanted column is not: what it says is unknown
            return False
        event, user = self._read(row.event_properties), self._read(row.user_properties)
        return all(_holds(one, self._texts(one, row, event, user)) is True for one in self._conditions)

    def _read(self, properties: Raw) -> Any:
        try:
            return self._properties(properties)
        except msgspec.ValidationError:  # no object: there is no such property
            return self._properties(NO_PROPERTIES)

    def _texts(self, condition: Condition, row: Any, event: Any, user: Any) -> list[str]:
        """The property's value as text, of a list each; none where it is unknown."""
        key = self._at[condition.name]
        raws = [getattr(event, key), getattr(user, key), _column(row, key, condition.name)]
        found = {"event": raws[:1], "user": raws[1:2]}.get(condition.place, raws)
        return _texts(next((raw for raw in found if raw is not UNSET and raw != _NULL), _NULL))


def _column(row: Any, key: str, name: str) -> Raw | msgspec.UnsetType:
    """A column as JSON; those that every row is read for are values already."""
    if name not in Row.__struct_encode_fields__:
        column: Raw | msgspec.UnsetType = getattr(row, key)
        return column
    at = Row.__struct_encode_fields__.index(name)
    return Raw(msgspec.json.encode(getattr(row, Row.__struct_fields__[at])))


_NOBODY: frozenset[int] = frozenset()


def _holds(condition: Condition, texts: list[str]) -> bool | None:
    """None: it can't be said."""
    if not texts:
        return None
    value = condition.value
    found = any(value in text for text in texts) if "contain" in condition.operator else value in texts
    return found is not (" not" in condition.operator)


def _texts(raw: Raw) -> list[str]:
    text = bytes(raw)
    if text[:1] == b"[":
        return [one for part in msgspec.json.decode(text, type=list[Raw]) for one in _texts(part)]
    if text[0] == _QUOTE:
        return [msgspec.json.decode(text)]
    return [] if text[:1] in b"{n" else [text.decode()]
