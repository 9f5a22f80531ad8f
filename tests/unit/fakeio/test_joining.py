"""Manual segments: who joins, who is ignored and by which rule."""

from __future__ import annotations

import pytest

from fakeio.core import operations as op
from fakeio.core.outcomes import Applied, Ignored, Refused
from fakeio.core.segments import Segment
from tests.unit.fakeio.spaces import Space, ref


def rule_of(outcome: object) -> str | None:
    return outcome.rule if isinstance(outcome, Ignored | Refused) else None


def segment_in(space: Space, type_: str = "manual") -> Segment:
    return space.workspace.segments.create("vip", "", type_, space.now)


def join(space: Space, segment: Segment, address: str) -> object:
    return space.do(op.JoinSegment(segment_id=segment.id, ref=ref(address)))


def test_only_people_who_exist_join() -> None:
    space = Space()
    segment = segment_in(space)
    space.identify("id:1", email="a@x.io")
    assert isinstance(join(space, segment, "id:1"), Applied)
    assert rule_of(join(space, segment, "email:A@x.io")) == "segment.already_member"
    assert rule_of(join(space, segment, "id:2")) == "segment.person_unknown"
    assert rule_of(join(space, segment, "email:nobody")) == "segment.wrong_id_type"
    assert [person["id"] for person in space.people()] == ["1"]
    assert space.person("id:1").segments == {segment.id}


def test_leaving_is_idempotent() -> None:
    space = Space()
    segment = segment_in(space)
    space.identify("id:1")
    join(space, segment, "id:1")
    leave = op.LeaveSegment(segment_id=segment.id, ref=ref("id:1"))
    assert isinstance(space.do(leave), Applied)
    assert rule_of(space.do(leave)) == "segment.not_member"
    assert space.person("id:1").segments == set()


def test_the_old_behaviour_of_creating_unknown_ids_is_a_switch() -> None:
    space = Space(segment_unknown_person="create")
    segment = segment_in(space)
    assert isinstance(join(space, segment, "id:2"), Applied)
    assert rule_of(join(space, segment, "email:a@x.io")) == "segment.person_unknown"


@pytest.mark.parametrize(("switch", "rule"), [("accept", "segment.unknown"), ("404", "track.segment.unknown")])
def test_an_unknown_segment(switch: str, rule: str) -> None:
    space = Space(segment_unknown_id=switch)
    assert rule_of(space.do(op.JoinSegment(segment_id=99, ref=ref("id:1")))) == rule


@pytest.mark.parametrize(("switch", "rule"), [("accept", "segment.dynamic"), ("400", "track.segment.dynamic")])
def test_a_data_driven_segment(switch: str, rule: str) -> None:
    space = Space(segment_dynamic_write=switch)
    space.identify("id:1")
    segment = segment_in(space, "dynamic")
    assert rule_of(join(space, segment, "id:1")) == rule
    assert segment.count == 0


def test_suppressed_people_do_not_join() -> None:
    space = Space()
    segment = segment_in(space)
    space.do(op.Suppress(ref=ref("id:1")))
    assert rule_of(join(space, segment, "id:1")) == "person.suppressed"


def test_email_is_no_id_type_where_people_have_ids_only() -> None:
    space = Space(identifiers="id")
    segment = segment_in(space)
    space.identify("id:1", email="a@x.io")
    assert rule_of(join(space, segment, "email:a@x.io")) == "segment.person_unknown"


def test_creating_and_deleting_segments() -> None:
    space = Space()
    created = space.do(op.CreateSegment(segment_name="vip"))
    assert created == Applied(result=1)
    assert space.do(op.CreateSegment(segment_name="vip")) == Applied(result=2), "names may repeat"
    space.identify("id:1")
    space.do(op.JoinSegment(segment_id=1, ref=ref("id:1")))
    assert space.do(op.DeleteSegment(segment_id=1)) == Applied(result=1)
    assert space.person("id:1").segments == set()
    assert rule_of(space.do(op.DeleteSegment(segment_id=1))) == "app.not_found"
    assert space.do(op.CreateSegment(segment_name="new")) == Applied(result=3), "ids are never used twice"


@pytest.mark.parametrize(("switch", "rule"), [("allow", None), ("400", "app.segment.name")])
def test_a_second_segment_of_one_name(switch: str, rule: str | None) -> None:
    space = Space(segment_name_duplicate=switch)
    space.do(op.CreateSegment(segment_name="vip"))
    assert rule_of(space.do(op.CreateSegment(segment_name="vip"))) == rule
    assert rule_of(space.do(op.CreateSegment(segment_name=""))) == "app.segment.name"
