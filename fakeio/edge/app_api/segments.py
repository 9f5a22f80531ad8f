"""App API, segments: create and delete manual ones, read all of them and their members.

Source: App API > Segments. The contract lists no paging for the list and no error for a segment in use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from fakeio.core.limits import MEMBERSHIP_PAGE
from fakeio.core.operations import CreateSegment, DeleteSegment
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.segments import Segment
from fakeio.core.uses import uses_of
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import (
    BAD_REQUEST,
    bad_body,
    bad_parameter,
    encode_cursor,
    identifiers_of,
    not_found,
    page_size,
    page_start,
    read,
)
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import APP_DELETED, APP_NOT_FOUND, app_error, app_json
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work

USUAL_PAGE = 1_000
_NUMBER = re.compile(r"[0-9]{1,18}\Z", re.ASCII)


def segment_document(segment: Segment) -> dict[str, Any]:
    """One segment as published; only a data-driven one has conditions."""
    document: dict[str, Any] = {
        "id": segment.id,
        "deduplicate_id": f"{segment.id}:{segment.updated_at}",
        "name": segment.name,
        "description": segment.description,
        "state": segment.state,
        "progress": segment.progress,
        "type": segment.type,
        "tags": None,
        "created_at": segment.created_at,
        "updated_at": segment.updated_at,
    }
    if segment.conditions is not None:
        document["conditions"] = segment.conditions
    return document


def create(call: Call) -> Work | Answered:
    """An empty manual segment; whatever else the body asks for is ignored."""
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body("create_segment", "", body.why)
    wanted = body.get("segment")
    if not isinstance(wanted, dict):
        return bad_body("create_segment", "segment", "segment is an object")
    name, description = wanted.get("name"), wanted.get("description")
    if not isinstance(name, str) or not name:
        return bad_body("create_segment", "segment.name", "a segment has a name")
    if not isinstance(description, str | None):
        return bad_body("create_segment", "segment.description", "a description is text")
    return Work((CreateSegment(segment_name=name, description=description or ""),), _answer_create)


def _answer_create(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    outcome = outcomes[0]
    created = state.segments.get(outcome.result or 0) if isinstance(outcome, Applied) else None
    if created is None:
        return app_error(400, outcome.message if isinstance(outcome, Refused) else BAD_REQUEST)
    return app_json({"segment": segment_document(created)})


def list_all(call: Call) -> Work:
    """Every segment, manual or not, in one answer."""
    return read(lambda state: app_json({"segments": [segment_document(segment) for segment in state.segments]}))


def get_one(call: Call) -> Work | Answered:
    return _read_one(call, "get_segment", lambda segment, _: app_json({"segment": segment_document(segment)}))


def count_members(call: Call) -> Work | Answered:
    """How many there are now, also while a segment is still building."""
    return _read_one(
        call, "count_segment", lambda segment, _: app_json({"segment_id": segment.id, "count": segment.count})
    )


def find_uses(call: Call) -> Work | Answered:
    """What depends on the segment: broadcasts to its members, and what a seed says of campaigns and newsletters."""

    def show(segment: Segment, state: Workspace) -> Reply:
        return app_json({"segment_id": segment.id, "used_by": uses_of(state, segment)})

    return _read_one(call, "get_segment_uses", show)


def delete(call: Call) -> Work | Answered:
    """People stay, their membership goes. A second time there is nothing to delete."""
    segment_id = _segment_id(call, "delete_segment")
    if isinstance(segment_id, Answered):
        return segment_id
    return Work((DeleteSegment(segment_id=segment_id),), _answer_delete)


def _answer_delete(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    outcome = outcomes[0]
    if not isinstance(outcome, Refused):
        return APP_DELETED
    return APP_NOT_FOUND if outcome.rule == "app.not_found" else app_error(400, outcome.message)


def list_members(call: Call) -> Work | Answered:
    """A page of members in the order they joined; `ids` and `identifiers` are parallel."""
    operation = "list_members"
    size = page_size(call, operation, USUAL_PAGE, MEMBERSHIP_PAGE)
    if isinstance(size, Answered):
        return size
    start = page_start(call, operation, f"segment-{call.segments[0]}")
    if isinstance(start, Answered):
        return start
    return _read_one(call, operation, lambda segment, state: _members_page(segment, state, start, size))


def _members_page(segment: Segment, state: Workspace, start: int, size: int) -> Reply:
    rows = segment.members_after(start, size + 1)
    more = len(rows) > size
    people = [person for _, cio_id in rows[:size] if (person := state.people.get(cio_id)) is not None]
    identifiers = [identifiers_of(person) for person in people]
    if not state.settings.email_identifies:
        for row in identifiers:
            del row["email"]
    return app_json({
        "segment_id": segment.id,
        "ids": [person.id or "" for person in people],
        "identifiers": identifiers,
        "next": encode_cursor(f"segment-{segment.id}", rows[size - 1][0]) if more else "",
    })


def _read_one(
    call: Call, operation: str, show: Callable[[Segment, Workspace], Reply]
) -> Work | Answered:
    segment_id = _segment_id(call, operation)
    if isinstance(segment_id, Answered):
        return segment_id

    def find(state: Workspace) -> Reply | Answered:
        segment = state.segments.get(segment_id)
        return not_found(operation, f"segment {segment_id}") if segment is None else show(segment, state)

    return read(find)


def _segment_id(call: Call, operation: str) -> int | Answered:
    text = call.segments[0]
    if _NUMBER.match(text):
        return int(text)
    if call.settings.segment_id_malformed == "400":
        return bad_parameter(operation, "segment_id", "a whole number")
    return not_found(operation, f"segment {text!r}")
