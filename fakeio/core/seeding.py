"""Seeds: putting people, segments and the rest straight into a workspace, without activities or limits on count.

A seed is JSON, any subset of the keys below; a key it does not know it refuses by name. People are
`seeding_people.py`, templates and the like `seeding_content.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fakeio.core import building, newsletters
from fakeio.core.conditions import BadConditions
from fakeio.core.deliveries import METRICS, Delivery
from fakeio.core.forms import Form
from fakeio.core.identifiers import CIO_ID, EMAIL, ID, Ref
from fakeio.core.objects import Link, Object
from fakeio.core.operations import ObjectRef
from fakeio.core.people import Person, Stamp
from fakeio.core.seed_error import SeedError
from fakeio.core.seeding_content import CONTENT_KEYS, convert, plant_row, shown_content
from fakeio.core.seeding_people import add_people, list_of, person_refs, plain_attributes
from fakeio.core.segments import DYNAMIC, MANUAL, USERS, Segment
from fakeio.core.settings import BadSetting
from fakeio.core.snapshot_rows import LinkRow, ObjectRow, SegmentRow
from fakeio.core.workspace import Workspace

SEED_KEYS = ("settings", "people", "segments", "suppressions", "objects", "deliveries", "forms", *CONTENT_KEYS)

def seed(space: Workspace, document: Any, now: float) -> None:
    """Apply a seed document; raises SeedError before anything of the offending row is applied, or of any person."""
    if not isinstance(document, Mapping):
        raise SeedError("a seed is a JSON object with any of: " + ", ".join(SEED_KEYS))
    for key in document:
        if key not in SEED_KEYS and key != "version":
            raise SeedError(f"a seed has no key {key!r}; it takes {', '.join(SEED_KEYS)}")
    try:
        space.settings = space.settings.with_(_table(document, "settings"))
    except BadSetting as bad:
        raise SeedError(f"settings: {bad}") from bad
    add_people(space, list_of(document, "people"), now)
    for key, seed_row in _SECTIONS.items():
        for at, row in enumerate(list_of(document, key)):
            seed_row(space, row, f"{key}[{at}]", Stamp(now, 0))
    newsletters.promise_seeded(space, now)


def add_segment(
    space: Workspace, name: Any, description: Any, type: Any, conditions: Any, now: float, id: int | None = None,
) -> Segment:  # fmt: skip
    """A new segment of either type, built at once or in the time the settings give; raises SeedError.

    A data-driven one without conditions keeps the members that a seed gives it.
    """
    if not isinstance(name, str) or not name:
        raise SeedError("a segment needs a name")
    if type not in (MANUAL, DYNAMIC):
        raise SeedError(f"a segment's type is manual or dynamic, not {type!r}")
    if not isinstance(description, str):
        raise SeedError("a segment's description is text")
    if conditions is not None and (type != DYNAMIC or not isinstance(conditions, dict)):
        raise SeedError("conditions are an object, and only a dynamic segment has them")
    if id is not None and (not isinstance(id, int) or isinstance(id, bool) or id < 1 or space.segments.get(id)):
        raise SeedError(f"a segment's id is a free whole number of at least 1, not {id!r}")
    if conditions is None:
        return space.segments.create(name, description, type, now, id=id)
    try:
        condition = building.understand(space, conditions, id)
    except BadConditions as bad:
        raise SeedError(str(bad)) from bad
    segment = space.segments.create(name, description, type, now, conditions=conditions, id=id)
    building.begin(space, segment, condition, now)
    return segment


def snapshot(space: Workspace) -> dict[str, Any]:
    """The state that a seed can hold, as a seed document: `seed` of it makes an equal workspace."""
    return {
        "settings": space.settings.changed(),
        "people": [_shown_person(person) for person in space.people.iter_after(0)],
        "segments": [_shown_segment(space, segment) for segment in space.segments],
        "suppressions": [
            {"identifiers": [{ref.kind: ref.value} for ref in found.identifiers]} for found in space.suppressions
        ],
        "objects": [_shown_object(found) for found in space.objects],
        "deliveries": [msgspec.to_builtins(delivery) for delivery in space.deliveries],
        "forms": [msgspec.to_builtins(form) for form in space.forms.values()],
        **shown_content(space),
    }


def _shown_person(person: Person) -> dict[str, Any]:
    shown: dict[str, Any] = {"cio_id": person.cio_id, "id": person.id, "email": person.email}
    shown["attributes"] = dict(person.attributes)
    shown["devices"] = [
        {"token": d.token, "platform": d.platform, "last_used": d.last_used, "attributes": d.attributes}
        for d in person.devices.values()
    ]
    return shown


def _shown_segment(space: Workspace, segment: Segment) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": segment.id, "name": segment.name, "description": segment.description}
    shown["type"] = segment.type
    if segment.conditions is not None:
        shown["conditions"] = segment.conditions
    if any(segment.used_by.values()):
        shown["used_by"] = segment.used_by
    shown["members"] = [{CIO_ID: cio_id} for cio_id in segment.members]
    return shown


def _shown_object(found: Object) -> dict[str, Any]:
    shown: dict[str, Any] = {"object_type_id": found.type_id, "object_id": found.object_id}
    shown["cio_object_id"] = found.cio_object_id
    shown["attributes"] = dict(found.attributes)
    shown["relationships"] = [{CIO_ID: who, "attributes": link.attributes} for who, link in found.people.items()]
    shown["relationships"] += [
        {"anonymous_id": who, "attributes": link.attributes} for who, link in found.waiting.items()
    ]
    return shown


def _refuse_unknown(row: Mapping[str, Any], kind: type[msgspec.Struct], where: str) -> None:
    """What a snapshot may say of such a thing a seed may too, and nothing else; raises SeedError."""
    unknown = next((key for key in row if key not in kind.__struct_fields__), None)
    if unknown is not None:
        known = ", ".join(kind.__struct_fields__)
        raise SeedError(f"{where}: unknown field {unknown!r:.60}; those known here are {known}")


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    value = {} if value is None else value
    if not isinstance(value, Mapping):
        raise SeedError(f"{key} is an object")
    return value


def _seed_segment(space: Workspace, row: Any, where: str, stamp: Stamp) -> None:
    if not isinstance(row, Mapping):
        raise SeedError(f"{where}: a segment is an object")
    _refuse_unknown(row, SegmentRow, where)
    try:
        segment = add_segment(
            space, row.get("name"), row.get("description") or "", row.get("type") or MANUAL, row.get("conditions"),
            stamp.at,
            row.get("id"),
        )  # fmt: skip
    except SeedError as bad:
        raise SeedError(f"{where}: {bad}") from bad
    for kind, users in _table(row, "used_by").items():
        if kind not in USERS or not isinstance(users, list) or not all(isinstance(user, int) for user in users):
            raise SeedError(f"{where}.used_by: lists of numbers under {', '.join(USERS)}")
        segment.used_by[kind] = list(users)
    listed = [
        known_person(space, member, f"{where}.members[{at}]")
        for at, member in enumerate(list_of(row, "members", where))
    ]
    if segment.conditions is not None:
        segment.members.put_first([person.cio_id for person in listed])
        return  # who they are is up to the conditions
    for person in listed:
        _seed_member(space, segment, person, stamp)


def _seed_member(space: Workspace, segment: Segment, person: Person, stamp: Stamp) -> None:
    segment.members.add(person.cio_id)
    if person.segment_set is None:
        person.segment_set = set()
    person.segment_set.add(segment.id)
    space.touch(person.cio_id, stamp.at, stamp.request)


def _seed_object(space: Workspace, row: Any, where: str, stamp: Stamp) -> None:
    """`{"object_type_id", "object_id", "attributes"?, "relationships"?: [{"id"|"email"|"cio_id", "attributes"?}]}`."""
    if not isinstance(row, Mapping) or not row.get("object_id") or not row.get("object_type_id"):
        raise SeedError(f"{where}: an object has an object_type_id and an object_id")
    _refuse_unknown(row, ObjectRow, where)
    ref = ObjectRef(str(row["object_type_id"]), str(row["object_id"]), str(row.get("cio_object_id") or ""))
    space.objects.types.setdefault(ref.type_id, f"Type {ref.type_id}")
    found = space.objects.find(ObjectRef(ref.type_id, ref.object_id)) or space.objects.create(ref, stamp)
    found.attributes.update(plain_attributes(row, where))
    for at, link in enumerate(list_of(row, "relationships")):
        here = f"{where}.relationships[{at}]"
        if isinstance(link, Mapping):
            _refuse_unknown(link, LinkRow, here)
        kept = Link(plain_attributes(link, here) if isinstance(link, Mapping) else {}, stamp)
        if isinstance(link, Mapping) and isinstance(link.get("anonymous_id"), str):
            space.objects.keep_waiting(found, link["anonymous_id"], kept)
        else:
            space.objects.keep_link(found, known_person(space, link, here).cio_id, kept)


def known_person(space: Workspace, row: Any, where: str) -> Person:
    """Whom a row names by an id or an email as text, or by an object of identifiers; raises SeedError."""
    text = [Ref(ID, row), Ref(EMAIL, row)] if isinstance(row, str) else []
    refs = person_refs(row, where) if isinstance(row, Mapping) else text
    person = next((found for ref in refs if (found := space.people.find(ref)) is not None), None)
    if person is None:
        raise SeedError(f"{where}: nobody in this seed is {row!r}; list the person under people first")
    return person


def _seed_delivery(space: Workspace, row: Any, where: str, stamp: Stamp) -> None:
    """`{"id", "type", "person": "id"|{"id"|"email"|"cio_id"}, "created_at"?, "recipient"?, "metrics"?}`."""
    if not isinstance(row, Mapping) or not isinstance(row.get("id"), str) or row.get("type") not in METRICS:
        raise SeedError(f"{where}: a delivery has an id and a type, one of {', '.join(METRICS)}")
    if row["id"] in space.deliveries:
        raise SeedError(f"{where}: there is a delivery {row['id']!r} already")
    named = row.get("person")
    whom: Any = {CIO_ID: named} if isinstance(named, str) and space.people.get(named) is not None else named
    try:
        delivery = msgspec.convert({"created_at": int(stamp.at), **row, "person": None}, Delivery)
    except msgspec.ValidationError as bad:
        raise SeedError(f"{where}: {bad}") from bad
    delivery.person = known_person(space, whom, f"{where}.person").cio_id if named is not None else None
    space.deliveries.add(delivery)


def _seed_form(space: Workspace, row: Any, where: str, stamp: Stamp) -> None:
    """`{"id", "fields"?: {a name on the page: an attribute}}`."""
    try:
        form = convert(row, Form, int(stamp.at))
    except ValueError as bad:
        raise SeedError(f"{where}: {bad}") from bad
    space.forms[form.id] = form


def _seed_refs(row: Any, where: str) -> list[Ref]:
    if isinstance(row, Mapping) and isinstance(row.get("identifiers"), list):
        return [ref for each in row["identifiers"] if isinstance(each, Mapping) for ref in person_refs(each, where)]
    if not isinstance(row, Mapping):
        raise SeedError(f"{where}: a suppression is an object with id or email")
    return person_refs(row, where)


def _seed_suppression(space: Workspace, row: Any, where: str, stamp: Stamp) -> None:
    space.suppressions.add(_seed_refs(row, where), stamp.at, stamp.request)


def _content_seeder(key: str) -> Callable[[Workspace, Any, str, Stamp], object]:
    def seed_row(space: Workspace, row: Any, where: str, stamp: Stamp) -> None:
        try:
            plant_row(space, key, row, stamp.at)
        except ValueError as bad:
            raise SeedError(f"{where}: {bad}") from bad

    return seed_row


# in this order, and after the people: later sections name what is in earlier ones
_SECTIONS: dict[str, Callable[[Workspace, Any, str, Stamp], object]] = {
    "segments": _seed_segment,
    "suppressions": _seed_suppression,
    "objects": _seed_object,
    "deliveries": _seed_delivery,
    "forms": _seed_form,
    **{key: _content_seeder(key) for key in CONTENT_KEYS},
}
