"""Requests about segments, to the byte, and their answers."""

from __future__ import annotations

import msgspec
import pytest

from sync.core.sending import Reply, Request
from sync.core.wire_segments import (
    Identifiers,
    People,
    SegmentInfo,
    change_members,
    create_segment,
    fold,
    get_segment,
    ids_of,
    membership_page,
    parse_people,
    parse_segment,
    parse_segments,
    search_people,
)


def test_members_are_sent_as_strings_whatever_they_look_like() -> None:
    ids = [b"00123", b" 123", b"1e3", b"true", b"null", "🦊".encode(), b"a,b", b'a"b', b"a\nb"]
    request = change_members(7, "add", "id", ids)
    assert request.path == "/api/v1/segments/7/add_customers?id_type=id"
    assert request.body is not None
    assert msgspec.json.decode(request.body) == {
        "ids": ["00123", " 123", "1e3", "true", "null", "🦊", "a,b", 'a"b', "a\nb"]
    }


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_call_of_no_ids_or_too_many_is_never_made(count: int) -> None:
    with pytest.raises(AssertionError):
        change_members(7, "add", "id", [b"x"] * count)


def test_a_removal_names_the_id_type() -> None:
    assert change_members(7, "remove", "email", [b"a@b.c"]) == Request(
        "track", "POST", "/api/v1/segments/7/remove_customers?id_type=email", b'{"ids":["a@b.c"]}'
    )


def test_a_segment_is_not_created_twice() -> None:
    request = create_segment("[Amplitude] vip", "ours cio-sync:1")
    assert request == Request(
        "app", "POST", "/v1/segments", b'{"segment":{"name":"[Amplitude] vip","description":"ours cio-sync:1"}}',
        repeatable=False,
    )


def test_reads_name_the_largest_page_and_quote_the_cursor() -> None:
    assert get_segment(7) == Request("app", "GET", "/v1/segments/7")
    assert membership_page(7, "") == Request("app", "GET", "/v1/segments/7/membership?limit=30000")
    assert membership_page(7, "a+/= ü") == Request(
        "app", "GET", "/v1/segments/7/membership?limit=30000&start=a%2B%2F%3D%20%C3%BC"
    )


def test_a_search_asks_for_any_of_the_ids() -> None:
    request = search_people("email", [b"a@b.c", b"d@e.f"], None)
    assert request.path == "/v1/customers?limit=1000"
    assert request.body == (
        b'{"filter":{"or":[{"attribute":{"field":"email","operator":"eq","value":"a@b.c"}},'
        b'{"attribute":{"field":"email","operator":"eq","value":"d@e.f"}}]}}'
    )


def test_a_search_within_a_segment_names_both() -> None:
    request = search_people("id", [b"a"], 7, "next")
    assert request.path == "/v1/customers?limit=1000&start=next"
    assert request.body == (
        b'{"filter":{"and":[{"or":[{"attribute":{"field":"id","operator":"eq","value":"a"}}]},{"segment":{"id":7}}]}}'
    )


def test_answers_are_read_with_what_they_may_leave_out() -> None:
    one = Reply(200, body=b'{"segment":{"id":7,"name":"x","description":null,"new_key":1}}')
    assert parse_segment(one) == SegmentInfo(7, "x", None, "manual")
    assert parse_segments(Reply(200, body=b'{"segments":null}')) == []
    many = Reply(200, body=b'{"segments":[{"id":1,"type":"dynamic"}]}')
    assert parse_segments(many) == [SegmentInfo(1, type="dynamic")]
    page = Reply(200, body=b'{"ids":["u",""],"identifiers":[{"id":"u"},{"id":null}],"next":""}')
    assert parse_people(page) == People([Identifiers("u"), Identifiers()], "")


@pytest.mark.parametrize(
    "text", [b"", b"<html>", b"[]", b'{"segment":7}', b'{"segment":{}}', b'{"segment":{"id":"7"}}', b"\xff"]
)
def test_an_answer_that_cannot_be_read_is_none(text: bytes) -> None:
    assert parse_segment(Reply(200, body=text)) is None


def test_people_without_that_identifier_are_left_out() -> None:
    people = People([Identifiers("u1", "A@B.c", "0f"), Identifiers(None, "b@b.c", "1f"), Identifiers("u2", None, "2f")])
    assert ids_of(people, "id") == [b"u1", b"u2"]
    assert ids_of(people, "email") == [b"a@b.c", b"b@b.c"]
    assert ids_of(people, "cio_id") == [b"0f", b"1f", b"2f"]
    assert ids_of(People(), "id") == []


@pytest.mark.parametrize(
    ("value", "id_type", "expected"),
    [
        pytest.param("Ann", "id", "Ann", id="an id keeps its case"),
        pytest.param(" Ann ", "id", " Ann ", id="an id keeps its blanks"),
        pytest.param("cio_0f", "id", "cio_0f", id="an id may look like a cio_id"),
        pytest.param("Ann@B.C", "email", "ann@b.c", id="email ignores case"),
        pytest.param("cio_0f", "cio_id", "0f", id="the prefix is for paths"),
        pytest.param("0f", "cio_id", "0f", id="without the prefix"),
    ],
)
def test_one_spelling_for_one_person(value: str, id_type: str, expected: str) -> None:
    assert fold(value, id_type) == expected
