"""Data-driven segments at work: built on the workspace's clock, then kept right as people change and time moves.

A segment that is being built has no members; when it is finished everybody is judged once. From then on whoever an
operation touches is judged again, against segments in the order in which they depend on each other, and whoever meets
a condition on recent events is looked at when the first of them grows too old.
Source: App API > Segments > state, progress; how long what takes is assumed.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from copy import copy
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, NamedTuple

from fakeio.core.activities import Event
from fakeio.core.conditions import BadConditions, Condition, Known, Performed, parse_conditions, segments_named
from fakeio.core.people import People, Person
from fakeio.core.segments import FINISHED, Segment, Segments
from fakeio.core.tallies import Tally

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

_QUEUED_SHARE = 0.2  # of the time of each phase
_JITTER_S = 1.0  # a real clock may step back that far without everybody being judged again


class Build(NamedTuple):
    """A build under way."""

    started_at: float
    takes_s: float
    phases: tuple[str, ...]

    def done_at(self) -> float:
        return self.started_at + self.takes_s


class Ruled:
    """A data-driven segment with its conditions; `build` is None once it is finished."""

    __slots__ = ("build", "condition", "needs", "performed", "segment")

    def __init__(self, segment: Segment, condition: Condition) -> None:
        self.segment = segment
        self.condition = condition
        self.needs = segments_named(condition)
        self.performed = [part for part in condition.parts() if isinstance(part, Performed)]
        self.build: Build | None = None

    def fork(self, segments: Segments) -> Ruled:
        """The same for the segment of that id among those of another workspace."""
        other = copy(self)
        segment = segments.get(self.segment.id)
        assert segment is not None, "the segments were forked before"
        other.segment = segment
        return other


class Builder:
    """The data-driven segments of one workspace that has any: a watcher of its log, and judge of its people."""

    def __init__(self, people: People, segments: Segments) -> None:
        self.people = people
        self.segments = segments
        self.now = 0.0
        self._ruled: dict[int, Ruled] = {}
        self._in_order: list[Ruled] = []
        self._building: list[Ruled] = []
        self._tallies: dict[Performed, Tally] = {}
        self._windows: list[Tally] = []  # those that lapse
        self._due: list[tuple[float, str]] = []
        self._due_of: dict[str, float] = {}
        self._latest = 0.0

    def fork(self, people: People, segments: Segments) -> Builder:
        """The same segments at the same stage, for the people and segments of another workspace."""
        other = Builder(people, segments)
        other.now, other._latest = self.now, self._latest
        other._ruled = {id: ruled.fork(segments) for id, ruled in self._ruled.items()}
        other._in_order = [other._ruled[ruled.segment.id] for ruled in self._in_order]
        other._building = [other._ruled[ruled.segment.id] for ruled in self._building]
        other._tallies = {condition: tally.fork() for condition, tally in self._tallies.items()}
        other._windows = other._lapsing()
        other._due, other._due_of = self._due.copy(), self._due_of.copy()
        return other

    def __len__(self) -> int:
        return len(self._ruled)

    # ---- as a view of conditions, and as a watcher of the log --------------------------------------------------------

    def performed(self, condition: Performed, cio_id: str) -> int:
        """How often, counted no further than the condition asks for."""
        return self._tallies[condition].count(cio_id, self.now)

    def happened(self, event: Event) -> None:
        """Somebody performed an event, or was given one."""
        for tally in self._tallies.values():
            tally.add(event)

    def forgotten(self, cio_id: str) -> None:
        """Somebody's events are gone."""
        for tally in self._tallies.values():
            tally.forget(cio_id)

    # ---- segments come and go ----------------------------------------------------------------------------------------

    def add(self, ruled: Ruled, past: Iterable[Event], now: float, takes_s: float) -> None:
        """Start building a segment; `past` are the events so far. The caller has refused cycles."""
        self._enter(ruled, past)
        ruled.build = Build(now, takes_s, phases(ruled))
        self._building.append(ruled)
        self._advance(now)

    def _enter(self, ruled: Ruled, past: Iterable[Event]) -> None:
        self._ruled[ruled.segment.id] = ruled
        self._in_order = [self._ruled[id] for id in _in_order_of_need(self.needs())]
        new = {condition: Tally(condition) for condition in ruled.performed}
        self._tallies |= new
        self._windows = self._lapsing()
        for event in past if new else ():
            for tally in new.values():
                tally.add(event)

    def resume(self, ruled: Ruled, past: Iterable[Event], build: Build | None) -> None:
        """Go on with a segment at the stage it had reached; `past` are the events so far. Judges nobody yet.

        Raises BadConditions where segments come to ask about themselves.
        """
        ruled.build = build
        self._enter(ruled, past)
        if build is not None:
            self._building.append(ruled)
        for condition in ruled.performed:
            for cio_id, due in self._tallies[condition].lapses():
                self._look_again(cio_id, due)

    def remove(self, segment: Segment, now: float, request: int) -> None:
        """A segment of either type is gone: judge its members again by what asked about it."""
        ruled = self._ruled.pop(segment.id, None)
        if ruled is not None:
            self._in_order.remove(ruled)
            self._building = [other for other in self._building if other is not ruled]
            for condition in ruled.performed:
                del self._tallies[condition]
            self._windows = self._lapsing()
        affected = self._dependants({segment.id})
        for cio_id in segment.members if affected else ():
            self._judge(self.people.get(cio_id), affected, now, request)

    def _lapsing(self) -> list[Tally]:
        return [tally for tally in self._tallies.values() if tally.condition.within_s is not None]

    def ruled(self, segment_id: int) -> Ruled | None:
        """The segment of that id with its conditions."""
        return self._ruled.get(segment_id)

    def needs(self) -> dict[int, set[int]]:
        """The segments that each asks about, by id."""
        return {id: ruled.needs for id, ruled in self._ruled.items()}

    # ---- time and people move ----------------------------------------------------------------------------------------

    def touch(self, cio_id: str, now: float, request: int) -> None:
        """Judge again somebody whom an operation has touched."""
        self._judge(self.people.get(cio_id), self._in_order, now, request)

    def next_due(self) -> float:
        """When the next build is done or the next condition lapses; never, when there are none."""
        builds = [ruled.build.done_at() for ruled in self._building if ruled.build is not None]
        return min([*builds, self._due[0][0] if self._due else math.inf])

    def sweep(self, now: float) -> None:
        """Let builds move on and old events stop counting; after a clock set back, judge everybody anew."""
        self.now = now
        if self._building:
            self._advance(now)
        if now < self._latest - _JITTER_S:
            self._latest = now
            self._judge_all([ruled for ruled in self._in_order if ruled.performed], now)
        self._latest = max(self._latest, now)
        while self._due and self._due[0][0] <= now:
            due, cio_id = heapq.heappop(self._due)
            if self._due_of.get(cio_id) == due:
                del self._due_of[cio_id]
                self._judge(self.people.get(cio_id), self._in_order, now, 0)

    def _advance(self, now: float) -> None:
        for ruled in self._building:
            assert ruled.build is not None, "only those with a build are on this list"
            if now >= ruled.build.done_at():
                self._finish(ruled, ruled.build.done_at(), now)
            else:
                _show_progress(ruled.segment, ruled.build, now)
        self._building = [ruled for ruled in self._building if ruled.build is not None]

    def _finish(self, ruled: Ruled, at: float, now: float) -> None:
        ruled.build = None
        ruled.segment.state, ruled.segment.progress = FINISHED, None
        ruled.segment.updated_at = int(at)
        self._judge_all([ruled], now)

    def _judge_all(self, first: list[Ruled], now: float) -> None:
        following = self._dependants({ruled.segment.id for ruled in first})
        affected = [ruled for ruled in self._in_order if ruled in first or ruled in following]
        for person in self.people.iter_after(0) if affected else ():
            self._judge(person, affected, now, 0)

    def _dependants(self, ids: set[int]) -> list[Ruled]:
        """Those that ask about one of these segments, or about one that does, in order."""
        reached = set(ids)
        found = []
        for ruled in self._in_order:
            if not reached.isdisjoint(ruled.needs):
                reached.add(ruled.segment.id)
                found.append(ruled)
        return found

    def _judge(self, person: Person | None, chosen: Sequence[Ruled], now: float, request: int) -> None:
        if person is None:
            return
        self.now = now
        for ruled in chosen:
            if ruled.build is None:
                member = person.segment_set is not None and ruled.segment.id in person.segment_set
                if ruled.condition.holds(self, person) is not member:
                    person = self.people.own(person)
                    _leave(ruled.segment, person) if member else _join(ruled.segment, person, request)
        for tally in self._windows:
            self._look_again(person.cio_id, tally.lapses_at(person.cio_id, now))

    def _look_again(self, cio_id: str, due: float | None) -> None:
        """Promise to judge somebody when a condition on recent events that holds now lapses, unless it is sooner."""
        if due is not None and due < self._due_of.get(cio_id, math.inf):
            self._due_of[cio_id] = due
            heapq.heappush(self._due, (due, cio_id))


def _in_order_of_need(needs: dict[int, set[int]]) -> list[int]:
    """The ids of `needs`, each after those it needs; raises BadConditions where one comes to need itself."""
    try:
        return [id for id in TopologicalSorter(needs).static_order() if id in needs]
    except CycleError as cycle:
        chain = " asks about ".join(str(id) for id in reversed(cycle.args[1]))
        raise BadConditions(f"conditions/segment: no segment may depend on itself, and {chain}") from cycle


def phases(ruled: Ruled) -> tuple[str, ...]:
    """Events come before everything else, each after a wait; only those phases that the conditions call for."""
    if not ruled.performed:
        return ("build",)
    both = any(isinstance(part, Known) for part in ruled.condition.parts())
    return ("events", "build") if both else ("events",)


def _show_progress(segment: Segment, build: Build, now: float) -> None:
    done = min(max((now - build.started_at) / build.takes_s, 0), 1)
    at, within = divmod(done * len(build.phases), 1)
    phase = build.phases[min(int(at), len(build.phases) - 1)]
    queued = within < _QUEUED_SHARE
    segment.state = f"{phase}_queued" if queued else phase
    segment.progress = None if queued else int(done * 100)


def _join(segment: Segment, person: Person, request: int) -> None:
    segment.members.add(person.cio_id)
    segment.joined_by[person.cio_id] = request
    if person.segment_set is None:
        person.segment_set = set()
    person.segment_set.add(segment.id)


def _leave(segment: Segment, person: Person) -> None:
    segment.members.discard(person.cio_id)
    segment.joined_by.pop(person.cio_id, None)
    if person.segment_set is not None:
        person.segment_set.discard(segment.id)


def understand(space: Workspace, document: Any, id: int | None) -> Condition:
    """The conditions of a segment that is to have that id, or the next one; raises BadConditions."""
    condition = parse_conditions(document)
    own = id if id is not None else space.segments.next_id
    others = space.builder.needs() if space.builder is not None else {}
    _in_order_of_need({**others, own: segments_named(condition)})
    return condition


def begin(space: Workspace, segment: Segment, condition: Condition, now: float) -> None:
    """Build a new data-driven segment, in the time that the settings give it."""
    takes_s = space.settings.segment_build_s
    _builder(space).add(Ruled(segment, condition), space.events(), now, takes_s)


def resume(
    space: Workspace, segment: Segment, condition: Condition, started_at: float | None, takes_s: float
) -> None:
    """Go on with a data-driven segment: being built since then, or (None) finished. Raises BadConditions."""
    ruled = Ruled(segment, condition)
    build = None if started_at is None else Build(started_at, takes_s, phases(ruled))
    _builder(space).resume(ruled, space.events(), build)


def _builder(space: Workspace) -> Builder:
    if space.builder is None:
        space.builder = space.log.watcher = Builder(space.people, space.segments)
    return space.builder


def end(space: Workspace, segment: Segment, now: float, request: int) -> None:
    """A segment of either type was removed."""
    if space.builder is not None:
        space.builder.remove(segment, now, request)
        if not space.builder:
            space.builder = space.log.watcher = None
