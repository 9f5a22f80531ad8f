"""The truth against the vendor's rules, case by case: the judge of the others is judged by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from scenarios.edges import event_name_edges, id_edges, limit, texts_of
from scenarios.samples.formats import export_row
from scenarios.truth import Happened, Person, Truth
from scenarios.verdicts import cohort_fate, event_fate, looks_like_email, own_properties, seconds

ADA, BOB = Person("ada"), Person("bob", "bob@example.com")


def row(**values: Any) -> dict[str, Any]:
    """An ordinary row with some of its keys replaced."""
    ordinary = {
        "event_type": "Order Placed", "event_time": "2026-08-17 09:00:00.500000", "user_id": "ada",
        "device_id": "d1", "$insert_id": "i1", "uuid": "u1",
    }
    return export_row({**ordinary, **values})


def world() -> Truth:
    truth = Truth()
    truth.create("ada")
    truth.create("bob", "Bob@Example.com")
    return truth


@pytest.mark.parametrize(
    ("value", "fate"),
    [
        pytest.param("a", "cohort", id="an id"),
        pytest.param(" a ", "cohort", id="white space belongs to it"),
        pytest.param("x" * 150, "cohort", id="150 bytes"),
        pytest.param("x" * 151, "id_too_long", id="151 bytes"),
        pytest.param("é" * 75, "cohort", id="75 characters of 150 bytes"),
        pytest.param("é" * 76, "id_too_long", id="76 characters of 152 bytes"),
        pytest.param("", "unresolved_mapping", id="nothing"),
        pytest.param(" \t", "unresolved_mapping", id="blank"),
    ],
)
def test_a_cohort_row_deserves(value: str, fate: str) -> None:
    assert cohort_fate(value) == fate


@pytest.mark.parametrize(
    ("event", "fate"),
    [
        pytest.param(row(), "delivered", id="an event"),
        pytest.param(None, "bad_row", id="no JSON"),
        pytest.param([], "bad_row", id="no object"),
        pytest.param(row(event_type="$identify", user_id=None), "filtered", id="an identify without an id"),
        pytest.param(row(user_id=None), "missing_identifier", id="nobody"),
        pytest.param(row(user_id=" "), "missing_identifier", id="a blank id"),
        pytest.param(row(user_id="é" * 76), "id_too_long", id="152 bytes of id"),
        pytest.param(row(event_type=" "), "event_name_blank", id="a blank name"),
        pytest.param(row(event_type="é" * 50), "delivered", id="100 bytes of name"),
        pytest.param(row(event_type="é" * 50 + "x"), "event_name_too_long", id="101 bytes of name"),
        pytest.param(row(event_type=" " + "x" * 100), "delivered", id="100 bytes when trimmed"),
        pytest.param(row(event_time=None), "bad_timestamp", id="no time"),
        pytest.param(row(event_properties={"t": "x" * 99_992}), "delivered", id="100,000 bytes of data"),
        pytest.param(row(event_properties={"t": "x" * 99_993}), "event_too_large", id="100,001 bytes of data"),
    ],
)
def test_an_event_deserves(event: Any, fate: str) -> None:
    assert event_fate(event) == fate


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("2026-08-17 09:00:00.999999", 1_786_957_200, id="a fraction is cut"),
        pytest.param("2026-08-17T09:00:00Z", 1_786_957_200, id="another spelling"),
        pytest.param("2026-08-17 09:00:00", 1_786_957_200, id="no fraction"),
        pytest.param("2026-02-30 09:00:00", None, id="no such day"),
        pytest.param("1786957200", None, id="a number"),
        pytest.param("", None, id="nothing"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_time_is_read(text: str | None, at: int | None) -> None:
    assert seconds(text) == at


@pytest.mark.parametrize(
    ("value", "is_one"), [("a@b.co", True), ("A@B.CO", True), ("a@b", False), ("a b@c.de", False), ("@b.co", False)]
)
def test_an_address_is_told_by_its_shape(value: str, is_one: bool) -> None:
    assert looks_like_email(value) is is_one


def test_properties_that_redirect_mail_and_nulls_are_not_expected() -> None:
    own = {"b": 1, "a": {"x": None}, "recipient": "x@example.com", "none": None}
    assert own_properties(own) == '{"a":{"x":null},"b":1}'


def test_a_segment_is_the_cohort_as_far_as_it_exists() -> None:
    truth = world()
    fates = truth.run_cohort(["ada", "ada", "nobody", "", "x" * 151])
    assert fates == Counter(member=1, collapsed=1, not_found=1, unresolved_mapping=1, id_too_long=1)
    assert truth.segment == {ADA}
    assert truth.run_cohort(["bob"]) == Counter(member=1)
    assert truth.segment == {BOB}


def test_who_is_deleted_leaves_with_memberships_and_events_and_may_come_back() -> None:
    truth = world()
    truth.run_cohort(["ada", "bob"])
    truth.take_event(row())
    truth.delete(id="ada")
    assert (truth.people, truth.segment, truth.events) == ({BOB}, {BOB}, Counter())
    truth.create("ada")
    assert truth.people == {ADA, BOB}


def test_who_is_suppressed_is_blocked_by_every_identifier() -> None:
    truth = world()
    truth.suppress(email="BOB@example.com")
    truth.create("bob")
    truth.create("carol", "bob@example.com")
    assert truth.people == {ADA}
    assert truth.take_event(row(user_id="bob")) == "ignored"


def test_an_event_of_a_stranger_creates_the_person() -> None:
    truth = world()
    assert truth.take_event(row(user_id="New@Example.com")) == "delivered"
    assert truth.people == {ADA, BOB, Person(None, "new@example.com")}


def test_an_address_names_the_person_who_has_it() -> None:
    truth = world()
    truth.take_event(row(user_id="BOB@EXAMPLE.COM", event_properties={"n": 1}))
    assert truth.events == Counter([Happened(BOB, "Order Placed", 1_786_957_200, '{"n":1}')])


@pytest.mark.parametrize(
    ("second", "fate"),
    [
        pytest.param(row(), "duplicate", id="the same row"),
        pytest.param(row(uuid="u2"), "duplicate", id="uploaded again"),
        pytest.param(row(device_id="d2"), "delivered", id="the same insert id on another device"),
        pytest.param(row(**{"$insert_id": None}), "delivered", id="told by its uuid"),
    ],
)
def test_after_an_event_another_row_is(second: Any, fate: str) -> None:
    truth = world()
    truth.take_event(row())
    assert truth.take_event(second) == fate


def test_a_row_that_is_left_out_changes_nothing() -> None:
    truth = world()
    assert truth.take_event(row(user_id=None)) == "missing_identifier"
    assert (truth.people, truth.events) == ({ADA, BOB}, Counter())


@pytest.mark.parametrize("size", [1, 2, 3, 4, 99, 100, 149, 150, 151])
def test_a_text_at_an_edge_has_exactly_that_many_bytes(size: int) -> None:
    assert {len(text.encode()) for text in texts_of(size)} == {size}


def test_edges_sit_at_under_and_over_the_published_limit() -> None:
    most = {"ids": limit("track.person.id"), "names": limit("track.event.name")}
    assert most == {"ids": 150, "names": 100}
    assert {len(text.encode()) for text in id_edges(fitting=True)} == {149, 150}
    assert {len(text.encode()) for text in event_name_edges(fitting=False)} == {101}


def test_a_limit_that_nobody_published_is_an_error() -> None:
    with pytest.raises(KeyError, match="no such rule"):
        limit("no such rule")
