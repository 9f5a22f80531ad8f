"""App API, what one person is connected to: objects, by relationships, and the messages the person was sent.

Attributes of a relationship are shown as text, like those of people (assumed). Source: App API > Customers.
"""

from __future__ import annotations

from typing import Any

from fakeio.core.limits import SEARCH_PAGE
from fakeio.core.objects import Object
from fakeio.core.people import Person, as_text
from fakeio.core.settings import Settings
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.messages import messages_page, wanted_by_query
from fakeio.edge.app_api.reading import encode_cursor, page_asked, read_person
from fakeio.edge.app_api.table import app_route
from fakeio.edge.errors import app_json
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work

USUAL_PAGE = 50
_CURSOR = "relationships"


def list_relationships(call: Call) -> Work | Answered:
    """The objects of a person, in the order these were created."""
    operation = "list_relationships_of_person"
    page = page_asked(call, operation, _CURSOR, USUAL_PAGE, SEARCH_PAGE)
    if isinstance(page, Answered):
        return page
    return read_person(call, operation, lambda person, state: _relationships_page(person, state, *page))


def _relationships_page(person: Person, state: Workspace, start: int, size: int) -> Reply:
    behind = [one for one in state.objects.of(person.cio_id) if one.number > start]
    page = behind[:size]
    return app_json({
        "cio_relationships": [_relationship(one, person, state.settings) for one in page],
        "next": encode_cursor(_CURSOR, page[-1].number) if len(behind) > size else "",
    })


def _relationship(found: Object, person: Person, settings: Settings) -> dict[str, Any]:
    link = found.people[person.cio_id]
    as_number = settings.object_type_id_shape == "number" and found.type_id.isdecimal()
    return {
        "object_type_id": int(found.type_id) if as_number else found.type_id,
        "identifiers": {"object_id": found.object_id, "cio_object_id": found.cio_object_id},
        "attributes": {name: as_text(value) for name, value in link.attributes.items()},
        "timestamps": dict.fromkeys(link.attributes, int(link.stamp.at)),
    }


def list_messages(call: Call) -> Work | Answered:
    """The deliveries of a person, newest first.

    The vendor's own end-to-end tests name the person by a bare cio_id here, and only here.
    """
    operation = "list_messages_of_person"
    wanted = wanted_by_query(call, operation)
    if isinstance(wanted, Answered):
        return wanted
    page = page_asked(call, operation, operation, USUAL_PAGE, SEARCH_PAGE)
    if isinstance(page, Answered):
        return page
    start, size = page

    def show(person: Person, state: Workspace) -> Reply:
        return messages_page(state, wanted, operation, start, size, person.cio_id)

    return read_person(call, operation, show, bare_cio_id=True)


ROUTES = (
    app_route(
        "GET", "/v1/customers/{customer_id}/relationships", "list_relationships_of_person", list_relationships
    ),
    app_route("GET", "/v1/customers/{customer_id}/messages", "list_messages_of_person", list_messages),
)
