"""App API, activities: what happened in the workspace or to one person, newest first.

Shows the lines of the log whose type is published, as long as they can be read: 30 days on the workspace's clock.
Somebody deleted is left out unless asked for. Source: App API > Activities; the order is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fakeio.core.activities import Activity, Event
from fakeio.core.activity_types import is_published
from fakeio.core.identifiers import Ref
from fakeio.core.limits import ACTIVITIES_PAGE, ACTIVITY_RETENTION
from fakeio.core.people import Person
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import (
    bad_parameter,
    encode_cursor,
    flag,
    id_type,
    identifiers_of,
    page_asked,
    query,
    read,
    read_person,
    ref_of,
)
from fakeio.edge.app_api.table import app_route
from fakeio.edge.errors import app_json
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work

USUAL_PAGE = 10
_CURSOR = "activities"
_MEDIA = {"email": "email", "sms": "phone", "whatsapp": "phone"}  # a delivery's type: what it was delivered to

Wanted = Callable[[Activity], bool]


def list_activities(call: Call) -> Work | Answered:
    """Those of the workspace, or of one person."""
    operation = "list_activities"
    with_deleted = flag(call, operation, "deleted")
    if isinstance(with_deleted, Answered):
        return with_deleted
    kind = id_type(call, operation)
    if isinstance(kind, Answered):
        return kind
    asked = _asked(call, operation)
    if isinstance(asked, Answered):
        return asked
    whose = query(call).get("customer_id", "")
    ref = ref_of(kind, whose) if whose else None

    def find(state: Workspace) -> Reply:
        if whose:
            return _page(state, asked, asked.wanted, _named(state, ref, with_deleted=with_deleted))
        alive = state.people.get
        return _page(
            state, asked,
            lambda line: (with_deleted or line.person is None or alive(line.person) is not None) and asked.wanted(line),
        )  # fmt: skip

    return read(find)


def list_activities_of_person(call: Call) -> Work | Answered:
    operation = "list_activities_of_person"
    asked = _asked(call, operation)
    if isinstance(asked, Answered):
        return asked
    return read_person(call, operation, lambda person, state: _page(state, asked, asked.wanted, {person.cio_id}))


# ---- which -----------------------------------------------------------------------------------------------------------


class _Asked(msgspec.Struct, frozen=True):
    """A page of the activities that fit the query."""

    start: int
    size: int
    wanted: Wanted


def _asked(call: Call, operation: str) -> _Asked | Answered:
    asked = query(call)
    type_, name = asked.get("type", ""), asked.get("name", "")
    if type_ and not is_published(type_) and call.settings.activity_type_unknown == "400":
        return bad_parameter(operation, "type", f"{type_!r} is not published")
    page = page_asked(call, operation, _CURSOR, USUAL_PAGE, ACTIVITIES_PAGE)
    if isinstance(page, Answered):
        return page
    oldest = call.hosted.clock.now() - ACTIVITY_RETENTION.strict

    def wanted(line: Activity) -> bool:
        return (
            line.at >= oldest
            and (line.type == type_ if type_ else is_published(line.type))
            and (not name or _bears(line, name))
        )

    return _Asked(*page, wanted)


def _bears(line: Activity, name: str) -> bool:
    """Whether it is an event of that name, or a change of an attribute of that name."""
    return line.name == name if isinstance(line, Event) else any(name == changed for changed, _, _ in line.changes)


def _named(state: Workspace, ref: Ref | None, *, with_deleted: bool) -> set[str]:
    """The cio_ids of who has the identifier now, and of those deleted who had it."""
    if ref is None:
        return set()
    person = state.people.find(ref)
    living = {person.cio_id} if person is not None else set()
    return living | state.people.find_gone(ref) if with_deleted else living


def _page(state: Workspace, asked: _Asked, wanted: Wanted, whose: set[str] | None = None) -> Reply:
    """The newest wanted lines behind the start of the page, of everybody or of some."""
    if whose is None or len(whose) == 1:
        found = state.log.before(asked.start, asked.size + 1, wanted, next(iter(whose)) if whose else None)
    else:
        found = state.log.before(asked.start, asked.size + 1, lambda line: line.person in whose and wanted(line))
    page = found[: asked.size]
    return app_json({
        "activities": [activity_document(state, line) for line in page],
        "next": encode_cursor(_CURSOR, page[-1].number) if len(found) > asked.size else "",
    })


# ---- how they look ---------------------------------------------------------------------------------------------------


def activity_document(state: Workspace, line: Activity) -> dict[str, Any]:
    """One line as published: of nobody, of somebody deleted, an event or the fate of a message."""
    who = _identifiers(state, line.person)
    return {
        "id": line.id,
        "type": line.type,
        "timestamp": line.timestamp if isinstance(line, Event) else int(line.at),
        "customer_id": who["id"] if who is not None else None,
        "customer_identifiers": who,
        **(_event(line) if isinstance(line, Event) else _happening(state, line)),
    }


def _identifiers(state: Workspace, cio_id: str | None) -> dict[str, Any] | None:
    if cio_id is None:
        return None
    person = state.people.get(cio_id)
    if person is not None:
        return identifiers_of(person)
    was = state.people.gone(cio_id)
    return {"id": was.id if was else None, "email": was.email if was else None, "cio_id": cio_id}


def _event(event: Event) -> dict[str, Any]:
    """A page view has its address where others have a name."""
    return {"url" if event.type == "page" else "name": event.name, "data": msgspec.Raw(event.data)}


def _happening(state: Workspace, line: Activity) -> dict[str, Any]:
    info = line.info
    delivery_id = info.get("delivery_id") if not line.changes else None
    return {"data": info} if delivery_id is None else _delivery(state, str(delivery_id), info)


def _delivery(state: Workspace, delivery_id: str, info: Mapping[str, Any]) -> dict[str, Any]:
    delivery = state.deliveries.get(delivery_id)
    metrics = delivery.metrics if delivery is not None else {}
    data = {"delivery_id": delivery_id, "delivered": metrics.get("delivered"), "opened": metrics.get("opened")}
    shown: dict[str, Any] = {"data": {**info, **data}, "delivery_id": delivery_id}
    if delivery is None:
        return shown
    person = state.people.get(delivery.person) if delivery.person else None
    medium = _platform(person, delivery.recipient) if delivery.type == "push" else _MEDIA.get(delivery.type)
    return shown if medium is None else {**shown, "delivery_type": medium}


def _platform(person: Person | None, token: str) -> str | None:
    """Of the device a push went to, as far as it is known: the one named, else the newest."""
    devices = person.devices if person is not None else {}
    named = devices.get(token) or max(devices.values(), key=lambda device: device.last_used, default=None)
    return named.platform if named is not None else None


ROUTES = (
    app_route(
        "GET", "/v1/customers/{customer_id}/activities", "list_activities_of_person", list_activities_of_person, tier=1
    ),
    app_route("GET", "/v1/activities", "list_activities", list_activities, tier=1),
)
