"""App API, people: find them by email or by filter, read one profile and its segments.

Attribute values are shown as text, whatever they were written as. Source: App API > Customers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fakeio.core.attributes import PREFERENCES
from fakeio.core.content import Topic
from fakeio.core.filters import Filter, parse_filter, search
from fakeio.core.limits import PROFILES_BY_ID, SEARCH_PAGE
from fakeio.core.outcomes import Refused
from fakeio.core.people import Device, Person, as_text
from fakeio.core.subscriptions import computed_preferences
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import (
    BAD_REQUEST,
    bad_body,
    bad_parameter,
    encode_cursor,
    id_type,
    identifiers_of,
    page_size,
    page_start,
    query,
    read,
    read_person,
    ref_of,
)
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import app_error, app_json
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work, refuse

USUAL_PAGE = 50
_COMPUTED = f"_{PREFERENCES}_computed"
_CURSOR = "people"


def find_by_email(call: Call) -> Work | Answered:
    """Everybody with that address; nobody is no error. A raw `+` in the query is a space, so it finds nobody."""
    email = query(call).get("email", "")
    if not email:
        return bad_parameter("find_by_email", "email", "required")

    def find(state: Workspace) -> Reply:
        found = state.people.by_email(email)
        return app_json({"results": [{"email": p.email, "id": p.id, "cio_id": p.cio_id} for p in found]})

    return read(find)


def search_people(call: Call) -> Work | Answered:
    """A page of the people who match a filter, in order of creation."""
    operation = "search_people"
    wanted = _filter(call, operation)
    if isinstance(wanted, Answered):
        return wanted
    size = page_size(call, operation, USUAL_PAGE, SEARCH_PAGE)
    if isinstance(size, Answered):
        return size
    start = page_start(call, operation, _CURSOR)
    if isinstance(start, Answered):
        return start
    return read(lambda state: _search_page(state, wanted, start, size))


def _filter(call: Call, operation: str) -> Filter | Answered:
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    document = body.get("filter")
    if not isinstance(document, dict) or not document:
        return bad_body(operation, "filter", "filter is an object with one condition")
    wanted = parse_filter(document)
    if isinstance(wanted, Refused):
        status = int(call.settings.bad_filter_status)
        return refuse(operation, wanted, app_error(status, wanted.message, pointer=wanted.field))
    return wanted


def _search_page(state: Workspace, wanted: Filter, start: int, size: int) -> Reply:
    found = search(state.people, state.segments, wanted, start, size + 1)
    page = found[:size]
    return app_json({
        "identifiers": [{"cio_id": p.cio_id, "id": p.id, "email": p.email} for p in page],
        "ids": [person.id or "" for person in page],
        "next": encode_cursor(_CURSOR, page[-1].number) if len(found) > size else "",
    })


def get_attributes(call: Call) -> Work | Answered:
    return read_person(
        call, "get_attributes",
        lambda person, state: app_json({"customer": customer_document(person, state.content.topics)})
    )


def get_attributes_of_many(call: Call) -> Work | Answered:
    """The profiles of up to a hundred people, in the order asked for; whoever is unknown is left out."""
    operation = "get_attributes_of_many"
    kind = id_type(call, operation)
    if isinstance(kind, Answered):
        return kind
    ids = _ids(call, operation)
    if isinstance(ids, Answered):
        return ids
    refs = [ref for value in dict.fromkeys(ids) if (ref := ref_of(kind, value)) is not None]
    wrapped = call.settings.customers_attributes_shape == "wrapped"

    def find(state: Workspace) -> Reply:
        found = {who.cio_id: who for ref in refs if (who := state.people.find(ref)) is not None}
        rows = [customer_document(person, state.content.topics) for person in found.values()]
        return app_json({"customers": [{"customer": row} for row in rows] if wrapped else rows})

    return read(find)


def _ids(call: Call, operation: str) -> list[str] | Answered:
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    ids = body.get("ids", [])
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        return bad_body(operation, "ids", "ids is a list of text")
    if len(ids) > PROFILES_BY_ID.strict:
        refused = Refused(PROFILES_BY_ID.rule, "invalid", "ids", PROFILES_BY_ID.says)
        return refuse(operation, refused, app_error(400, BAD_REQUEST))
    if not ids and call.settings.attributes_ids_empty == "400":
        return bad_body(operation, "ids", "ids names at least one person")
    return ids


def list_segments(call: Call) -> Work | Answered:
    """Manual and data-driven ones alike."""
    return read_person(call, "list_segments_of_person", _segments_of)


def _segments_of(person: Person, state: Workspace) -> Reply:
    found = [segment for at in sorted(person.segments) if (segment := state.segments.get(at)) is not None]
    return app_json({"segments": [{"id": s.id, "name": s.name, "description": s.description} for s in found]})


def customer_document(person: Person, topics: Iterable[Topic]) -> dict[str, Any]:
    """One profile as published: text attributes, and for each the second it was written."""
    values = {name: value for name, value in identifiers_of(person).items() if value is not None}
    values |= person.attributes
    shown = {name: as_text(value) for name, value in values.items()}
    timestamps = {name: int(person.stamp(name).at) for name in values}
    computed = computed_preferences(person, topics)
    if computed is not None:
        shown[_COMPUTED] = as_text(computed)
        timestamps[_COMPUTED] = 0
    return {
        "id": person.id or "",
        "identifiers": identifiers_of(person),
        "attributes": shown,
        "timestamps": timestamps,
        "unsubscribed": person.unsubscribed,
        "devices": [_device_document(device) for device in person.devices.values()],
    }


def _device_document(device: Device) -> dict[str, Any]:
    attributes = {"_last_status": "", **{name: as_text(value) for name, value in device.attributes.items()}}
    return {
        "id": device.token,
        "platform": device.platform,
        "last_used": device.last_used,
        "attributes": attributes,
    }
