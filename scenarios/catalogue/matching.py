"""What keeps a value from being the expected one, place by place.

Partial: an object must have what the expectation names and may have more. A place may hold one of these instead of a
value: ABSENT (the name must not be there), ANY (it must be there), `starting(text)`, `any_order(items)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_ABSENT, _ANY, _STARTS, _ITEMS = "$absent", "$any", "$starts", "$any_order"
ABSENT: Mapping[str, Any] = {_ABSENT: True}
ANY: Mapping[str, Any] = {_ANY: True}
MISSING = "<nothing>"


class Difference(NamedTuple):
    """`where` is a dotted place; `actual` is MISSING where nothing is."""

    where: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        return f"{self.where}: expected {_shown(self.expected)}, got {_shown(self.actual)}"


def starting(text: str) -> Mapping[str, Any]:
    """Any text that starts like that."""
    return {_STARTS: text}


def any_order(items: Sequence[Any]) -> Mapping[str, Any]:
    """A list of exactly these plain values, in any order."""
    return {_ITEMS: list(items)}


def compare(expected: Any, actual: Any, where: str) -> list[Difference]:
    """Every difference; empty when `actual` is as expected."""
    return list(_compare(expected, actual, where))


def _compare(expected: Any, actual: Any, where: str) -> Iterator[Difference]:
    if isinstance(expected, Mapping) and len(expected) == 1 and next(iter(expected)) in _SPECIAL:
        name, wanted = next(iter(expected.items()))
        if not _SPECIAL[name](wanted, actual):
            yield Difference(where, expected, actual)
    elif isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for key, wanted in expected.items():
            yield from _compare(wanted, actual.get(key, MISSING), f"{where}.{key}")
    elif _is_list(expected) and _is_list(actual) and len(expected) == len(actual):
        for place, (wanted, found) in enumerate(zip(expected, actual, strict=True)):
            yield from _compare(wanted, found, f"{where}[{place}]")
    elif not _equal(expected, actual):
        yield Difference(where, expected, actual)


def _equal(expected: Any, actual: Any) -> bool:
    """As JSON has it: true is not 1, and a list is a list."""
    if _is_list(expected) and _is_list(actual):
        return False  # of different lengths, or it would not be asked here
    return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _same_items(wanted: Any, actual: Any) -> bool:
    return _is_list(actual) and sorted(map(repr, wanted)) == sorted(map(repr, actual))


_SPECIAL = {
    _ABSENT: lambda _, actual: actual is MISSING,
    _ANY: lambda _, actual: actual is not MISSING,
    _STARTS: lambda wanted, actual: isinstance(actual, str) and actual is not MISSING and actual.startswith(wanted),
    _ITEMS: _same_items,
}


def _shown(value: Any) -> str:
    text = value if value is MISSING else repr(value)
    return text if len(text) <= 160 else f"{text[:150]}… ({len(text)} characters)"
