"""Conditions on properties: how they are written, and what is true, false and unknown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync.core.conditions import Condition, Conditions, parse_condition
from sync.core.errors import ConfigError
from sync.core.mapping import Mapping, Rules
from sync.core.properties import Select
from sync.core.rows import parse_rows

ORDINARY = {"event_type": "order", "event_time": "2026-07-14 10:00:00", "user_id": "42", "device_id": "d-1"}


def passes(condition: str, **columns: Any) -> bool:
    chunk = json.dumps({**ORDINARY, **columns}).encode()
    barred = Conditions([parse_condition(condition)]).barred(parse_rows(chunk), chunk)
    return barred == frozenset()


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        pytest.param("country is US", ("", "country", "is", "US"), id="is"),
        pytest.param("country is not US", ("", "country", "is not", "US"), id="is not"),
        pytest.param("country contains US", ("", "country", "contains", "US"), id="contains"),
        pytest.param("country does not contain US", ("", "country", "does not contain", "US"), id="does not contain"),
        pytest.param(" country  is   not  US ", ("", "country", "is not", "US"), id="spaces around words"),
        pytest.param("user:plan is pro plus", ("user", "plan", "is", "pro plus"), id="a value of two words"),
        pytest.param("event:Page Title is a", ("event", "Page Title", "is", "a"), id="a name of two words"),
        pytest.param('"it is" is not ""', ("", "it is", "is not", ""), id="quoted"),
        pytest.param(r'"a\"b" is "\u00e9"', ("", 'a"b', "is", "é"), id="escaped"),
        pytest.param('plan is "pro', ("", "plan", "is", '"pro'), id="a quote that does not end"),
    ],
)
def test_a_condition_is_read(text: str, parsed: tuple[Any, ...]) -> None:
    assert parse_condition(text) == Condition(*parsed)


@pytest.mark.parametrize("text", ["", "country", "country is", "is US", "country = US", "country IS US"])
def test_what_is_no_condition_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(ConfigError, match="can't be read") as refused:
        parse_condition(text)
    assert "NAME is not VALUE" in refused.value.hint


TRUTH = [
    #             value            is US   is not  contains  does not contain
    pytest.param("US", True, False, True, False, id="the value"),
    pytest.param("USA", False, True, True, False, id="a longer text"),
    pytest.param("us", False, True, False, True, id="another case"),
    pytest.param("", False, True, False, True, id="an empty text"),
    pytest.param(1, False, True, False, True, id="a number"),
    pytest.param(["DE", "US"], True, False, True, False, id="a list with it"),
    pytest.param(["DE"], False, True, False, True, id="a list without it"),
    pytest.param([], False, False, False, False, id="an empty list is unknown"),
    pytest.param({"a": "US"}, False, False, False, False, id="an object is unknown"),
    pytest.param(None, False, False, False, False, id="null is unknown"),
    pytest.param(..., False, False, False, False, id="missing is unknown"),
]


@pytest.mark.parametrize(("value", "is_it", "is_not", "contains", "does_not"), TRUTH)
@pytest.mark.parametrize("column", ["event_properties", "user_properties"])
def test_the_truth_table(column: str, value: Any, is_it: bool, is_not: bool, contains: bool, does_not: bool) -> None:
    properties = {} if value is ... else {"country": value}
    operators = ("is", "is not", "contains", "does not contain")
    found = [passes(f"country {operator} US", **{column: properties}) for operator in operators]
    assert found == [is_it, is_not, contains, does_not]


@pytest.mark.parametrize(
    ("condition", "columns"),
    [
        pytest.param("a is 1", {"event_properties": {"a": 1}, "user_properties": {"a": 2}}, id="the event's first"),
        pytest.param("a is 2", {"event_properties": {"a": None}, "user_properties": {"a": 2}}, id="null gives way"),
        pytest.param("user:a is 2", {"event_properties": {"a": 1}, "user_properties": {"a": 2}}, id="asked for"),
        pytest.param("country is US", {"country": "US"}, id="then the row's own column"),
        pytest.param("user_id is 42", {}, id="a column that every row is read for"),
        pytest.param("event_type is not view", {}, id="and another"),
        pytest.param("ok is true", {"event_properties": {"ok": True}}, id="true is a word"),
        pytest.param("n is 1.50", {"event_properties": json.loads('{"n": "1.50"}')}, id="a number by its digits"),
        pytest.param("a is 2", {"event_properties": "odd", "user_properties": {"a": 2}}, id="properties that are none"),
    ],
)
def test_a_property_is_looked_for(condition: str, columns: dict[str, Any]) -> None:
    assert passes(condition, **columns)


def test_a_named_place_has_no_second() -> None:
    assert not passes("event:country is US", country="US", user_properties={"country": "US"})


def test_all_must_hold_and_what_does_not_is_filtered() -> None:
    rows = [{"a": "1", "b": "1"}, {"a": "1"}, {"b": "1"}, {"a": "1", "b": "2"}]
    chunk = b"\n".join(
        [*(json.dumps({**ORDINARY, "event_properties": one, "$insert_id": str(one)}).encode() for one in rows), b"{no"]
    )
    rules = Rules(where=(parse_condition("a is 1"), parse_condition("b is 1")), user_properties=Select.ALL)
    mapped = Mapping(rules).map_rows(parse_rows(chunk), chunk)
    assert [one.position for one in mapped.intents] == [0]
    assert (mapped.filtered, [one.reason for one in mapped.discards]) == (3, ["bad_row"])


def test_a_column_that_cannot_be_read_says_nothing() -> None:
    """Only conditions look at that column, so the row is one, and this does not end the run."""
    lines = [json.dumps({**ORDINARY, "data": "x"}).encode()] * 2
    lines[1] = lines[1].replace(b'"x"', b"[" * 20_000 + b'"x"' + b"]" * 20_000)
    readable = parse_rows(b"\n".join([lines[0], lines[0]]))
    assert Conditions([parse_condition("data is x")]).barred(readable, b"\n".join(lines)) == {1}
