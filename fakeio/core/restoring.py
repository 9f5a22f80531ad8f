"""Restoring: an empty workspace becomes what a snapshot, or a seed, says.

A document with a `version` is a snapshot: taken at its word, limits and all, down to what is waiting to happen. One
without is a seed: people, segments and the like are judged like anybody's (`seeding.py`), and whatever else a snapshot
holds may stand beside them. Things that wait, and what is remembered, are in `restoring_rest.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from fakeio.core import building
from fakeio.core.activities import Activity, Event
from fakeio.core.conditions import BadConditions
from fakeio.core.deliveries import METRICS, Delivery
from fakeio.core.identifiers import CIO_PREFIX, EMAIL, ID, KINDS, PHONE, Ref
from fakeio.core.objects import Link, Object
from fakeio.core.operations import ObjectRef
from fakeio.core.people import Device, Stamp
from fakeio.core.restoring_rest import restore_content, restore_counters, restore_known, restore_waiting
from fakeio.core.seed_error import SeedError
from fakeio.core.seeding import SEED_KEYS, known_person, seed
from fakeio.core.segments import DYNAMIC, FINISHED, MANUAL, USERS, Segment
from fakeio.core.settings import BadSetting
from fakeio.core.snapshot_rows import (
    FAR_S,
    LARGEST,
    Document,
    LinkRow,
    ObjectRow,
    PersonRow,
    SegmentRow,
    SuppressionRow,
    WrittenRow,
)
from fakeio.core.snapshots import VERSION
from fakeio.core.workspace import Workspace

T = TypeVar("T")


def plant(space: Workspace, document: Any, now: float) -> None:
    """Put a snapshot or a seed into an empty workspace; raises SeedError, after which the workspace is no good."""
    if not isinstance(document, Mapping) or "version" in document:
        restore(space, document, now)
        return
    own = {key: value for key, value in document.items() if key in SEED_KEYS or key not in Document.__struct_fields__}
    rest = {key: value for key, value in document.items() if key not in own}
    if any(rest.values()):
        seed(space, {key: value for key, value in own.items() if key != "segments"}, now)
        _restore(space, _read({"version": VERSION, **rest}), now)
        seed(space, {key: value for key, value in own.items() if key == "segments"}, now)
    else:
        seed(space, own, now)


def restore(space: Workspace, document: Any, now: float) -> None:
    """Put a snapshot into an empty workspace; raises SeedError, after which the workspace is no good."""
    if not isinstance(document, Mapping):
        raise SeedError("a snapshot is a JSON object, as GET /_fakeio/workspaces/{w}/snapshot answers it")
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise SeedError(f"this fakeio reads snapshots of version {VERSION}, and this one is of version {version!r:.40}")
    _restore(space, _read(document), now)


def _read(document: Mapping[str, Any]) -> Document:
    try:
        return msgspec.convert(document, Document)
    except (msgspec.ValidationError, RecursionError) as bad:
        raise SeedError(str(bad).replace("`$.", "`")) from bad


def _restore(space: Workspace, document: Document, now: float) -> None:
    """In an order in which whatever is named was there before."""
    try:
        space.settings = space.settings.with_(document.settings or {})
    except BadSetting as bad:
        raise SeedError(f"settings: {bad}") from bad
    _each("people", document.people, lambda row: _person(space, row, now))
    _once("known", lambda: restore_known(space, document.known))
    _each("suppressions", document.suppressions, lambda row: _suppress(space, row, now))
    _once("events and activities", lambda: _log(space, document, now))
    waiting = document.waiting.anonymous_events
    _once("waiting.anonymous_events", lambda: _wait(space, waiting))
    _each("segments", document.segments, lambda row: _segment(space, row, now))
    _each("objects", document.objects, lambda row: _object(space, row, now))
    _each("deliveries", document.deliveries, lambda row: _delivery(space, row))
    restore_content(space, document, now, _each)
    restore_waiting(space, document, _each)
    _once("counters", lambda: restore_counters(space, document.counters))


def _each(where: str, rows: Iterable[T], put: Callable[[T], object]) -> None:
    for at, row in enumerate(rows):
        try:
            put(row)
        except SeedError:
            raise
        except (ValueError, BadConditions) as bad:
            raise SeedError(f"{where}[{at}]: {bad}") from bad


def _once(where: str, put: Callable[[], object]) -> None:
    _each(where, [None], lambda _: put())


def _stamp(at: float | None, timestamp: int | None, now: float) -> Stamp:
    return Stamp(now if at is None else at, 0, timestamp)


def _stamps(written: Mapping[str, WrittenRow]) -> dict[str, Stamp]:
    return {name: Stamp(row.at, 0, row.timestamp) for name, row in written.items()}


# ---- people ----------------------------------------------------------------------------------------------------------


def _person(space: Workspace, row: PersonRow, now: float) -> None:
    """Whether identifiers may be shared was judged when they were written."""
    people = space.people
    cio_id = None if row.cio_id is None else row.cio_id.removeprefix(CIO_PREFIX)
    if cio_id == "" or row.id == "" or (cio_id is not None and people.peek(cio_id) is not None):
        raise ValueError(f"cio_id {cio_id!r} and id {row.id!r} are not empty, and no two people have the same")
    if row.id is not None and people.find(Ref(ID, row.id)) is not None:
        raise ValueError(f"two people have the id {row.id!r}")
    if row.number is not None:
        if row.number <= people.last:
            raise ValueError(f"people come in the order of their numbers, and {row.number} is not above {people.last}")
        people.leave_out(row.number - 1)
    person = people.create(_stamp(row.created_at, row.timestamp, now), cio_id)
    people.assign(person, ID, row.id)
    people.assign(person, EMAIL, row.email or None)
    if isinstance(row.attributes.get(PHONE), str):
        people.index_phone(person, row.attributes[PHONE])
    person.attributes = {name: value for name, value in row.attributes.items() if name not in KINDS or name == PHONE}
    person.stamps = _stamps(row.written) or None
    for device in row.devices:
        held = Device(device.token, device.platform, device.last_used, device.attributes)
        person.device_map = {**person.devices, held.token: held}
        people.index_device(held.token, person)


def _suppress(space: Workspace, row: SuppressionRow, now: float) -> None:
    refs = [Ref(kind, value) for pair in row.identifiers for kind, value in pair.items()]
    if not refs or any(ref.kind not in KINDS or not ref.value for ref in refs):
        raise ValueError(f"identifiers are a list of objects with one of {', '.join(KINDS)} each")
    space.suppressions.add(refs, now if row.at is None else row.at, 0)


# ---- the log ---------------------------------------------------------------------------------------------------------


def _log(space: Workspace, document: Document, now: float) -> None:
    """Lines without a number come behind those with one, in the order in which they are listed."""
    lines = [*_lines(space, document.events, Event, now), *_lines(space, document.activities, Activity, now)]
    last = max([document.counters.activities, *(line.number for line in lines)])
    for line in lines:
        if line.number == 0:
            last += 1
            line.number = last
    space.log.restore(sorted(lines, key=lambda line: line.number), last)


def _lines(
    space: Workspace, rows: Iterable[dict[str, Any]], kind: type[Activity], now: float
) -> Iterator[Activity]:
    for row in rows:
        given = {"number": 0, "type": "event", "at": now, "person": None, **row, "request": 0}
        if isinstance(given["person"], dict):
            given["person"] = known_person(space, given["person"], "events").cio_id
        if kind is Event:
            data = given.get("data", {})
            if not isinstance(data, dict) or not given.get("name"):
                raise ValueError("an event has a name, and its data is an object")
            given = {"timestamp": int(now), **given, "data": msgspec.json.encode(data)}
        unknown = given.keys() - set(kind.__struct_fields__)
        if unknown:
            raise ValueError(f"a line has no {sorted(unknown)[0]!r}; it has {', '.join(kind.__struct_fields__)}")
        line = msgspec.convert(given, kind)
        if not (0 <= line.number <= LARGEST and abs(line.at) <= FAR_S):
            raise ValueError(f"a line has a number up to {LARGEST} and a time in Unix seconds")
        yield line


def _wait(space: Workspace, numbers: list[int] | None) -> None:
    """The anonymous events that wait for somebody: all that are nobody's, unless the document lists them."""
    nobodys = {event.number: event for event in space.events() if event.person is None and event.anonymous_id}
    for number in nobodys if numbers is None else numbers:
        if number not in nobodys:
            raise ValueError(f"event {number} is nobody's event with an anonymous_id")
        space.anonymous.wait(nobodys.pop(number) if numbers is not None else nobodys[number])


# ---- segments, objects, deliveries -----------------------------------------------------------------------------------


def _segment(space: Workspace, row: SegmentRow, now: float) -> None:
    if not row.name or row.type not in (MANUAL, DYNAMIC) or (row.conditions is not None and row.type != DYNAMIC):
        raise ValueError("a segment has a name and a type, manual or dynamic; only a dynamic one has conditions")
    if row.id is not None and space.segments.get(row.id) is not None:
        raise ValueError(f"two segments have the id {row.id}")
    if row.used_by.keys() - set(USERS):
        raise ValueError(f"used_by has lists under {', '.join(USERS)}")
    condition = None if row.conditions is None else building.understand(space, row.conditions, row.id)
    segment = space.segments.create(row.name, row.description, row.type, now, conditions=row.conditions, id=row.id)
    segment.used_by = {**segment.used_by, **row.used_by}
    if condition is not None and row.state is None:
        building.begin(space, segment, condition, now)
        return
    segment.state, segment.progress = row.state or FINISHED, row.progress
    segment.created_at = segment.created_at if row.created_at is None else row.created_at
    segment.updated_at = segment.updated_at if row.updated_at is None else row.updated_at
    _members(space, segment, row)
    if condition is not None:
        started_at, takes_s = (row.build.started_at, row.build.takes_s) if row.build is not None else (None, 0.0)
        building.resume(space, segment, condition, started_at, takes_s)


def _members(space: Workspace, segment: Segment, row: SegmentRow) -> None:
    """At the places they had, which somebody who is paging holds on to."""
    places = row.places if row.places is not None else range(1, len(row.members) + 1)
    if len(places) != len(row.members):
        raise ValueError("it has as many places as members")
    for member, place in zip(row.members, places, strict=True):
        if place <= segment.members.last:
            raise ValueError("places grow, from 1")
        person = known_person(space, member, "members")
        segment.members.leave_out(place - 1)
        segment.members.add(person.cio_id)
        person.segment_set = {*person.segments, segment.id}
    segment.members.leave_out(row.last_place)


def _object(space: Workspace, row: ObjectRow, now: float) -> None:
    ref = ObjectRef(row.object_type_id, row.object_id, row.cio_object_id)
    if not ref.type_id or not ref.object_id or space.objects.find(ObjectRef(ref.type_id, ref.object_id)) is not None:
        raise ValueError("an object has an object_type_id and an object_id, and no two have the same")
    if ref.cio_object_id and space.objects.find(ref) is not None:
        raise ValueError(f"two objects have the cio_object_id {ref.cio_object_id!r}")
    space.objects.types.setdefault(ref.type_id, f"Type {ref.type_id}")
    if row.number is not None:
        if row.number <= space.objects.last:
            raise ValueError("objects come in the order of their numbers")
        space.objects.leave_out(row.number - 1)
    found = space.objects.create(ref, _stamp(row.created_at, row.timestamp, now))
    found.attributes, found.stamps = row.attributes, _stamps(row.written)
    for link in row.relationships:
        _link(space, found, link, now)


def _link(space: Workspace, found: Object, row: LinkRow, now: float) -> None:
    link = Link(row.attributes, _stamp(row.at, row.timestamp, now))
    if row.anonymous_id is not None:
        space.objects.keep_waiting(found, row.anonymous_id, link)
        return
    named = {kind: value for kind in (ID, EMAIL, "cio_id") if (value := getattr(row, kind)) is not None}
    space.objects.keep_link(found, known_person(space, named, "relationships").cio_id, link)


def _delivery(space: Workspace, delivery: Delivery) -> None:
    if delivery.type not in METRICS or not delivery.id or delivery.id in space.deliveries:
        raise ValueError(f"a delivery has an id of its own and a type, one of {', '.join(METRICS)}")
    if delivery.person is not None:
        delivery.person = delivery.person.removeprefix(CIO_PREFIX)
    space.deliveries.add(delivery)
