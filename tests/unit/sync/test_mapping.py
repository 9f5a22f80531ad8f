"""From rows to events: whose, by which name, when, under which id; what is left out and what can't be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.mapping import Intent, Mapped, Mapping, Rules, kind_by_shape
from sync.core.rows import parse_rows
from sync.core.validation import EXPLANATIONS, Reason

TEN_MS = 1_784_023_200_000
ORDINARY = {
    "event_type": "order", "event_time": "2026-07-14 10:00:00.000000", "user_id": "42", "device_id": "d-1",
    "$insert_id": "i-1", "uuid": "u-1", "app": 187520,
}  # fmt: skip


def chunk_of(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps({**ORDINARY, **row}) + "\n" for row in rows).encode()


def mapped(*rows: dict[str, Any], **rules: Any) -> Mapped:
    chunk = chunk_of(*rows)
    return Mapping(Rules(**rules)).map_rows(parse_rows(chunk), chunk)


def intent(row: dict[str, Any], **rules: Any) -> Intent:
    (one,) = mapped(row, **rules).intents
    return one


def fate(row: dict[str, Any], **rules: Any) -> str:
    """`sent`, `filtered` or the reason why not."""
    result = mapped(row, **rules)
    if result.intents:
        return "sent"
    return str(result.discards[0].reason) if result.discards else "filtered"


def test_a_row_becomes_an_event() -> None:
    one = intent({})
    assert (one.kind, one.identifier, one.name, one.ms, one.position) == ("id", "42", b'"order"', TEN_MS, 0)
    assert len(one.ulid) == 16


FATES = [
    pytest.param({}, "sent", id="an ordinary row"),
    pytest.param({"user_id": None}, "missing_identifier", id="no user id"),
    pytest.param({"user_id": ""}, "missing_identifier", id="an empty user id"),
    pytest.param({"user_id": " \t\n"}, "missing_identifier", id="a blank user id"),
    pytest.param({"user_id": "cio_"}, "missing_identifier", id="a prefix and nothing behind it"),
    pytest.param({"user_id": "x" * 150}, "sent", id="an id of 150 bytes"),
    pytest.param({"user_id": "x" * 151}, "id_too_long", id="an id of 151 bytes"),
    pytest.param({"user_id": "é" * 75}, "sent", id="an id of 75 two-byte characters"),
    pytest.param({"user_id": "é" * 75 + "x"}, "id_too_long", id="one byte more"),
    pytest.param({"user_id": "x" * 38}, "sent", id="an id long enough to be measured"),
    pytest.param({"user_id": "\U0001f600" * 38}, "id_too_long", id="38 characters of four bytes"),
    pytest.param({"user_id": 42}, "sent", id="a number as id"),
    pytest.param({"user_id": "\ufffd"}, "bad_row", id="an id that was no text"),
    pytest.param({"event_type": None}, "event_name_blank", id="no name"),
    pytest.param({"event_type": "  "}, "event_name_blank", id="a blank name"),
    pytest.param({"event_type": "n" * 100}, "sent", id="a name of 100 bytes"),
    pytest.param({"event_type": "n" * 101}, "event_name_too_long", id="a name of 101 bytes"),
    pytest.param({"event_type": "é" * 50}, "sent", id="a name of 50 two-byte characters"),
    pytest.param({"event_type": "é" * 50 + "n"}, "event_name_too_long", id="a name one byte too long"),
    pytest.param({"event_type": " " * 50 + "n" * 100 + " "}, "sent", id="a name that fits once trimmed"),
    pytest.param({"event_time": ""}, "bad_timestamp", id="an empty time"),
    pytest.param({"event_time": None}, "bad_timestamp", id="no time"),
    pytest.param({"event_time": "soon"}, "bad_timestamp", id="a word for a time"),
    pytest.param({"event_time": "1969-12-31 23:59:59"}, "sent", id="before the epoch"),
    pytest.param({"event_time": "9999-12-31 23:59:59"}, "sent", id="far in the future"),
    pytest.param({"event_type": "$identify"}, "filtered", id="a carrier of properties"),
    pytest.param({"event_type": "$groupidentify", "user_id": None}, "filtered", id="one without anybody"),
    pytest.param({"event_type": "[Amplitude] Page Viewed"}, "sent", id="brackets and spaces"),
]


@pytest.mark.parametrize(("row", "expected"), FATES)
def test_the_fate_of(row: dict[str, Any], expected: str) -> None:
    assert fate(row) == expected


@pytest.mark.parametrize(
    ("row", "first"),
    [
        pytest.param({"user_id": None, "event_type": "", "event_time": ""}, "missing_identifier", id="who"),
        pytest.param({"user_id": "x" * 151, "event_type": "n" * 101}, "id_too_long", id="who, too long"),
        pytest.param({"event_type": "", "event_time": ""}, "event_name_blank", id="what"),
        pytest.param({"event_type": "$identify", "event_time": "", "user_id": None}, "filtered", id="not asked for"),
    ],
)
def test_of_several_flaws_the_first_counts(row: dict[str, Any], first: str) -> None:
    assert fate(row) == first


def test_every_row_of_a_chunk_has_one_fate_and_its_own_position() -> None:
    chunk = chunk_of({"user_id": None}, {}, {"event_type": "$identify"}) + b"broken\n" + chunk_of({"event_time": ""})
    result = Mapping(Rules()).map_rows(parse_rows(chunk), chunk)
    assert [one.position for one in result.intents] == [1]
    assert [(one.position, one.reason) for one in result.discards] == [
        (0, Reason.MISSING_IDENTIFIER), (3, Reason.BAD_ROW), (4, Reason.BAD_TIMESTAMP),
    ]  # fmt: skip
    assert result.filtered == 1


def test_every_reason_is_explained() -> None:
    assert EXPLANATIONS.keys() == set(Reason)


# -- names ------------------------------------------------------------------------------------------------------------
CHOICES = [
    pytest.param({"events": frozenset({"order"})}, "order", "sent", id="asked for"),
    pytest.param({"events": frozenset({"order"})}, "  order ", "sent", id="asked for, trimmed"),
    pytest.param({"events": frozenset({"order"})}, "Order", "filtered", id="another case is another name"),
    pytest.param({"events": frozenset({"a,b"})}, "a", "filtered", id="a comma parts nothing"),
    pytest.param({"events": frozenset({"$identify"})}, "$identify", "sent", id="a carrier, asked for by name"),
    pytest.param({"events": frozenset()}, "order", "filtered", id="nothing asked for"),
    pytest.param({"events": frozenset({"order"})}, "", "filtered", id="a blank name is not what was asked for"),
    pytest.param({"exclude": frozenset({"order"})}, "order", "filtered", id="excluded"),
    pytest.param({"exclude": frozenset({"order"})}, "orders", "sent", id="not excluded"),
    pytest.param({"events": frozenset({"a"}), "exclude": frozenset({"a"})}, "a", "filtered", id="both: excluded"),
]


@pytest.mark.parametrize(("rules", "name", "expected"), CHOICES)
def test_events_are_chosen_by_exact_name(rules: dict[str, Any], name: str, expected: str) -> None:
    assert [fate({"event_type": name}, **rules) for _ in range(2)] == [expected] * 2


def test_a_name_is_sent_trimmed_and_as_json() -> None:
    assert intent({"event_type": ' say "hi" é\t'}).name == '"say \\"hi\\" é"'.encode()


def test_more_names_than_are_remembered_are_read_all_the_same() -> None:
    rows = [{"event_type": f"event {n % 5_000}"} for n in range(10_000)]
    assert [one.name for one in mapped(*rows).intents] == [b'"event %d"' % (n % 5_000) for n in range(10_000)]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        pytest.param(1_784_023_200, None, "sent", id="since this very second"),
        pytest.param(1_784_023_201, None, "filtered", id="since a second later"),
        pytest.param(None, 1_784_023_200, "filtered", id="until this very second"),
        pytest.param(None, 1_784_023_201, "sent", id="until a second later"),
        pytest.param(0, 1, "filtered", id="another day"),
    ],
)
def test_a_window_begins_inside_and_ends_outside(since: int | None, until: int | None, expected: str) -> None:
    assert fate({}, since=since, until=until) == expected


def test_a_window_does_not_hide_a_time_that_cannot_be_read() -> None:
    assert fate({"event_time": "soon"}, since=0, until=1) == "bad_timestamp"


# -- people -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        pytest.param("42", "id", id="a number"),
        pytest.param("cio_03000001", "cio_id", id="a cio_id"),
        pytest.param("cio_ not really", "cio_id", id="the prefix decides"),
        pytest.param("CIO_1", "id", id="the prefix in capitals"),
        pytest.param("a@example.com", "email", id="an address"),
        pytest.param("A@EXAMPLE.COM", "email", id="an address in capitals"),
        pytest.param("a.b+c@mail.example.co.uk", "email", id="a longer address"),
        pytest.param("a@example", "id", id="no dot behind the at"),
        pytest.param("@example.com", "id", id="nobody at a place"),
        pytest.param("a@b@example.com", "id", id="two ats"),
        pytest.param("a b@example.com", "id", id="a space"),
        pytest.param("a@example.com ", "id", id="a space behind"),
        pytest.param("a@example.com\n", "id", id="a line end behind"),
        pytest.param("a@example.", "id", id="nothing behind the dot"),
        pytest.param("+31612345678", "id", id="a phone number"),
        pytest.param("a/b?c#d%20 é@x", "id", id="everything at once"),
    ],
)
def test_an_identifier_is_told_by_its_shape(value: str, kind: str) -> None:
    assert (kind_by_shape(value), intent({"user_id": value}).kind) == (kind, kind)


@pytest.mark.parametrize("kind", ["id", "email", "cio_id"])
@pytest.mark.parametrize("value", ["42", "a@example.com", "cio_42"])
def test_a_kind_that_was_asked_for_is_taken(kind: Any, value: str) -> None:
    one = intent({"user_id": value}, id_type=kind)
    assert (one.kind, one.identifier) == (kind, value)


BY_PROPERTY = [
    pytest.param({"email": "a@example.com"}, "email", "a@example.com", id="an address"),
    pytest.param({"email": 7}, "id", "7", id="a number"),
    pytest.param({"email": "x", "more": [1, {"email": "y"}]}, "id", "x", id="only at the top"),
]


@pytest.mark.parametrize(("properties", "kind", "value"), BY_PROPERTY)
def test_a_user_property_can_name_the_person(properties: dict[str, Any], kind: str, value: str) -> None:
    one = intent({"user_properties": properties}, id_property="email")
    assert (one.kind, one.identifier) == (kind, value)


@pytest.mark.parametrize(
    "properties",
    [{}, {"email": None}, {"email": ""}, {"email": True}, {"email": 1.5}, {"email": ["a"]}, {"Email": "a"}, None, "a"],
)
def test_without_that_property_there_is_nobody(properties: Any) -> None:
    assert fate({"user_properties": properties}, id_property="email") == "missing_identifier"


# -- ids of events ----------------------------------------------------------------------------------------------------
SAME = [
    pytest.param({}, {"user_id": "other", "event_properties": {"a": 1}, "uuid": "other"}, id="what is not its name"),
    pytest.param({"$insert_id": None}, {"$insert_id": None, "event_type": "x"}, id="by uuid"),
    pytest.param({"$insert_id": ""}, {"$insert_id": None}, id="an empty insert id is none"),
    pytest.param(
        {"event_time": "2026-07-14 10:00:00.123456"}, {"event_time": "2026-07-14T10:00:00.123"}, id="another spelling"
    ),
]
NAMELESS: dict[str, Any] = {"$insert_id": None, "uuid": None}
COUNTED: dict[str, Any] = {**NAMELESS, "event_id": 7, "client_event_time": "2026-07-14 09:59:59", "amplitude_id": 2**60}
DIFFERENT = [
    pytest.param({}, {"$insert_id": "i-2"}, id="another insert id"),
    pytest.param({}, {"device_id": "d-2"}, id="another device"),
    pytest.param({}, {"device_id": None}, id="no device"),
    pytest.param({}, {"app": 1}, id="another project"),
    pytest.param({}, {"event_time": "2026-07-14 10:00:00.001"}, id="another time"),
    pytest.param({"$insert_id": None}, {"$insert_id": None, "uuid": "u-2"}, id="another uuid"),
    pytest.param(COUNTED, {**COUNTED, "event_id": 8}, id="nameless, another count"),
    pytest.param(COUNTED, {**COUNTED, "client_event_time": "2026-07-14 09:59:58"}, id="nameless, another client time"),
    pytest.param(COUNTED, {**COUNTED, "amplitude_id": 2**60 + 1}, id="nameless, another person"),
    pytest.param(NAMELESS, {**NAMELESS, "event_type": "x"}, id="nothing at all, another name"),
    pytest.param(NAMELESS, {**NAMELESS, "event_properties": {"a": 1}}, id="nothing at all, other properties"),
    pytest.param(NAMELESS, {**NAMELESS, "groups": {"a": 1}}, id="nothing at all, other groups"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_event_has_one_id(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = mapped(one, other).intents
    assert first.ulid == second.ulid


def test_a_nameless_row_is_known_by_its_count_whatever_else_it_says() -> None:
    first, second = mapped(COUNTED, {**COUNTED, "event_properties": {"a": 1}}).intents
    assert first.ulid == second.ulid


def test_nameless_rows_are_told_apart_where_what_names_them_cannot_be_read() -> None:
    chunk = chunk_of(*({"$insert_id": None, "uuid": None, "event_id": n} for n in range(2)))
    deep = chunk.replace(b'"event_id"', b'"data": ' + b"[" * 20_000 + b"]" * 20_000 + b', "event_id"')
    first, second = Mapping(Rules()).map_rows(parse_rows(chunk), deep).intents
    assert first.ulid != second.ulid


def test_nameless_rows_are_told_apart_beside_lines_that_are_no_rows() -> None:
    chunk = b"broken\n" + chunk_of(COUNTED, {**COUNTED, "event_id": 8}, COUNTED)
    one, other, again = Mapping(Rules()).map_rows(parse_rows(chunk), chunk).intents
    assert one.ulid == again.ulid != other.ulid


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_events_have_different_ids(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = mapped(one, other).intents
    assert first.ulid != second.ulid


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0\ufffd"), min_size=1, max_size=60))
def test_an_identifier_is_kept_to_the_letter_or_not_sent(value: str) -> None:
    result = mapped({"user_id": value})
    assert [one.identifier for one in result.intents] == ([] if result.discards else [value])
