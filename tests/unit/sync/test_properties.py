"""What goes into an event's data: where, under which names, of which types."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.properties import NESTED, RESERVED, Properties, Select, compact
from sync.core.rows import parse_rows


def encoded(
    select: Select | frozenset[str] = Select.ALL, *, parity: bool = False, keep_nulls: bool = False, **columns: Any
) -> bytes | None:
    (row,) = parse_rows(json.dumps(columns).encode())
    return Properties(select, parity=parity, keep_nulls=keep_nulls).encode_data(row)


def data(
    select: Select | frozenset[str] = Select.ALL, *, parity: bool = False, keep_nulls: bool = False, **columns: Any
) -> Any:
    text = encoded(select, parity=parity, keep_nulls=keep_nulls, **columns)
    assert text is not None
    return json.loads(text)


LAYOUT = [
    pytest.param({}, {}, id="nothing"),
    pytest.param({"event_properties": {"a": 1}}, {"a": 1}, id="its own, at the top"),
    pytest.param({"user_properties": {"b": 2}}, {"user_properties": {"b": 2}}, id="the person's, below"),
    pytest.param({"group_properties": {"c": 3}}, {"group_properties": {"c": 3}}, id="the groups', below"),
    pytest.param({"groups": {"company": ["x"]}}, {"groups": {"company": ["x"]}}, id="groups, below"),
    pytest.param(
        {"event_properties": {"a": 1}, "user_properties": {"b": 2}, "group_properties": {"c": 3}, "groups": {"d": []}},
        {"a": 1, "user_properties": {"b": 2}, "group_properties": {"c": 3}, "groups": {"d": []}}, id="all of them",
    ),
    pytest.param(
        {"event_properties": {"a": 1}, "user_properties": {"b": 2}, "groups": {"d": []}},
        {"a": 1, "user_properties": {"b": 2}, "groups": {"d": []}}, id="three of them",
    ),
    pytest.param(
        {"event_properties": {}, "user_properties": {"b": 2}, "groups": {"d": []}},
        {"user_properties": {"b": 2}, "groups": {"d": []}}, id="none of its own",
    ),
    pytest.param(
        {"event_properties": {"a": 1}, "user_properties": None, "group_properties": None, "groups": None}, {"a": 1},
        id="null instead of objects",
    ),
    pytest.param({"event_properties": None, "groups": {"b": 2}}, {"groups": {"b": 2}}, id="null first"),
    pytest.param({"event_properties": [], "groups": []}, {}, id="empty lists, some exporters' empty objects"),
    pytest.param({"event_properties": {"a": None}}, {}, id="a null says nothing"),
    pytest.param(
        {"event_properties": {"a": 1, "b": None}, "user_properties": {"c": None}, "groups": {"d": None, "e": "null"}},
        {"a": 1, "groups": {"e": "null"}}, id="nulls in every place",
    ),
    pytest.param(
        {"group_properties": {"a": None, "b": {"c": None}}}, {"group_properties": {"b": {"c": None}}},
        id="nulls of a group, and inside of a value",
    ),
    pytest.param(
        {"event_properties": {"a": [1, {"b": None}], "": 2, "x.y": {}}}, {"a": [1, {"b": None}], "": 2, "x.y": {}},
        id="nested, unnamed, with dots",
    ),
    pytest.param({"event_properties": {"a": 1}, "groups": "x"}, {"a": 1, "groups": "x"}, id="groups that are text"),
    pytest.param(
        {"event_properties": {"recipient": 1}, "groups": "x"}, {"amplitude_recipient": 1, "groups": "x"},
        id="the same, with a name that must change",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "expected"), LAYOUT)
def test_properties_stand(columns: dict[str, Any], expected: Any) -> None:
    assert data(**columns) == expected


@pytest.mark.parametrize("value", ["text", 7, True, [1], [{}], 0, ""])
def test_event_properties_that_are_no_object_make_a_bad_row(value: Any) -> None:
    assert encoded(event_properties=value) is None
    assert encoded(Select.NONE, event_properties=value) is None


def test_bytes_are_passed_on_untouched() -> None:
    own, groups = b'{"n":1.10,"big":123456789012345678901234567890,"s":"\\u00e9"', b'{"g": [1.0, null]}'
    text = b'{"event_properties":' + own + b'},"groups":' + groups + b"}"
    (row,) = parse_rows(text)
    assert Properties().encode_data(row) == own + b',"groups":' + groups + b"}"


@pytest.mark.parametrize("text", [b"{ }", b'{ "a" : 1 }', b'{\t"a":1}'])
def test_spaces_inside_an_object_harm_nothing(text: bytes) -> None:
    (row,) = parse_rows(b'{"event_properties":' + text + b',"user_properties":{ "b" : 2 }}')
    encoded = Properties().encode_data(row)
    assert encoded is not None
    assert json.loads(encoded) == {**json.loads(text), "user_properties": {"b": 2}}


# -- names that may not stand at the top ------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [*RESERVED, *NESTED])
@pytest.mark.parametrize("value", ["x", None, {"deep": 1}])
def test_a_name_that_means_something_else_gets_a_prefix(name: str, value: Any) -> None:
    assert data(keep_nulls=True, event_properties={name: value, "a": 1}) == {f"amplitude_{name}": value, "a": 1}


def test_a_prefix_never_takes_a_name_that_is_taken() -> None:
    own = {"recipient": 1, "amplitude_recipient": 2, "amplitude_amplitude_recipient": 3}
    assert data(event_properties=own) == {
        "amplitude_amplitude_amplitude_recipient": 1, "amplitude_recipient": 2, "amplitude_amplitude_recipient": 3,
    }  # fmt: skip


def test_an_escaped_name_is_recognised() -> None:
    (row,) = parse_rows(b'{"event_properties":{"\\u0072ecipient":"x","reply\\u005fto":"y"}}')
    encoded = Properties().encode_data(row)
    assert encoded is not None
    assert json.loads(encoded) == {"amplitude_recipient": "x", "amplitude_reply_to": "y"}


def test_the_same_names_below_the_top_stay() -> None:
    columns: dict[str, Any] = {"event_properties": {"a": {"recipient": 1}}, "user_properties": {"reply_to": 2}}
    assert data(**columns) == {"a": {"recipient": 1}, "user_properties": {"reply_to": 2}}


def test_two_groups_of_one_name_are_both_kept() -> None:
    columns: dict[str, Any] = {"event_properties": {"user_properties": 1}, "user_properties": {"b": 2}}
    assert data(**columns) == {"amplitude_user_properties": 1, "user_properties": {"b": 2}}


# -- selection and parity ---------------------------------------------------------------------------------------------
FULL: dict[str, Any] = {
    "event_properties": {"a": 1, "b": "x", "recipient": "r"}, "user_properties": {"a": True, "c": None},
    "group_properties": {"d": 1}, "groups": {"company": ["x"]},
}  # fmt: skip


def test_none_sends_nothing() -> None:
    assert data(Select.NONE, **FULL) == {}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param({"a"}, {"a": 1, "user_properties": {"a": True}}, id="a name in two places"),
        pytest.param({"c"}, {}, id="a null"),
        pytest.param({"company", "d"}, {"group_properties": {"d": 1}, "groups": {"company": ["x"]}}, id="below"),
        pytest.param({"recipient"}, {"amplitude_recipient": "r"}, id="a reserved name, asked for"),
        pytest.param({"user_properties"}, {}, id="the name of a place is no property"),
        pytest.param(set(), {}, id="no name"),
    ],
)
def test_only_selected_names_are_sent(names: set[str], expected: Any) -> None:
    assert data(frozenset(names), **FULL) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"), ("", ""), (1, "1"), (1.5, "1.5"), (True, "true"), (False, "false"), (2**63, "9223372036854775808"),
        (-0.0, "-0.0"), ("é", "é"),
    ],
)  # fmt: skip
def test_parity_sends_scalars_as_text(value: Any, text: str) -> None:
    assert data(parity=True, event_properties={"a": value}) == {"a": text}


@pytest.mark.parametrize("value", [None, [], [1], {}, {"a": 1}])
def test_parity_drops_what_has_no_text(value: Any) -> None:
    assert data(parity=True, event_properties={"a": value, "b": 1}) == {"b": "1"}


def test_parity_keeps_the_layout_and_the_selection() -> None:
    columns = {**FULL, "user_properties": {"a": True, "plan": {"x": 1}}}
    assert data(parity=True, **columns) == {
        "a": "1", "b": "x", "amplitude_recipient": "r", "user_properties": {"a": "true"},
        "group_properties": {"d": "1"},
    }  # fmt: skip
    assert data(frozenset({"a"}), parity=True, **columns) == {"a": "1", "user_properties": {"a": "true"}}


names = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    [*RESERVED, *NESTED, "amplitude_recipient"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("aé\"\\\n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(names, values, max_size=5)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(Select.ALL, {"a": None, "b": [None], "groups": {"c": None}}, id="all"),
        pytest.param(frozenset({"a"}), {"a": None}, id="selected"),
    ],
)
def test_nulls_are_sent_when_asked_for(names: Select | frozenset[str], expected: Any) -> None:
    columns: dict[str, Any] = {"event_properties": {"a": None, "b": [None]}, "groups": {"c": None}}
    assert data(names, keep_nulls=True, **columns) == expected


def without_nulls(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}


@given(own=objects, users=objects, of_groups=objects, groups=objects, keep_nulls=st.booleans())
def test_every_value_arrives_as_it_was(own: Any, users: Any, of_groups: Any, groups: Any, keep_nulls: bool) -> None:
    sent = data(
        keep_nulls=keep_nulls, event_properties=own, user_properties=users, group_properties=of_groups, groups=groups
    )
    if not keep_nulls:
        own, users, of_groups, groups = map(without_nulls, (own, users, of_groups, groups))
    for name, value in (("user_properties", users), ("group_properties", of_groups), ("groups", groups)):
        assert sent.pop(name, {}) == value
    assert sorted(map(repr, sent.values())) == sorted(map(repr, own.values()))
    assert not sent.keys() & {*RESERVED, *NESTED}
    free = own.keys() - {*RESERVED, *NESTED}
    assert {name: sent[name] for name in free} == {name: own[name] for name in free}


@given(own=objects, users=objects)
def test_parity_sends_nothing_but_text(own: Any, users: Any) -> None:
    sent = data(parity=True, event_properties=own, user_properties=users)
    leaves = [*sent.pop("user_properties", {}).values(), *sent.values()]
    assert all(isinstance(leaf, str) for leaf in leaves)


COMPACT = [
    pytest.param(b'{ "a" : [1.10, 2e5] ,\n "b":{ } }', b'{"a":[1.10,2e5],"b":{}}', id="spaces"),
    pytest.param(b'{"a":"x  y"}', b'{"a":"x  y"}', id="spaces in a text"),
    pytest.param(b'{"\\u00e9":"\\u00E9"}', '{"é":"é"}'.encode(), id="letters"),
    pytest.param(b'{"a":"\\ud83d\\ude00"}', '{"a":"\U0001f600"}'.encode(), id="a surrogate pair"),
    pytest.param(b'{"a":"\\/\\u003c\\u0041"}', b'{"a":"/<A"}', id="ASCII that needs no escape"),
    pytest.param(b'{"a":"\\"\\\\\\n"}', b'{"a":"\\"\\\\\\n"}', id="what needs an escape"),
    pytest.param(b'{"a":"\\u0022\\u005c\\u000a"}', b'{"a":"\\u0022\\u005c\\u000a"}', id="the same by its number"),
    pytest.param(b'{"a":"\\\\u00e9"}', b'{"a":"\\\\u00e9"}', id="a backslash and five letters"),
]


@pytest.mark.parametrize(("text", "short"), COMPACT)
def test_json_is_made_compact(text: bytes, short: bytes) -> None:
    assert compact(text) == short
    assert json.loads(short) == json.loads(text)


@given(objects, st.booleans(), st.sampled_from([None, 2]))
def test_compact_json_says_the_same_in_the_fewest_bytes(value: Any, ascii_only: bool, indent: int | None) -> None:
    short = compact(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode())
    assert json.loads(short) == value
    assert short == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
