"""What App API handlers share: query parameters, cursors, page sizes, and looking a person up by `id_type`.

A refusal is a value with its answer; handlers pass it on. Source: App API > paging, identifiers; switches
`page_limit_over` and `segment_id_malformed`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, EMAIL, ID, KINDS, PHONE, Ref
from fakeio.core.limits import Limit
from fakeio.core.outcomes import Outcome, Refused
from fakeio.core.people import Person
from fakeio.core.settings import Settings
from fakeio.core.workspace import Workspace
from fakeio.edge.errors import APP_NOT_FOUND, app_error
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work, refuse

BAD_REQUEST = "bad request"
_COUNT = re.compile(r"[0-9]{1,18}\Z", re.ASCII)


def read(find: Callable[[Workspace], Reply | Answered]) -> Work:
    """Work that changes nothing: `find` looks at the state under the workspace's lock."""

    def render(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply | Answered:
        return find(state)

    return Work((), render)


def query(call: Call) -> Mapping[str, str]:
    """The query's parameters; the last of a name wins, unknown ones are ignored. A raw plus is a space here."""
    raw = call.request.query
    return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True)) if raw else {}


def not_found(operation: str, what: str) -> Answered:
    return refuse(operation, Refused("app.not_found", "not_found", "", f"there is no {what}"), APP_NOT_FOUND)


def flag(call: Call, operation: str, name: str) -> bool | Answered:
    """A parameter that is true or false; false when it is left out."""
    given = query(call).get(name, "").lower()
    if given in ("true", "1"):
        return True
    return False if given in ("", "false", "0") else bad_parameter(operation, name, "true or false")


def bad_parameter(operation: str, name: str, why: str) -> Answered:
    refused = Refused("app.parameter", "invalid", name, f"{name}: {why}")
    return refuse(operation, refused, app_error(400, BAD_REQUEST))


def bad_body(operation: str, field: str, why: str) -> Answered:
    return refuse(operation, Refused("app.body", "invalid", field, why), app_error(400, BAD_REQUEST))


def number_in_path(call: Call, operation: str, at: int) -> int | Answered:
    """The number that the path's open segment of that place is; anything else is refused."""
    text = call.segments[at]
    return int(text) if _COUNT.match(text) else bad_parameter(operation, "id", "a whole number")


# ---- pages -----------------------------------------------------------------------------------------------------------


def page_size(call: Call, operation: str, usual: int, most: Limit) -> int | Answered:
    """`limit`, at most what is published: more is cut to that, or refused by switch."""
    given = query(call).get("limit", "")
    if not given:
        return usual
    if not _COUNT.match(given) or int(given) == 0:
        return bad_parameter(operation, "limit", "a whole number of at least 1")
    if int(given) > most.strict and call.settings.page_limit_over == "400":
        return bad_parameter(operation, "limit", f"at most {most.strict}")
    return min(int(given), most.strict)


def encode_cursor(scope: str, place: int) -> str:
    """Where the next page starts; opaque to callers. `scope` keeps a cursor of one list out of another."""
    return base64.urlsafe_b64encode(f"{scope}:{place}".encode("ascii")).decode("ascii")


def page_asked(call: Call, operation: str, scope: str, usual: int, most: Limit) -> tuple[int, int] | Answered:
    """Both halves of a page: the place behind which it starts, and its size."""
    size = page_size(call, operation, usual, most)
    if isinstance(size, Answered):
        return size
    start = page_start(call, operation, scope)
    return start if isinstance(start, Answered) else (start, size)


def page_start(call: Call, operation: str, scope: str) -> int | Answered:
    """The place behind which the page starts, from `start`: 0 without one."""
    given = query(call).get("start", "")
    if not given:
        return 0
    try:
        found, colon, place = base64.urlsafe_b64decode(given.encode("ascii")).decode("ascii").rpartition(":")
    except (binascii.Error, UnicodeError):
        return bad_parameter(operation, "start", "not a cursor")
    if not colon or found != scope or not _COUNT.match(place):
        return bad_parameter(operation, "start", "not a cursor of this list")
    return int(place)


# ---- people ----------------------------------------------------------------------------------------------------------


def identifiers_of(person: Person) -> dict[str, Any]:
    """The published object of identifiers: unset ones are null, a phone is never among them."""
    return {"id": person.id, "email": person.email, "cio_id": person.cio_id}


def id_type(call: Call, operation: str) -> str | Answered:
    """How people are named in this request: by id unless said; refused where the workspace does not use that kind."""
    given = query(call).get("id_type") or ID
    if given not in KINDS:
        return _bad_id_type(operation, f"{given!r} is no id_type")
    if not _usable(given, call.settings):
        return _bad_id_type(operation, f"{given} does not identify people in this workspace")
    return given


def ref_of(kind: str, value: str) -> Ref | None:
    """Whom a value names; None for a cio_id that is written without its prefix, which names nobody."""
    if kind != CIO_ID:
        return Ref(kind, value)
    return Ref(CIO_ID, value[len(CIO_PREFIX) :]) if value.startswith(CIO_PREFIX) else None


def ref_in_path(call: Call, operation: str) -> Ref | Answered:
    """The person that `{customer_id}` and `id_type` name."""
    kind, value = id_type(call, operation), call.segments[0]
    if isinstance(kind, Answered):
        return kind
    ref = ref_of(kind, value)
    if ref is None:
        return not_found(operation, f"person with cio_id {value!r}: the value is written with the prefix cio_")
    return ref


def read_person(
    call: Call, operation: str, show: Callable[[Person, Workspace], Reply], *, bare_cio_id: bool = False
) -> Work | Answered:
    """Show something of the person in the path; 404 for nobody.

    `bare_cio_id`: without an id_type, what is nobody's id may be a cio_id without its prefix.
    """
    ref = ref_in_path(call, operation)
    if isinstance(ref, Answered):
        return ref
    other = Ref(CIO_ID, ref.value) if bare_cio_id and not query(call).get("id_type") else ref

    def find(state: Workspace) -> Reply | Answered:
        person = state.people.find(ref) or state.people.find(other)
        return not_found(operation, f"person with {ref}") if person is None else show(person, state)

    return read(find)


def _usable(kind: str, settings: Settings) -> bool:
    if kind == PHONE:
        return bool(settings.phone_identifier)
    return settings.email_identifies if kind == EMAIL else True


def _bad_id_type(operation: str, why: str) -> Answered:
    return refuse(operation, Refused("app.id_type", "invalid", "id_type", why), app_error(400, BAD_REQUEST))
