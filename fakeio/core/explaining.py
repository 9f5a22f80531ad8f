"""Who wrote what: blame for every attribute, identifier, device, membership and relationship of one person.

Numbers are those of requests on the tape (0: a seed or a Python handle wrote it). What the tape itself can add, the
attempts that were refused or ignored, is added by the control API.
"""

from __future__ import annotations

from typing import Any

from fakeio.core.building import Ruled
from fakeio.core.identifiers import CIO_ID, EMAIL, ID
from fakeio.core.near_misses import of_person
from fakeio.core.people import Person, Stamp
from fakeio.core.workspace import Workspace

_FAILURES = ("failed_attribute_change", "skipped_update")


def explain_person(space: Workspace, person: Person) -> dict[str, Any]:
    """Everything about one person with the request that wrote it."""
    return {
        "person": {kind: person.identifier(kind) for kind in (ID, EMAIL, CIO_ID)},
        "created_by": _blame(person.born),
        "identifiers": {kind: _written(person, kind) for kind in (ID, EMAIL) if person.identifier(kind) is not None},
        "attributes": {name: _written(person, name) for name in person.attributes},
        "devices": {token: _blame(person.stamp(f"device:{token}")) for token in person.devices},
        "segments": {str(segment_id): explain_membership(space, person, segment_id) for segment_id in person.segments},
        "relationships": [
            {"object_type_id": found.type_id, "object_id": found.object_id, **_blame(found.people[person.cio_id].stamp)}
            for found in space.objects.of(person.cio_id)
        ],
        "near_misses": of_person(space, person),
    }


def explain_attribute(space: Workspace, person: Person, name: str) -> dict[str, Any]:
    """Why the person has that value: who wrote it, what it was before, which writes of it came to nothing."""
    value = person.value_of(name)
    lines = space.log.of(person.cio_id)
    changes = [
        {"request": line.request, "at": line.at, "from": old, "to": new}
        for line in lines
        for changed, old, new in line.changes
        if changed == name
    ]
    failures = [
        {"request": line.request, "at": line.at, "activity": line.type, **line.info}
        for line in lines
        if line.type in _FAILURES and _is_about(line.info, name)
    ]
    if value is not None:
        why = f"written by {_words(person.stamp(name))}"
    elif changes or name in (person.stamps or ()):
        why = f"{name!r} was removed by {_words(person.stamp(name))}"
    else:
        why = f"no accepted write of this person has named {name!r}"
    written_by = _blame(person.stamp(name)) if value is not None else None
    return {
        "attribute": name,
        "value": value,
        "written_by": written_by,
        "why": why,
        "changes": changes,
        "failures": failures,
    }


def explain_membership(space: Workspace, person: Person, segment_id: int) -> dict[str, Any]:
    """Why the person is, or is not, a member of a segment, as far as the state can tell."""
    segment = space.segments.get(segment_id)
    if segment is None:
        return {"segment": segment_id, "member": False, "why": f"there is no segment {segment_id}", "request": None}
    ruled = space.builder.ruled(segment_id) if space.builder is not None else None
    if person.cio_id in segment.members:
        request = segment.joined_by.get(person.cio_id, 0)
        why = _why_member(request) if ruled is None else _why_met(request)
        return {"segment": segment_id, "member": True, "why": why, "request": request}
    if ruled is not None:
        why = _why_not_met(space, person, ruled)
    else:
        why = "data-driven: calls can add nobody to it" if segment.type != "manual" else "no add call has reached it"
    return {"segment": segment_id, "member": False, "why": why, "request": None}


def _why_member(request: int) -> str:
    return f"added by request {request}" if request else "a member since it was seeded, or since before a snapshot"


def _why_met(request: int) -> str:
    since = f"since request {request}" if request else "since it was built, a seed said so, or time had passed"
    return f"data-driven: its conditions hold, {since}"


def _why_not_met(space: Workspace, person: Person, ruled: Ruled) -> str:
    if ruled.build is not None:
        return f"data-driven: it is still being built (state {ruled.segment.state}) and has no members yet"
    assert space.builder is not None, "it has the segment's conditions"
    return f"data-driven: {'; '.join(ruled.condition.failures(space.builder, person))}"


def _written(person: Person, name: str) -> dict[str, Any]:
    return {"value": person.value_of(name), **_blame(person.stamp(name))}


def _blame(stamp: Stamp) -> dict[str, Any]:
    return {"request": stamp.request, "at": stamp.at, "timestamp": stamp.timestamp}


def _words(stamp: Stamp) -> str:
    return f"request {stamp.request}" if stamp.request else "a seed or a handle in Python, or before a snapshot"


def _is_about(info: dict[str, Any], name: str) -> bool:
    return name in info or name in info.get("attributes", ())
