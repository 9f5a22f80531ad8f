"""Which identifiers are blocked: a suppressed person's identifiers accept everything and keep nothing.

Not the email provider's suppression list and not the `unsubscribed` attribute: those are other things.
Source: Track API > Suppress, Unsuppress.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fakeio.core.identifiers import Ref


@dataclass(frozen=True, slots=True)
class Suppression:
    """Identifiers blocked together, when, and by which request."""

    identifiers: tuple[Ref, ...]
    at: float
    request: int


class Suppressions:
    """The blocked identifiers of a workspace."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str], Suppression] = {}

    def fork(self) -> Suppressions:
        """The same for another workspace."""
        other = Suppressions()
        other._by_key = self._by_key.copy()
        return other

    def __len__(self) -> int:
        return len({id(found) for found in self._by_key.values()})

    def __iter__(self) -> Iterator[Suppression]:
        return iter(dict.fromkeys(self._by_key.values()))

    def find(self, ref: Ref) -> Suppression | None:
        """The suppression that blocks `ref`, if any."""
        return self._by_key.get(ref.key) if self._by_key else None

    def add(self, identifiers: Iterable[Ref], at: float, request: int) -> None:
        """Block these together."""
        suppression = Suppression(tuple(identifiers), at, request)
        for ref in suppression.identifiers:
            self._by_key[ref.key] = suppression

    def remove(self, suppression: Suppression) -> None:
        """Free all identifiers that were blocked together."""
        for ref in suppression.identifiers:
            self._by_key.pop(ref.key, None)
