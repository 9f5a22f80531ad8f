"""The activity log of a workspace, events included: one list in order of arrival, one index by person.

An event is an activity with a name and data, so it is stored once. Its data stays the JSON text it came as.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any, Protocol, TypeVar

import msgspec

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32, as in a ULID
EVENT_TYPES = ("event", "page", "screen")
MERGED = "event.trigger.merged"  # the rule that events which come with a merge trigger nothing


class Activity(msgspec.Struct, gc=False):
    """One line of the log. `changes` are (name, from, to) of attributes; `detail` anything else worth showing."""

    number: int
    type: str
    at: float
    person: str | None  # cio_id
    request: int
    changes: tuple[tuple[str, Any, Any], ...] = ()
    detail: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """A ULID made of its time and its number: unique in the workspace and sorted like the log."""
        return _ulid(int(self.at * 1000), self.number)

    @property
    def info(self) -> dict[str, Any]:
        """What the App API shows as the `data` of a line that is not an event."""
        if self.changes:
            return {name: {"from": old, "to": new} for name, old, new in self.changes}
        return dict(self.detail or {})


class Event(Activity, gc=False):
    """An event, page or screen view. `data` is the JSON text of an object, exactly as received.

    `no_trigger` is the rule that keeps it from triggering campaigns, empty when it may.
    """

    name: str = ""
    data: bytes = b"{}"
    timestamp: int = 0
    dedupe_id: str | None = None
    anonymous_id: str | None = None
    no_trigger: str = ""

    @property
    def event_id(self) -> str:
        """The id the caller gave, else one of ours."""
        return self.dedupe_id or self.id

    @property
    def received_at(self) -> float:
        """When it arrived, Unix seconds on the workspace's clock."""
        return self.at


A = TypeVar("A", bound=Activity)


class Watcher(Protocol):
    """Who wants to know at once whose events come and go."""

    def happened(self, event: Event) -> None:
        """An event of somebody was written, or given to somebody."""

    def forgotten(self, person: str) -> None:
        """All events of somebody are gone, or somebody else's now."""


class Activities:
    """The log itself. `watcher` is told of events; nobody watches unless a segment asks about them."""

    def __init__(self) -> None:
        self.watcher: Watcher | None = None
        self._log: list[Activity | None] = []  # index = number - 1; None: forgotten with its person
        self._of: dict[str, array[int]] = {}
        self._lent = 0  # lines up to this number are shared with a fork, but for those in `_owned`
        self._owned: set[int] = set()
        self._own_index: set[str] | None = None  # whose list of numbers is ours alone; None: everybody's

    def fork(self) -> Activities:
        """The same log for another workspace; from now on each of the two copies the lines that it changes."""
        other = Activities()
        other._log, other._of = self._log.copy(), self._of.copy()
        self._lent = other._lent = len(self._log)
        self._owned, self._own_index, other._own_index = set(), set(), set()
        return other

    def __len__(self) -> int:
        return len(self._log)

    def add(
        self, type_: str, at: float, person: str | None, request: int,
        changes: tuple[tuple[str, Any, Any], ...] = (), detail: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Write a line that is not an event."""
        self._append(Activity(len(self._log) + 1, type_, at, person, request, changes, detail))

    def restore(self, lines: Iterable[Activity], last: int) -> None:
        """Fill an empty log with lines that have their numbers, in order; then go on counting behind `last`.

        Raises ValueError where numbers do not grow.
        """
        for line in lines:
            if line.number <= len(self._log):
                raise ValueError(f"number {line.number} comes twice, or is below 1")
            self.leave_out(line.number - 1)
            self._append(line)
        self.leave_out(last)

    def leave_out(self, last: int) -> None:
        """Go on counting behind that number, as if the lines up to it had come and gone."""
        self._log += [None] * (last - len(self._log))

    def add_event(self, event: Event) -> None:
        """Write an event; its number is set here."""
        event.number = len(self._log) + 1
        self._append(event)
        if self.watcher is not None and event.person is not None:
            self.watcher.happened(event)

    def _append(self, activity: Activity) -> None:
        self._log.append(activity)
        if activity.person is not None:
            self._index(activity.person).append(activity.number)

    def _index(self, person: str) -> array[int]:
        index = self._of.get(person)
        if index is None:
            index = self._of[person] = array("q")
        elif self._own_index is not None and person not in self._own_index:
            index = self._of[person] = index[:]
        if self._own_index is not None:
            self._own_index.add(person)
        return index

    def own(self, activity: A) -> A:
        """The line as it may be written to: a copy, the first time after a fork."""
        number = activity.number
        if number <= self._lent and number not in self._owned:
            self._owned.add(number)
            self._log[number - 1] = activity = copy(activity)
        return activity

    def give(self, activity: A, person: str) -> A:
        """Hand an activity of nobody (an anonymous event), or of somebody merged away, to a person; returns it."""
        activity = self.own(activity)
        activity.person = person
        insort(self._index(person), activity.number)
        if self.watcher is not None and isinstance(activity, Event):
            self.watcher.happened(activity)
        return activity

    def move(self, source: str, target: str) -> None:
        """Everything of one person becomes another's."""
        if self.watcher is not None:
            self.watcher.forgotten(source)
        for number in self._of.pop(source, ()):
            activity = self._log[number - 1]
            if activity is None:
                continue
            given = self.give(activity, target)
            if isinstance(given, Event):
                given.no_trigger = MERGED

    def forget_events(self, person: str) -> None:
        """Delete the events of a person who is deleted; what remains of the log says that it happened."""
        if self.watcher is not None:
            self.watcher.forgotten(person)
        for number in self._of.get(person, ()):
            if isinstance(self._log[number - 1], Event):
                self._log[number - 1] = None

    def anonymise(self, person: str) -> None:
        """Keep what happened to somebody and when, and no value of theirs; a message is known by its delivery."""
        for line in self.of(person):
            line = self.own(line)
            line.changes = ()
            line.detail = {name: value for name, value in (line.detail or {}).items() if name == "delivery_id"} or None

    def drop(self, event: Event) -> None:
        """Delete one event."""
        self._log[event.number - 1] = None

    def of(self, person: str) -> list[Activity]:
        """Everything about one person, oldest first."""
        found = (self._log[number - 1] for number in self._of.get(person, ()))
        return [activity for activity in found if activity is not None]

    def after(
        self, place: int, limit: int, *, person: str | None = None, type: str | None = None,
    ) -> list[Activity]:  # fmt: skip
        """At most `limit` activities with a number above `place`, oldest first."""
        found: list[Activity] = []
        for activity in self.of(person) if person is not None else self._from(place):
            if activity.number > place and (type is None or activity.type == type):
                found.append(activity)
                if len(found) >= limit:
                    break
        return found

    def before(
        self, place: int, limit: int, wanted: Callable[[Activity], bool], person: str | None = None
    ) -> list[Activity]:
        """Newest first: at most `limit` wanted ones with a number below `place` (0: all), of one person or all."""
        numbers = self._of.get(person, ()) if person is not None else range(1, len(self._log) + 1)
        end = bisect_left(numbers, place) if place else len(numbers)
        found: list[Activity] = []
        for at in range(end - 1, -1, -1):
            activity = self._log[numbers[at] - 1]
            if activity is not None and wanted(activity):
                found.append(activity)
                if len(found) >= limit:
                    break
        return found

    def _from(self, place: int) -> Iterator[Activity]:
        for at in range(max(place, 0), len(self._log)):
            activity = self._log[at]
            if activity is not None:
                yield activity

    def events(self, place: int = 0, person: str | None = None) -> Iterator[Event]:
        """Events with a number above `place`, in order of arrival; of one person, or of all."""
        found = self.of(person) if person is not None else self._from(place)
        return (line for line in found if isinstance(line, Event) and line.number > place)


def _ulid(at_ms: int, number: int) -> str:
    value = (max(at_ms, 0) & ((1 << 48) - 1)) << 80 | number
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
