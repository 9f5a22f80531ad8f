"""Control routes that read and seed state: people, events, segments with their members, and the rest of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from fakeio.core.activities import Activity, Event
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, EMAIL, ID, Ref
from fakeio.core.people import Person
from fakeio.core.seed_error import SeedError
from fakeio.core.seeding import add_segment
from fakeio.core.seeding_people import add_people
from fakeio.core.segments import MANUAL, Segment
from fakeio.core.workspace import Workspace
from fakeio.edge.control_http import Call, ControlError, Result, bad_request, parse_number
from fakeio.edge.journal import PEOPLE, SEGMENT
from fakeio.edge.views import (
    activity_view,
    delivery_view,
    event_view,
    identifiers_view,
    object_view,
    person_view,
    segment_view,
    suppression_view,
)

_BATCH = 256  # rows fetched at a time while a filter looks for those it wants


def list_people(call: Call) -> Result:
    """Who is there, in order of creation; `id`, `email`, `cio_id` are exact, `q` looks inside all three."""
    page = call.page()
    with call.opened() as hosted:
        found = _people(hosted.state, call.query, page.start)
        return page.result("people", ((person.number, person) for person in found), person_view)


def seed_people(call: Call) -> Result:
    """Seed people, all of them or none: upsert, no activities, no limit on how many."""
    rows = call.document().get("people")
    if not isinstance(rows, list):
        raise bad_request("bad_people", "`people` is not a list", 'send {"people": [{"id": "1", "attributes": {}}]}')
    with call.opened() as hosted:
        now = hosted.clock.now()
        try:
            added = add_people(hosted.state, rows, now)
        except SeedError as bad:
            raise bad_request("bad_people", str(bad), "correct it and send all again; nobody was added") from bad
        hosted.note(PEOPLE, now, rows)
        return Result(201, {"people": [person_view(person) for person in added]})


def list_events(call: Call) -> Result:
    """Events in order of arrival; `person` is an id, an email or a cio_id."""
    page = call.page()
    with call.opened() as hosted:
        space = hosted.state
        found = events(space, page.start, call.query.get("person"), call.query.get("name"), call.query.get("type"))
        return page.result("events", ((event.number, event) for event in found), lambda one: event_view(space, one))


def list_segments(call: Call) -> Result:
    """Segments of either type, by id."""
    page = call.page()
    with call.opened() as hosted:
        rows = ((segment.id, segment) for segment in hosted.state.segments if segment.id > page.start)
        return page.result("segments", rows, segment_view)


def create_segment(call: Call) -> Result:
    """A new segment of either type: only here can a data-driven one be made."""
    document = call.document()
    made = (
        document.get("name"), document.get("description", ""), document.get("type", MANUAL), document.get("conditions")
    )
    with call.opened() as hosted:
        now = hosted.clock.now()
        try:
            segment = add_segment(hosted.state, *made, now)
        except SeedError as bad:
            shape = 'send {"name": "VIP", "type": "manual"}, or "dynamic" with "conditions"'
            raise bad_request("bad_segment", str(bad), shape) from bad
        hosted.note(SEGMENT, now, *made)
        return Result(201, segment_view(segment))


def list_members(call: Call) -> Result:
    """Members in the order they joined."""
    page = call.page()
    with call.opened() as hosted:
        space = hosted.state
        rows = _segment(space, call.params["id"]).members_after(page.start, page.limit + 1)
        return page.result("members", rows, lambda cio_id: identifiers_view(space, cio_id))


def list_activities(call: Call) -> Result:
    """The activity log in order of arrival, events included; `person` is an id, an email or a cio_id."""
    page = call.page()
    with call.opened() as hosted:
        space = hosted.state
        found = _activities(space, page.start, page.limit + 1, call.query)
        return page.result("activities", ((line.number, line) for line in found), lambda one: activity_view(space, one))


def list_objects(call: Call) -> Result:
    """Objects in order of creation, with the people they are linked to."""
    page = call.page()
    with call.opened() as hosted:
        space = hosted.state
        rows = islice(enumerate(space.objects, start=1), page.start, None)
        return page.result("objects", rows, lambda one: object_view(space, one))


def list_deliveries(call: Call) -> Result:
    """Messages in order of creation, with what was reported on them."""
    page = call.page()
    with call.opened() as hosted:
        space = hosted.state
        rows = islice(enumerate(space.deliveries, start=1), page.start, None)
        return page.result("deliveries", rows, lambda one: delivery_view(space, one))


def list_suppressions(call: Call) -> Result:
    """Which identifiers are blocked, together with which others, and by which request."""
    page = call.page()
    with call.opened() as hosted:
        rows = islice(enumerate(hosted.state.suppressions, start=1), page.start, None)
        return page.result("suppressions", rows, suppression_view)


def find_person(space: Workspace, text: str) -> Person | None:
    """Who a person's name in a query means: a cio_id (with or without its prefix), an id, or an email."""
    refs = (Ref(ID, text), Ref(CIO_ID, text.removeprefix(CIO_PREFIX)), Ref(EMAIL, text))
    return next((person for ref in refs if (person := space.people.find(ref)) is not None), None)


def events(space: Workspace, place: int, person: str | None, name: str | None, type: str | None) -> Iterator[Event]:
    """Events behind `place` that are of that person, name and type; nobody's, for an unknown person."""
    owner = None if person is None else find_person(space, person)
    if person is not None and owner is None:
        return
    for event in space.events(place, None if owner is None else owner.cio_id):
        if name in (None, event.name) and type in (None, event.type):
            yield event


def _people(space: Workspace, query: Any, start: int) -> Iterator[Person]:
    named = [Ref(kind, query[kind].removeprefix(CIO_PREFIX)) if kind == CIO_ID else Ref(kind, query[kind])
             for kind in (ID, EMAIL, CIO_ID) if kind in query]  # fmt: skip
    text = query.get("q", "").lower()
    for person in _candidates(space, named, start):
        if all(_has(person, ref) for ref in named) and (not text or _mentions(person, text)):
            yield person


def _candidates(space: Workspace, named: list[Ref], start: int) -> Iterator[Person]:
    """Those an index points at when an identifier is named, else everybody, in order of creation."""
    if named:
        kind, value = named[0]
        first = space.people.find(named[0])
        found = space.people.by_email(value) if kind == EMAIL else [] if first is None else [first]
        yield from (person for person in found if person.number > start)
        return
    while batch := space.people.after(start, _BATCH):
        yield from batch
        start = batch[-1].number


def _has(person: Person, ref: Ref) -> bool:
    value = person.identifier(ref.kind)
    return value is not None and Ref(ref.kind, value).key == ref.key


def _mentions(person: Person, text: str) -> bool:
    return any(value is not None and text in value.lower() for value in (person.id, person.email, person.cio_id))


def _activities(space: Workspace, start: int, limit: int, query: Any) -> list[Activity]:
    owner = None
    if "person" in query:
        person = find_person(space, query["person"])
        # somebody deleted is still in the log, under the cio_id alone
        owner = query["person"].removeprefix(CIO_PREFIX) if person is None else person.cio_id
    return space.log.after(start, limit, person=owner, type=query.get("type"))


def _segment(space: Workspace, text: str) -> Segment:
    segment = space.segments.get(parse_number(text, "id", at_least=1))
    if segment is None:
        hint = "GET /_fakeio/workspaces/{w}/segments lists them"
        raise ControlError(404, "unknown_segment", f"there is no segment {text}", hint)
    return segment
