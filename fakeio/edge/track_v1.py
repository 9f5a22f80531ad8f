"""Track API v1: bytes to operations, outcomes to that dialect's answers.

Decides wire limits and shapes only; identifiers, attributes and names are judged by the workspace. Identify and devices
report every violation in `meta.errors`, events and merges one in `meta.error`. Source: Track API > v1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from fakeio.core.identifiers import CIO_ID, EMAIL, ID, Ref, from_path
from fakeio.core.operations import (
    DeletePerson,
    Identify,
    MergePeople,
    RecordEvent,
    RemoveDevice,
    Suppress,
    Unsuppress,
)
from fakeio.core.outcomes import Outcome, Refused
from fakeio.core.settings import Settings
from fakeio.core.workspace import Workspace
from fakeio.edge.decode import Malformed, parse_object, parse_with
from fakeio.edge.errors import TRACK_OK, meta_error, meta_errors, track_json
from fakeio.edge.event_data import event_data
from fakeio.edge.fields import device_of, one_identifier, text_or_number, timestamp_of, whole_number
from fakeio.edge.http import Reply
from fakeio.edge.regions import TRACK_URLS
from fakeio.edge.relationships import in_v1_identify
from fakeio.edge.work import Answered, Call, Work, refuse

_MERGE_KINDS = (ID, EMAIL, CIO_ID)


# ---- answers ---------------------------------------------------------------------------------------------------------


def answer_with_errors(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    """200, or every violation of the first operation that was refused."""
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            return meta_errors(outcome)
    return TRACK_OK


def answer_with_error(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    """200, or the first violation alone."""
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            return meta_error(outcome.message)
    return TRACK_OK


def answer_event(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    """200, or the violation; which key it stands under is a switch."""
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            return event_error(outcome, state.settings)
    return TRACK_OK


def event_error(refused: Refused, settings: Settings) -> Reply:
    """What is wrong with an event."""
    return meta_error(refused.message) if settings.event_error_key == "error" else meta_errors(refused)


def malformed(operation: str, why: Malformed) -> Answered:
    """A body that is not JSON, or not an object. The service's own words are not published."""
    return refuse(operation, Refused("track.body", "parse_error", "", why.why), meta_error("malformed JSON"))


# ---- account ---------------------------------------------------------------------------------------------------------

_NICE = track_json({"meta": {"message": "nice credentials."}})


def check_credentials(call: Call) -> Work:
    return Work((), lambda _outcomes, _state: _NICE)


def find_region(call: Call) -> Work:
    """The account's own region, on whichever host it is asked."""
    hosted, shape = call.hosted, call.settings.region_answer
    keys = ("region", "data_center") if shape == "both" else (shape,)
    found = {"url": TRACK_URLS[hosted.region], **dict.fromkeys(keys, hosted.region), "environment_id": hosted.id}
    return Work((), lambda _outcomes, _state: track_json(found))


# ---- people ----------------------------------------------------------------------------------------------------------


def identify(call: Call) -> Work | Answered:
    attributes = parse_object(call.request.body)
    if isinstance(attributes, Malformed):
        return malformed("identify", attributes)
    ref = from_path(call.segments[0], call.settings)
    if isinstance(ref, Refused):
        return refuse("identify", ref, meta_errors(ref))
    update_only = attributes.pop("_update", None) is True
    timestamp = attributes.pop("_timestamp", None)
    related = attributes.pop("cio_relationships", None)
    if timestamp is not None:
        timestamp = whole_number(timestamp)
    item = Identify(ref=ref, attributes=attributes, update_only=update_only, timestamp=timestamp)
    return Work((item,) if related is None else (item, *in_v1_identify(ref, related)), answer_with_errors)


def delete_person(call: Call) -> Work | Answered:
    return _about_person(call, "delete_person", DeletePerson)


def suppress(call: Call) -> Work | Answered:
    return _about_person(call, "suppress", Suppress)


def unsuppress(call: Call) -> Work | Answered:
    return _about_person(call, "unsuppress", Unsuppress)


def _about_person(
    call: Call, name: str, operation: type[DeletePerson] | type[Suppress] | type[Unsuppress]
) -> Work | Answered:
    """Those three take no body; clients send none, `{}` or anything, and it is not read."""
    ref = from_path(call.segments[0], call.settings)
    if isinstance(ref, Refused):
        return refuse(name, ref, meta_errors(ref))
    return Work((operation(ref=ref),), answer_with_errors)


def merge_people(call: Call) -> Work | Answered:
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return malformed("merge", body)
    refs: list[Ref] = []
    for role in ("primary", "secondary"):
        ref = one_identifier(body.get(role), role, call.settings, _MERGE_KINDS)
        if isinstance(ref, Refused):
            return refuse("merge", ref, meta_error(ref.message))
        refs.append(ref)
    return Work((MergePeople(primary=refs[0], secondary=refs[1]),), answer_with_error)


# ---- devices ---------------------------------------------------------------------------------------------------------


def add_device(call: Call) -> Work | Answered:
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return malformed("add_device", body)
    ref = from_path(call.segments[0], call.settings)
    if isinstance(ref, Refused):
        return refuse("add_device", ref, meta_errors(ref))
    device = device_of(body.get("device"), "id")
    if isinstance(device, Refused):
        return refuse("add_device", device, meta_errors(device))
    return Work((device.on(ref),), answer_with_errors)


def remove_device(call: Call) -> Work | Answered:
    ref = from_path(call.segments[0], call.settings)
    if isinstance(ref, Refused):
        return refuse("remove_device", ref, meta_errors(ref))
    return Work((RemoveDevice(ref=ref, token=call.segments[1]),), answer_with_errors)


# ---- events ----------------------------------------------------------------------------------------------------------


class _EventBody(msgspec.Struct, gc=False):
    name: Any = None
    type: Any = None
    id: Any = None
    timestamp: Any = None
    data: msgspec.Raw = msgspec.Raw()
    anonymous_id: Any = None


_EVENT_BODY = msgspec.json.Decoder(_EventBody)


def record_event(call: Call) -> Work | Answered:
    ref = from_path(call.segments[0], call.settings)
    if isinstance(ref, Refused):
        return refuse("record_event", ref, event_error(ref, call.settings))
    return _record(call, ref)


def record_anonymous_event(call: Call) -> Work | Answered:
    """With an anonymous_id it waits for its person; without one it belongs to nobody (an invite)."""
    return _record(call, None)


def _record(call: Call, ref: Ref | None) -> Work | Answered:
    body = parse_with(_EVENT_BODY, call.request.body)
    if isinstance(body, Malformed):
        return malformed("record_event", body)
    item = _event(body, ref, call.settings)
    if isinstance(item, Refused):
        return refuse("record_event", item, event_error(item, call.settings))
    return Work((item,), answer_event)


def _event(body: _EventBody, ref: Ref | None, settings: Settings) -> RecordEvent | Refused:
    data = event_data(body.data, "data")
    if isinstance(data, Refused):
        return data
    timestamp = timestamp_of(body.timestamp, settings)
    if isinstance(timestamp, Refused):
        return timestamp
    return RecordEvent(
        ref=ref,
        event=body.name if isinstance(body.name, str) else "",
        type=body.type if body.type in ("page", "screen") else "event",
        data=data,
        timestamp=timestamp,
        dedupe_id=text_or_number(body.id),
        anonymous_id=text_or_number(body.anonymous_id) if ref is None else None,
    )
