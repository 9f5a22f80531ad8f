"""The people filter: what it accepts, and that the indexes find what a plain walk finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio.core import operations as op
from fakeio.core.filters import parse_filter, search
from fakeio.core.outcomes import Refused
from fakeio.core.people import as_text
from tests.unit.fakeio.spaces import Space, ref


def attribute(field: str, operator: str = "eq", **rest: Any) -> dict[str, Any]:
    return {"attribute": {"field": field, "operator": operator, **rest}}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        pytest.param({}, "/filter", id="empty"),
        pytest.param([], "/filter", id="a list"),
        pytest.param({"and": [], "or": []}, "/filter", id="two keys at the top"),
        pytest.param({"nand": []}, "/filter/nand", id="a word nobody knows"),
        pytest.param({"and": {}}, "/filter/and", id="and takes a list"),
        pytest.param({"not": []}, "/filter/not", id="not takes one condition"),
        pytest.param({"or": [{}]}, "/filter/or/0", id="an empty condition"),
        pytest.param({"segment": {"id": "7"}}, "/filter/segment/id", id="a segment id is a number"),
        pytest.param({"segment": 7}, "/filter/segment/id", id="segment is an object"),
        pytest.param({"attribute": {"operator": "exists"}}, "/filter/attribute/field", id="an attribute has a field"),
        pytest.param(attribute("a", "gt", value=1), "/filter/attribute/operator", id="gt is no operator"),
        pytest.param(attribute("a"), "/filter/attribute/value", id="eq needs a value"),
        pytest.param(attribute("a", value={}), "/filter/attribute/value", id="and a plain one"),
    ],
)
def test_a_bad_filter_says_where_it_is_bad(document: Any, pointer: str) -> None:
    refused = parse_filter(document)
    assert isinstance(refused, Refused)
    assert (refused.rule, refused.field) == ("app.filter", pointer)


def test_a_filter_bomb_is_refused() -> None:
    document: Any = attribute("a", "exists")
    for _ in range(500):
        document = {"not": document}
    assert isinstance(parse_filter(document), Refused)


FIELDS = st.sampled_from(["id", "email", "cio_id", "plan", "n", "missing"])
VALUES = st.sampled_from(["1", "2", "A@x.io", "b@x.io", "pro", "free", "a3000001", "cio_a3000002", True, 3, "true"])
LEAVES = st.one_of(
    st.builds(lambda f: attribute(f, "exists"), FIELDS),
    st.builds(lambda f, v: attribute(f, value=v), FIELDS, VALUES),
    st.builds(lambda n: {"segment": {"id": n}}, st.integers(0, 3)),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda nodes: {"and": nodes}, st.lists(inner, max_size=3)),
        st.builds(lambda nodes: {"or": nodes}, st.lists(inner, max_size=3)),
        st.builds(lambda node: {"not": node}, inner),
    ),
    max_leaves=8,
)


def naive(document: dict[str, Any], person: dict[str, Any], segments: set[int]) -> bool:
    """The grammar read aloud, on plain values."""
    ((key, value),) = document.items()
    if key == "and":
        return all(naive(each, person, segments) for each in value)
    if key == "or":
        return any(naive(each, person, segments) for each in value)
    if key == "not":
        return not naive(value, person, segments)
    if key == "segment":
        return value["id"] in segments
    held = person.get(value["field"])
    if value["operator"] == "exists":
        return held is not None
    wanted, shown = as_text(value["value"]), None if held is None else as_text(held)
    if value["field"] == "email":
        return shown is not None and shown.lower() == wanted.lower()
    if value["field"] == "cio_id":
        return shown == wanted.removeprefix("cio_")
    return shown == wanted


def world() -> Space:
    space = Space()
    space.identify("id:1", email="a@x.io", plan="pro", n=3)
    space.identify("email:b@x.io", plan="free", n="3")
    space.identify("id:2", plan=True)
    space.identify("id:A@x.io")
    segment = space.workspace.segments.create("s", "", "manual", space.now)
    for address in ("id:2", "id:1"):
        space.do(op.JoinSegment(segment_id=segment.id, ref=ref(address)))
    return space


@given(FILTERS, st.integers(1, 3))
def test_search_agrees_with_a_plain_walk_at_any_page_size(document: dict[str, Any], page: int) -> None:
    space = world()
    wanted = parse_filter(document)
    assert not isinstance(wanted, Refused)
    people, segments = space.workspace.people, space.workspace.segments
    found: list[str] = []
    place = 0
    while rows := search(people, segments, wanted, place, page):
        found.extend(person.cio_id for person in rows)
        place = rows[-1].number
    expected = [
        person.cio_id
        for person in people
        if naive(
            document,
            {"id": person.id, "email": person.email, "cio_id": person.cio_id, **person.attributes},
            person.segments,
        )
    ]
    assert found == expected


def test_several_keys_in_one_condition_mean_and() -> None:
    space = world()
    wanted = parse_filter({"and": [{"segment": {"id": 1}, **attribute("plan", value="pro")}]})
    assert not isinstance(wanted, Refused)
    found = search(space.workspace.people, space.workspace.segments, wanted, 0, 9)
    assert [person.id for person in found] == ["1"]
