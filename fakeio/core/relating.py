"""What callers may do to objects and relationships.

Objects are created by naming a type that exists and an id; relationships create both ends where those may be created.
Source: Track API > v2 > object actions, person add_relationships and delete_relationships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeio.core import attributes as attribute_rules
from fakeio.core import identifiers, identifying
from fakeio.core.limits import OBJECT_ID
from fakeio.core.objects import NO_ROOM, Link, Object, link, log_both, shown
from fakeio.core.operations import ObjectRef, Relate, Unrelate
from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused
from fakeio.core.people import Person, Stamp

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core import operations as op
    from fakeio.core.workspace import Workspace


def check_attributes(space: Workspace, operation: op.IdentifyObject | op.Relate) -> Refused | None:
    """The limits on what names the object and on the attributes of it, or of the link."""
    return check_object(space, operation) or _first(attribute_rules.check(operation.attributes))


def check_object(
    space: Workspace, operation: op.IdentifyObject | op.DeleteObject | op.Relate | op.Unrelate
) -> Refused | None:
    """The limits on what names the object, and the person where there is one."""
    ref = operation.object
    person = operation.ref if isinstance(operation, Relate | Unrelate) else None
    refused = identifiers.check(person) if person is not None else None
    if refused is not None:
        return refused
    if not ref.cio_object_id and not (ref.type_id and ref.object_id):
        return Refused("track.v2.field", "required", "identifiers", "object_type_id and object_id are required")
    if ref.type_id and ref.type_id not in space.objects.types and space.settings.object_type_unknown == "400":
        return Refused("track.object.type_unknown", "invalid", "identifiers.object_type_id", "object type not found")
    if len(ref.object_id.encode("utf-8", "surrogatepass")) > OBJECT_ID.strict:
        message = f"object_id cannot be longer than {OBJECT_ID.strict} bytes"
        return Refused(OBJECT_ID.rule, "invalid", "identifiers.object_id", message)
    return None


def identify_object(space: Workspace, operation: op.IdentifyObject, now: float, request: int) -> Outcome:
    """Add or update an object; null and "" remove an attribute."""
    stamp = Stamp(now, request)
    existed = space.objects.find(operation.object) is not None
    unreachable = _unreachable(space, operation.object)
    if unreachable is not None:
        return unreachable
    found = _reach(space, operation.object, stamp)
    wanted = {name: value for name, value in operation.attributes.items() if value not in (None, "")}
    if wanted and not attribute_rules.fits_object({**found.attributes, **wanted}, space.settings):
        detail = {**shown(found), "reason": NO_ROOM}
        space.log.add(f"_o:{found.type_id}:failed_attribute_change", now, None, request, detail=detail)
        return Ignored("object.no_room", f"{operation.object} may not have so many attributes, or such long ones")
    changes = _write(found, operation.attributes, stamp)
    if changes and existed:
        space.log.add(f"_o:{found.type_id}:attribute_change", now, None, request, changes, shown(found))
    if existed and not changes:
        return Ignored("object.unchanged", f"{operation.object} already has these values")
    return Applied()


def delete_object(space: Workspace, operation: op.DeleteObject, now: float, request: int) -> Outcome:
    """Remove an object and its relationships."""
    found = space.objects.find(operation.object)
    if found is None:
        return Ignored("object.unknown", f"there is no {operation.object}")
    space.objects.remove(found)
    space.log.add(f"_o:{found.type_id}:delete", now, None, request, detail=shown(found))
    return Applied()


def relate(space: Workspace, operation: op.Relate, now: float, request: int) -> Outcome:
    """Link a person to an object; both are created when they may be (assumed for the object)."""
    stamp = Stamp(now, request)
    unreachable = _unreachable(space, operation.object)
    if unreachable is not None:
        return unreachable  # before a person is made for nothing
    if space.objects.find(operation.object) is None and not space.settings.relationship_creates_object:
        return Ignored("object.unknown", f"there is no {operation.object}, and relationships make none here")
    if operation.ref is None:
        waiting = Link(dict(operation.attributes), stamp)
        space.objects.keep_waiting(_reach(space, operation.object, stamp), operation.anonymous_id or "", waiting)
        return Applied()
    person = identifying.reach(space, operation.ref, now, request)
    if not isinstance(person, Person):
        return person
    return link(space, _reach(space, operation.object, stamp), person, operation.attributes, stamp)


def unrelate(space: Workspace, operation: op.Unrelate, now: float, request: int) -> Outcome:
    """End a relationship."""
    ignored = space.is_suppressed(operation.ref)
    if ignored is not None:
        return ignored
    person, found = space.people.find(operation.ref), space.objects.find(operation.object)
    if person is None:
        return Ignored("person.unknown", f"nobody has {operation.ref}")
    if found is None or space.objects.end_link(found, person.cio_id) is None:
        return Ignored("relationship.unknown", f"no relationship with {operation.object}", person.cio_id)
    log_both(space, found, person, "delete_relationship", Stamp(now, request))
    return Applied(person.cio_id)


def _unreachable(space: Workspace, ref: ObjectRef) -> Ignored | None:
    """Why there is no such object and none can be made."""
    if space.objects.find(ref) is not None:
        return None
    if ref.cio_object_id:
        return Ignored("object.unknown", f"there is no {ref}")
    if ref.type_id not in space.objects.types:
        return Ignored("object.type_unknown", f"there is no object type {ref.type_id!r}")
    return None


def _reach(space: Workspace, ref: ObjectRef, stamp: Stamp) -> Object:
    found = space.objects.find(ref)
    if found is not None:
        return found
    made = space.objects.create(ref, stamp)
    space.log.add(f"_o:{made.type_id}:create", stamp.at, None, stamp.request, detail=shown(made))
    return made


def _write(found: Object, sent: dict[str, Any], stamp: Stamp) -> tuple[attribute_rules.Change, ...]:
    changes: list[attribute_rules.Change] = []
    for name, value in sent.items():
        held = found.attributes.get(name)
        if value in (None, ""):
            if name in found.attributes:
                changes.append((name, found.attributes.pop(name), ""))
        elif not attribute_rules.same(held, value):
            changes.append((name, "" if held is None else held, value))
            found.attributes[name] = value
        else:
            continue
        found.stamps[name] = stamp
    return tuple(changes)


def _first(refused: list[Refused]) -> Refused | None:
    if not refused:
        return None
    first, *more = refused
    return Refused(first.rule, first.reason, first.field, first.message, tuple(more))
