"""The shape of an identifier decides what it is."""

from __future__ import annotations

import pytest

from fakeio.core.identifiers import CIO_ID, EMAIL, ID, Ref, check, from_path, looks_like_email
from fakeio.core.outcomes import Refused
from fakeio.core.settings import Settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("42", Ref(ID, "42"), id="plain text is an id"),
        pytest.param("a/b", Ref(ID, "a/b"), id="a slash stays inside the id"),
        pytest.param("1 ", Ref(ID, "1 "), id="white space is kept"),
        pytest.param("+14155552671", Ref(ID, "+14155552671"), id="a phone number in a path is an id"),
        pytest.param("a+b@x.io", Ref(EMAIL, "a+b@x.io"), id="an address is an email"),
        pytest.param("a@b", Ref(ID, "a@b"), id="an address needs a dotted domain"),
        pytest.param("a b@x.io", Ref(ID, "a b@x.io"), id="an address has no white space"),
        pytest.param("cio_03000001", Ref(CIO_ID, "03000001"), id="the prefix makes a cio_id"),
        pytest.param("CIO_03000001", Ref(ID, "CIO_03000001"), id="the prefix is lower case"),
    ],
)
def test_a_path_segment_names(text: str, expected: Ref) -> None:
    assert from_path(text, Settings()) == expected


def test_an_address_is_an_id_where_people_have_ids_only() -> None:
    assert from_path("a@x.io", Settings({"identifiers": "id"})) == Ref(ID, "a@x.io")


@pytest.mark.parametrize("text", ["cio_", "cio_a-b", "cio_é"])
def test_a_malformed_cio_id_is_refused(text: str) -> None:
    refused = from_path(text, Settings())
    assert isinstance(refused, Refused)
    assert refused.rule == "track.person.cio_id.malformed"


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        pytest.param("x" * 150, None, id="150 bytes fit"),
        pytest.param("x" * 151, "track.person.id", id="151 bytes do not"),
        pytest.param("é" * 75, None, id="75 two-byte characters fit"),
        pytest.param("é" * 76, "track.person.id", id="76 do not"),
        pytest.param("", "track.person.id.empty", id="empty"),
    ],
)
def test_an_identifier_is_measured_in_bytes(value: str, rule: str | None) -> None:
    refused = check(Ref(ID, value))
    assert (refused.rule if refused else None) == rule


def test_email_keys_ignore_case_and_id_keys_do_not() -> None:
    assert Ref(EMAIL, "A@X.io").key == Ref(EMAIL, "a@x.io").key
    assert Ref(ID, "A").key != Ref(ID, "a").key


@pytest.mark.parametrize("text", ["a@b.c", "x.y+z@sub.example.com"])
def test_addresses_look_like_addresses(text: str) -> None:
    assert looks_like_email(text)
