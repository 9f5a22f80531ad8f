"""Requests about segments and people's membership, and how to read their answers. Pure; both APIs.

Segments are made and read through the App API, their members written through the Track API. Sources: App API >
Segments, App API > Customers > search; Track API > Manual segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from sync.core.budgets import MEMBERSHIP_PAGE, SEARCH_PAGE, SEGMENT_IDS
from sync.core.rows import NOT_JSON
from sync.core.sending import Reply, Request

T = TypeVar("T")
MANUAL = "manual"
LIST_SEGMENTS = Request("app", "GET", "/v1/segments")


class SegmentInfo(msgspec.Struct, frozen=True):
    """A segment as the App API describes it, without what nobody here needs."""

    id: int
    name: str = ""
    description: str | None = ""
    type: str = MANUAL


class _One(msgspec.Struct, frozen=True):
    segment: SegmentInfo


class _Many(msgspec.Struct, frozen=True):
    segments: list[SegmentInfo] | None = None  # the server may say null for none


class Identifiers(msgspec.Struct, frozen=True, gc=False):
    """How a person is called; a workspace that has no email identifiers leaves `email` out."""

    id: str | None = None
    email: str | None = None
    cio_id: str | None = None


class People(msgspec.Struct, frozen=True):
    """A page of people; `next` is empty or absent at the end."""

    identifiers: list[Identifiers] | None = None
    next: str | None = None


_ONE, _MANY, _PEOPLE = msgspec.json.Decoder(_One), msgspec.json.Decoder(_Many), msgspec.json.Decoder(People)


def get_segment(segment_id: int) -> Request:
    return Request("app", "GET", f"/v1/segments/{segment_id}")


def create_segment(name: str, description: str) -> Request:
    """Not repeatable: nothing stops the service from making a second segment of the same name."""
    body = msgspec.json.encode({"segment": {"name": name, "description": description}})
    return Request("app", "POST", "/v1/segments", body, repeatable=False)


def change_members(segment_id: int, verb: str, id_type: str, ids: Sequence[bytes]) -> Request:
    """`verb` is add or remove; `ids` are 1 to 1,000 different identifiers in UTF-8, sent as strings whatever they
    look like."""
    assert 0 < len(ids) <= SEGMENT_IDS.most
    body = msgspec.json.encode({"ids": [one.decode() for one in ids]})
    return Request("track", "POST", f"/api/v1/segments/{segment_id}/{verb}_customers?id_type={id_type}", body)


def membership_page(segment_id: int, start: str) -> Request:
    query = f"limit={MEMBERSHIP_PAGE.most}" + (f"&start={_quoted(start)}" if start else "")
    return Request("app", "GET", f"/v1/segments/{segment_id}/membership?{query}")


def search_people(id_type: str, ids: Sequence[bytes], segment_id: int | None, start: str = "") -> Request:
    """Who of `ids` (at most 1,000) exists; with a segment, who of them is in it."""
    assert 0 < len(ids) <= SEARCH_PAGE.most
    anyone = {"or": [{"attribute": {"field": id_type, "operator": "eq", "value": one.decode()}} for one in ids]}
    both = {"and": [anyone, {"segment": {"id": segment_id}}]}
    body = msgspec.json.encode({"filter": anyone if segment_id is None else both})
    query = f"limit={SEARCH_PAGE.most}" + (f"&start={_quoted(start)}" if start else "")
    return Request("app", "POST", f"/v1/customers?{query}", body)


def _quoted(text: str) -> str:
    """Percent-encode a cursor for a query, byte by byte: it is opaque and may hold anything."""
    return "".join(chr(x) if chr(x).isalnum() and x < 128 else f"%{x:02X}" for x in text.encode())


def parse_segment(reply: Reply) -> SegmentInfo | None:
    """The segment in an answer; None when it can't be read."""
    one = _decoded(_ONE, reply)
    return one.segment if one is not None else None


def parse_segments(reply: Reply) -> list[SegmentInfo] | None:
    many = _decoded(_MANY, reply)
    return None if many is None else many.segments or []


def parse_people(reply: Reply) -> People | None:
    return _decoded(_PEOPLE, reply)


def _decoded(decoder: msgspec.json.Decoder[T], reply: Reply) -> T | None:
    try:
        return decoder.decode(reply.body)
    except NOT_JSON:
        return None


def ids_of(people: People, id_type: str) -> list[bytes]:
    """The people's identifiers of one type, in the spelling that membership is compared in; people without are left
    out."""
    named = (getattr(person, id_type) for person in people.identifiers or [])
    return [fold(value, id_type).encode() for value in named if value]


def fold(value: str, id_type: str) -> str:
    """One spelling for all that name the same person: email ignores case; a cio_id may carry the prefix that paths
    need, and membership calls must not; an id is what it is, to the byte."""
    if id_type == "email":
        return value.lower()
    return value.removeprefix("cio_") if id_type == "cio_id" else value
