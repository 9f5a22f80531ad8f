"""Conversions of values that are asked for, and names that are too long."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from sync.core.conversions import Conversions, Converter
from sync.core.mapping import Mapping, Rules, hashed_name
from sync.core.properties import Properties
from sync.core.rows import parse_rows
from sync.core.user_properties import UserPropertiesReader

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=8,
)  # fmt: skip


def converted(value: str, name: str = "at", **rules: Any) -> str:
    return bytes(Converter(Conversions(**rules)).convert(name, Raw(value.encode()))).decode()


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("9007199254740992", "9007199254740992"), ("9007199254740993", '"9007199254740993"'),
        ("-9007199254740992", "-9007199254740992"), ("-9007199254740993", '"-9007199254740993"'),
        ("99999999999999999999", '"99999999999999999999"'), ("1" * 5000, f'"{"1" * 5000}"'),
        ("1e400", "1e400"), ("12345678901234567.5", "12345678901234567.5"),
        ('"9007199254740993"', '"9007199254740993"'),
        ('[1,{"a":9007199254740993}]', '[1,{"a":"9007199254740993"}]'), ("null", "null"),
    ],
)  # fmt: skip
def test_whole_numbers_that_are_not_exact_everywhere_become_text(value: str, becomes: str) -> None:
    assert converted(value, safe_ints=True) == becomes


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ('"2026-07-14T10:00:00Z"', "1784023200"), ('"2026-07-14 10:00:00.999"', "1784023200"),
        ('"2026-07-14"', "1783987200"), ('"2026-07-14T12:00:00+02:00"', "1784023200"), ('"1969-12-31T23:59:59Z"', "-1"),
        ('"soon"', '"soon"'), ('"1784023200"', '"1784023200"'), ('""', '""'), ("1784023200", "1784023200"),
        ("null", "null"), ('["2026-07-14"]', '["2026-07-14"]'),
    ],
)  # fmt: skip
def test_a_date_under_a_named_key_becomes_seconds(value: str, becomes: str) -> None:
    assert converted(value, date_keys=frozenset({"at"})) == becomes
    assert converted(value, "other", date_keys=frozenset({"at"})) == value


@pytest.mark.parametrize(
    ("depth", "becomes"),
    [
        (1, '{"a":"{\\"b\\":[{\\"c\\":1}]}","s":1}'), (2, '{"a":{"b":"[{\\"c\\":1}]"},"s":1}'),
        (3, '{"a":{"b":["{\\"c\\":1}"]},"s":1}'), (4, '{"a":{"b":[{"c":1}]},"s":1}'),
    ],
)  # fmt: skip
def test_what_is_too_deep_becomes_its_json(depth: int, becomes: str) -> None:
    row = {"event_type": "x", "event_properties": {"a": {"b": [{"c": 1}]}, "s": 1}}
    (parsed,) = parse_rows(json.dumps(row).encode())
    data = Properties(conversions=Conversions(max_depth=depth)).encode_data(parsed)
    assert data is not None
    assert json.loads(data) == json.loads(becomes)


@given(JSON)
def test_without_conversions_nothing_changes_and_with_them_the_rest_does_not(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert converted(text) == text
    deep = converted(text, max_depth=50)
    assert json.loads(deep) == value


def test_nesting_beyond_reason_stays_as_it_is() -> None:
    text = "[" * 900 + "]" * 900
    assert json.loads(converted(text, safe_ints=True)) == json.loads(text)


def test_conversions_hold_for_attributes_and_before_parity() -> None:
    rules = Conversions(safe_ints=True, date_keys=frozenset({"created_at"}))
    said = Raw(b'{"created_at":"2026-07-14","n":9007199254740993}')
    for parity, first in ((False, b"1783987200"), (True, b'"1783987200"')):
        read = UserPropertiesReader(("created_at", "n"), parity=parity, conversions=rules).read(said)
        assert [bytes(one.value) for one in read] == [first, b'"9007199254740993"']


# -- names ------------------------------------------------------------------------------------------------------------
@given(st.lists(st.text(st.sampled_from("aé\U0001f600"), min_size=26, max_size=120), unique=True, max_size=6))
def test_names_that_are_cut_fit_and_stay_different(names: list[str]) -> None:
    cut = [hashed_name(name) for name in names]
    assert len(set(cut)) == len(names)
    assert all(len(one.encode()) <= 100 for one in cut)


@pytest.mark.parametrize(
    ("name", "hashed", "fate"),
    [
        pytest.param("x" * 100, True, "x" * 100, id="100 bytes stay"),
        pytest.param("x" * 101, True, "x" * 83 + "-c675a2e604b0cd12", id="101 are cut"),
        pytest.param("x" * 101, False, "event_name_too_long", id="or refused"),
        pytest.param(" ", True, "event_name_blank", id="no name is none"),
    ],
)
def test_an_event_name_of(name: str, hashed: bool, fate: str) -> None:
    row = {"event_type": name, "event_time": "2026-07-14 10:00:00", "user_id": "42"}
    chunk = json.dumps(row).encode()
    mapped = Mapping(Rules(hash_long_names=hashed)).map_rows(parse_rows(chunk), chunk)
    found = [json.loads(one.name) for one in mapped.intents] + [str(one.reason) for one in mapped.discards]
    assert found == [fate]
