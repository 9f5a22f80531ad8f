"""Data-driven segments: what conditions may say, what is refused, how a build shows, and why somebody is not in."""

from __future__ import annotations

from typing import Any

import pytest

from fakeio.core import operations as op
from fakeio.core.explaining import explain_membership
from fakeio.core.seed_error import SeedError
from fakeio.core.seeding import add_segment, seed, snapshot
from fakeio.core.seeding_people import add_people
from fakeio.core.segments import Segment
from fakeio.core.settings import LARGEST
from tests.unit.fakeio.spaces import NOW, Space, ref

DAY_S = 86_400
PRO: dict[str, Any] = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
BOUGHT: dict[str, Any] = {"event": {"name": "buy"}}
LIVE: dict[str, Any] = {"and": [{
    "event": {"id": 4, "name": "buy", "type": "event", "filters": {"and": [
        {"field": "total", "operator": "eq", "value": "7", "inverse": False},
    ]}},
    "times": 2, "within": 7 * DAY_S, "inverse": False,
}]}  # fmt: skip


def auto(space: Space, conditions: Any, id: int | None = None) -> Segment:
    return add_segment(space.workspace, "auto", "", "dynamic", conditions, space.now, id)


def later(space: Space, seconds: float) -> None:
    space.now += seconds
    space.workspace.sweep(space.now)


def ids(space: Space, segment: Segment) -> list[str | None]:
    found = [space.workspace.people.get(cio_id) for cio_id in segment.members]
    return [person.id for person in found if person is not None]


# ---- what they say ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "members"),
    [
        pytest.param(PRO, ["1", "2"], id="an attribute"),
        pytest.param({"attribute": {"field": "city", "operator": "exists"}}, ["1", "3"], id="an attribute that exists"),
        pytest.param({"segment": {"id": 1}}, ["3"], id="members of another segment"),
        pytest.param({"segment": {"id": 99}}, [], id="members of no known segment"),
        pytest.param({"and": [PRO, {"not": {"segment": {"id": 1}}}]}, ["1", "2"], id="and, not"),
        pytest.param({"or": [BOUGHT, {"segment": {"id": 1}}]}, ["1", "3"], id="or"),
        pytest.param({**PRO, **BOUGHT}, ["1"], id="several keys are and"),
        pytest.param({**PRO, "inverse": True}, ["3"], id="an attribute, turned round"),
        pytest.param(BOUGHT, ["1"], id="an event, ever"),
        pytest.param({**BOUGHT, "times": 3}, [], id="an event more often than it was performed"),
        pytest.param({**BOUGHT, "inverse": True}, ["2", "3"], id="an event not performed"),
        pytest.param({"event": {"name": "buy", "times": 3}}, [], id="times inside the event"),
        pytest.param({"event": {"name": "buy", "inverse": True}}, ["2", "3"], id="inverse inside the event"),
        pytest.param({"attribute": {**PRO["attribute"], "inverse": True}}, ["3"], id="inverse inside the attribute"),
        pytest.param({"segment": {"id": 1, "inverse": True}}, ["1", "2"], id="inverse inside the segment"),
        pytest.param({"event": {"name": "buy", "times": 3}, "times": 1}, ["1"], id="what stands beside wins"),
        pytest.param({"event": {"name": "buy", "type": "page"}}, [], id="a page is no event"),
        pytest.param({"event": {"name": "buy", "filters": {"and": [{"field": "total", "operator": "exists",
                                                                    "inverse": True}]}}}, [], id="data that is not"),
        pytest.param(LIVE, ["1"], id="the shape that the App API shows"),
        pytest.param({"and": []}, ["1", "2", "3"], id="all of nothing is everybody, as in a search"),
        pytest.param({"or": []}, [], id="any of nothing is nobody"),
    ],
)  # fmt: skip
def test_conditions_choose_people(conditions: dict[str, Any], members: list[str]) -> None:
    space = Space()
    add_segment(space.workspace, "vip", "", "manual", None, space.now)
    space.identify("id:1", plan="pro", city="Bern")
    space.identify("id:2", plan="pro")
    space.identify("id:3", city="Rome")
    space.do(op.JoinSegment(segment_id=1, ref=ref("id:3")))
    for _ in range(2):
        space.event("id:1", data=b'{"total":7}')
    assert ids(space, auto(space, conditions)) == members


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        pytest.param({}, "conditions: a condition is an object with one of and", id="nothing"),
        pytest.param({"within": 5}, "conditions: a condition is an object with one of", id="only what stands beside"),
        pytest.param({"colour": 1}, "conditions/colour: a condition is an object with one of", id="an unknown key"),
        pytest.param({"and": {}}, "conditions/and: and takes a list", id="and that is no list"),
        pytest.param({"and": [PRO, 5]}, "conditions/and/1: a condition is an object", id="a number in a list"),
        pytest.param({"not": []}, "conditions/not: a condition is an object", id="not of a list"),
        pytest.param({"attribute": {"field": "a", "operator": "gt", "value": 1}},
                     "conditions/attribute/operator: operator is eq or exists", id="an unknown operator"),
        pytest.param({"segment": {"id": "1"}}, "conditions/segment/id: segment takes a whole number", id="a text"),
        pytest.param({**PRO, "within": 5}, "conditions: times and within stand beside an event", id="a window of none"),
        pytest.param({**PRO, **BOUGHT, "inverse": True}, "conditions/inverse: inverse stands beside one", id="of two"),
        pytest.param({**PRO, "inverse": "yes"}, "conditions/inverse: inverse is true or false", id="inverse of text"),
        pytest.param({"event": {}}, "conditions/event/name: an event has a name", id="an event without a name"),
        pytest.param({"event": {"name": "a", "type": "form"}}, "conditions/event/type: an event's type", id="a type"),
        pytest.param({**BOUGHT, "within": "7 days"}, "conditions/within: within is a whole number of sec", id="text"),
        pytest.param({"event": {"name": "a", "within_days": 3}},
                     "conditions/event: unknown field 'within_days'; those known here are id, name, type, filters,",
                     id="a field that no event has"),
        pytest.param({"attribute": {**PRO["attribute"], "case": "any"}},
                     "conditions/attribute: unknown field 'case'; those known", id="a field that no attribute has"),
        pytest.param({"and": [{"segment": {"id": 1, "times": 2}}]},
                     "conditions/and/0/segment: unknown field 'times'; those known", id="times of a segment"),
        pytest.param({"event": {"name": "a", "within": "3 days"}}, "conditions/within: within is a whole", id="inside"),
        pytest.param({"event": {"name": "a", "filters": {"and": [{"field": "a", "operator": "exists", "not": 1}]}}},
                     "conditions/event/filters/and/0: unknown field 'not'; those known", id="a field of no filter"),
        pytest.param({**BOUGHT, "times": -1}, "conditions/times: times is a whole number", id="less than never"),
        pytest.param({"event": {"name": "a", "filters": []}}, "conditions/event/filters: filters are", id="filters"),
        pytest.param({"event": {"name": "a", "filters": {"and": [{}]}}},
                     "conditions/event/filters/and/0/field: a filter has a field", id="a filter without a field"),
        pytest.param({"event": {"name": "a", "filters": {"and": [{"field": "a", "operator": "gt"}]}}},
                     "conditions/event/filters/and/0/operator: operator is eq or exists", id="a filter's operator"),
        pytest.param({"event": {"name": "a", "filters": {"and": [{"field": "a", "operator": "eq"}]}}},
                     "conditions/event/filters/and/0/value: eq needs a value", id="a filter without a value"),
        pytest.param({"event": {"name": "a", "filters": {"and": [{"field": "a", "operator": "exists", "inverse": 1}]}}},
                     "conditions/event/filters/and/0/inverse: inverse is true or false", id="a filter's inverse"),
    ],
)  # fmt: skip
def test_bad_conditions_say_where(conditions: dict[str, Any], said: str) -> None:
    space = Space()
    with pytest.raises(SeedError) as caught:
        auto(space, conditions)
    assert str(caught.value).startswith(said)
    assert len(space.workspace.segments) == 0


def test_a_bomb_of_conditions_is_refused() -> None:
    bomb: dict[str, Any] = PRO
    for _ in range(500):
        bomb = {"not": bomb}
    with pytest.raises(SeedError, match="nest at most 32 deep"):
        auto(Space(), bomb)


def test_no_segment_may_depend_on_itself() -> None:
    space = Space()
    with pytest.raises(SeedError, match=r"1 asks about 1$"):
        auto(space, {"segment": {"id": 1}})
    auto(space, {"not": {"segment": {"id": 2}}}, id=1)
    auto(space, {"segment": {"id": 3}}, id=2)
    with pytest.raises(SeedError, match=r"no segment may depend on itself, and . asks about . asks about . asks"):
        auto(space, {"and": [PRO, {"segment": {"id": 1}}]}, id=3)
    rows = [{"name": "a", "id": 1, "type": "dynamic", "conditions": {"segment": {"id": 2}}},
            {"name": "b", "id": 2, "type": "dynamic", "conditions": {"segment": {"id": 1}}}]  # fmt: skip
    with pytest.raises(SeedError, match=r"segments\[1\]: conditions/segment: no segment may depend on itself"):
        seed(Space().workspace, {"segments": rows}, NOW)


# ---- kept right ------------------------------------------------------------------------------------------------------


def test_an_event_counts_until_its_window_is_over() -> None:
    space = Space()
    recent = auto(space, {**BOUGHT, "within": 30 * DAY_S})
    idle = auto(space, {"not": {"segment": {"id": recent.id}}})
    space.event("id:1")
    later(space, 10 * DAY_S)
    space.event("id:1")
    assert (ids(space, recent), ids(space, idle)) == (["1"], [])
    later(space, 30 * DAY_S - 1)
    assert (ids(space, recent), ids(space, idle)) == (["1"], [])
    later(space, 1)
    assert (ids(space, recent), ids(space, idle)) == ([], ["1"])


def test_a_segment_seeded_before_what_it_asks_about_follows_it() -> None:
    space = Space()
    rows: list[dict[str, Any]] = [
        {"id": 7, "name": "not pro", "type": "dynamic", "conditions": {"not": {"segment": {"id": 8}}}},
        {"id": 8, "name": "pro", "type": "dynamic", "conditions": PRO},
        {"id": 9, "name": "vip", "members": ["2"]},
        {"id": 10, "name": "vips", "type": "dynamic", "conditions": {"segment": {"id": 9}}},
    ]
    seed(space.workspace, {"people": [{"id": "1", "attributes": {"plan": "pro"}}, {"id": "2"}], "segments": rows}, NOW)
    assert [ids(space, segment) for segment in space.workspace.segments] == [["2"], ["1"], ["2"], ["2"]]
    add_people(space.workspace, [{"id": "2", "attributes": {"plan": "pro"}}], NOW)
    assert [ids(space, segment) for segment in space.workspace.segments] == [[], ["1", "2"], ["2"], ["2"]]


def test_a_snapshot_keeps_the_order_in_which_members_joined() -> None:
    space = Space()
    auto(space, PRO)
    space.identify("id:1")
    space.identify("id:2", plan="pro")
    space.identify("id:1", plan="pro")
    copy = Space()
    seed(copy.workspace, snapshot(space.workspace), NOW)
    assert [row["members"] for row in snapshot(copy.workspace)["segments"]] == [
        [{"cio_id": space.person("id:2").cio_id}, {"cio_id": space.person("id:1").cio_id}]
    ]


def test_who_does_not_meet_the_conditions_cannot_be_seeded_into_them() -> None:
    space = Space()
    row = {"name": "auto", "type": "dynamic", "conditions": PRO, "members": ["1"]}
    seed(space.workspace, {"people": [{"id": "1"}], "segments": [row]}, NOW)
    assert snapshot(space.workspace)["segments"][0]["members"] == []


def test_nothing_watches_a_workspace_without_conditions() -> None:
    space = Space()
    assert (space.workspace.builder, space.workspace.log.watcher) == (None, None)
    segment = auto(space, BOUGHT)
    watcher = space.workspace.log.watcher
    assert watcher is not None
    assert watcher is space.workspace.builder
    space.do(op.DeleteSegment(segment_id=segment.id))
    space.identify("id:1")
    assert [space.workspace.builder, space.workspace.log.watcher] == [None, None]


# ---- builds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "stages"),
    [
        pytest.param(PRO, [("build_queued", None), ("build", 25), ("build", 50), ("build", 75)], id="attributes"),
        pytest.param(BOUGHT, [("events_queued", None), ("events", 25), ("events", 50), ("events", 75)], id="events"),
        pytest.param({"and": [PRO, BOUGHT]}, [("events_queued", None), ("events", 25), ("build_queued", None),
                                              ("build", 75)], id="events, then attributes"),
    ],
)  # fmt: skip
def test_a_build_goes_through_its_states(conditions: dict[str, Any], stages: list[tuple[str, int | None]]) -> None:
    space = Space(segment_build_s=100)
    space.identify("id:1", plan="pro")
    space.event("id:1")
    segment = auto(space, conditions)
    found = []
    for _ in stages:
        found.append((segment.state, segment.progress))
        assert segment.count == 0
        later(space, 25)
    assert found == stages
    assert (segment.state, segment.progress, segment.count) == ("finished", None, 1)
    assert (segment.created_at, segment.updated_at) == (int(NOW), int(NOW) + 100)


def test_what_happens_during_a_build_is_in_it() -> None:
    space = Space(segment_build_s=100)
    segment = auto(space, {**BOUGHT, "within": 60})
    follower = auto(space, {"segment": {"id": segment.id}})
    space.event("id:1")
    later(space, 50)
    space.event("id:2")
    later(space, 50)
    assert (ids(space, segment), ids(space, follower)) == (["2"], ["2"])


def test_a_build_may_take_longer_than_anybody_waits() -> None:
    space = Space(segment_build_s=LARGEST)
    segment = auto(space, PRO)
    later(space, 400 * DAY_S)
    assert (segment.state, segment.progress) == ("build_queued", None)


# ---- why -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        pytest.param({"and": [{"attribute": {"field": "plan", "operator": "exists"}}, PRO]},
                     "conditions/and/1/attribute fails (plan eq 'pro'): it is 'free'", id="an attribute"),
        pytest.param({"attribute": {"field": "city", "operator": "exists"}},
                     "conditions/attribute fails (city exists): it is None", id="an attribute that is not there"),
        pytest.param({"or": [{"segment": {"id": 5}}, {**BOUGHT, "times": 2, "within": 60}]},
                     "conditions/or/0/segment fails (a member of segment 5); "
                     "conditions/or/1/event fails (event 'buy' at least 2 times within 60 s): it is 1", id="any"),
        pytest.param({"not": BOUGHT}, "conditions/not fails: what it turns round does hold", id="not"),
        pytest.param({**BOUGHT, "inverse": True}, "conditions/inverse fails: what it turns round does hold", id="so"),
        pytest.param({"or": []}, "conditions/or fails: any one of none", id="any of nothing"),
    ],
)  # fmt: skip
def test_who_is_not_in_is_told_which_condition_fails(conditions: dict[str, Any], why: str) -> None:
    space = Space()
    space.identify("id:1", plan="free")
    space.event("id:1")
    segment = auto(space, conditions)
    told = explain_membership(space.workspace, space.person("id:1"), segment.id)
    assert told == {"segment": segment.id, "member": False, "why": f"data-driven: {why}", "request": None}


def test_a_member_is_told_which_request_made_the_conditions_hold() -> None:
    space = Space()
    segment = auto(space, PRO)
    space.identify("id:1")
    space.identify("id:1", plan="pro")
    told = explain_membership(space.workspace, space.person("id:1"), segment.id)
    assert (told["member"], told["why"], told["request"]) == (
        True, "data-driven: its conditions hold, since request 2", 2
    )  # fmt: skip


def test_whoever_waits_for_a_build_is_told_so() -> None:
    space = Space(segment_build_s=100)
    segment = auto(space, PRO)
    space.identify("id:1", plan="pro")
    told = explain_membership(space.workspace, space.person("id:1"), segment.id)
    assert told["why"] == "data-driven: it is still being built (state build_queued) and has no members yet"
