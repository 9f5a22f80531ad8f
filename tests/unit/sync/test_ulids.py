"""Event ids: the same for the same event, different for different ones, and real ULIDs."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.ulids import encode_ulids, event_ulid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def spelled(ulid: bytes) -> str:
    """The text of a ULID, the slow and plain way."""
    number = int.from_bytes(ulid, "big")
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(26)))


def read(text: str) -> bytes:
    """The 16 bytes of a ULID's text."""
    number = 0
    for letter in text:
        number = number << 5 | ALPHABET.index(letter)
    return number.to_bytes(16, "big")


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=40))
def test_any_number_of_ids_is_spelled_at_once(ulids: list[bytes]) -> None:
    texts = [text.decode() for text in encode_ulids(ulids)]
    assert texts == [spelled(ulid) for ulid in ulids]
    assert [read(text) for text in texts] == ulids
    assert all(text[0] <= "7" for text in texts)


def test_an_id_is_the_time_and_a_digest_of_what_names_the_event() -> None:
    digest = hashlib.sha256(b"187520\0device-1\0insert-1").digest()
    assert event_ulid(1_784_023_200_123, 187520, "device-1", "insert-1") == (
        (1_784_023_200_123).to_bytes(6, "big") + digest[:10]
    )


@pytest.mark.parametrize(
    ("ms", "kept"),
    [
        pytest.param(-1, 0, id="before 1970"),
        pytest.param(-(10**15), 0, id="long before"),
        pytest.param(0, 0, id="the epoch"),
        pytest.param(2**48 - 1, 2**48 - 1, id="the last millisecond"),
        pytest.param(2**48, 2**48 - 1, id="one too many"),
        pytest.param(10**20, 2**48 - 1, id="far too many"),
    ],
)
def test_a_time_without_room_is_held_at_the_edge(ms: int, kept: int) -> None:
    assert int.from_bytes(event_ulid(ms, 1, "d", "k")[:6], "big") == kept


Named = tuple[int, int, str, str]
DIFFERENT = [
    pytest.param((1, 1, "a", "b"), (2, 1, "a", "b"), id="another time"),
    pytest.param((1, 1, "a", "b"), (1, 2, "a", "b"), id="another project"),
    pytest.param((1, 1, "a", "k"), (1, 1, "b", "k"), id="one insert id on two devices"),
    pytest.param((1, 1, "a", "bc"), (1, 1, "ab", "c"), id="the border elsewhere"),
    pytest.param((1, 1, "", "dk"), (1, 1, "dk", ""), id="no device and no key"),
    pytest.param((1, 1, "é", "k"), (1, 1, "e", "k"), id="another letter"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_events_that_differ_have_different_ids(one: Named, other: Named) -> None:
    assert event_ulid(*one) != event_ulid(*other)


@given(st.integers(), st.integers(), st.text(alphabet=st.characters(codec="utf-8")), st.text("ab", max_size=3))
def test_the_same_event_has_the_same_id(ms: int, project: int, device: str, key: str) -> None:
    assert event_ulid(ms, project, device, key) == event_ulid(ms, project, device, key)
