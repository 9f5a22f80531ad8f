"""What Amplitude pushes, as values: cohort webhooks, list calls, traits, streamed events. Strict about what decides
who is in a segment, tolerant about everything else.

Pure. A push that can't be understood raises BadPush, whose words go back to the caller. Who may push is for
`edge/receiver.py`, what becomes of a push for `edge/inbox.py`.
Source: Amplitude > Cohort Webhooks; > Receiving behavioral cohorts; > Create a cohort sync integration; > Webhooks.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from sync.core.rows import NOT_JSON, REPLACEMENT, mend

PREFIX = "[Amplitude] "
ID_KEYS = ("userIds", "user_ids", "ids", "items", "identifiers")  # the name is the integrator's to choose
MOST_IDS = 100_000
MOST_LETTERS = 1_000  # of a cohort's name or id
_ENTRY_KEYS = ("user_id", "userId", "id")
_EVENT_KEYS = dict.fromkeys(("event_type", "user_id", "device_id", "user_properties"))  # one of them is in every event
_NUMBER = re.compile(r"\s*-?\d+(\.\d*)?([eE][+-]?\d+)?\s*", re.ASCII)
Kind = TypeVar("Kind")


class BadPush(Exception):
    """Not what it should be; the text says what is wrong and quotes nobody."""


class ListName(NamedTuple):
    """A cohort as a push names it. `cohort_id` is empty when the name does not say."""

    name: str
    cohort_id: str

    @property
    def list_id(self) -> str:
        """A stable id: the same cohort is the same list, whatever it is called by then."""
        text = f"id\n{self.cohort_id}" if self.cohort_id else f"name\n{self.name}"
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


class Members(NamedTuple):
    """People who entered a cohort or left it. `at` is when that was computed, in Unix seconds; None: when it arrives.
    `unresolved` counts the people of the message who have no identifier."""

    cohort: ListName
    entered: bool
    ids: tuple[str, ...]
    unresolved: int = 0
    at: float | None = None
    message_id: str | None = None


def parse_cohort_webhook(document: object, id_property: str = "user_id") -> Members:
    """A cohort webhook's default payload. `id_property` names `user_id` or a property of each user."""
    body = _object(document)
    if not isinstance(body.get("in_cohort"), bool):
        raise BadPush("in_cohort must be true or false")
    cohort_id = body.get("cohort_id")
    if not isinstance(cohort_id, str) or not _names_a_cohort(cohort_id):
        raise BadPush(f"cohort_id must be a text that is not empty, of at most {MOST_LETTERS} letters")
    users = body.get("users")
    if not isinstance(users, list):
        raise BadPush("users must be an array")
    name = body.get("cohort_name")
    cohort = ListName(name if isinstance(name, str) and _names_a_cohort(name) else cohort_id, cohort_id)
    ids = _ids(_user_id(user, id_property) for user in users)
    return Members(cohort, body["in_cohort"], ids, len(users) - len(ids), _moment(body), _message_id(body))


def _user_id(user: object, id_property: str) -> object:
    if not isinstance(user, dict):
        raise BadPush("each of users must be an object")
    if id_property == "user_id":
        return user.get("user_id")
    properties = user.get("user_properties")
    return properties.get(id_property) if isinstance(properties, dict) else None


def _moment(body: Mapping[str, Any]) -> float:
    """`computed_time`, which is documented as a text of seconds; older pages called it `compute_time`."""
    value = body.get("computed_time", body.get("compute_time"))
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        value = None
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            seconds = float(value)
            if math.isfinite(seconds):
                return seconds
    raise BadPush("computed_time must be Unix seconds")


def _message_id(body: Mapping[str, Any]) -> str | None:
    value = body.get("message_id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


# -- lists -------------------------------------------------------------------------------------------------------------
def parse_new_list(document: object) -> ListName:
    """The cohort that a create call is for."""
    name = _object(document).get("name")
    if not isinstance(name, str) or not _names_a_cohort(name.removeprefix(PREFIX)):
        raise BadPush(f"name must be a text that is not empty, of at most {MOST_LETTERS} letters")
    return parse_list_name(name)


def _names_a_cohort(text: str) -> bool:
    return _names_somebody(text) and len(text) <= MOST_LETTERS


def parse_list_name(text: str) -> ListName:
    """`[Amplitude] NAME: ID` taken apart at the last colon, for names hold colons too; anything else is a name."""
    name = text.removeprefix(PREFIX)
    if name != text:
        head, colon, tail = name.rpartition(": ")
        if colon and head.strip() and tail.strip():
            return ListName(head, tail.strip())
    return ListName(name, "")


def parse_list_ids(document: object, id_property: str = "user_id") -> tuple[tuple[str, ...], int]:
    """The identifiers of an add or remove call, without repetitions, and how many entries name nobody. An entry may be
    an object, as the integrator's template makes it: its `id_property` counts then."""
    body = _object(document)
    given = next((body[key] for key in ID_KEYS if key in body), None)
    if not isinstance(given, list):
        raise BadPush(f"one of {', '.join(ID_KEYS)} must be an array")
    if not given:
        raise BadPush("the array of identifiers is empty")
    if len(given) > MOST_IDS:
        raise BadPush(f"more than {MOST_IDS} identifiers in one call")
    ids = _ids(_entry_id(one, id_property) if isinstance(one, dict) else one for one in given)
    if not ids and any(isinstance(one, dict | list) for one in given):
        raise BadPush(f"no entry has a {id_property}: have the item template send the identifier")
    return ids, len(given) - len(ids)


def _entry_id(entry: Mapping[str, Any], id_property: str) -> object:
    keys = _ENTRY_KEYS if id_property == "user_id" else (id_property,)
    return next((entry[key] for key in keys if key in entry), None)


def parse_list_id(document: object) -> str | None:
    """The list that a call names in its body, where its path does not."""
    value = _object(document).get("listId", _object(document).get("list_id"))
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else None


# -- traits ------------------------------------------------------------------------------------------------------------
def parse_traits(document: object) -> list[Members]:
    """The property-based variant, single or batch. People that can't be read are left out unless none can."""
    body = _object(document)
    people = body.get("batch", [body])
    if not isinstance(people, list) or not people:
        raise BadPush("batch must be an array that is not empty")
    found = [one for person in people for one in _traits_of(person)]
    if not found:
        raise BadPush("nobody has a userId and traits such as {\"[Amplitude] NAME: ID\": true}")
    return _merged(found)


def _traits_of(person: object) -> Iterator[tuple[ListName, bool, str]]:
    who = person.get("userId") if isinstance(person, dict) else None
    ids = _ids([who])
    traits = person.get("traits") if isinstance(person, dict) else None
    if not ids or not isinstance(traits, dict):
        return
    for key, value in traits.items():
        if key.startswith(PREFIX) and isinstance(value, bool):
            yield parse_list_name(key), value, ids[0]


def _merged(found: Iterable[tuple[ListName, bool, str]]) -> list[Members]:
    """One push a cohort and direction, in the order in which they were first named."""
    merged: dict[tuple[ListName, bool], list[str]] = {}
    for cohort, entered, who in found:
        merged.setdefault((cohort, entered), []).append(who)
    return [Members(cohort, entered, _ids(ids)) for (cohort, entered), ids in merged.items()]


# -- events ------------------------------------------------------------------------------------------------------------
def parse_events(body: bytes) -> list[bytes]:
    """The events of a streaming webhook, each as one line in the shape of an export row: an object, an array of
    objects, or one object a line. A user update becomes a row called `$identify`. Values stay as they were written."""
    rows = [_line(one) for one in _documents(body)]
    if not rows:
        raise BadPush("the body holds no event")
    return rows


def check_events(lines: Iterable[bytes]) -> None:
    """Raise BadPush where none of the lines can be an event: a template of its own that nobody here can read, say."""
    if all(_EVENT_KEYS.keys().isdisjoint(_decoded(line, dict[str, msgspec.Raw])) for line in lines):
        raise BadPush(f"the body holds no event: there is none of {', '.join(_EVENT_KEYS)}")


def _documents(body: bytes) -> Sequence[bytes]:
    if body.lstrip()[:1] == b"[":
        return [bytes(one) for one in _decoded(body, list[msgspec.Raw])]
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except NOT_JSON:
        return [line for line in body.splitlines() if line.strip()]
    return [body]


def _line(document: bytes) -> bytes:
    event = _decoded(document, dict[str, msgspec.Raw])
    if "insert_id" in event and "$insert_id" not in event:
        event["$insert_id"] = event.pop("insert_id")
    if "event_type" not in event and "user_properties" in event:
        event["event_type"] = msgspec.Raw(b'"$identify"')
    return msgspec.json.format(msgspec.json.encode(event), indent=-1)


# -- shared ------------------------------------------------------------------------------------------------------------
def parse_json(body: bytes) -> object:
    """Any JSON value. Raises BadPush."""
    return _decoded(body, object)


def _decoded(body: bytes, kind: type[Kind]) -> Kind:
    """NaN and half a surrogate pair are mended, as in files: one odd value must not cost what came along with it."""
    with contextlib.suppress(*NOT_JSON):
        return msgspec.json.decode(body, type=kind)
    try:
        return msgspec.json.decode(mend(body), type=kind)
    except (*NOT_JSON, ValueError) as error:
        raise BadPush("the body is not JSON of the right shape") from error


def _object(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise BadPush("the body must be a JSON object")
    return document


def _ids(values: Iterable[object]) -> tuple[str, ...]:
    """Identifiers as texts, numbers by their digits, each once, without those that name nobody."""
    texts = (str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in values)
    return tuple(dict.fromkeys(one for one in texts if isinstance(one, str) and _names_somebody(one)))


def _names_somebody(text: str) -> bool:
    return bool(text.strip()) and REPLACEMENT not in text and "\0" not in text
