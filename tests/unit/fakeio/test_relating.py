"""Objects and relationships: what creates them, what ends them, what waits for an anonymous person."""

from __future__ import annotations

from typing import Any

import pytest

from fakeio.core import operations as op
from fakeio.core.objects import Object
from fakeio.core.operations import ObjectRef
from fakeio.core.outcomes import Applied, Ignored, Refused
from tests.unit.fakeio.spaces import Space, ref

ACME = ObjectRef("1", "acme")


def rule_of(outcome: object) -> str | None:
    return outcome.rule if isinstance(outcome, Ignored | Refused) else None


def identify(space: Space, where: ObjectRef = ACME, **attributes: Any) -> object:
    return space.do(op.IdentifyObject(object=where, attributes=attributes))


def relate(space: Space, address: str, **attributes: Any) -> object:
    return space.do(op.Relate(object=ACME, ref=ref(address), attributes=attributes))


def acme(space: Space) -> Object:
    found = space.workspace.objects.find(ACME)
    assert found is not None
    return found


def test_an_object_is_created_updated_and_deleted() -> None:
    space = Space()
    assert isinstance(identify(space, name="Acme", size=9), Applied)
    assert rule_of(identify(space, name="Acme")) == "object.unchanged"
    assert isinstance(identify(space, ObjectRef(cio_object_id="ob000001"), size=None), Applied)
    assert acme(space).attributes == {"name": "Acme"}
    assert isinstance(space.do(op.DeleteObject(object=ACME)), Applied)
    assert rule_of(space.do(op.DeleteObject(object=ACME))) == "object.unknown"
    assert space.activities() == ["_o:1:create", "_o:1:attribute_change", "_o:1:delete"]


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        pytest.param(ObjectRef("9", "x"), "object.type_unknown", id="a type nobody made"),
        pytest.param(ObjectRef(cio_object_id="nope"), "object.unknown", id="an id of nothing"),
        pytest.param(ObjectRef("1", ""), "track.v2.field", id="no id"),
        pytest.param(ObjectRef("1", "x" * 151), "track.object.id", id="an id of 151 bytes"),
        pytest.param(ObjectRef("1", "x" * 150), None, id="an id of 150 bytes"),
    ],
)
def test_an_object_that_is_not_created(where: ObjectRef, rule: str | None) -> None:
    space = Space()
    assert rule_of(identify(space, where)) == rule
    assert len(space.workspace.objects) == (rule is None)


def test_a_relationship_creates_both_ends_and_carries_attributes() -> None:
    space = Space()
    assert isinstance(relate(space, "id:1", role="owner"), Applied)
    assert rule_of(relate(space, "id:1", role="owner")) == "relationship.unchanged"
    assert isinstance(relate(space, "id:1", role="", seat=4), Applied)
    cio_id = space.person("id:1").cio_id
    assert acme(space).people[cio_id].attributes == {"seat": 4}
    assert [found.object_id for found in space.workspace.objects.of(cio_id)] == ["acme"]


def test_a_relationship_ends() -> None:
    space = Space()
    relate(space, "id:1")
    end = op.Unrelate(object=ACME, ref=ref("id:1"))
    assert isinstance(space.do(end), Applied)
    assert rule_of(space.do(end)) == "relationship.unknown"
    assert rule_of(space.do(op.Unrelate(object=ACME, ref=ref("id:2")))) == "person.unknown"


def test_a_relationship_of_an_anonymous_person_carries_over_on_identify() -> None:
    space = Space()
    space.do(op.Relate(object=ACME, anonymous_id="anon", attributes={"role": "visitor"}))
    assert isinstance(space.identify("id:1", anonymous_id="anon"), Applied)
    assert acme(space).people[space.person("id:1").cio_id].attributes == {"role": "visitor"}
    assert space.activities("anon_merge") == ["anon_merge"]


def test_suppressed_people_are_not_related() -> None:
    space = Space()
    space.do(op.Suppress(ref=ref("id:1")))
    assert rule_of(relate(space, "id:1")) == "person.suppressed"
    assert rule_of(space.do(op.Unrelate(object=ACME, ref=ref("id:1")))) == "person.suppressed"


def test_a_merge_moves_links_that_the_primary_lacks_and_a_delete_ends_them() -> None:
    space = Space()
    relate(space, "id:1", role="old")
    space.identify("id:2")
    space.do(op.MergePeople(primary=ref("id:2"), secondary=ref("id:1")))
    primary = space.person("id:2").cio_id
    assert {who: link.attributes for who, link in acme(space).people.items()} == {primary: {"role": "old"}}
    space.do(op.DeletePerson(ref=ref("id:2")))
    assert acme(space).people == {}


def test_attributes_of_objects_and_relationships_have_the_limits_of_people() -> None:
    space = Space()
    assert rule_of(identify(space, v="x" * 1001)) == "track.attribute.value"
    assert rule_of(relate(space, "id:1", v="x" * 1001)) == "track.attribute.value"
    assert space.people() == []
