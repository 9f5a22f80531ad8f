"""Strategies for events: rows of an export, and how they come split and repeated over files and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from scenarios.edges import event_name_edges
from scenarios.people import overlong_ids
from scenarios.samples.formats import Member, encode_export, encode_row, export_row, member_name
from scenarios.samples.population import PROJECT

Row = Mapping[str, Any]

NAMES = ("Order Placed", "[Amplitude] Page Viewed", "session_start", " padded ", "a/b", "☕", "$identify")
NO_TIMES = ("", "soon", "2026-02-30 00:00:00", "1766000000")
#: Sizes of one text property: small, about the 32 KB where the batch API ends, on both sides of the 100,000 where
#: Customer.io does. Not at the byte: whoever reads a size there must agree on every escape; tables of cases do that.
SIZES_BYTES = (0, 10, 1_000, 31_000, 33_000, 60_000, 90_000, 101_000)


def encode_upload(rows: Sequence[Row]) -> bytes:
    """An export zip of these rows, in two members where there is more than one row."""
    lines = [encode_row(row) for row in rows]
    half = len(lines) // 2
    parts = [part for part in (lines[:half], lines[half:]) if part]
    return encode_export(
        Member(member_name(PROJECT, "2026-08-17", 9, number), part) for number, part in enumerate(parts)
    )


def rows(user_ids: st.SearchStrategy[str], max_size: int = 12) -> st.SearchStrategy[list[Row]]:
    """Rows of different events: no two share a device and an insert id."""
    described = st.lists(_descriptions(user_ids), min_size=1, max_size=max_size)
    return described.map(lambda found: [_row(number, *values) for number, values in enumerate(found)])


def uploads(most: int) -> st.SearchStrategy[list[int]]:
    """The places of the rows that one file holds: some of the first `most`, in any order, once or more often."""
    return st.lists(st.integers(0, most - 1), min_size=1, max_size=2 * most)


def times() -> st.SearchStrategy[str]:
    """Times as Amplitude writes them, from 1970 to far ahead."""
    moments = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1))  # noqa: DTZ001 - the format has no zone
    forms = st.sampled_from(("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ"))
    return st.builds(lambda at, form: at.strftime(form), moments, forms)


def properties() -> st.SearchStrategy[dict[str, Any]]:
    """Any JSON object, with the names that could redirect mail among the keys."""
    # a lone surrogate has no bytes, and a NUL is no text that a receiver could keep: the engine replaces both
    texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
    keys = st.one_of(texts, st.just("recipient"))
    scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), texts)
    values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))
    return st.dictionaries(keys, values, max_size=5)


def _descriptions(user_ids: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Who, what, when, with which properties, how large: without a flaw three times in four, else with one."""
    fine = (
        user_ids, st.sampled_from((*NAMES, *event_name_edges(fitting=True))), times(), properties(),
        st.sampled_from(SIZES_BYTES),
    )
    flaws = (
        st.one_of(st.sampled_from((None, "", " ")), overlong_ids()),
        st.sampled_from(("", "  ", *event_name_edges(fitting=False))),
        st.sampled_from(NO_TIMES),
    )
    flawed = [st.tuples(*fine[:place], flaw, *fine[place + 1 :]) for place, flaw in enumerate(flaws)]
    return st.sampled_from((False, False, False, True)).flatmap(
        lambda is_flawed: st.one_of(*flawed) if is_flawed else st.tuples(*fine)
    )


def _row(number: int, user: str | None, name: str, at: str, own: dict[str, Any], size: int) -> Row:
    unique = str(UUID(int=number + 1, version=4))
    return export_row({
        "event_type": name, "event_time": at, "user_id": user, "device_id": f"device-{number % 3}", "uuid": unique,
        "$insert_id": None if number % 4 == 3 else f"insert-{number // 3}", "app": PROJECT, "event_id": number,
        "event_properties": {**own, "text": "t" * size} if size else own, "data_type": "event",
    })
