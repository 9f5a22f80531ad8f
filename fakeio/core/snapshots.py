"""Snapshots: everything a workspace knows as one JSON document, from which `restoring.py` makes an equal one.

The document of a workspace that holds nothing is short; every list is in an order that does not depend on chance.
Left out are the workspace's id, name and credentials, and the numbers of requests: they mean something on one tape
only. What lies around a workspace (its clock) is added by the edge.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from fakeio.core.activities import Activity, Event
from fakeio.core.building import Build
from fakeio.core.content import Content
from fakeio.core.exports import Export
from fakeio.core.imports import Import
from fakeio.core.objects import Link, Object
from fakeio.core.operation_codec import encode_filter, encode_operation
from fakeio.core.people import Person, Stamp
from fakeio.core.plain import as_plain
from fakeio.core.seeding_content import shown_content
from fakeio.core.segments import FINISHED, Segment
from fakeio.core.workspace import Workspace

VERSION = 1  # raised whenever an older fakeio could not read the document any more


def take(space: Workspace) -> dict[str, Any]:
    """The document, as JSON values; the caller has swept the workspace.

    Nested values are shared with the state, which never changes them in place.
    """
    log = space.log.after(0, len(space.log) + 1)
    return {
        "version": VERSION,
        "settings": space.settings.as_dict(),
        "people": [_person(person) for person in space.people.iter_after(0)],
        "objects": [_object(found) for found in space.objects],
        "segments": [_segment(space, segment) for segment in space.segments],
        "suppressions": [
            {"identifiers": [{ref.kind: ref.value} for ref in found.identifiers], "at": found.at}
            for found in space.suppressions
        ],
        "events": [_event(line) for line in log if isinstance(line, Event)],
        "activities": [_line(line) for line in log if not isinstance(line, Event)],
        "deliveries": [as_plain(delivery) for delivery in space.deliveries],
        **shown_content(space),
        "forms": [as_plain(form) for form in space.forms.values()],
        "esp_suppressions": {
            name: [row._asdict() for row in rows] for name, rows in space.addresses.all().items() if rows
        },
        "exports": [_export(export) for export in space.exports],
        "export_links": {token: link._asdict() for token, link in space.exports.links.items()},
        "imports": [_import(one) for one in space.imports],
        "waiting": _waiting(space),
        "known": _known(space),
        "counters": _counters(space),
    }


def _person(person: Person) -> dict[str, Any]:
    row: dict[str, Any] = {"cio_id": person.cio_id, "id": person.id, "email": person.email}
    row |= {"number": person.number, **_at("created_at", person.born)}
    row["attributes"] = dict(person.attributes)
    row["devices"] = [msgspec.structs.asdict(device) for device in person.devices.values()]
    return row | _written(person.stamps, person.born)


def _at(name: str, stamp: Stamp) -> dict[str, Any]:
    """When something was written. The `_timestamp` it came with decides which later writes are stale."""
    return {name: stamp.at} if stamp.timestamp is None else {name: stamp.at, "timestamp": stamp.timestamp}


def _written(stamps: dict[str, Stamp] | None, born: Stamp) -> dict[str, Any]:
    """When each attribute was last written, where that was not when it all began."""
    later = {
        name: _at("at", stamp) for name, stamp in (stamps or {}).items()
        if (stamp.at, stamp.timestamp) != (born.at, born.timestamp)
    }  # fmt: skip
    return {"written": later} if later else {}


def _object(found: Object) -> dict[str, Any]:
    row: dict[str, Any] = {"object_type_id": found.type_id, "object_id": found.object_id}
    row |= {"cio_object_id": found.cio_object_id, "number": found.number, **_at("created_at", found.born)}
    row["attributes"] = dict(found.attributes)
    links = [{"cio_id": who, **_link(link)} for who, link in found.people.items()]
    links += [{"anonymous_id": who, **_link(link)} for who, link in found.waiting.items()]
    return row | {"relationships": links} | _written(found.stamps, found.born)


def _link(link: Link) -> dict[str, Any]:
    return {"attributes": dict(link.attributes), **_at("at", link.stamp)}


def _segment(space: Workspace, segment: Segment) -> dict[str, Any]:
    row: dict[str, Any] = {"id": segment.id, "name": segment.name, "description": segment.description}
    row |= {"type": segment.type, "state": segment.state}
    row |= {"created_at": segment.created_at, "updated_at": segment.updated_at}
    if segment.conditions is not None:
        row["conditions"] = segment.conditions
        ruled = space.builder.ruled(segment.id) if space.builder is not None else None
        row |= _build(ruled.build) if ruled is not None else {}
    if segment.state != FINISHED:
        row["progress"] = segment.progress
    if any(segment.used_by.values()):
        row["used_by"] = {kind: list(users) for kind, users in segment.used_by.items()}
    row["members"] = [{"cio_id": cio_id} for cio_id in segment.members]
    places = segment.members.places()
    if segment.members.last != len(places):
        row |= {"places": places, "last_place": segment.members.last}
    return row


def _build(build: Build | None) -> dict[str, Any]:
    return {} if build is None else {"build": {"started_at": build.started_at, "takes_s": build.takes_s}}


def _line(line: Activity) -> dict[str, Any]:
    """Everything but the request that wrote it."""
    row = as_plain(line)
    del row["request"]
    return row


def _event(event: Event) -> dict[str, Any]:
    return {**_line(event), "data": msgspec.json.decode(event.data)}


def _export(export: Export) -> dict[str, Any]:
    own = {name: getattr(export, name) for name in export.__struct_fields__}
    return {**own, "wanted": encode_operation(export.wanted), "content": export.content.decode()}


def _import(one: Import) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(one)
    return shown


def _waiting(space: Workspace) -> dict[str, Any]:
    """What is accepted or promised, and has not happened yet."""
    return {
        "operations": [
            {"due": held.due, "accepted_at": held.accepted_at, **encode_operation(held.operation)}
            for held in space.intake.waiting()
        ],
        "anonymous_events": [event.number for event in space.anonymous.waiting()],
        "broadcasts": [
            {"trigger": key, "filter": encode_filter(wanted), "people": _listed(people), "data": dict(data)}
            for key, (wanted, people, data) in space.content.waiting.items()
        ],
        "tasks": [{"due": task.due, "what": task.what, "key": task.key} for task in space.agenda.waiting()],
    }


def _listed(people: Iterable[tuple[str, dict[str, Any]]] | None) -> list[list[Any]] | None:
    return None if people is None else [[cio_id, dict(data)] for cio_id, data in people]


def _known(space: Workspace) -> dict[str, Any]:
    """What is remembered of things that are gone, and what can't be told from the people themselves."""
    return {
        "deleted_people": {
            cio_id: {"id": was.id, "email": was.email} for cio_id, was in space.people.all_gone().items()
        },
        "shared_emails": space.people.shared_emails(),
        "phones": space.people.phones(),
        "shared_devices": space.people.shared_devices(),
        "anonymous_ids": {
            anonymous_id: {"person": claim.person, "at": claim.at}
            for anonymous_id, claim in space.anonymous.claims.items()
        },
        "event_ids": dict(space.seen_event_ids),
        "object_types": dict(space.objects.types),
    }


def _counters(space: Workspace) -> dict[str, int]:
    """The last number each kind of thing was given, so that none is given twice."""
    content: Content = space.content
    return {
        "people": space.people.last, "activities": len(space.log), "objects": space.objects.last,
        "segments": space.segments.next_id - 1, "deliveries": space.deliveries.made,
        "templates": content.templates.last, "broadcasts": content.broadcasts.last, "topics": content.topics.last,
        "collections": content.collections.last, "webhooks": content.webhooks.last,
        "newsletters": content.newsletters.last, "exports": space.exports.last, "imports": space.imports.last,
    }  # fmt: skip
