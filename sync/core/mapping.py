"""From an export row to the event that Customer.io should record: whose, by which name, when, under which id.

Decides what is left out (filters) and what can't be sent (reasons). Properties are `properties.py`, bytes are
`wire_v1.py` and `wire_v2.py`. One Mapping serves one run: it remembers names and hours it has seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from math import inf
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Raw, field

from sync.core.budgets import EVENT_NAME
from sync.core.conditions import Condition, Conditions
from sync.core.conversions import Conversions
from sync.core.properties import Select
from sync.core.rows import NamelessRow, Row, Unreadable, parse_nameless_rows
from sync.core.times import TimeReader
from sync.core.ulids import event_ulid
from sync.core.user_properties import UserProperties
from sync.core.validation import Reason, identifier_fault, name_fault

IdKind = Literal["id", "email", "cio_id"]
IdType = Literal["auto", "id", "email", "cio_id"]
Name = bytes | Reason | None  # its JSON text, why it is no name, or None where the rules leave the event out

IDENTIFY = "$identify"
#: Carriers of properties, not activity: left out unless asked for by name. Source: amplitude.com > Identify API.
NOT_ACTIVITY = frozenset({IDENTIFY, "$groupidentify"})
NO_EVENT = b""  # in place of a name
CIO_PREFIX = "cio_"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_MOST_NAMES = 4096
_encode = msgspec.json.Encoder().encode


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What one run is asked to do. Names are exact; times are Unix seconds, `since` inside and `until` outside.
    `user_properties` become attributes of their people. With `hash_long_names` a name that is too long is cut and gets
    a digest of the whole name, so that different names stay different; without, it is no name."""

    events: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()
    properties: Select | frozenset[str] = Select.ALL
    parity: bool = False
    keep_nulls: bool = False
    id_property: str = "user_id"
    id_type: IdType = "auto"
    since: int | None = None
    until: int | None = None
    user_properties: UserProperties = Select.NONE
    where: tuple[Condition, ...] = ()
    conversions: Conversions = Conversions()
    hash_long_names: bool = False


def selection_of(rules: Rules) -> str:
    """A short name for which rows these rules leave out; empty where they leave out none."""
    if (rules.events, rules.exclude, rules.where) == (None, frozenset(), ()):
        return ""
    chosen = (None if rules.events is None else sorted(rules.events), sorted(rules.exclude), rules.where)
    return sha256(_encode(chosen)).hexdigest()[:16]


def why_nothing_is_sent(rules: Rules) -> str:
    """Why these rules leave out whatever there is, as no one can mean; empty for rules that do not.

    Rules that keep user properties may well leave out every event.
    """
    if rules.since is not None and rules.until is not None and rules.since >= rules.until:
        return "the time to begin with is not before the time to end with"
    if rules.events is not None and rules.events <= rules.exclude and rules.user_properties is Select.NONE:
        return "every event that is named is left out again"
    return ""


class Intent(msgspec.Struct, gc=False):
    """One event that should become true. `name` is its JSON text, `ms` Unix milliseconds, `ulid` 16 bytes. Without a
    name there is no event, and the row only tells its person's properties."""

    position: int  # of its row in the chunk, from 0
    row: Row
    kind: IdKind
    identifier: str  # as it stands in the row
    name: bytes
    ms: int
    ulid: bytes


class Discard(NamedTuple):
    """A row that can't become an event; `position` is its place in the chunk, from 0."""

    position: int
    row: Row
    reason: Reason


class Mapped(NamedTuple):
    """What became of a chunk: every row is in exactly one of the three."""

    intents: list[Intent]
    discards: list[Discard]
    filtered: int


class Mapping:
    """Maps the rows of one run by its rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.came: set[str] = set()  # of the events that were asked for by name
        self._names: dict[str | None, Name] = {}
        self._times = TimeReader()
        self._identifier = identifier_reader(rules)
        self._where = Conditions(rules.where)
        self._kind = kind_by_shape if rules.id_type == "auto" else _constant(rules.id_type)
        self._first_ms = -inf if rules.since is None else rules.since * 1000
        self._last_ms = inf if rules.until is None else rules.until * 1000

    def map_rows(self, rows: Sequence[Row], chunk: bytes) -> Mapped:
        """The events of one chunk, in the order of its rows. `chunk` is what the rows were parsed from."""
        intents: list[Intent] = []
        discards: list[Discard] = []
        filtered = 0
        names, nameless = self._names, _NamelessKeys(chunk)
        identifier_of, kind_of, ms_of = self._identifier, self._kind, self._times.parse_ms
        first_ms, last_ms = self._first_ms, self._last_ms
        barred = self._where.barred(rows, chunk)
        for position, row in enumerate(rows):
            name = names.get(row.event_type, _UNSEEN)
            if name == _UNSEEN:
                name = self._name(row)
            ms = ms_of(row.event_time)
            if name is None or position in barred or (ms is not None and not first_ms <= ms < last_ms):
                filtered += 1
                continue
            who = identifier_of(row)
            if type(who) is str and type(name) is bytes and ms is not None:
                key = row.insert_id or row.uuid or nameless.key(position)
                ulid = event_ulid(ms, row.app, row.device_id or "", key)
                intents.append(Intent(position, row, kind_of(who), who, name, ms, ulid))
            else:
                discards.append(Discard(position, row, _reason(row, who, name)))
        return Mapped(intents, discards, filtered)

    def _name(self, row: Row) -> Name:
        """The name's JSON text, the reason why it is no name, or None where the rules leave the event out."""
        if isinstance(row, Unreadable):
            return Reason.BAD_ROW
        name = (row.event_type or "").strip()
        if self._rules.events is not None and name in self._rules.events:
            self.came.add(name)
        verdict = self._without_event(name) if self._left_out(name) else self._fitted(name)
        if len(self._names) < _MOST_NAMES and row.event_type is not None:
            self._names[row.event_type] = verdict
        return verdict

    def _fitted(self, name: str) -> bytes | Reason:
        fault = name_fault(name)
        if fault is Reason.EVENT_NAME_TOO_LONG and self._rules.hash_long_names:
            return _encode(hashed_name(name))
        return fault or _encode(name)

    def _without_event(self, name: str) -> Name:
        """NO_EVENT for a row that is wanted for its user properties."""
        wanted = name == IDENTIFY and name not in self._rules.exclude
        return NO_EVENT if wanted and self._rules.user_properties is not Select.NONE else None

    def _left_out(self, name: str) -> bool:
        wanted = self._rules.events
        chosen = name not in NOT_ACTIVITY if wanted is None else name in wanted
        return not chosen or name in self._rules.exclude


def hashed_name(name: str) -> str:
    """As much of the name as fits, cut between letters, and 16 digits of a digest of all of it."""
    digest = f"-{sha256(name.encode()).hexdigest()[:16]}"
    return name.encode()[: EVENT_NAME.most - len(digest)].decode(errors="ignore") + digest


def _reason(row: Row, who: str | Reason, name: bytes | Reason) -> Reason:
    """The first that applies, in the order in which a person would look: who, what, when."""
    if isinstance(row, Unreadable):
        return Reason.BAD_ROW
    return next((flaw for flaw in (who, name) if isinstance(flaw, Reason)), Reason.BAD_TIMESTAMP)


def identifier_reader(rules: Rules) -> Callable[[Row], str | Reason]:
    """A function from a row to the identifier of the person it is about, or to the reason why there is nobody."""
    if rules.id_property == "user_id":
        return lambda row: _identifier(row.user_id)
    # made for this run: one field by the name of the wanted property, all others are skipped unread
    holder = msgspec.defstruct("Holder", [("value", Any, field(name=rules.id_property, default=None))], gc=False)
    decode: Callable[[Raw], Any] = msgspec.json.Decoder(holder).decode

    def identifier(row: Row) -> str | Reason:
        try:
            return _identifier(decode(row.user_properties).value)
        except msgspec.ValidationError:  # user properties are no object: there is no such property
            return Reason.MISSING_IDENTIFIER

    return identifier


def _identifier(value: Any) -> str | Reason:
    if type(value) is int:
        value = str(value)
    if type(value) is not str or value == CIO_PREFIX:
        return Reason.MISSING_IDENTIFIER
    return identifier_fault(value) or value


def kind_by_shape(value: str) -> IdKind:
    """What Customer.io takes a v1 path for. Source: docs.customer.io > Track API > identifier in the path."""
    if value.startswith(CIO_PREFIX):
        return "cio_id"
    return "email" if "@" in value and _EMAIL.fullmatch(value) else "id"


def _constant(kind: IdKind) -> Callable[[str], IdKind]:
    return lambda value: kind


class _NamelessKeys:
    """What tells a row without `$insert_id` and `uuid` from others of its device; reads the chunk again when asked."""

    def __init__(self, chunk: bytes) -> None:
        self._chunk = chunk
        self._rows: list[Row] = []

    def key(self, position: int) -> str:
        """The device's event counter with the client's time and the Amplitude id, where there is a counter.

        Else all that the row says, so that only equal rows are one event.
        """
        self._rows = self._rows or parse_nameless_rows(self._chunk)
        row = self._rows[position]
        if isinstance(row, Unreadable):  # it was readable for its usual columns
            return sha256(row.text).hexdigest()
        if isinstance(row, NamelessRow) and row.event_id != _NULL:
            return b"|".join(map(bytes, (row.event_id, row.client_event_time, row.amplitude_id))).decode()
        said = (row.event_type, row.event_time, row.user_id)
        raw = (row.event_properties, row.user_properties, row.group_properties, row.groups)
        return sha256(_encode((said, *raw))).hexdigest()


_NULL = Raw(b"null")
_UNSEEN = b"?"  # no name's JSON text
