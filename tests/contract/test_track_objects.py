"""Objects and relationships over a real socket: v1's object shape, v2's lists, and what each malformed one comes to."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fakeio.core.operations import ObjectRef
from tests.contract import live as fixtures
from tests.contract.live import Site

live, site = fixtures.live, fixtures.site

ACME = {"object_type_id": "1", "object_id": "acme"}


def entity(site: Site, **document: Any) -> httpx.Response:
    return site.track.post("/api/v2/entity", json=document)


def thing(action: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "action": action, "identifiers": ACME, **more}


def links(site: Site) -> dict[str | None, dict[str, Any]]:
    """Who is linked to the object, by id, with the attributes of each link."""
    found = site.hosted.state.objects.find(ObjectRef("1", "acme"))
    people = site.hosted.state.people
    return {person.id: link.attributes for person in people if found and (link := found.people.get(person.cio_id))}


def attributes(site: Site) -> dict[str, Any] | None:
    found = site.hosted.state.objects.find(ObjectRef("1", "acme"))
    return found.attributes if found is not None else None


def test_an_object_is_made_changed_and_deleted(site: Site) -> None:
    assert entity(site, **thing("identify", attributes={"name": "Acme", "size": 9})).content == b"{}\n"
    entity(site, **thing("identify", identifiers={"object_type_id": 1, "object_id": "acme"}, attributes={"size": ""}))
    assert attributes(site) == {"name": "Acme"}
    entity(site, **thing("delete"))
    assert attributes(site) is None
    assert entity(site, **thing("delete")).status_code == 200
    assert site.outcomes() == [("delete_object", "ignored", "object.unknown")]


def test_an_object_is_linked_to_people_while_it_is_made(site: Site) -> None:
    rows = [
        {"identifiers": {"id": "7"}, "relationship_attributes": {"role": "owner"}},
        {"identifiers": {"email": "a@example.com"}},
    ]
    assert entity(site, **thing("identify", cio_relationships=rows)).status_code == 200
    assert links(site) == {"7": {"role": "owner"}, None: {}}
    assert [name for name, _, _ in site.outcomes()] == ["identify_object", "add_relationship", "add_relationship"]


def test_links_end_and_the_object_goes_with_them(site: Site) -> None:
    site.identify("7")
    row = {"identifiers": {"id": "7"}}
    entity(site, **thing("add_relationships", cio_relationships=[row]))
    assert links(site) == {"7": {}}
    entity(site, **thing("delete_relationships", cio_relationships=[row]))
    assert links(site) == {}
    assert attributes(site) == {}


def test_somebody_anonymous_is_linked_on_identify(site: Site) -> None:
    row = {"identifiers": {"anonymous_id": "anon"}, "relationship_attributes": {"role": "visitor"}}
    entity(site, **thing("identify_anonymous", cio_relationships=[row]))
    site.identify("7", anonymous_id="anon")
    assert links(site) == {"7": {"role": "visitor"}}


@pytest.mark.parametrize("action", ["add_relationships", "identify"])
def test_v2_links_a_person_by_a_list(site: Site, action: str) -> None:
    row = {"identifiers": ACME, "relationship_attributes": {"role": "owner"}}
    document = {"type": "person", "action": action, "identifiers": {"id": "7"}, "cio_relationships": [row]}
    assert entity(site, **document).status_code == 200
    assert links(site) == {"7": {"role": "owner"}}


def test_v2_ends_links_of_a_person(site: Site) -> None:
    rows = [{"identifiers": ACME}]
    document = {"type": "person", "identifiers": {"id": "7"}, "cio_relationships": rows}
    entity(site, **document, action="add_relationships")
    entity(site, **document, action="delete_relationships")
    assert links(site) == {}
    assert site.outcomes() == [("delete_relationship", "applied", None)]


def test_v1_links_a_person_by_an_object_of_action_and_list(site: Site) -> None:
    row = {"identifiers": ACME, "relationship_attributes": {"role": "owner"}}
    site.identify("7", plan="pro", cio_relationships={"action": "add_relationships", "relationships": [row]})
    assert links(site) == {"7": {"role": "owner"}}
    assert site.people() == [{"id": "7", "plan": "pro"}]
    site.identify("7", cio_relationships={"action": "delete_relationships", "relationships": [row]})
    assert links(site) == {}


@pytest.mark.parametrize(
    "related",
    [
        pytest.param([{"identifiers": ACME}], id="the shape of v2"),
        pytest.param({"action": "befriend", "relationships": []}, id="an action nobody knows"),
        pytest.param({"action": "add_relationships", "relationships": {}}, id="no list"),
        pytest.param({"action": "add_relationships", "relationships": [{"identifiers": {}}]}, id="a nameless one"),
        pytest.param("acme", id="text"),
    ],
)
def test_v1_drops_relationships_of_another_shape_and_says_so(site: Site, related: Any) -> None:
    assert site.identify("7", plan="pro", cio_relationships=related).content == b"{}\n"
    assert site.people() == [{"id": "7", "plan": "pro"}]
    assert site.outcomes() == [("identify", "applied", None), ("relate", "ignored", "relationships.shape")]


REFUSED = [
    pytest.param(thing("identify", identifiers={}), "identifiers", id="no identifiers"),
    pytest.param(thing("identify", identifiers={"object_id": "x"}), "identifiers", id="no type"),
    pytest.param(thing("identify", attributes=[]), "attributes", id="attributes that are a list"),
    pytest.param(thing("delete", identifiers="acme"), "identifiers", id="identifiers that are text"),
    pytest.param(thing("add_relationships"), "cio_relationships", id="no list of people"),
    pytest.param(thing("add_relationships", cio_relationships=[]), "cio_relationships", id="an empty list"),
    pytest.param(
        thing("add_relationships", cio_relationships={"action": "x"}), "cio_relationships", id="the shape of v1"
    ),
    pytest.param(thing("add_relationships", cio_relationships=[7]), "cio_relationships.0", id="a number as person"),
    pytest.param(
        thing("identify_anonymous", cio_relationships=[{"identifiers": {"id": "7"}}]),
        "cio_relationships.0.identifiers", id="an id where an anonymous one belongs",
    ),
    pytest.param(
        {"type": "person", "action": "identify", "identifiers": {"id": "7"}, "cio_relationships": {"action": "x"}},
        "cio_relationships", id="a person with the shape of v1",
    ),
    pytest.param(thing("merge"), "action", id="an action of people"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "field"), REFUSED)
def test_v2_refuses(site: Site, document: dict[str, Any], field: str) -> None:
    answer = entity(site, **document)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
    assert len(site.hosted.state.objects) == 0
    assert site.people() == []


def test_links_of_an_item_that_is_refused_are_not_made(site: Site) -> None:
    bad = {
        "type": "person", "action": "identify", "identifiers": {"id": "7"}, "attributes": {"v": "x" * 1001},
        "cio_relationships": [{"identifiers": ACME}],
    }  # fmt: skip
    good = {"type": "person", "action": "identify", "identifiers": {"id": "8"}}
    answer = site.track.post("/api/v2/batch", json={"batch": [bad, good]})
    assert answer.status_code == 207
    assert [(error["batch_index"], error["field"]) for error in answer.json()["errors"]] == [(0, "attributes.v")]
    assert site.people() == [{"id": "8"}]
    assert len(site.hosted.state.objects) == 0


def test_an_object_of_a_type_that_nobody_made_is_dropped(site: Site) -> None:
    answer = entity(site, **thing("identify", identifiers={"object_type_id": "9", "object_id": "x"}))
    assert answer.status_code == 200
    assert site.outcomes() == [("identify_object", "ignored", "object.type_unknown")]


@pytest.mark.parametrize("action", ["viewed_content", "clicked_content"])
def test_content_that_somebody_anonymous_saw_is_recorded(site: Site, action: str) -> None:
    document = {"type": "person", "action": action, "identifiers": {"anonymous_id": "anon"}, "name": action}
    assert entity(site, **document, attributes={"contentId": 3}).status_code == 200
    assert site.events() == [(None, action, action, b'{"contentId":3}')]
    assert entity(site, **{**document, "name": "other"}).status_code == 400
