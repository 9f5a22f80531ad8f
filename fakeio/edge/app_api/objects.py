"""App API, objects: their types, a search, the attributes of one, and who is related to it.

Attribute values are shown as text, as those of people are. Source: App API > Objects; the form of a type's short names
is assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeio.core.limits import SEARCH_PAGE
from fakeio.core.object_filters import ObjectTest, parse_object_filter
from fakeio.core.objects import Link, Object
from fakeio.core.operations import ObjectRef
from fakeio.core.outcomes import Refused
from fakeio.core.people import Person, as_text
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import (
    bad_body,
    bad_parameter,
    encode_cursor,
    identifiers_of,
    not_found,
    page_asked,
    query,
    read,
)
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import app_error, app_json
from fakeio.edge.fields import text_or_number
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work, refuse

USUAL_PAGE = 50
_ID_TYPES = ("object_id", "cio_object_id")


def list_types(call: Call) -> Work:
    return read(
        lambda state: app_json({"types": [type_document(id, name) for id, name in state.objects.types.items()]})
    )


def type_document(id: str, name: str) -> dict[str, Any]:
    """One type of objects; its id is text."""
    one = f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
    slug, singular_slug = (text.lower().replace(" ", "-") for text in (name, one))
    return {
        "id": id, "name": name, "singular_name": one, "slug": slug, "singular_slug": singular_slug, "icon": "cube",
        "enabled": True,
    }  # fmt: skip


def search(call: Call) -> Work | Answered:
    """A page of the objects of one type that match a filter, in order of creation."""
    operation = "search_objects"
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    type_id = text_or_number(body.get("object_type_id"))
    if type_id is None:
        return bad_body(operation, "object_type_id", "objects are searched by type")
    wanted = parse_object_filter(body.get("filter"))
    if isinstance(wanted, Refused):
        status = int(call.settings.bad_filter_status)
        return refuse(operation, wanted, app_error(status, wanted.message, pointer=wanted.field))
    page = page_asked(call, operation, "objects", USUAL_PAGE, SEARCH_PAGE)
    if isinstance(page, Answered):
        return page
    return read(lambda state: _search_page(state, type_id, wanted, *page))


def _search_page(state: Workspace, type_id: str, wanted: ObjectTest, start: int, size: int) -> Reply:
    found = [one for one in state.objects if one.type_id == type_id and one.number > start and wanted(one)]
    found.sort(key=lambda one: one.number)
    page = found[:size]
    return app_json({
        "identifiers": [object_identifiers(one) for one in page],
        "ids": [one.object_id for one in page],
        "next": encode_cursor("objects", page[-1].number) if len(found) > size else "",
    })


def object_identifiers(found: Object) -> dict[str, str]:
    """Both names of an object."""
    return {"object_id": found.object_id, "cio_object_id": found.cio_object_id}


def get_attributes(call: Call) -> Work | Answered:
    return _read_one(call, "get_object_attributes", lambda found, _: app_json({"object": object_document(found)}))


def object_document(found: Object) -> dict[str, Any]:
    """One object as published: text attributes, and for each the second it was written."""
    return {
        "attributes": {name: as_text(value) for name, value in found.attributes.items()},
        "timestamps": {name: int(found.stamps.get(name, found.born).at) for name in found.attributes},
        "identifiers": object_identifiers(found),
        "object_type_id": found.type_id,
        "object_type_disabled": False,
    }


def list_relationships(call: Call) -> Work | Answered:
    """A page of the people related to an object, in order of creation."""
    operation = "list_object_relationships"
    page = page_asked(call, operation, operation, USUAL_PAGE, SEARCH_PAGE)
    if isinstance(page, Answered):
        return page
    start, size = page

    def show(found: Object, state: Workspace) -> Reply:
        people = [person for cio_id in found.people if (person := state.people.get(cio_id)) is not None]
        behind = sorted((one for one in people if one.number > start), key=lambda one: one.number)
        shown = behind[:size]
        return app_json({
            "cio_relationships": [_related(one, found.people[one.cio_id]) for one in shown],
            "next": encode_cursor(operation, shown[-1].number) if len(behind) > size else "",
        })

    return _read_one(call, operation, show)


def _related(person: Person, link: Link) -> dict[str, Any]:
    return {
        "identifiers": identifiers_of(person),
        "attributes": {name: as_text(value) for name, value in link.attributes.items()},
        "timestamps": dict.fromkeys(link.attributes, int(link.stamp.at)),
    }


def _read_one(call: Call, operation: str, show: Callable[[Object, Workspace], Reply]) -> Work | Answered:
    id_type = query(call).get("id_type") or "object_id"
    if id_type not in _ID_TYPES:
        return bad_parameter(operation, "id_type", f"one of {', '.join(_ID_TYPES)}")
    type_id, named = call.segments
    ref = ObjectRef(type_id, named) if id_type == "object_id" else ObjectRef(type_id=type_id, cio_object_id=named)

    def find(state: Workspace) -> Reply | Answered:
        found = state.objects.find(ref)
        if found is None or found.type_id != type_id:
            return not_found(operation, str(ref))
        return show(found, state)

    return read(find)


_ONE = "/v1/objects/{object_type_id}/{object_id}"
ROUTES = (
    app_route("GET", "/v1/object_types", "list_object_types", list_types),
    app_route("POST", "/v1/objects", "search_objects", search),
    app_route("GET", f"{_ONE}/attributes", "get_object_attributes", get_attributes),
    app_route("GET", f"{_ONE}/relationships", "list_object_relationships", list_relationships),
)
