"""Was such an event recorded? If not: what came closest, what differed, and what was accepted and ignored instead.

An expectation is partial (`core/matching.py`). Compared with it are the events there are and, when none fits, what
the lost operations on the tape meant: an event that was sent word for word and ignored beats any near miss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from fakeio.asserting.losses import Loss, add_causes, losses
from fakeio.asserting.subjects import KINDS, add_meant, known_of, person_in_brief
from fakeio.asserting.tape import add_incomplete
from fakeio.core.activities import Event
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, Ref
from fakeio.core.matching import Difference, differences
from fakeio.core.operations import RecordEvent
from fakeio.core.wording import DIFFERENCES, NEAR_MISSES, Report, first, pairs, several, shown
from fakeio.core.workspace import Workspace
from fakeio.edge.exchange import Universe
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.tape_words import by_request
from fakeio.edge.views import event_view, identifiers_view
from fakeio.records import EventRecord

_NOT_SAID = 1_000_000  # differences of what can't be compared: behind everything that can


class Candidate(NamedTuple):
    """An event, or a lost operation that meant one, and how far it is from what was wanted."""

    distance: int
    n: int  # the request on the tape
    differences: list[Difference]
    event: Event | None
    loss: Loss | None


def wanted_event(expected: Mapping[str, Any]) -> dict[str, Any]:
    """The expectation by the fields of EventRecord; raises TypeError for one that no event has."""
    unknown = sorted(set(expected) - {*EventRecord.__struct_fields__, *KINDS})
    if unknown:
        fields = ", ".join((*KINDS, *EventRecord.__struct_fields__))
        raise TypeError(f"an event has no {unknown[0]!r}; ask for any of {fields}")
    named = {kind: value for kind in KINDS if (value := expected.get(kind)) is not None}
    if CIO_ID in named:
        named[CIO_ID] = str(named[CIO_ID]).removeprefix(CIO_PREFIX)
    rest = {name: value for name, value in expected.items() if name not in KINDS}
    return {**rest, "person": named} if named else rest


def matching(space: Workspace, wanted: Mapping[str, Any]) -> Iterator[Event]:
    """The events that have all of it, in order of arrival."""
    return (event for event in space.events() if not differences(wanted, event_view(space, event)))


def no_such_event(universe: Universe, hosted: HostedWorkspace, wanted: Mapping[str, Any]) -> str:
    """Why there is none, as well as can be told."""
    space = hosted.state
    stored = [_of_event(space, event, wanted) for event in space.events()]
    lost = [_of_loss(space, loss, wanted) for loss in losses(universe, hosted, RecordEvent.name.__eq__)]
    closest = sorted([*stored, *lost], key=attrgetter("distance", "n"))
    report = Report(_headline(closest[0] if closest else None, wanted))
    report.add("wanted", _words(wanted))
    for candidate in closest[:NEAR_MISSES]:
        _add(report, hosted, candidate)
    add_causes(report, hosted, (one.loss for one in closest[:NEAR_MISSES] if one.loss is not None))
    add_meant(report, space, _refs(wanted))
    report.add("in all", _in_all(hosted, len(stored), len(lost)))
    add_incomplete(report, hosted.tape)
    return str(report)


def unwanted_event(hosted: HostedWorkspace, wanted: Mapping[str, Any], found: list[Event]) -> str:
    """That there are some, and which requests brought them."""
    report = Report(f"{several(len(found), 'event')} recorded that should not be there")
    report.add("unwanted", _words(wanted))
    for event in found[:NEAR_MISSES]:
        report.add("found", *_event_lines(hosted, event))
    if len(found) > NEAR_MISSES:
        report.add("", f"… and {len(found) - NEAR_MISSES:,} more")
    return str(report)


def _headline(closest: Candidate | None, wanted: Mapping[str, Any]) -> str:
    if closest is not None and closest.distance == 0 and closest.loss is not None:
        return f"the event was {closest.loss.because}"
    named = f"event {shown(wanted['name'])}" if "name" in wanted else "event"
    return f"no {named} like this was recorded"


def _words(wanted: Mapping[str, Any]) -> str:
    person = wanted.get("person")
    of = f"of {pairs(person)}" if isinstance(person, Mapping) else "of nobody" if "person" in wanted else ""
    rest = pairs({field: value for field, value in wanted.items() if field != "person"})
    return ", ".join(part for part in (rest, of) if part) or "any event"


def _refs(wanted: Mapping[str, Any]) -> list[Ref]:
    person = wanted.get("person")
    return [Ref(kind, str(person[kind])) for kind in KINDS if kind in person] if isinstance(person, Mapping) else []


def _in_all(hosted: HostedWorkspace, stored: int, lost: int) -> str:
    if not hosted.tape.last:
        return f"{several(stored, 'event')}; no request has come with this workspace's credentials"
    return f"{several(stored, 'event')} recorded, {lost:,} sent that came to nothing"


def _of_event(space: Workspace, event: Event, wanted: Mapping[str, Any]) -> Candidate:
    found = differences(wanted, event_view(space, event))
    return Candidate(len(found), event.request, found, event, None)


def _of_loss(space: Workspace, loss: Loss, wanted: Mapping[str, Any]) -> Candidate:
    if not isinstance(loss.meant, RecordEvent):
        return Candidate(_NOT_SAID, loss.exchange.n, [], None, loss)
    found = differences(wanted, _meant(space, loss.meant, wanted))
    return Candidate(len(found), loss.exchange.n, found, None, loss)


def _meant(space: Workspace, operation: RecordEvent, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The event that an operation would have recorded; what only a recorded one has is taken as wanted."""
    said = {
        "type": operation.type, "name": operation.event.strip(), "data": msgspec.json.decode(operation.data),
        "anonymous_id": operation.anonymous_id,
        "person": None if operation.ref is None else known_of(space, operation.ref),
    }  # fmt: skip
    if operation.timestamp is not None:
        said["timestamp"] = operation.timestamp
    if operation.dedupe_id:
        said["event_id"] = operation.dedupe_id
    return {**wanted, **said}


def _add(report: Report, hosted: HostedWorkspace, candidate: Candidate) -> None:
    lines = first([str(difference) for difference in candidate.differences], DIFFERENCES)
    if candidate.loss is not None:
        candidate.loss.add_to(report, *lines)
    elif candidate.event is not None:
        report.add("near miss", *_event_lines(hosted, candidate.event), *lines)


def _event_lines(hosted: HostedWorkspace, event: Event) -> tuple[str, str]:
    whose = person_in_brief(identifiers_view(hosted.state, event.person))
    return f"{event.type} {shown(event.name)} of {whose}", f"by {by_request(hosted.tape, event.request)}"
