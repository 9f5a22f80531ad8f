"""What Amplitude pushes, read strictly where it decides membership and tolerantly elsewhere."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.pushes import (
    BadPush,
    ListName,
    Members,
    parse_cohort_webhook,
    parse_events,
    parse_json,
    parse_list_id,
    parse_list_ids,
    parse_list_name,
    parse_new_list,
    parse_traits,
)

WEBHOOK: dict[str, Any] = {
    "cohort_name": "My Test Cohort", "cohort_id": "7khm89cz", "in_cohort": True, "computed_time": "1692206763",
    "message_id": "9baaa88f::enter::0", "users": [{"user_id": "a"}, {"user_id": 7}, {"user_id": ""}, {"user_id": "a"}],
}  # fmt: skip
COHORT = ListName("My Test Cohort", "7khm89cz")
READ = Members(COHORT, True, ("a", "7"), 2, 1692206763.0, "9baaa88f::enter::0")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, READ, id="as documented"),
        pytest.param({"computed_time": 1692206763}, READ, id="a number for the time"),
        pytest.param({"more": {"to": "come"}}, READ, id="fields nobody knows"),
        pytest.param({"users": []}, READ._replace(ids=(), unresolved=0), id="nobody"),
        pytest.param({"in_cohort": False}, READ._replace(entered=False), id="people who left"),
        pytest.param({"cohort_name": ""}, READ._replace(cohort=ListName("7khm89cz", "7khm89cz")), id="no name"),
        pytest.param({"message_id": None}, READ._replace(message_id=None), id="no message id"),
        pytest.param({"message_id": 54}, READ._replace(message_id="54"), id="a number for the message"),
        pytest.param({"computed_time": " 1692206763.5 "}, READ._replace(at=1692206763.5), id="a fraction of a second"),
        pytest.param({"computed_time": -1}, READ._replace(at=-1.0), id="before 1970"),
        pytest.param({"cohort_name": "a\0b"}, READ._replace(cohort=ListName("7khm89cz", "7khm89cz")), id="NUL in it"),
    ],
)
def test_a_cohort_webhook_is_read(changes: dict[str, Any], expected: Members) -> None:
    assert parse_cohort_webhook({**WEBHOOK, **changes}) == expected


def test_a_time_spelled_as_older_pages_do_is_read() -> None:
    older = {key: value for key, value in WEBHOOK.items() if key != "computed_time"}
    assert parse_cohort_webhook({**older, "compute_time": "1692206763"}) == READ


def test_the_identifier_may_be_a_property() -> None:
    known: dict[str, Any] = {"user_properties": {"crm": "a"}}
    unknown: dict[str, Any] = {"user_properties": {}}
    users = [{"user_id": "x", **known}, {"user_id": "y", **unknown}, {"user_id": "z"}]
    read = parse_cohort_webhook({**WEBHOOK, "users": users}, "crm")
    assert (read.ids, read.unresolved) == (("a",), 2)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"in_cohort": "true"}, id="in_cohort as text"),
        pytest.param({"in_cohort": None}, id="no in_cohort"),
        pytest.param({"users": None}, id="no users"),
        pytest.param({"users": {}}, id="users as an object"),
        pytest.param({"users": ["a"]}, id="users as texts"),
        pytest.param({"cohort_id": ""}, id="no cohort id"),
        pytest.param({"cohort_id": 7}, id="a number for the id"),
        pytest.param({"computed_time": None}, id="no time"),
        pytest.param({"computed_time": "soon"}, id="a time that is none"),
        pytest.param({"computed_time": "NaN"}, id="a time that is no number"),
        pytest.param({"computed_time": True}, id="a time that is true"),
        pytest.param({"computed_time": "1_692_206_763"}, id="a time as programmers write it"),
        pytest.param({"computed_time": 10**400}, id="a time beyond all numbers"),
        pytest.param({"cohort_id": "x" * 1001}, id="an id without end"),
        pytest.param({"cohort_id": "x\ufffd"}, id="an id that was no text"),
    ],
)
def test_a_doubtful_webhook_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadPush):
        parse_cohort_webhook({**WEBHOOK, **changes})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[Amplitude] a: b: xyz", ListName("a: b", "xyz"), id="a name with a colon"),
        pytest.param("[Amplitude] vip", ListName("vip", ""), id="no id"),
        pytest.param("[Amplitude] vip: ", ListName("vip: ", ""), id="an empty id"),
        pytest.param("vip: xyz", ListName("vip: xyz", ""), id="not Amplitude's template"),
    ],
)
def test_a_list_name_is_taken_apart_at_its_last_colon(text: str, expected: ListName) -> None:
    assert parse_list_name(text) == parse_new_list({"name": text}) == expected


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_cohort_is_the_same_list_whatever_it_is_called(name: str, other: str) -> None:
    assert ListName(name, "xyz").list_id == ListName(other, "xyz").list_id
    assert (ListName(name, "").list_id == ListName(other, "").list_id) == (name == other)


@pytest.mark.parametrize("key", ["userIds", "user_ids", "ids", "items", "identifiers"])
def test_any_usual_name_for_the_identifiers_will_do(key: str) -> None:
    assert parse_list_ids({key: ["a", 7, "", None, "a"]}) == (("a", "7"), 3)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param("user_id", (("a", "b", "7", "c"), 2), id="as usual"),
        pytest.param("crm", (("x", "c"), 4), id="by the property that is configured, and no other"),
    ],
)
def test_an_entry_of_a_list_may_be_an_object(wanted: str, expected: tuple[tuple[str, ...], int]) -> None:
    entries = [{"user_id": "a", "crm": "x"}, {"userId": "b"}, {"id": 7}, {"more": 1}, "c", {"user_id": None}]
    assert parse_list_ids({"items": entries}, wanted) == expected


@pytest.mark.parametrize("name", ["", " ", "[Amplitude] ", "[Amplitude]  ", "a\0b", "x" * 1001, 7, None])
def test_a_list_without_a_name_is_refused(name: object) -> None:
    with pytest.raises(BadPush):
        parse_new_list({"name": name})


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="none of the names"),
        pytest.param({"ids": "a"}, id="one text"),
        pytest.param({"ids": []}, id="an empty array"),
        pytest.param({"ids": ["a"] * 100_001}, id="too many"),
        pytest.param([], id="no object"),
        pytest.param({"ids": [{"email": "a@example.com"}]}, id="objects without an identifier"),
        pytest.param({"ids": [["a"]]}, id="arrays"),
    ],
)
def test_a_doubtful_list_call_is_refused(body: object) -> None:
    with pytest.raises(BadPush):
        parse_list_ids(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [({"listId": "x"}, "x"), ({"list_id": 7}, "7"), ({}, None), ({"listId": ["x"]}, None)],
    ids=["text", "number", "none", "array"],
)
def test_a_list_may_be_named_in_the_body(body: object, expected: str | None) -> None:
    assert parse_list_id(body) == expected


def test_a_batch_of_traits_is_read_cohort_by_cohort() -> None:
    one, two = "[Amplitude] a: b: xyz", "[Amplitude] other: 2"
    batch = [
        {"userId": "u1", "traits": {one: False, two: True}}, {"userId": "u2", "traits": {one: False, "plan": "pro"}},
        {"userId": "", "traits": {one: True}}, {"traits": {one: True}}, "nonsense", {"userId": "u3", "traits": 7},
    ]  # fmt: skip
    assert parse_traits({"batch": batch}) == [
        Members(ListName("a: b", "xyz"), False, ("u1", "u2")), Members(ListName("other", "2"), True, ("u1",)),
    ]  # fmt: skip
    assert parse_traits(batch[1]) == [Members(ListName("a: b", "xyz"), False, ("u2",))]


@pytest.mark.parametrize("body", [{}, {"batch": []}, {"batch": 7}, {"batch": ["x"]}, []])
def test_traits_of_nobody_are_refused(body: object) -> None:
    with pytest.raises(BadPush):
        parse_traits(body)


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        pytest.param(b'{"event_type": "x", "n": 1e400}', [b'{"event_type":"x","n":1e400}'], id="one, to the letter"),
        pytest.param(b'[{"n":1},\n{"n":2}]', [b'{"n":1}', b'{"n":2}'], id="many"),
        pytest.param(b'{"a":1}\n\n{"a":2}\n', [b'{"a":1}', b'{"a":2}'], id="one a line"),
        pytest.param(b'{"a":"\\n",\n"b":[\n]}', [b'{"a":"\\n","b":[]}'], id="over several lines"),
        pytest.param(b'{"insert_id":"i"}', [b'{"$insert_id":"i"}'], id="the upload's name of the insert id"),
        pytest.param(b'{"insert_id":1,"$insert_id":2}', [b'{"insert_id":1,"$insert_id":2}'], id="both names"),
        pytest.param(
            b'{"user_id":"u","user_properties":{}}',
            [b'{"user_id":"u","user_properties":{},"event_type":"$identify"}'], id="a user update",
        ),
        pytest.param(b'[{"n":NaN},{"n":2}]', [b'{"n":null}', b'{"n":2}'], id="NaN beside another"),
        pytest.param(b'{"n":1}\n{"n":-Infinity}', [b'{"n":1}', b'{"n":null}'], id="infinity on a line of its own"),
        pytest.param(
            b'{"event_type":"\\ud800"}', ['{"event_type":"\ufffd"}'.encode()], id="half a surrogate pair",
        ),
        pytest.param(b'{"n":9223372036854775808}', [b'{"n":9223372036854775808}'], id="2^63, to the digit"),
        pytest.param(b'{"a":' * 41 + b"1" + b"}" * 41, [b'{"a":' * 41 + b"1" + b"}" * 41], id="nested 41 deep"),
    ],
)  # fmt: skip
def test_streamed_events_become_lines_of_an_export(body: bytes, lines: list[bytes]) -> None:
    assert parse_events(body) == lines


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param(b'["a","\\ud800","b"]', ("a", "b"), id="half a surrogate pair"),
        pytest.param(b'["a","x\\u0000y","b"]', ("a", "b"), id="NUL"),
        pytest.param(b'["a",NaN,null,true," ","b"]', ("a", "b"), id="what names nobody"),
        pytest.param(b'["a",9223372036854775808]', ("a", "9223372036854775808"), id="2^63"),
    ],
)
def test_an_odd_identifier_costs_no_other(ids: bytes, expected: tuple[str, ...]) -> None:
    found, unresolved = parse_list_ids(parse_json(b'{"ids":' + ids + b"}"))
    assert (found, unresolved) == (expected, ids.count(b",") + 1 - len(expected))


@pytest.mark.parametrize("body", [b'{"a":' * 5_000, b"", b"[]", b"7", b'[{"a":1},7]', b"<html>", b"\xff", b'{"a":'])
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(BadPush):
        parse_events(body)


@given(st.binary(max_size=40))
def test_any_bytes_are_events_or_refused(body: bytes) -> None:
    try:
        lines = parse_events(body)
    except BadPush:
        return
    assert all(isinstance(msgspec.json.decode(line), dict) and b"\n" not in line for line in lines)


def test_what_is_not_json_is_refused_without_being_quoted() -> None:
    with pytest.raises(BadPush) as refused:
        parse_json(b"secret-person")
    assert "secret-person" not in str(refused.value)
