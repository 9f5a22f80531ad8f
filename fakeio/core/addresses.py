"""Addresses that the mail provider suppresses, by list. Nothing to do with suppressed people.

Source: App API > ESP suppression. A list's name is its part of the path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from fakeio.core.outcomes import Applied, Ignored, Outcome

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.app_operations import SuppressAddress, UnsuppressAddress
    from fakeio.core.workspace import Workspace

LISTS = ("blocks", "bounces", "spam_reports", "invalid_emails")
_REASON = "Uploaded manually via api.customer.io"


class Suppressed(NamedTuple):
    """One address on one list, since when (Unix seconds), and what the provider says about it."""

    email: str
    created: int
    reason: str = _REASON
    status: str = "550"

    @property
    def domain(self) -> str:
        """What follows the @, in lower case."""
        return self.email.rpartition("@")[2].lower()


class Addresses:
    """The lists of a workspace; case does not tell addresses apart."""

    def __init__(self) -> None:
        self._lists: dict[str, dict[str, tuple[int, Suppressed]]] = {name: {} for name in LISTS}
        self._arrived = 0  # places count up over all lists, and none is used twice

    def fork(self) -> Addresses:
        """The same lists for another workspace."""
        other = Addresses()
        other._lists = {name: rows.copy() for name, rows in self._lists.items()}
        other._arrived = self._arrived
        return other

    def all(self) -> dict[str, list[Suppressed]]:
        """Everybody on every list."""
        return {name: list(self.on(name)) for name in self._lists}

    def on(self, name: str) -> Iterator[Suppressed]:
        """Everybody on a list, in order of arrival."""
        return (row for _, row in self._lists[name].values())

    def after(self, name: str, place: int) -> Iterator[tuple[int, Suppressed]]:
        """Those on a list who arrived behind a place, each with its own."""
        return ((at, row) for at, row in self._lists[name].values() if at > place)

    def lists_of(self, email: str) -> list[tuple[str, Suppressed]]:
        """The lists that an address is on."""
        key = email.lower()
        return [(name, rows[key][1]) for name, rows in self._lists.items() if key in rows]

    def add(self, name: str, row: Suppressed) -> None:
        """Put an address on a list."""
        self._arrived += 1
        self._lists[name][row.email.lower()] = self._arrived, row

    def remove(self, name: str, email: str) -> bool:
        """Take an address off a list; whether it was on it."""
        return self._lists[name].pop(email.lower(), None) is not None


def suppress_address(space: Workspace, operation: SuppressAddress, now: float, request: int) -> Outcome:
    """Put an address on a list; once is enough."""
    if any(name == operation.list for name, _ in space.addresses.lists_of(operation.email)):
        return Ignored("address.unchanged", "the address is on that list already")
    space.addresses.add(operation.list, Suppressed(operation.email, int(now)))
    return Applied()


def unsuppress_address(space: Workspace, operation: UnsuppressAddress, now: float, request: int) -> Outcome:
    """Take an address off a list."""
    if space.addresses.remove(operation.list, operation.email):
        return Applied()
    return Ignored("address.unchanged", "the address is not on that list")
