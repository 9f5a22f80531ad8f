"""One v2 operation: the bytes of an item to what is to be done, or to the violation that refuses it.

Decides shapes, required fields and what is not imitated; the routes around it are `track_v2.py`. Unknown keys are
ignored, since integrations send undeclared extras. Source: Track API > v2 entity.
"""

from __future__ import annotations

import msgspec

from fakeio.core.identifiers import CIO_ID, EMAIL, ID, PHONE, Ref
from fakeio.core.limits import V2_ITEM, Limit
from fakeio.core.operations import (
    DeletePerson,
    Identify,
    MergePeople,
    RecordEvent,
    RemoveDevice,
    Suppress,
    Unsuppress,
)
from fakeio.core.outcomes import Refused
from fakeio.core.settings import Settings
from fakeio.edge import track_v2_objects as objects
from fakeio.edge.decode import Malformed, parse_with
from fakeio.edge.event_data import event_data
from fakeio.edge.fields import device_of, device_token, one_identifier, text_or_number, timestamp_of, whole_number
from fakeio.edge.relationships import ADD, DELETE, after, of_person
from fakeio.edge.track_v2_objects import attributes_of, relate_person
from fakeio.edge.v2_entity import NOTHING, Entity, Parsed, Parser
from fakeio.edge.work import Item, Settled

_PERSON_KINDS = (ID, EMAIL, PHONE, CIO_ID)
_MERGE_KINDS = (ID, EMAIL, CIO_ID)


_ENTITY = msgspec.json.Decoder(Entity)


def parse_item(raw: bytes, settings: Settings) -> tuple[Item, ...]:
    """What one item asks for; a refused one is a single `Settled`."""
    too_large = over(V2_ITEM, len(raw), settings)
    if too_large is not None:
        return (Settled("operation", too_large),)
    sent = parse_with(_ENTITY, raw)
    if isinstance(sent, Malformed):
        message = "an operation must be an object" if sent.wrong_shape else "malformed JSON"
        return (Settled("operation", Refused("track.body", "parse_error", "", message)),)
    parse = _parser(sent)
    parsed = parse if isinstance(parse, Refused) else parse(sent, settings)
    if isinstance(parsed, Refused):
        return (Settled(_name_of(sent), parsed),)
    return parsed if isinstance(parsed, tuple) else (parsed,)


def over(limit: Limit, size: int, settings: Settings) -> Refused | None:
    """The violation of a size limit whose reading is a switch; None when it fits. `size` in bytes as received."""
    most = limit.lenient if settings.limits_reading == "lenient" else limit.strict
    if size <= most:
        return None
    what = "batch" if limit.rule.endswith("batch") else "operation"
    return Refused(limit.rule, "invalid", "", f"{what} cannot be longer than {most} bytes")


def _parser(sent: Entity) -> Parser | Refused:
    actions = _ACTIONS.get(sent.type) if isinstance(sent.type, str) else None
    if actions is None:
        if sent.type is None:
            return Refused("track.v2.type", "required", "type", "type is required")
        return Refused("track.v2.type", "invalid", "type", "type must be person, object or delivery")
    parse = actions.get(sent.action) if isinstance(sent.action, str) else None
    if parse is None:
        if sent.action is None:
            return Refused("track.v2.action", "required", "action", "action is required")
        return Refused("track.v2.action", "invalid", "action", f"action is not one of type {sent.type}")
    return parse


def _name_of(sent: Entity) -> str:
    """What the tape calls a refused item: as an accepted one would be called, if it came that far."""
    if not isinstance(sent.type, str) or not isinstance(sent.action, str) or sent.type not in _ACTIONS:
        return "operation"
    if sent.type == "person":
        return _OPERATION_NAMES.get(sent.action, sent.action)
    return f"{sent.type} {sent.action}"


# ---- people ----------------------------------------------------------------------------------------------------------


def _person(sent: Entity, settings: Settings) -> Ref | Refused:
    return one_identifier(sent.identifiers, "identifiers", settings, _PERSON_KINDS)


def _identify(sent: Entity, settings: Settings) -> Parsed:
    ref = _person(sent, settings)
    if isinstance(ref, Refused):
        return ref
    attributes = attributes_of(sent.attributes)
    if isinstance(attributes, Refused):
        return attributes
    # one integration orders updates by `_timestamp` as v1 does, the reference by the operation's own `timestamp`
    inner = attributes.pop("_timestamp", None)
    timestamp = whole_number(inner if inner is not None else sent.timestamp)
    update_only = attributes.pop("_update", None) is True
    head = Identify(ref=ref, attributes=attributes, update_only=update_only, timestamp=timestamp)
    if sent.cio_relationships is None:
        return head
    related = of_person(ref, sent.cio_relationships, ADD)
    return related if isinstance(related, Refused) else (head, *after(related))


def _relate(sent: Entity, settings: Settings) -> Parsed:
    ref = _person(sent, settings)
    return ref if isinstance(ref, Refused) else relate_person(ref, sent)


def _delete(sent: Entity, settings: Settings) -> Parsed:
    ref = _person(sent, settings)
    return ref if isinstance(ref, Refused) else DeletePerson(ref=ref)


def _suppress(sent: Entity, settings: Settings) -> Parsed:
    ref = _person(sent, settings)
    return ref if isinstance(ref, Refused) else Suppress(ref=ref)


def _unsuppress(sent: Entity, settings: Settings) -> Parsed:
    ref = _person(sent, settings)
    return ref if isinstance(ref, Refused) else Unsuppress(ref=ref)


def _merge(sent: Entity, settings: Settings) -> Parsed:
    primary = one_identifier(sent.primary, "primary", settings, _MERGE_KINDS)
    if isinstance(primary, Refused):
        return primary
    secondary = one_identifier(sent.secondary, "secondary", settings, _MERGE_KINDS)
    return secondary if isinstance(secondary, Refused) else MergePeople(primary=primary, secondary=secondary)


def _add_device(sent: Entity, settings: Settings) -> Parsed:
    ref = _person(sent, settings)
    if isinstance(ref, Refused):
        return ref
    device = device_of(sent.device, "token")
    return device if isinstance(device, Refused) else device.on(ref)


def _delete_device(sent: Entity, settings: Settings) -> Parsed:
    ref = _person(sent, settings)
    if isinstance(ref, Refused):
        return ref
    token = device_token(sent.device, "token")
    return token if isinstance(token, Refused) else RemoveDevice(ref=ref, token=token)


# ---- events ----------------------------------------------------------------------------------------------------------


def _event(sent: Entity, settings: Settings) -> Parsed:
    """An event, page or screen. What v1 calls `data` is `attributes` here; a `data` key is an unknown one."""
    whose = _whose_event(sent, settings)
    if isinstance(whose, Refused):
        return whose
    ref, anonymous_id = whose
    raw = sent.attributes
    data = event_data(NOTHING if bytes(raw) == b"null" else raw, "attributes")
    if isinstance(data, Refused):
        return data
    timestamp = timestamp_of(sent.timestamp, settings)
    if isinstance(timestamp, Refused):
        return timestamp
    return RecordEvent(
        ref=ref,
        event=sent.name if isinstance(sent.name, str) else "",
        type=str(sent.action),
        data=data,
        timestamp=timestamp,
        dedupe_id=text_or_number(sent.id),
        anonymous_id=anonymous_id,
    )


def _content(sent: Entity, settings: Settings) -> Parsed:
    """In-app content seen or clicked, as one integration reports it: the name repeats the action."""
    if sent.name is not None and sent.name != sent.action:
        return Refused("track.v2.field", "invalid", "name", f"name must be {sent.action}")
    sent.name = sent.action
    return _event(sent, settings)


def _whose_event(sent: Entity, settings: Settings) -> tuple[Ref | None, str | None] | Refused:
    """A person, or nobody yet: integrations send `{"anonymous_id": …}` alone."""
    identifiers = sent.identifiers
    if isinstance(identifiers, dict) and list(identifiers) == ["anonymous_id"]:
        anonymous_id = text_or_number(identifiers["anonymous_id"])
        if anonymous_id is None:
            message = "anonymous_id cannot be an empty string"
            return Refused("track.person.id.empty", "required", "identifiers.anonymous_id", message)
        return None, anonymous_id
    ref = _person(sent, settings)
    return ref if isinstance(ref, Refused) else (ref, None)


# ---- the table -------------------------------------------------------------------------------------------------------


_ACTIONS: dict[str, dict[str, Parser]] = {
    "person": {
        "identify": _identify,
        "delete": _delete,
        "event": _event,
        "page": _event,
        "screen": _event,
        "add_device": _add_device,
        "delete_device": _delete_device,
        "merge": _merge,
        "suppress": _suppress,
        "unsuppress": _unsuppress,
        ADD: _relate,
        DELETE: _relate,
        "viewed_content": _content,
        "clicked_content": _content,
    },
    "object": {
        "identify": objects.identify_object,
        "identify_anonymous": objects.identify_anonymous_object,
        "delete": objects.delete_object,
        ADD: objects.relate_object,
        DELETE: objects.relate_object,
    },
    "delivery": {"event": objects.delivery_event},
}
# (type, action), for the table of what this fake covers
ACTIONS: tuple[tuple[str, str], ...] = tuple((kind, action) for kind, row in _ACTIONS.items() for action in row)

_OPERATION_NAMES = {
    "delete": DeletePerson.name,
    "event": RecordEvent.name,
    "page": RecordEvent.name,
    "screen": RecordEvent.name,
    "delete_device": RemoveDevice.name,
}
