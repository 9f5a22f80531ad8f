"""Whatever happens: a data-driven segment has the members that a plain reading of its conditions finds."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakeio.core import operations as op
from fakeio.core.people import Person, as_text
from fakeio.core.seed_error import SeedError
from fakeio.core.seeding import add_segment
from fakeio.core.seeding_people import add_people
from fakeio.core.segments import Segment
from tests.unit.fakeio.spaces import NOW, Space, ref
from tests.unit.fakeio.test_workspace import OPERATIONS, REFS, check_indexes

DAY_S = 86_400
BUILD_S = 500

# ---- histories -------------------------------------------------------------------------------------------------------

ATTRIBUTE_LEAVES = st.fixed_dictionaries({
    "attribute": st.one_of(
        st.fixed_dictionaries({
            "field": st.sampled_from(["plan", "email", "id", "phone"]), "operator": st.just("eq"),
            "value": st.sampled_from(["x", "a@x.io", "1", "true"]),
        }),
        st.fixed_dictionaries({"field": st.sampled_from(["plan", "email", "id"]), "operator": st.just("exists")}),
    )
})  # fmt: skip
SEGMENT_LEAVES = st.fixed_dictionaries({"segment": st.fixed_dictionaries({"id": st.integers(1, 5)})})
DATA_FILTERS = st.fixed_dictionaries(
    {"field": st.sampled_from(["total", "none"]), "operator": st.sampled_from(["eq", "exists"]), "value": st.just(7)},
    optional={"inverse": st.booleans()},
)
EVENT_LEAVES = st.fixed_dictionaries(
    {
        "event": st.fixed_dictionaries(
            {"name": st.just("buy")},
            optional={
                "id": st.just(3),
                "type": st.sampled_from(["event", "page"]),
                "filters": st.fixed_dictionaries({"and": st.lists(DATA_FILTERS, max_size=2)}),
            },
        )
    },
    optional={
        "times": st.integers(0, 3),
        "within": st.sampled_from([None, 0, 1, 400, 40 * DAY_S]),
        "inverse": st.booleans(),
    },
)
CONDITIONS = st.recursive(
    st.one_of(ATTRIBUTE_LEAVES, SEGMENT_LEAVES, EVENT_LEAVES),
    lambda inner: st.one_of(
        st.fixed_dictionaries({}, optional={"and": st.lists(inner, max_size=3), "not": inner}).filter(bool),
        st.fixed_dictionaries({"or": st.lists(inner, max_size=3)}),
    ),
    max_leaves=5,
)
EVENTS = st.builds(
    op.RecordEvent,
    ref=REFS | st.none(),
    anonymous_id=st.sampled_from([None, "p"]),
    event=st.just("buy"),
    type=st.sampled_from(["event", "page"]),
    data=st.sampled_from([b"{}", b'{"total":7}', b'{"total":"7","none":null}']),
    timestamp=st.sampled_from([None, int(NOW), int(NOW) - 30 * DAY_S, int(NOW) + 400]),
)
PEOPLE = st.fixed_dictionaries({
    "cio_id": st.sampled_from(["a3000001", "a3000002"]), "attributes": st.sampled_from([{}, {"plan": "x"}])
})  # fmt: skip
AUTO = st.tuples(CONDITIONS, st.sampled_from([0, BUILD_S]))
ANYTHING = st.sampled_from([*[OPERATIONS] * 5, *[EVENTS] * 3, PEOPLE, AUTO]).flatmap(lambda kind: kind)
STEPS = st.tuples(ANYTHING, st.sampled_from([0, 1, 400, 40 * DAY_S, -400]))
HISTORIES = st.builds(
    lambda autos, steps: [((conditions, takes_s), 0) for conditions, takes_s in autos] + steps,
    st.lists(AUTO, min_size=1, max_size=3),
    st.lists(STEPS, max_size=25),
)

# ---- a plain reading of conditions -----------------------------------------------------------------------------------


class World:
    """A workspace, and when each of its data-driven segments is to be finished."""

    def __init__(self) -> None:
        self.space = Space()
        self.done_at: dict[int, float] = {}
        self.finished: set[int] = set()

    def take(self, step: Any) -> None:
        workspace = self.space.workspace
        if isinstance(step, op.Operation):
            self.space.do(step)
        elif isinstance(step, dict):
            add_people(workspace, [step], self.space.now)
        else:
            self.build(*step)

    def build(self, conditions: dict[str, Any], takes_s: int) -> None:
        workspace = self.space.workspace
        workspace.settings = workspace.settings.with_({"segment_build_s": takes_s})
        try:
            made = add_segment(workspace, "auto", "", "dynamic", conditions, self.space.now)
        except SeedError as bad:
            if "depend on itself" not in str(bad):
                raise
            return
        self.done_at[made.id] = self.space.now + takes_s

    def pass_time(self, seconds: int) -> None:
        self.space.now += seconds
        self.space.workspace.sweep(self.space.now)
        self.finished |= {id for id, at in self.done_at.items() if at <= self.space.now}

    def members(self, segment: Segment) -> set[str]:
        if segment.conditions is None:
            return set(segment.members)
        if segment.id not in self.finished:
            return set()
        return {one.cio_id for one in self.space.workspace.people if self.meets(segment.conditions, one)}

    def meets(self, node: dict[str, Any], person: Person) -> bool:
        """Every key of the node, one after the other, as its words say."""
        return all(self.meets_key(key, node, person) for key in node) is not bool(node.get("inverse"))

    def meets_key(self, key: str, node: dict[str, Any], person: Person) -> bool:
        value = node[key]
        if key == "and":
            return all(self.meets(each, person) for each in value)
        if key == "or":
            return any(self.meets(each, person) for each in value)
        if key == "not":
            return not self.meets(value, person)
        if key == "segment":
            segment = self.space.workspace.segments.get(value["id"])
            return segment is not None and person.cio_id in self.members(segment)
        if key == "attribute":
            return has(person, value)
        return self.often_enough(node, person) if key == "event" else True

    def often_enough(self, node: dict[str, Any], person: Person) -> bool:
        since = self.space.now - node["within"] if node.get("within") else float("-inf")
        wanted = node["event"]
        count = sum(
            event.name == wanted["name"] and event.type == wanted.get("type", "event") and event.timestamp > since
            and all(fits(event.data, each) for each in wanted.get("filters", {}).get("and", ()))
            for event in self.space.workspace.events(person=person.cio_id)
        )  # fmt: skip
        return bool(count >= (node.get("times") or 1))


def has(person: Person, wanted: dict[str, Any]) -> bool:
    held = {"id": person.id, "email": person.email, **person.attributes}.get(wanted["field"])
    if wanted["operator"] == "exists" or held is None:
        return held is not None
    if wanted["field"] == "email":
        return bool(held.lower() == wanted["value"])
    return as_text(held) == str(wanted["value"])


def fits(data: bytes, wanted: dict[str, Any]) -> bool:
    held = msgspec.json.decode(data).get(wanted["field"])
    found = held is not None and bool(wanted["operator"] == "exists" or str(held) == str(wanted["value"]))
    return found is not bool(wanted.get("inverse"))


# ---- laws ------------------------------------------------------------------------------------------------------------


def check(world: World) -> None:
    workspace = world.space.workspace
    for segment in workspace.segments:
        assert set(segment.members) == world.members(segment)
        building = segment.id in world.done_at and segment.id not in world.finished
        assert (segment.state == "finished") is not building
    check_indexes(world.space)


EVER = ({"event": {"name": "buy"}}, 0)
WITHIN = ({"event": {"name": "buy"}, "within": 400}, 0)
TWICE = ({"event": {"name": "buy"}, "within": 400, "times": 2}, 0)
VISITED = ({"event": {"name": "buy", "type": "page"}, "within": 400}, 0)
BUY = op.RecordEvent(ref=ref("id:1"), event="buy")
BUY_LATER = op.RecordEvent(ref=ref("id:1"), event="buy", timestamp=int(NOW) + 400)
VISIT = op.RecordEvent(ref=ref("id:1"), event="buy", type="page")
BUY_AS_P = op.RecordEvent(ref=None, event="buy", anonymous_id="p")
CLAIM_P = op.Identify(ref=ref("id:1"), attributes={"anonymous_id": "p"})
DELETE = op.DeletePerson(ref=ref("cio_id:a3000001"))
OTHER = op.Identify(ref=ref("id:2"), attributes={})
MERGE = op.MergePeople(primary=ref("id:2"), secondary=ref("id:1"))


@given(HISTORIES)
@settings(max_examples=150)
@example([(WITHIN, 0), (BUY, 400), (BUY, -400)]).via("an event grows too old, and young again")
@example([(WITHIN, 0), (VISITED, 0), (BUY_LATER, 0), (VISIT, 400)]).via("the next to grow old was not the last to come")
@example([(TWICE, 0), (BUY_LATER, 0), (BUY, 0), (BUY_LATER, 400), (BUY, 400)]).via("only the newest count")
@example([(EVER, 0), (BUY, 0), (DELETE, 0), ({"cio_id": "a3000001"}, 0)]).via("somebody comes back without events")
@example([(EVER, 0), (BUY_AS_P, 0), (CLAIM_P, 0)]).via("an anonymous event is claimed")
@example([(EVER, 0), (BUY, 0), (OTHER, 0), (MERGE, 0)]).via("a merge moves events")
@example([(BUY, 0), (({"segment": {"id": 2}}, 0), 0), (({"segment": {"id": 3}}, 0), 0),
          ((EVER[0], BUILD_S), BUILD_S)]).via("a chain waits for its last to be built")  # fmt: skip
@example([(BUY, 0), (EVER, 0), (({"not": {"segment": {"id": 1}}}, 0), 0),
          (op.DeleteSegment(segment_id=1), 0)]).via("what others ask about is deleted")  # fmt: skip
def test_a_segment_has_the_members_that_a_plain_reading_finds(history: list[tuple[Any, int]]) -> None:
    world = World()
    for step, seconds in history:
        world.take(step)
        world.pass_time(0)
        check(world)
        world.pass_time(seconds)
        check(world)
