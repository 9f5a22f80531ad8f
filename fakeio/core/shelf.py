"""A numbered collection: things of one kind, each under a whole number that grows and is never used twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """Anything with a number of its own; 0 as long as it has none."""

    id: int


T = TypeVar("T", bound=Numbered)


class Shelf(Generic[T]):
    """Things by number, in ascending order."""

    def __init__(self) -> None:
        self._by_id: dict[int, T] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[T]:
        return iter([self._by_id[number] for number in sorted(self._by_id)])

    def get(self, number: int) -> T | None:
        """The thing of that number."""
        return self._by_id.get(number)

    def add(self, thing: T) -> T:
        """Keep a thing under its number, or under the next one if it has none; raises ValueError for a taken one."""
        if thing.id < 0 or thing.id in self._by_id:
            raise ValueError(f"id is a free whole number of at least 1, not {thing.id}")
        thing.id = thing.id or self._last + 1
        self._last = max(self._last, thing.id)
        self._by_id[thing.id] = thing
        return thing

    def remove(self, number: int) -> None:
        """Take a thing away; its number stays used."""
        del self._by_id[number]
