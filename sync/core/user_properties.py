"""What a row says about its person: which user properties are set, set once or unset, and which of them may travel.

Amplitude tells user properties in two ways: as they are (export rows, streamed events) and as operations (`$identify`).
Operations whose outcome only Amplitude knows are counted, not replayed: the next row tells the properties as they are.
A property that is absent or null says nothing; only `$unset` removes. What was sent before is `person_updates.py`.
Source: amplitude.com > Identify API; docs.customer.io > Track API > Identify.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
from msgspec import Raw

from sync.core.budgets import ATTRIBUTE_NAME, ATTRIBUTE_VALUE
from sync.core.conversions import Conversions, Converter
from sync.core.properties import Select, as_text

UserProperties = Select | tuple[str, ...]  # the names in the order in which they were given

#: Would make a person somebody else, or change what they consented to: sent only when asked for by name. An identifier
#: of another person is answered with a 200 all the same, and fails where the sender can't see it.
RISKY = frozenset({"id", "email", "cio_id", "anonymous_id", "unsubscribed", "cio_subscription_preferences"})
#: Steer a request and are no attributes.
CONTROLS = frozenset({"_timestamp", "_update", "cio_relationships"})

RISK = "identifies people or is about their consent; name it to send it"
CONTROL = "steers Customer.io's requests and can't be an attribute"
LONG_NAME = f"the name is longer than {ATTRIBUTE_NAME.most} bytes"
LONG_VALUE = f"the value is longer than {ATTRIBUTE_VALUE.most} bytes"

_SET, _SET_ONCE, _UNSET = "$set", "$setOnce", "$unset"
_UNKNOWN_OUTCOME = frozenset(
    {"$add", "$append", "$prepend", "$preInsert", "$postInsert", "$remove", "$clearAll"}
)
_OPERATIONS = _UNKNOWN_OUTCOME | {_SET, _SET_ONCE, _UNSET}
_NULL = Raw(b"null")
_REMOVED = Raw(b'""')  # Source: docs.customer.io > Track API > Identify: an empty value removes the attribute
_QUOTE = ord('"')
_decode = msgspec.json.Decoder(dict[str, Raw]).decode


class Attribute(NamedTuple):
    """One attribute that a row speaks of. `value` is JSON text; `removed` where it should go, `once` where only a first
    value counts."""

    name: str
    value: Raw
    removed: bool = False
    once: bool = False


class UserPropertiesReader:
    """Reads the user properties of rows. Counts, in attributes, what it left out and why, and in rows, what waits."""

    def __init__(
        self, wanted: UserProperties, *, parity: bool = False, conversions: Conversions | None = None
    ) -> None:
        """`parity`: every value as text, no lists, no objects, as Amplitude's own stream does."""
        self.left_out: Counter[tuple[str, str]] = Counter()  # (name, why)
        self.waiting = 0  # rows with operations that are not replayed
        self._all = wanted is Select.ALL
        self._names = dict.fromkeys(wanted) if isinstance(wanted, tuple) else {}
        self._parity = parity
        self._converter = Converter(conversions or Conversions())

    def read(self, properties: Raw) -> list[Attribute]:
        """The attributes of one row, chosen names first come first, otherwise in the order of their names."""
        said = _members(properties)
        if not any(name in _OPERATIONS for name in said):
            return self._fitting(self._chosen(said))
        plain = {name: value for name, value in said.items() if name not in _OPERATIONS}
        self.waiting += any(self._chosen(_members(said[name])) for name in _UNKNOWN_OUTCOME & said.keys())
        once = self._chosen(_members(said.get(_SET_ONCE, _NULL)))
        found = {one.name: one._replace(once=True) for one in self._fitting(once)}
        found |= {one.name: one for one in self._fitting(self._chosen({**plain, **_members(said.get(_SET, _NULL))}))}
        unset = self._chosen(dict.fromkeys(_unset_names(said.get(_UNSET, _NULL)), _REMOVED))
        found |= {name: Attribute(name, _REMOVED, removed=True) for name, _ in unset}
        return list(found.values())

    def _chosen(self, members: dict[str, Raw]) -> list[tuple[str, Raw]]:
        """Of these properties the wanted ones that say something."""
        names: Iterable[str] = sorted(members) if self._all else (name for name in self._names if name in members)
        return [(name, members[name]) for name in names if members[name] != _NULL and self._allowed(name)]

    def _allowed(self, name: str) -> bool:
        if name in CONTROLS:
            why = CONTROL
        elif self._all and name in RISKY:
            why = RISK
        elif len(name.encode()) > ATTRIBUTE_NAME.most:
            why = LONG_NAME
        else:
            return True
        self.left_out[name, why] += 1
        return False

    def _fitting(self, members: list[tuple[str, Raw]]) -> list[Attribute]:
        return [Attribute(name, value) for name, raw in members if (value := self._value(name, raw)) is not None]

    def _value(self, name: str, raw: Raw) -> Raw | None:
        raw = self._converter.convert(name, raw)
        value = as_text(raw) if self._parity else Raw(msgspec.json.format(raw, indent=-1))
        if value is not None and _size(value) > ATTRIBUTE_VALUE.most:
            self.left_out[name, LONG_VALUE] += 1
            return None
        return value


def _members(raw: Raw) -> dict[str, Raw]:
    """The properties of an object; of anything else none."""
    try:
        members: dict[str, Raw] = _decode(raw)
        return members
    except msgspec.ValidationError:
        return {}


def _unset_names(raw: Raw) -> Iterator[str]:
    """`$unset` is documented as an object whose values mean nothing; a list of names is understood too."""
    value = msgspec.json.decode(raw)
    if isinstance(value, dict | list):
        yield from (name for name in value if isinstance(name, str))


def _size(value: Raw) -> int:
    """In bytes: of a text its letters, of anything else its JSON."""
    text = bytes(value)
    return len(msgspec.json.decode(text).encode()) if text[0] == _QUOTE else len(text)
