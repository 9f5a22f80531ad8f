"""Manual segments through Track v1: one call of 1 to 1000 ids becomes as many operations, each with its own outcome.

Decides the shape of the call; who is a member, known or suppressed is the workspace's business. Source: Track API >
Manual segments; integers among the ids are accepted (recorded 2021).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from fakeio.core.identifiers import CIO_ID, EMAIL, ID, Ref
from fakeio.core.limits import SEGMENT_IDS
from fakeio.core.operations import JoinSegment, LeaveSegment
from fakeio.core.outcomes import Ignored, Outcome, Refused
from fakeio.core.workspace import Workspace
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import TRACK_OK, meta_errors
from fakeio.edge.http import Reply
from fakeio.edge.track_v1 import malformed
from fakeio.edge.work import Answered, Call, Item, Settled, Work, refuse

_ID_TYPES = (ID, EMAIL, CIO_ID)
_NUMBER = re.compile(r"[0-9]{1,10}\Z", re.ASCII)
_INT32 = (1 << 31) - 1

Operation = type[JoinSegment] | type[LeaveSegment]


def add_customers(call: Call) -> Work | Answered:
    return _change(call, JoinSegment)


def remove_customers(call: Call) -> Work | Answered:
    return _change(call, LeaveSegment)


def _change(call: Call, operation: Operation) -> Work | Answered:
    segment_id = _segment_id(call.segments[0])
    if isinstance(segment_id, Refused):
        status = int(call.settings.track_segment_id_malformed)
        return refuse(operation.name, segment_id, meta_errors(segment_id, status))
    id_type = _id_type(call.request.query)
    if isinstance(id_type, Refused):
        return refuse(operation.name, id_type, meta_errors(id_type))
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return malformed(operation.name, body)
    ids = _ids(body.get("ids"))
    if isinstance(ids, Refused):
        return refuse(operation.name, ids, meta_errors(ids))
    settings = call.settings
    if operation is LeaveSegment and id_type != ID and settings.segment_remove_id_type == "ids_only":
        id_type = ID

    def answer(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
        first = outcomes[0]
        if not isinstance(first, Refused):
            return TRACK_OK
        # only by switch: the service's own answer to an unknown segment is not published
        gone = first.rule == "track.segment.unknown" and settings.segment_unknown_id == "404"
        return meta_errors(first, 404 if gone else 400)

    return Work([_item(operation, segment_id, id_type, value) for value in ids], answer)


def _segment_id(text: str) -> int | Refused:
    if _NUMBER.match(text) and int(text) <= _INT32:
        return int(text)
    return Refused("track.segment.id.malformed", "invalid", "segment_id", "segment id must be a number")


def _id_type(query: bytes) -> str | Refused:
    if not query:
        return ID
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)).get("id_type") or ID
    if given in _ID_TYPES:
        return given
    return Refused("track.segment.id_type", "invalid", "id_type", "id_type must be id, email or cio_id")


def _ids(value: Any) -> list[Any] | Refused:
    if not isinstance(value, list):
        return Refused("track.segment.ids.invalid", "required", "ids", "ids must be an array")
    if not value:
        return Refused("track.segment.ids.invalid", "required", "ids", "ids cannot be empty")
    if len(value) > SEGMENT_IDS.strict:
        message = f"ids cannot contain more than {SEGMENT_IDS.strict} values"
        return Refused(SEGMENT_IDS.rule, "invalid", "ids", message)
    return value


def _item(operation: Operation, segment_id: int, id_type: str, value: Any) -> Item:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        return operation(segment_id=segment_id, ref=Ref(id_type, value))
    why = f"an entry of type {type(value).__name__} is no {id_type}"
    return Settled(operation.name, Ignored("segment.wrong_id_type", why))
