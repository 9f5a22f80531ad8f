"""Control route that answers "why": which request wrote a value, or why a person is not in a segment.

What the state knows is put into words by `core/explaining.py`; added here is what only the tape knows, the attempts
that were accepted and came to nothing.
"""

from __future__ import annotations

from typing import Any

from fakeio.core.explaining import explain_attribute, explain_membership, explain_person
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, Ref
from fakeio.core.near_misses import of_identifier
from fakeio.core.people import Person
from fakeio.core.workspace import Workspace
from fakeio.edge.control_http import Call, ControlError, Result, bad_request, parse_number
from fakeio.edge.control_requests import ignored
from fakeio.edge.tape import Tape


def explain(call: Call) -> Result:
    """Who wrote what about one person; with `attribute` or `segment`, why that one is as it is."""
    if {"attribute", "segment"} <= call.query.keys():
        raise bad_request("two_questions", "asked about an attribute and a segment", "ask about one at a time")
    with call.opened() as hosted:
        space = hosted.state
        person = _person(space, call.params["cio_id"])
        answer = _answer(call, space, person)
        return Result(200, {**answer, "ignored": _ignored(hosted.tape, person)})


def _answer(call: Call, space: Workspace, person: Person) -> dict[str, Any]:
    if "attribute" in call.query:
        return explain_attribute(space, person, call.query["attribute"])
    if "segment" in call.query:
        return explain_membership(space, person, parse_number(call.query["segment"], "segment", at_least=1))
    return explain_person(space, person)


def _person(space: Workspace, text: str) -> Person:
    person = space.people.get(text.removeprefix(CIO_PREFIX))
    if person is None:
        meant = of_identifier(space, Ref(CIO_ID, text)) or ["GET /_fakeio/workspaces/{w}/people lists everybody"]
        raise ControlError(404, "unknown_person", f"nobody has cio_id {text!r:.100}", "; ".join(meant))
    return person


def _ignored(tape: Tape, person: Person) -> list[dict[str, Any]]:
    return [row for _, row in ignored(tape) if row["person"] == person.cio_id]
