"""One v2 operation: the bytes of an item to what is to be done, or to the violation that refuses it.

Decides shapes, required fields and what is not imitated; the routes around it are `track_v2.py`. Unknown keys are
ignored, since integrations send undeclared extras. Source: Track API > v2 entity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
from fakeio.edge.decode import Malformed, parse_object, parse_with
from fakeio.edge.event_data import event_data
from fakeio.edge.fields import device_of, device_token, one_identifier, text_or_number, timestamp_of, whole_number
from fakeio.edge.track_v1 import RELATIONSHIPS
from fakeio.edge.work import Item, Settled

_PERSON_KINDS = (ID, EMAIL, PHONE, CIO_ID)
_MERGE_KINDS = (ID, EMAIL, CIO_ID)
_NOTHING = msgspec.Raw()


class Entity(msgspec.Struct, gc=False):
    """One operation as sent; attributes stay bytes until it is clear whether they are a person's or an event's."""

    type: Any = None
    action: Any = None
    identifiers: Any = None
    attributes: msgspec.Raw = _NOTHING
    name: Any = None
    id: Any = None
    timestamp: Any = None
    device: Any = None
    primary: Any = None
    secondary: Any = None
    cio_relationships: Any = None


_ENTITY = msgspec.json.Decoder(Entity)
_Parsed = Item | Refused
_Parser = Callable[[Entity, Settings], _Parsed]


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
    return (parsed,) if sent.cio_relationships is None else (parsed, RELATIONSHIPS)


def over(limit: Limit, size: int, settings: Settings) -> Refused | None:
    """The violation of a size limit whose reading is a switch; None when it fits. `size` in bytes as received."""
    most = limit.lenient if settings.limits_reading == "lenient" else limit.strict
    if size <= most:
        return None
    what = "batch" if limit.rule.endswith("batch") else "operation"
    return Refused(limit.rule, "invalid", "", f"{what} cannot be longer than {most} bytes")


def _parser(sent: Entity) -> _Parser | Refused:
    actions = _ACTIONS.get(sent.type) if isinstance(sent.type, str) else None
    if actions is None:
        reason = "required" if sent.type is None else "invalid"
        return Refused("track.v2.type", reason, "type", "type must be person, object or delivery")
    parse = actions.get(sent.action) if isinstance(sent.action, str) else None
    if parse is None:
        reason = "required" if sent.action is None else "invalid"
        return Refused("track.v2.action", reason, "action", f"action is not one that a {sent.type} takes")
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


def _identify(sent: Entity, settings: Settings) -> _Parsed:
    ref = _person(sent, settings)
    if isinstance(ref, Refused):
        return ref
    attributes = _attributes(sent.attributes)
    if isinstance(attributes, Refused):
        return attributes
    # one integration orders updates by `_timestamp` as v1 does, the reference by the operation's own `timestamp`
    inner = attributes.pop("_timestamp", None)
    timestamp = whole_number(inner if inner is not None else sent.timestamp)
    update_only = attributes.pop("_update", None) is True
    return Identify(ref=ref, attributes=attributes, update_only=update_only, timestamp=timestamp)


def _attributes(raw: msgspec.Raw) -> dict[str, Any] | Refused:
    if len(raw) == 0 or bytes(raw) == b"null":
        return {}
    attributes = parse_object(bytes(raw))
    if not isinstance(attributes, Malformed):
        return attributes
    if attributes.wrong_shape:
        return Refused("track.v2.field", "invalid", "attributes", "attributes must be an object")
    return Refused("track.body", "parse_error", "attributes", "malformed JSON")


def _delete(sent: Entity, settings: Settings) -> _Parsed:
    ref = _person(sent, settings)
    return ref if isinstance(ref, Refused) else DeletePerson(ref=ref)


def _suppress(sent: Entity, settings: Settings) -> _Parsed:
    ref = _person(sent, settings)
    return ref if isinstance(ref, Refused) else Suppress(ref=ref)


def _unsuppress(sent: Entity, settings: Settings) -> _Parsed:
    ref = _person(sent, settings)
    return ref if isinstance(ref, Refused) else Unsuppress(ref=ref)


def _merge(sent: Entity, settings: Settings) -> _Parsed:
    primary = one_identifier(sent.primary, "primary", settings, _MERGE_KINDS)
    if isinstance(primary, Refused):
        return primary
    secondary = one_identifier(sent.secondary, "secondary", settings, _MERGE_KINDS)
    return secondary if isinstance(secondary, Refused) else MergePeople(primary=primary, secondary=secondary)


def _add_device(sent: Entity, settings: Settings) -> _Parsed:
    ref = _person(sent, settings)
    if isinstance(ref, Refused):
        return ref
    device = device_of(sent.device, "token")
    return device if isinstance(device, Refused) else device.on(ref)


def _delete_device(sent: Entity, settings: Settings) -> _Parsed:
    ref = _person(sent, settings)
    if isinstance(ref, Refused):
        return ref
    token = device_token(sent.device, "token")
    return token if isinstance(token, Refused) else RemoveDevice(ref=ref, token=token)


# ---- events ----------------------------------------------------------------------------------------------------------


def _event(sent: Entity, settings: Settings) -> _Parsed:
    """An event, page or screen. What v1 calls `data` is `attributes` here; a `data` key is an unknown one."""
    whose = _whose_event(sent, settings)
    if isinstance(whose, Refused):
        return whose
    ref, anonymous_id = whose
    raw = sent.attributes
    data = event_data(_NOTHING if bytes(raw) == b"null" else raw, "attributes")
    if isinstance(data, Refused):
        return data
    timestamp = timestamp_of(sent.timestamp)
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


def _not_imitated(sent: Entity, settings: Settings) -> _Parsed:
    message = f"fakeio does not imitate {sent.type} {sent.action} yet"
    return Refused("track.v2.not_imitated", "invalid", "action", message)


_ACTIONS: dict[str, dict[str, _Parser]] = {
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
        "add_relationships": _not_imitated,
        "delete_relationships": _not_imitated,
        "viewed_content": _not_imitated,
        "clicked_content": _not_imitated,
    },
    "object": dict.fromkeys(
        ("identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships"), _not_imitated
    ),
    "delivery": {"event": _not_imitated},
}
# (type, action, whether it is imitated), for the table of what this fake covers
ACTIONS: tuple[tuple[str, str, bool], ...] = tuple(
    (kind, action, parse is not _not_imitated) for kind, row in _ACTIONS.items() for action, parse in row.items()
)

_OPERATION_NAMES = {
    "delete": DeletePerson.name,
    "event": RecordEvent.name,
    "page": RecordEvent.name,
    "screen": RecordEvent.name,
    "delete_device": RemoveDevice.name,
}
