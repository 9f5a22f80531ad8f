"""Seeds: what they hold, and that a bad one says where it is bad."""

from __future__ import annotations

from typing import Any

import pytest

from fakeio.core.seed_error import SeedError
from fakeio.core.seeding import seed, snapshot
from fakeio.core.seeding_people import add_people
from tests.unit.fakeio.spaces import NOW, Space

WORLD: dict[str, Any] = {
    "settings": {"auto_merge": False},
    "people": [
        {"cio_id": "a3000009", "id": "1", "email": "A@x.io", "attributes": {"n": 1, "tags": ["x"]}, "devices": [
            {"token": "t", "platform": "ios", "last_used": 5, "attributes": {"os": "9"}}
        ]},
        {"cio_id": "a300000a", "id": None, "email": "b@x.io", "attributes": {}, "devices": []},
    ],
    "segments": [
        {"id": 7, "name": "vip", "description": "", "type": "manual", "members": [{"cio_id": "a3000009"}]},
        {"id": 8, "name": "new", "description": "d", "type": "dynamic",
         "conditions": {"attribute": {"field": "n", "operator": "exists"}}, "members": [{"cio_id": "a3000009"}]},
    ],
    "suppressions": [{"identifiers": [{"id": "9"}, {"email": "z@x.io"}]}],
    "objects": [
        {"object_type_id": "1", "object_id": "acme", "cio_object_id": "ob000007", "attributes": {"n": 1},
         "relationships": [{"cio_id": "a3000009", "attributes": {"role": "owner"}},
                           {"anonymous_id": "anon", "attributes": {}}]},
    ],
    "deliveries": [
        {"id": "dlv", "type": "email", "person": "a3000009", "created_at": 5, "recipient": "A@x.io",
         "metrics": {"opened": 6}},
    ],
    "forms": [{"id": "f1", "created_at": 5, "fields": {"email_address": "email"}}],
    "templates": [{"id": 2, "created_at": 5, "updated_at": 6, "name": "Receipt", "trigger_name": "receipt",
                   "contents": [{"id": 1, "subject": "Thanks", "from": "shop@x.io"}, {"id": 2, "language": "fr"}]}],
    "topics": [{"id": 1, "created_at": 5, "updated_at": 5, "name": "News", "subscribed_by_default": False}],
    "collections": [{"id": 4, "created_at": 5, "updated_at": 5, "name": "Shops", "rows": [{"city": "Bern"}]}],
    "broadcasts": [{"id": 3, "created_at": 5, "updated_at": 5, "name": "Sale", "recipients": {"segment": {"id": 7}},
                    "actions": [{"id": 9, "type": "push"}],
                    "triggers": [{"id": 1, "created_at": 5, "errors": ["line 1: nobody"]}]}],
    "webhooks": [{"id": 4, "created_at": 5, "updated_at": 5, "name": "Ours", "endpoint": "https://example.com/in",
                  "events": ["email_sent"]}],
    "newsletters": [{"id": 6, "created_at": 5, "updated_at": 5, "name": "Weekly", "recipients": {"segment": {"id": 7}},
                     "type": "twilio", "body": "b", "from": "x", "sent_at": 9}],
    "snippets": [{"name": "sign", "value": "Yours", "updated_at": 5}],
}  # fmt: skip


def test_a_snapshot_is_a_seed_of_an_equal_workspace() -> None:
    space = Space()
    seed(space.workspace, WORLD, NOW)
    assert snapshot(space.workspace) == WORLD
    assert space.activities() == [], "seeding is not something that happened"
    assert space.person("id:1").segments == {7, 8}
    assert space.workspace.people.by_device("t") is space.person("id:1")


def test_ids_made_later_avoid_those_a_seed_has_taken() -> None:
    space = Space()
    seed(space.workspace, {"people": [{"cio_id": "a3000002"}]}, NOW)
    space.identify("id:1")
    assert len({person.cio_id for person in space.workspace.people}) == 2


def test_seeding_twice_updates() -> None:
    space = Space()
    add_people(space.workspace, [{"id": "1", "attributes": {"plan": "free"}}], NOW)
    add_people(space.workspace, [{"id": "1", "email": "a@x.io", "attributes": {"plan": "pro"}}], NOW)
    assert space.people() == [{"id": "1", "email": "a@x.io", "plan": "pro"}]


def test_a_member_may_be_named_by_email_alone_and_an_id_comes_first() -> None:
    space = Space()
    people = [{"email": "a@x.io"}, {"id": "b@x.io"}, {"email": "b@x.io"}]
    seed(space.workspace, {"people": people, "segments": [{"name": "vip", "members": ["A@x.io", "b@x.io"]}]}, NOW)
    [vip] = space.workspace.segments
    assert list(vip.members) == ["a3000001", "a3000002"]


def test_who_is_unsubscribed_in_a_list_of_people_is_so_when_it_is_seeded() -> None:
    space = Space()
    rows = [{"id": "1", "unsubscribed": True}, {"id": "2", "unsubscribed": False},
            {"id": "3", "unsubscribed": True, "attributes": {"unsubscribed": "1"}}]  # fmt: skip
    add_people(space.workspace, rows, NOW)
    assert space.people() == [
        {"id": "1", "email": None, "unsubscribed": True}, {"id": "2", "email": None},
        {"id": "3", "email": None, "unsubscribed": "1"},
    ]  # fmt: skip


def test_a_collection_is_seeded_as_the_api_takes_it() -> None:
    space = Space()
    seed(space.workspace, {"collections": [{"name": "shoes", "data": [{"size": 7}]}]}, NOW)
    [shoes] = space.workspace.content.collections
    assert (shoes.name, shoes.rows) == ("shoes", [{"size": 7}])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        pytest.param([], "JSON object", id="no object"),
        pytest.param({"persons": []}, "no key 'persons'", id="a key nobody knows"),
        pytest.param({"templates": [1]}, "templates[0]: an object", id="a template as a number"),
        pytest.param({"templates": [{"name": "a", "type": "fax"}]}, "type is one of", id="a template of no channel"),
        pytest.param({"topics": [{"nam": "a"}]}, "topics[0]: Object", id="a topic without a name"),
        pytest.param({"topics": [{"id": 1, "name": "a"}] * 2}, "topics[1]: id is a free", id="a topic's id twice"),
        pytest.param({"broadcasts": [{"name": "a", "recipients": {}}]}, "recipients: ", id="a broadcast's bad filter"),
        pytest.param({"newsletters": [{"name": "a", "recipients": {}}]}, "recipients: ", id="a newsletter's filter"),
        pytest.param({"newsletters": [{"name": "a", "type": "fax", "recipients": {"segment": {"id": 1}}}]},
                     "type is one of", id="a newsletter of no channel"),
        pytest.param({"people": {"a": 1}}, "people is a list", id="people as a full object"),
        pytest.param({"people": [1]}, "people[0]: a person is an object", id="a person as a number"),
        pytest.param({"people": [{"id": 5}]}, "people[0]: id is text", id="a number as id"),
        pytest.param({"people": [{"plan": "pro"}]}, "put attributes under", id="attributes at the top"),
        pytest.param({"people": [{"attributes": {}}]}, "needs an id", id="nobody"),
        pytest.param({"people": [{"id": "x" * 151}]}, "150 bytes", id="too long an id"),
        pytest.param({"people": [{"id": "1", "attributes": []}]}, "attributes are an object", id="attributes as list"),
        pytest.param({"people": [{"id": "1", "attributes": {"v": "x" * 1001}}]}, "1000 bytes", id="too long a value"),
        pytest.param({"people": [{"id": "1", "devices": [{}]}]}, "devices[0]", id="a device without token"),
        pytest.param({"segments": [{"id": 1}]}, "segments[0]: a segment needs a name", id="a nameless segment"),
        pytest.param({"segments": [{"name": "a", "type": "x"}]}, "manual or dynamic", id="a third type"),
        pytest.param({"segments": [{"name": "a", "members": ["1"]}]}, "nobody in this seed", id="an unknown member"),
        pytest.param({"segments": [{"name": "a", "id": 0}]}, "whole number", id="segment 0"),
        pytest.param({"objects": [{"object_id": "a"}]}, "objects[0]", id="an object without type"),
        pytest.param(
            {"objects": [{"object_type_id": "1", "object_id": "a", "relationships": [{"id": "9"}]}]},
            "nobody in this seed", id="a relationship with nobody",
        ),
        pytest.param({"deliveries": [{"id": "d", "type": "sms"}] * 2}, "'d' already", id="a delivery twice"),
        pytest.param({"deliveries": [{"id": "d", "type": "fax"}]}, "one of email", id="an unknown channel"),
        pytest.param({"deliveries": [{"id": "d", "type": "sms", "metrics": 5}]}, "deliveries[0]", id="bad metrics"),
        pytest.param({"forms": [{"fields": {}}]}, "forms[0]", id="a nameless form"),
        pytest.param({"suppressions": ["1"]}, "suppressions[0]", id="a bare suppression"),
        pytest.param({"settings": {"nope": 1}}, "no setting 'nope'", id="a setting nobody knows"),
        pytest.param({"settings": {"auto_merge": 1}}, "auto_merge is one of", id="a value that is no choice"),
        pytest.param({"segments": [{"name": "a", "people": ["1"]}]},
                     "segments[0]: unknown field 'people'; those known here are name, id,", id="a segment's field"),
        pytest.param({"objects": [{"object_type_id": "1", "object_id": "a", "people": ["1"]}]},
                     "objects[0]: unknown field 'people'; those known here are object_type_id", id="an object's"),
        pytest.param(
            {"people": [{"id": "1"}],
             "objects": [{"object_type_id": "1", "object_id": "a", "relationships": [{"id": "1", "role": 1}]}]},
            "objects[0].relationships[0]: unknown field 'role'; those known", id="a relationship's field",
        ),
        pytest.param({"templates": [{"name": "a", "subject": "s"}]}, "(its fields are ", id="a template's field"),
        pytest.param({"collections": [{"name": "a", "data": 5}]}, "collections[0]: Expected `array`", id="data of 5"),
    ],
)  # fmt: skip
def test_a_bad_seed_says_where(document: Any, words: str) -> None:
    with pytest.raises(SeedError) as caught:
        seed(Space().workspace, document, NOW)
    assert words in str(caught.value)


def test_identifiers_of_two_people_in_one_row_are_an_error() -> None:
    space = Space()
    add_people(space.workspace, [{"id": "1"}, {"email": "a@x.io"}], NOW)
    with pytest.raises(SeedError, match="different people"):
        add_people(space.workspace, [{"id": "1", "email": "a@x.io"}], NOW)
