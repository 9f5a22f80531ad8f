"""The v2 operations that are not about a person alone: objects, relationships, deliveries, in-app content.

Parsers in the manner of `track_v2_items.py`, which lists them. Source: Track API > v2 entity; content views as one
integration sends them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fakeio.core.identifiers import Ref
from fakeio.core.operations import DeleteObject, IdentifyObject, ReportMetric
from fakeio.core.outcomes import Refused
from fakeio.core.settings import Settings
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.fields import text_or_number, whole_number
from fakeio.edge.relationships import FIELD, after, object_of, of_anonymous, of_object, of_person
from fakeio.edge.v2_entity import Entity, Parsed
from fakeio.edge.work import Item

_DELIVERY_METRICS = ("opened", "converted", "delivered")


def attributes_of(raw: msgspec.Raw) -> dict[str, Any] | Refused:
    """The `attributes` of an operation; an empty object when left out or null."""
    if len(raw) == 0 or bytes(raw) == b"null":
        return {}
    attributes = parse_object(bytes(raw))
    if not isinstance(attributes, Malformed):
        return attributes
    if attributes.wrong_shape:
        return Refused("track.v2.field", "invalid", "attributes", "attributes must be an object")
    return Refused("track.body", "parse_error", "attributes", "malformed JSON")


def identify_object(sent: Entity, settings: Settings) -> Parsed:
    """Create or update an object, then link people to it."""
    head = _object(sent)
    if isinstance(head, Refused):
        return head
    if sent.cio_relationships is None:
        return head
    people = of_object(head.object, sent.cio_relationships, "add_relationships", settings)
    return people if isinstance(people, Refused) else (head, *after(people))


def identify_anonymous_object(sent: Entity, settings: Settings) -> Parsed:
    """Create or update an object, then link people to it who are not identified yet."""
    head = _object(sent)
    if isinstance(head, Refused):
        return head
    people = of_anonymous(head.object, sent.cio_relationships)
    return people if isinstance(people, Refused) else (head, *after(people))


def _object(sent: Entity) -> IdentifyObject | Refused:
    where = object_of(sent.identifiers)
    if isinstance(where, Refused):
        return where
    attributes = attributes_of(sent.attributes)
    return attributes if isinstance(attributes, Refused) else IdentifyObject(object=where, attributes=attributes)


def delete_object(sent: Entity, settings: Settings) -> Parsed:
    where = object_of(sent.identifiers)
    return where if isinstance(where, Refused) else DeleteObject(object=where)


def relate_object(sent: Entity, settings: Settings) -> Parsed:
    """Link people to an object, or end links; `action` is the word the relationships go by."""
    where = object_of(sent.identifiers)
    if isinstance(where, Refused):
        return where
    return _nonempty(of_object(where, sent.cio_relationships, str(sent.action), settings))


def relate_person(ref: Ref, sent: Entity) -> Parsed:
    """Link one person to objects, or end links."""
    return _nonempty(of_person(ref, sent.cio_relationships, str(sent.action)))


def _nonempty(operations: tuple[Item, ...] | Refused) -> Parsed:
    if isinstance(operations, Refused) or operations:
        return operations
    return Refused("track.v2.field", "required", FIELD, f"{FIELD} must name at least one relationship")


def delivery_event(sent: Entity, settings: Settings) -> Parsed:
    """A push metric: `name` is opened, converted or delivered, `attributes.device_token` is required."""
    identifiers = sent.identifiers
    delivery_id = text_or_number(identifiers.get("id")) if isinstance(identifiers, dict) else None
    if delivery_id is None:
        return Refused("track.v2.field", "required", "identifiers.id", "identifiers.id must be a delivery's id")
    if sent.name not in _DELIVERY_METRICS:
        return Refused("track.v2.field", "invalid", "name", f"name must be one of {', '.join(_DELIVERY_METRICS)}")
    attributes = attributes_of(sent.attributes)
    if isinstance(attributes, Refused):
        return attributes
    token = text_or_number(attributes.get("device_token"))
    if token is None:
        return Refused("track.v2.field", "required", "attributes.device_token", "device_token is required")
    at = whole_number(sent.timestamp) if sent.timestamp is not None else None
    return ReportMetric(delivery_id=delivery_id, metric=str(sent.name), timestamp=at, recipient=token)


