"""What happens to one workspace, written down so that it can be done again: into the data file, in order.

An entry is JSON, `[what, now, …]`, and `replay` does what it says. Everything that changes a state through a socket is
an entry: operations that a request brought, seeds, settings, the clock. What replaces a state (its creation, a reset, a
restored snapshot) is a new snapshot instead, and so is a journal that has grown long.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from fakeio.core.operation_codec import decode_operation, encode_operation
from fakeio.core.operations import Operation
from fakeio.core.seed_error import SeedError
from fakeio.core.seeding import add_segment
from fakeio.core.seeding_people import add_people
from fakeio.core.snapshots import take

if TYPE_CHECKING:  # a workspace is handed its journal
    from fakeio.edge.registry import HostedWorkspace
    from fakeio.edge.store import Store

OPERATIONS, PEOPLE, SEGMENT, SETTINGS, CLOCK, FLUSH = "operations", "people", "segment", "settings", "clock", "flush"
NUMBERED = "numbered"
NUMBERS_AT_ONCE = 1000  # how many numbers of requests are written down as given before they are
_LONG_BYTES = 64 * 1024 * 1024  # reading a journal back takes longer than reading a snapshot
_TIMES = 4  # …and a large workspace is not worth a snapshot for every hundredth of it


class Journal:
    """The journal of one workspace. Callers hold the workspace's lock."""

    def __init__(self, store: Store, hosted: HostedWorkspace, written_bytes: int = 0) -> None:
        self._store = store
        self._hosted = hosted
        self._taken: list[dict[str, Any]] = []
        self._bytes = written_bytes
        self._most_bytes = _LONG_BYTES
        self._numbered = hosted.tape.last

    def number(self, n: int, now: float) -> None:
        """A request gets that number: no other will, neither here nor after a restart. Written down many at a time."""
        if n > self._numbered:
            self._numbered = n + NUMBERS_AT_ONCE - 1
            self.note(NUMBERED, now, self._numbered)

    def stop(self) -> None:
        """Nothing more comes. After a clean stop numbers go on without a gap."""
        hosted = self._hosted
        if hosted.tape.last < self._numbered:
            self._numbered = hosted.tape.last
            self.note(NUMBERED, hosted.clock.now(), self._numbered)

    def take(self, operation: Operation) -> None:
        """An operation that a request has brought, before it is carried out; `took` follows when there are no more."""
        self._taken.append(encode_operation(operation))

    def took(self, now: float, delay_s: float | None) -> None:
        """The operations of one request, and how long they wait (None: nothing waits)."""
        if self._taken:
            taken, self._taken = self._taken, []
            self.note(OPERATIONS, now, delay_s, taken)

    def note(self, what: str, now: float, *values: Any) -> None:
        """One thing that changes the state."""
        entry = msgspec.json.encode((what, now, *values))
        self._store.add_entry(self._hosted.id, entry)
        self._bytes += len(entry)
        if self._bytes > self._most_bytes:
            self.rewrite()

    def rewrite(self) -> None:
        """The state as it is, instead of all entries so far."""
        hosted = self._hosted
        snapshot = msgspec.json.encode(take(hosted.state))
        about = {**hosted.about(), NUMBERED: self._numbered}
        self._store.replace(hosted.id, msgspec.json.encode(about), snapshot)
        self._bytes, self._most_bytes = 0, max(_LONG_BYTES, _TIMES * len(snapshot))

    def close(self) -> None:
        """The workspace is gone."""
        self._store.remove(self._hosted.id)


def replay(hosted: HostedWorkspace, entries: Iterable[bytes]) -> int:
    """Do again what the entries say, in order; how many bytes they were. Raises ValueError for what is no entry."""
    size = 0
    for entry in entries:
        what, now, *values = msgspec.json.decode(entry)
        hosted.state.sweep(now)
        _REPLAYED[what](hosted, now, *values)
        size += len(entry)
    return size


def _operations(hosted: HostedWorkspace, now: float, delay_s: float | None, rows: list[Any]) -> None:
    for row in rows:
        operation = decode_operation(row)
        if delay_s is None:
            hosted.state.apply(operation, now)
        else:
            hosted.state.accept(operation, now, 0, delay_s)


def _people(hosted: HostedWorkspace, now: float, rows: list[Any]) -> None:
    with suppress(SeedError):  # earlier versions wrote down what they refused, too
        add_people(hosted.state, rows, now)


def _segment(hosted: HostedWorkspace, now: float, name: Any, description: Any, type: Any, conditions: Any) -> None:
    with suppress(SeedError):
        add_segment(hosted.state, name, description, type, conditions, now)


def _settings(hosted: HostedWorkspace, now: float, changes: dict[str, Any]) -> None:
    hosted.state.settings = hosted.state.settings.with_(changes)


def _clock(hosted: HostedWorkspace, now: float, clock: dict[str, Any]) -> None:
    hosted.clock.restore(clock)


def _flush(hosted: HostedWorkspace, now: float) -> None:
    hosted.state.flush(now)


def _numbered(hosted: HostedWorkspace, now: float, last: int) -> None:
    hosted.tape.go_on_after(last)


_REPLAYED: dict[str, Any] = {
    OPERATIONS: _operations, PEOPLE: _people, SEGMENT: _segment, SETTINGS: _settings, CLOCK: _clock, FLUSH: _flush,
    NUMBERED: _numbered,
}  # fmt: skip
