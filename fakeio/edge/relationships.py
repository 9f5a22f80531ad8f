"""Relationships and object identifiers as callers write them: an object of action and list in v1, a list in v2.

Decides shapes only. A list that is no list, or an entry that names nothing, refuses the v2 operation that carries it;
v1 drops it and the tape says so (assumed: the vendor's pages are silent). Source: Track API > Identify, v2 objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fakeio.core.identifiers import CIO_ID, EMAIL, ID, PHONE, Ref
from fakeio.core.operations import ObjectRef, Operation, Relate, Unrelate
from fakeio.core.outcomes import Ignored, Refused
from fakeio.core.settings import Settings
from fakeio.edge.fields import one_identifier, text_or_number
from fakeio.edge.work import After, Item, Settled

_PERSON_KINDS = (ID, EMAIL, PHONE, CIO_ID)
ADD, DELETE = "add_relationships", "delete_relationships"
FIELD = "cio_relationships"


def object_of(document: Any, field: str = "identifiers") -> ObjectRef | Refused:
    """`{object_type_id, object_id}`, numbers tolerated, or `{cio_object_id}`."""
    if not isinstance(document, Mapping):
        return Refused("track.v2.field", "required", field, f"{field} must name an object")
    cio_object_id = text_or_number(document.get("cio_object_id"))
    if cio_object_id is not None:
        return ObjectRef(cio_object_id=cio_object_id)
    type_id, object_id = text_or_number(document.get("object_type_id")), text_or_number(document.get("object_id"))
    if type_id is None or object_id is None:
        message = f"{field} must contain object_type_id and object_id, or cio_object_id"
        return Refused("track.v2.field", "required", field, message)
    return ObjectRef(type_id, object_id)


def of_person(ref: Ref, rows: Any, action: str) -> tuple[Operation, ...] | Refused:
    """The operations of a list of objects that one person is linked to, or no longer."""
    return _each(rows, lambda row, field: _link(object_of(row.get("identifiers"), field), ref, row, action))


def of_object(where: ObjectRef, rows: Any, action: str, settings: Settings) -> tuple[Operation, ...] | Refused:
    """The operations of a list of people that one object is linked to, or no longer."""

    def parse(row: Mapping[str, Any], field: str) -> Operation | Refused:
        return _link(where, one_identifier(row.get("identifiers"), field, settings, _PERSON_KINDS), row, action)

    return _each(rows, parse)


def of_anonymous(where: ObjectRef, rows: Any) -> tuple[Operation, ...] | Refused:
    """The operations of a list of people yet unknown: `{identifiers: {anonymous_id}}`."""

    def parse(row: Mapping[str, Any], field: str) -> Operation | Refused:
        identifiers = row.get("identifiers")
        anonymous_id = text_or_number(identifiers.get("anonymous_id")) if isinstance(identifiers, Mapping) else None
        if anonymous_id is None:
            return Refused("track.v2.field", "required", field, f"{field} must contain an anonymous_id")
        return Relate(object=where, anonymous_id=anonymous_id, attributes=_attributes(row))

    return _each(rows, parse)


def in_v1_identify(ref: Ref, document: Any) -> tuple[Item, ...]:
    """What an identify of v1 carries under `cio_relationships`: carried out when the identify itself is."""
    action = document.get("action") if isinstance(document, Mapping) else None
    if action not in (ADD, DELETE):
        return (Settled("relate", Ignored("relationships.shape", "cio_relationships has no action that v1 knows")),)
    operations = of_person(ref, document.get("relationships"), action)
    if isinstance(operations, Refused):
        return (Settled("relate", Ignored("relationships.shape", operations.message)),)
    return after(operations)


def after(operations: tuple[Operation, ...]) -> tuple[Item, ...]:
    """These, unless what comes before them is refused."""
    return tuple(After(operation) for operation in operations)


def _each(
    rows: Any, parse: Callable[[Mapping[str, Any], str], Operation | Refused]
) -> tuple[Operation, ...] | Refused:
    if not isinstance(rows, list):
        return Refused("track.v2.field", "required", FIELD, f"{FIELD} must be a list")
    operations: list[Operation] = []
    for at, row in enumerate(rows):
        if not isinstance(row, Mapping):
            return Refused("track.v2.field", "invalid", f"{FIELD}.{at}", f"{FIELD}.{at} must be an object")
        parsed = parse(row, f"{FIELD}.{at}.identifiers")
        if isinstance(parsed, Refused):
            return parsed
        operations.append(parsed)
    return tuple(operations)


def _link(where: ObjectRef | Refused, who: Ref | Refused, row: Mapping[str, Any], action: str) -> Operation | Refused:
    if isinstance(where, Refused):
        return where
    if isinstance(who, Refused):
        return who
    if action == DELETE:
        return Unrelate(object=where, ref=who)
    return Relate(object=where, ref=who, attributes=_attributes(row))


def _attributes(row: Mapping[str, Any]) -> dict[str, Any]:
    sent = row.get("relationship_attributes")
    return sent if isinstance(sent, dict) else {}
