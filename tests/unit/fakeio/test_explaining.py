"""Blame: which request wrote what, and why a value or a membership is not there."""

from __future__ import annotations

from fakeio.core import operations as op
from fakeio.core.explaining import explain_attribute, explain_membership, explain_person
from fakeio.core.restoring import restore
from fakeio.core.seeding_people import add_people
from fakeio.core.snapshots import take
from tests.unit.fakeio.spaces import NOW, Space, ref


def world() -> Space:
    space = Space()
    space.identify("id:1", email="a@x.io", plan="free")  # request 1
    space.identify("id:2", email="b@x.io")
    space.identify("id:1", plan="pro")
    space.identify("id:1", email="b@x.io")
    space.do(op.CreateSegment(segment_name="vip"))
    space.do(op.JoinSegment(segment_id=1, ref=ref("id:1")))
    space.do(op.AddDevice(ref=ref("id:1"), token="t", platform="ios"))
    space.do(op.Relate(object=op.ObjectRef("1", "acme"), ref=ref("id:1")))  # request 8
    return space


def test_everything_of_a_person_names_its_request() -> None:
    space = world()
    told = explain_person(space.workspace, space.person("id:1"))
    assert told["created_by"] == {"request": 1, "at": NOW, "timestamp": None}
    assert {name: row["request"] for name, row in told["identifiers"].items()} == {"id": 1, "email": 1}
    assert told["attributes"] == {"plan": {"value": "pro", "request": 3, "at": NOW, "timestamp": None}}
    assert told["devices"]["t"]["request"] == 7
    assert told["segments"]["1"] == {"segment": 1, "member": True, "why": "added by request 6", "request": 6}
    assert [(row["object_id"], row["request"]) for row in told["relationships"]] == [("acme", 8)]


def test_a_value_tells_its_history_and_the_writes_that_failed() -> None:
    space = world()
    person = space.person("id:1")
    plan = explain_attribute(space.workspace, person, "plan")
    assert (plan["value"], plan["why"]) == ("pro", "written by request 3")
    assert [(change["request"], change["from"], change["to"]) for change in plan["changes"]] == [(3, "free", "pro")]
    email = explain_attribute(space.workspace, person, "email")
    assert [failure["request"] for failure in email["failures"]] == [4]


def test_a_value_that_is_not_there_says_why() -> None:
    space = world()
    person = space.person("id:1")
    never = explain_attribute(space.workspace, person, "city")
    assert never["why"] == "no accepted write of this person has named 'city'"
    space.identify("id:1", plan=None)
    assert explain_attribute(space.workspace, person, "plan")["why"] == "'plan' was removed by request 9"
    nobodys = "'plan' was removed by a seed or a handle in Python, or before a snapshot"
    snapshot = Space()
    restore(snapshot.workspace, take(space.workspace), NOW)
    assert explain_attribute(snapshot.workspace, snapshot.person("id:1"), "plan")["why"] == nobodys
    space.identify("id:1", plan="pro")
    add_people(space.workspace, [{"id": "1", "attributes": {"plan": None}}], NOW)
    assert explain_attribute(space.workspace, person, "plan")["why"] == nobodys


def test_a_value_that_a_seed_removed_was_there() -> None:
    space = Space()
    space.identify("id:1", plan="free")
    add_people(space.workspace, [{"id": "1", "attributes": {"plan": None}}], NOW + 1)
    why = explain_attribute(space.workspace, space.person("id:1"), "plan")["why"]
    assert why == "'plan' was removed by a seed or a handle in Python, or before a snapshot"


def test_a_membership_that_is_not_there_says_why() -> None:
    space = world()
    other = space.person("id:2")
    assert explain_membership(space.workspace, other, 1)["why"] == "no add call has reached it"
    assert explain_membership(space.workspace, other, 9)["why"] == "there is no segment 9"
    space.workspace.segments.create("auto", "", "dynamic", NOW)
    assert "data-driven" in explain_membership(space.workspace, other, 2)["why"]
