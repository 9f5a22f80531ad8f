"""A numbered collection: things of one kind, each under a whole number that grows and is never used twice."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Generic, Protocol, Self, TypeVar

import msgspec


class Numbered(Protocol):
    """Anything with a number of its own; 0 as long as it has none."""

    id: int


T = TypeVar("T", bound=Numbered)


class Shelf(Generic[T]):
    """Things by number, in ascending order."""

    def __init__(self) -> None:
        self._by_id: dict[int, T] = {}
        self._last = 0
        self._owned: set[int] | None = None  # those that are ours alone; None: all

    def fork(self) -> Self:
        """The same things for another workspace; from now on each of the two copies what it hands out."""
        other = copy(self)
        other._by_id = self._by_id.copy()
        self._owned, other._owned = set(), set()
        return other

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[T]:
        return iter([self._by_id[number] for number in sorted(self._by_id)])

    @property
    def last(self) -> int:
        """The largest number ever used."""
        return self._last

    def leave_out(self, last: int) -> None:
        """Go on counting behind that number, as if those up to it had come and gone."""
        self._last = max(self._last, last)

    def get(self, number: int) -> T | None:
        """The thing of that number, which may be written to. Those met by iterating are only read."""
        thing = self._by_id.get(number)
        if thing is not None and self._owned is not None and number not in self._owned:
            self._owned.add(number)
            thing = self._by_id[number] = _copied(thing)
        return thing

    def add(self, thing: T) -> T:
        """Keep a thing under its number, or under the next one if it has none; raises ValueError for a taken one."""
        if thing.id < 0 or thing.id in self._by_id:
            raise ValueError(f"id is a free whole number of at least 1, not {thing.id}")
        thing.id = thing.id or self._last + 1
        self._last = max(self._last, thing.id)
        self._by_id[thing.id] = thing
        if self._owned is not None:
            self._owned.add(thing.id)
        return thing

    def remove(self, number: int) -> None:
        """Take a thing away; its number stays used."""
        del self._by_id[number]


def _copied(thing: T) -> T:
    """A copy of its own, with copies of its parts where it is made of parts."""
    mine = copy(thing)
    for name in getattr(thing, "__struct_fields__", ()):
        value = getattr(thing, name)
        if isinstance(value, list) and value and isinstance(value[0], msgspec.Struct):
            setattr(mine, name, [copy(part) for part in value])
    return mine
