"""Packing: budgets in bytes, order, duplicates, and the events for which there is no room."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.batches import Batch, Packer
from sync.core.mapping import Discard, Mapping, Rules
from sync.core.properties import Properties
from sync.core.rows import parse_rows

ITEM_BYTES, BATCH_BYTES, DATA_BYTES = 31_999, 499_999, 100_000


class Known(set[bytes]):
    """What the ledger is in a run."""


def row(number: int, properties: dict[str, Any] | None = None, **columns: Any) -> dict[str, Any]:
    return {
        "event_type": "order", "event_time": "2026-07-14 10:00:00", "user_id": "42", "device_id": "d",
        "$insert_id": f"{number:06}", "event_properties": properties or {}, **columns,
    }  # fmt: skip


COMPACT: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}


class Packed:
    """What a packer made of some rows; `spelling` is how their JSON is written."""

    def __init__(
        self, *rows: dict[str, Any], known: Known | None = None, spelling: dict[str, Any] = COMPACT, **rules: Any
    ) -> None:
        chunk = "\n".join(json.dumps(one, **spelling) for one in rows).encode()
        mapped = Mapping(Rules(**rules)).map_rows(parse_rows(chunk), chunk)
        self.packer = Packer(Properties(), Known() if known is None else known)
        self.discards: list[Discard] = []
        self.batches: list[Batch] = [*self.packer.pack(mapped.intents, self.discards), *self.packer.flush()]

    @property
    def bodies(self) -> list[bytes]:
        return [batch.request(0, len(batch.items)).body or b"" for batch in self.batches]

    @property
    def ids(self) -> list[list[str]]:
        """The ids of the events in each batch."""
        return [[json.loads(item)["id"] for item in batch.items] for batch in self.batches]


def item_of(size: int) -> dict[str, Any]:
    """A row whose v2 operation has exactly that many bytes."""
    (empty,) = Packed(row(0, {"text": ""})).batches[0].items
    return row(0, {"text": "x" * (size - len(empty))})


def data_of(size: int, letter: str = "x", **columns: Any) -> dict[str, Any]:
    """A row whose data has exactly that many bytes."""
    width = len(letter.encode())
    room = size - len(b'{"text":""}')
    return row(0, {"text": letter * (room // width) + "x" * (room % width)}, **columns)


@pytest.mark.parametrize(
    ("size", "alone"),
    [
        pytest.param(ITEM_BYTES - 1, False, id="one under"),
        pytest.param(ITEM_BYTES, False, id="at the budget"),
        pytest.param(ITEM_BYTES + 1, True, id="one over: it goes alone, by v1"),
    ],
)
def test_an_operation_fits_a_batch_up_to(size: int, alone: bool) -> None:
    packed = Packed(item_of(size))
    assert [len(item) for item in packed.batches[0].items] == [size]
    assert [batch.alone is not None for batch in packed.batches] == [alone]


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
@pytest.mark.parametrize(
    ("size", "fate"),
    [
        pytest.param(DATA_BYTES - 1, [], id="one under"),
        pytest.param(DATA_BYTES, [], id="at the budget"),
        pytest.param(DATA_BYTES + 1, ["event_too_large"], id="one over"),
    ],
)
def test_data_fits_an_event_up_to(letter: str, size: int, fate: list[str]) -> None:
    packed = Packed(data_of(size, letter))
    assert [discard.reason for discard in packed.discards] == fate
    assert [len(json.dumps(json.loads(body)["data"], ensure_ascii=False, separators=(",", ":")).encode())
            for body in packed.bodies] == ([] if fate else [size])  # fmt: skip


@pytest.mark.parametrize("size", [DATA_BYTES, DATA_BYTES + 1])
@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
def test_spaces_and_escapes_take_no_room_in_a_large_event(letter: str, size: int) -> None:
    spellings: list[dict[str, Any]] = [COMPACT, {}, {"ensure_ascii": False}]
    bodies = [Packed(data_of(size, letter), spelling=spelling).bodies for spelling in spellings]
    assert bodies[0] == bodies[1] == bodies[2]
    assert len(bodies[0]) == int(size == DATA_BYTES)


def test_an_event_that_fits_a_batch_once_it_is_compact_goes_in_one() -> None:
    packed = Packed(row(0, {"text": "é" * 10_000}), spelling={})
    assert [batch.alone for batch in packed.batches] == [None]


@pytest.mark.parametrize("under", [0, 1, 2])
def test_a_batch_is_filled_to_the_byte(under: int) -> None:
    whole, size = 16, 31_000
    commas_and_envelope = whole + 12
    last = BATCH_BYTES - whole * size - commas_and_envelope - under
    rows = [{**item_of(size), "$insert_id": f"{n:06}"} for n in range(whole)]
    packed = Packed(*rows, {**item_of(last), "$insert_id": "zzzzzz"})
    assert [len(body) for body in packed.bodies] == [BATCH_BYTES - under]


def test_one_byte_more_opens_another_batch() -> None:
    whole, size = 16, 31_000
    last = BATCH_BYTES - whole * size - whole - 12 + 1
    rows = [{**item_of(size), "$insert_id": f"{n:06}"} for n in range(whole)]
    packed = Packed(*rows, {**item_of(last), "$insert_id": "zzzzzz"})
    assert [len(batch.items) for batch in packed.batches] == [whole, 1]


def test_an_event_with_301_properties_goes_whole() -> None:
    packed = Packed(row(0, {f"question {n}": n for n in range(301)}))
    assert len(json.loads(packed.bodies[0])["batch"][0]["attributes"]) == 301


def test_a_large_event_takes_its_place_in_the_order() -> None:
    packed = Packed(row(1), row(2), {**data_of(60_000), "$insert_id": "large"}, row(3))
    assert [len(batch.items) for batch in packed.batches] == [2, 1, 1]
    assert [batch.alone is not None for batch in packed.batches] == [False, True, False]


def test_a_large_event_of_an_id_that_its_path_would_misread_is_not_sent() -> None:
    rows = [{**data_of(size, user_id="a@example.com"), "$insert_id": str(size)} for size in (1_000, 60_000)]
    packed = Packed(*rows, id_type="id")
    assert [(discard.position, discard.reason) for discard in packed.discards] == [(1, "identifier_ambiguous")]
    assert [len(batch.items) for batch in packed.batches] == [1]


def test_too_large_is_said_before_ambiguous() -> None:
    packed = Packed(data_of(DATA_BYTES + 1, user_id="cio_1"), id_type="id")
    assert [discard.reason for discard in packed.discards] == ["event_too_large"]


def test_properties_that_are_no_object_make_a_bad_row() -> None:
    packed = Packed(row(0), row(1, event_properties="text"), row(2))
    assert [(discard.position, discard.reason) for discard in packed.discards] == [(1, "bad_row")]
    assert [len(batch.items) for batch in packed.batches] == [2]


# -- each event once --------------------------------------------------------------------------------------------------
def test_an_event_that_comes_again_is_a_duplicate() -> None:
    packed = Packed(row(1), row(2), row(1), row(1))
    assert (packed.packer.duplicates, [len(batch.items) for batch in packed.batches]) == (2, [2])


def test_an_event_that_is_known_is_a_duplicate() -> None:
    known = Known(Packed(row(1)).batches[0].ulids)
    packed = Packed(row(1), row(2), known=known)
    assert (packed.packer.duplicates, [len(batch.items) for batch in packed.batches]) == (1, [1])
    assert len(known) == 2


@pytest.mark.parametrize("size", [60_000, DATA_BYTES + 1])
def test_a_large_event_that_comes_again(size: int) -> None:
    packed = Packed(data_of(size), data_of(size))
    sent = size <= DATA_BYTES
    assert (len(packed.batches), packed.packer.duplicates, len(packed.discards)) == ((1, 1, 0) if sent else (0, 0, 2))


def test_nothing_makes_no_batch() -> None:
    packer = Packer(Properties(), Known())
    assert [*packer.pack([], []), *packer.flush(), *packer.flush()] == []


sizes = st.lists(st.sampled_from([0, 10, 1_000, 30_000, 31_700, 40_000, 99_000, 120_000]), max_size=60)


@given(sizes)
def test_every_event_is_in_one_batch_or_discarded_and_no_budget_is_broken(sizes: list[int]) -> None:
    packed = Packed(*(row(n, {"text": "x" * size}) for n, size in enumerate(sizes)))
    kept = [n for n, size in enumerate(sizes) if size < 120_000]
    in_order = [item for batch in packed.batches for item in batch.items]
    assert [len(json.loads(item)["attributes"]["text"]) for item in in_order] == [sizes[n] for n in kept]
    assert len(packed.discards) == len(sizes) - len(kept)
    for batch, body in zip(packed.batches, packed.bodies, strict=True):
        assert batch.items
        assert len(batch.ulids) == len(batch.items)
        if batch.alone is None:
            assert len(body) <= BATCH_BYTES
            assert all(len(item) <= ITEM_BYTES for item in batch.items)
            assert json.loads(body)["batch"] == [json.loads(item) for item in batch.items]
    assert len({one for batch in packed.ids for one in batch}) == len(kept)
