"""Both dialects, as exact bytes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.mapping import IdKind, Intent, kind_by_shape
from sync.core.rows import Row
from sync.core.wire_v1 import encode_event, event_request, path_segment
from sync.core.wire_v2 import ENVELOPE_BYTES, batch_request, encode_batch, encode_item

ULID = b"01KXGH3Z80ABCDEFGHJKMNPQRS"


def intent(kind: IdKind = "id", identifier: str = "42", *, ms: int = 1_784_023_200_999) -> Intent:
    return Intent(0, Row(), kind, identifier, b'"order"', ms, b"\0" * 16)


def test_an_operation_of_a_batch() -> None:
    assert encode_item(intent(), ULID, b'{"total":3}') == (
        b'{"type":"person","action":"event","identifiers":{"id":"42"},"name":"order",'
        b'"id":"01KXGH3Z80ABCDEFGHJKMNPQRS","timestamp":1784023200,"attributes":{"total":3}}'
    )


@pytest.mark.parametrize(
    ("kind", "identifier", "identifiers"),
    [
        pytest.param("id", "42", {"id": "42"}, id="id"),
        pytest.param("email", "a@example.com", {"email": "a@example.com"}, id="email"),
        pytest.param("cio_id", "cio_03000001", {"cio_id": "03000001"}, id="a cio_id goes without its prefix"),
        pytest.param("cio_id", "03000001", {"cio_id": "03000001"}, id="a cio_id that came without"),
        pytest.param("id", 'a"b\\c\n\t é\U0001f600', {"id": 'a"b\\c\n\t é\U0001f600'}, id="every kind of letter"),
    ],
)
def test_a_person_in_a_batch(kind: IdKind, identifier: str, identifiers: Any) -> None:
    assert json.loads(encode_item(intent(kind, identifier), ULID, b"{}"))["identifiers"] == identifiers


def test_an_event_of_its_own() -> None:
    assert encode_event(intent(), ULID, b'{"total":3}') == (
        b'{"name":"order","type":"event","id":"01KXGH3Z80ABCDEFGHJKMNPQRS","timestamp":1784023200,"data":{"total":3}}'
    )


@pytest.mark.parametrize(
    ("ms", "seconds"),
    [(0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2), (253_402_300_799_999, 253_402_300_799)],
)
def test_a_timestamp_is_whole_seconds_rounded_down(ms: int, seconds: int) -> None:
    one = intent(ms=ms)
    assert json.loads(encode_item(one, ULID, b"{}"))["timestamp"] == seconds
    assert json.loads(encode_event(one, ULID, b"{}"))["timestamp"] == seconds


def test_a_batch_is_its_items_in_order() -> None:
    items = [b'{"a":1}', b'{"b":2}', b'{"c":3}']
    request = batch_request(items)
    assert (request.api, request.method, request.path) == ("track", "POST", "/api/v2/batch")
    assert request.body == encode_batch(items) == b'{"batch":[{"a":1},{"b":2},{"c":3}]}'
    assert len(encode_batch([])) == ENVELOPE_BYTES


SEGMENTS = [
    pytest.param("id", "42", "42", id="plain"),
    pytest.param("id", "a/b?c#d%20 é@x", "a%2Fb%3Fc%23d%2520%20%C3%A9%40x", id="everything that a path could misread"),
    pytest.param("id", "1 ", "1%20", id="a space behind"),
    pytest.param("id", "%&*/test.#@!~", "%25%26%2A%2Ftest.%23%40%21~", id="punctuation"),
    pytest.param("id", "a+b", "a%2Bb", id="a plus"),
    pytest.param("id", "line\nbreak", "line%0Abreak", id="a line break"),
    pytest.param("id", "...", "...", id="three dots"),
    pytest.param("email", "a@example.com", "a%40example.com", id="an address"),
    pytest.param("cio_id", "cio_03000001", "cio_03000001", id="a cio_id"),
    pytest.param("cio_id", "03000001", "cio_03000001", id="a cio_id without its prefix"),
    pytest.param("id", "cio_03000001", None, id="an id that reads as a cio_id"),
    pytest.param("id", "a@example.com", None, id="an id that reads as an address"),
    pytest.param("email", "not an address", None, id="an email that does not read as one"),
    pytest.param("id", ".", None, id="this folder"),
    pytest.param("id", "..", None, id="the folder above"),
]


@pytest.mark.parametrize(("kind", "identifier", "segment"), SEGMENTS)
def test_a_person_in_a_path(kind: IdKind, identifier: str, segment: str | None) -> None:
    assert path_segment(kind, identifier) == segment


def test_the_request_of_an_event_of_its_own() -> None:
    request = event_request("a%2Fb", b"{}")
    assert (request.api, request.method, request.path, request.body) == (
        "track", "POST", "/api/v1/customers/a%2Fb/events", b"{}",
    )  # fmt: skip


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_any_identifier_comes_out_of_either_dialect_as_it_went_in(value: str) -> None:
    kind = kind_by_shape(value)
    segment = path_segment(kind, value)
    if segment is not None:
        assert segment.isascii()
        assert "/" not in segment
        assert unquote(segment) == value
    else:
        assert value in (".", "..")
    (spelled,) = json.loads(encode_item(intent(kind, value), ULID, b"{}"))["identifiers"].values()
    assert (f"cio_{spelled}" if kind == "cio_id" else spelled) == value
