"""What may be converted in the values of properties, when asked: nothing is by default, to the last digit.

Dates only under names that were given: whoever converts all that looks like a date converts what is none.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from sync.core.times import parse_moment_s

SAFE = 2**53  # whole numbers up to here are exact everywhere; Source: RFC 8259 section 6
_SURELY_SAFE_DIGITS = 15
_QUOTE = ord('"')
_encode = msgspec.json.Encoder().encode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode


class Conversions(msgspec.Struct, frozen=True, kw_only=True):
    """`safe_ints`: whole numbers beyond 2^53 become text. `date_keys`: under these names a text that is a date becomes
    Unix seconds. `max_depth`: what is nested deeper becomes its JSON as text; a property that is no list or object has
    depth 1."""

    safe_ints: bool = False
    date_keys: frozenset[str] = frozenset()
    max_depth: int | None = None

    @property
    def any(self) -> bool:
        return self.safe_ints or bool(self.date_keys) or self.max_depth is not None


class Converter:
    """Converts property by property."""

    def __init__(self, conversions: Conversions) -> None:
        self._rules = conversions
        self._deep = conversions.safe_ints or conversions.max_depth is not None

    def convert(self, name: str, value: Raw) -> Raw:
        """The value of a property as it should be sent."""
        if name in self._rules.date_keys and bytes(value)[0] == _QUOTE:
            return _seconds(value)
        try:
            return self._walk(value, 1) if self._deep else value
        except RecursionError:  # ten times as deep as Amplitude allows: nobody's property, and nothing to look into
            return value

    def _walk(self, value: Raw, depth: int) -> Raw:
        text = bytes(value)
        if text[0] not in b"{[":
            return Raw(b'"%b"' % text) if self._rules.safe_ints and _is_unsafe(text) else value
        if self._rules.max_depth is not None and depth >= self._rules.max_depth:
            return Raw(_encode(msgspec.json.format(text, indent=-1).decode()))
        if text[:1] == b"[":
            return Raw(_encode([self._walk(one, depth + 1) for one in _decode_list(value)]))
        return Raw(_encode({key: self._walk(one, depth + 1) for key, one in _decode_object(value).items()}))


def _seconds(value: Raw) -> Raw:
    """What is no date stays as it is, digits among it."""
    text = msgspec.json.decode(value)
    seconds = None if text.removeprefix("-").isdigit() else parse_moment_s(text)
    return value if seconds is None else Raw(b"%d" % seconds)


def _is_unsafe(number: bytes) -> bool:
    digits = number.removeprefix(b"-")
    return len(digits) > _SURELY_SAFE_DIGITS and digits.isdigit() and (len(digits) > 16 or int(digits) > SAFE)
