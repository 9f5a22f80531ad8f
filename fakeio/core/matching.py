"""What keeps a value from matching an expectation, field by field.

An expectation is partial: an object must have the fields it names, and may have more. Lists and plain values must be
equal. Used wherever a test asks "did this arrive?" and deserves a better answer than no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fakeio.core.wording import clipped, shown

MISSING = "<missing>"


class Difference(NamedTuple):
    """`field` is a dotted path (`data.items.0.sku`); `actual` is MISSING where nothing is there."""

    field: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        found = "is missing" if self.actual is MISSING else f"is {shown(self.actual)}"
        return f"{clipped(self.field) or 'the value'} {found}, expected {shown(self.expected)}"


def differences(expected: Any, actual: Any, field: str = "") -> list[Difference]:
    """Every place where `actual` is not what `expected` asks for; empty when it matches."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return _in_object(expected, actual, field)
    if _is_list(expected) and _is_list(actual) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return [found for n, (want, have) in pairs for found in differences(want, have, _join(field, n))]
    return [] if _equal(expected, actual) else [Difference(field, expected, actual)]


def near_misses(
    candidates: Iterable[tuple[Any, list[Difference]]], at_most: int = 3
) -> list[tuple[Any, list[Difference]]]:
    """The candidates that came closest: fewest differences first, the order of arrival among equals."""
    return sorted((one for one in candidates if one[1]), key=lambda one: len(one[1]))[:at_most]


def _in_object(expected: Mapping[str, Any], actual: Mapping[str, Any], field: str) -> list[Difference]:
    found: list[Difference] = []
    for name, want in expected.items():
        if name in actual:
            found += differences(want, actual[name], _join(field, name))
        else:
            found.append(Difference(_join(field, name), want, MISSING))
    return found


def _equal(expected: Any, actual: Any) -> bool:
    """JSON's idea of equal: 1 is 1.0, and true is not 1."""
    return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _join(field: str, name: object) -> str:
    return f"{field}.{name}" if field else str(name)
