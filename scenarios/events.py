"""Strategies for events: rows of an export, and how they come split and repeated over files and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import strategies as st

from scenarios.edges import event_name_edges
from scenarios.people import overlong_ids
from scenarios.samples.formats import Member, encode_export, encode_row, export_row, member_name
from scenarios.samples.population import PROJECT

Row = Mapping[str, Any]

NAMES = ("Order Placed", "[Amplitude] Page Viewed", "session_start", " padded ", "a/b", "☕", "$identify")
NUMBER = "row"  # the property by which a row is known again at Customer.io
NO_TIMES = ("", "soon", "2026-02-30 00:00:00", "1766000000")
#: Sizes of one text property: small, about the 32 KB where the batch API ends, on both sides of the 100,000 where
#: Customer.io does. Not at the byte: whoever reads a size there must agree on every escape; tables of cases do that.
SIZES_BYTES = (0, 10, 1_000, 31_000, 33_000, 60_000, 90_000, 101_000)


class Sketch(NamedTuple):
    """An event in short. `user` is the number of a person, or a value that names nobody; `size`: bytes of padding."""

    user: int | str | None
    name: str = "E"
    at: str = "2026-08-17 09:00:00"
    properties: Mapping[str, Any] = MappingProxyType({})
    size: int = 0

    def row(self, number: int, pool: Sequence[str]) -> Row:
        """The Export row; rows of different numbers are different events, by their insert ids or by their uuids."""
        own = {**self.properties, "padding": "p" * self.size} if self.size else dict(self.properties)
        if number % 5 != 4:  # of some nothing is known but what they are
            own[NUMBER] = number
        return export_row({
            "event_type": self.name, "event_time": self.at, "event_id": number, "app": PROJECT, "data_type": "event",
            "user_id": pool[self.user] if isinstance(self.user, int) else self.user, "event_properties": own,
            "device_id": f"device-{number % 3}", "$insert_id": None if number % 4 == 3 else f"insert-{number // 3}",
            "uuid": str(UUID(int=number + 1, version=4)),
        })


def encode_upload(rows: Sequence[Row]) -> bytes:
    """An export zip of these rows, in two members where there is more than one row."""
    lines = [encode_row(row) for row in rows]
    half = len(lines) // 2
    parts = [part for part in (lines[:half], lines[half:]) if part]
    return encode_export(
        Member(member_name(PROJECT, "2026-08-17", 9, number), part) for number, part in enumerate(parts)
    )


def sketches(people: int) -> st.SearchStrategy[Sketch]:
    """An event of one of so many people: without a flaw three times in four, else with one."""
    fine = {
        "user": st.integers(0, people - 1), "name": st.sampled_from((*NAMES, *event_name_edges(fitting=True))),
        "at": times(), "properties": properties(), "size": st.sampled_from(SIZES_BYTES),
    }
    flaws = {
        "user": st.one_of(st.sampled_from((None, "", " ")), overlong_ids()),
        "name": st.sampled_from(("", "  ", *event_name_edges(fitting=False))),
        "at": st.sampled_from(NO_TIMES),
    }
    flawed = [st.builds(Sketch, **{**fine, field: flaw}) for field, flaw in flaws.items()]
    return st.sampled_from((False, False, False, True)).flatmap(
        lambda is_flawed: st.one_of(*flawed) if is_flawed else st.builds(Sketch, **fine)
    )


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
