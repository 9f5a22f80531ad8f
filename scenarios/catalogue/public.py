"""What of a case can be seen and undone from outside: the part that a real workspace can be asked.

Expectations that only a fake can answer are left out, values take the form that the App API gives them, and whoever is
named without the run's prefix makes a case unsafe: nobody who was there before may ever be touched.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from scenarios.catalogue.case import Ask, Case, Ending, Row
from scenarios.catalogue.filling import PREFIX
from scenarios.catalogue.matching import ABSENT, ANY

RUN_PREFIX = re.compile(r"fakeio-live-[0-9a-f]{8}-")
_CUSTOMER = re.compile(r"/customers/([^/?]+)/?")
_NOT_PEOPLE = ("attributes",)  # POST /v1/customers/attributes reads many profiles
_REACHED = (
    "/auth", "/api/v1/accounts/region", "/api/v1/customers", "/api/v1/segments", "/api/v1/merge_customers",
    "/api/v2/batch", "/api/v2/entity", "/v1/customers", "/v1/segments", "/v1/activities", "/v1/info/ip_addresses",
)  # fmt: skip
_NAMING = ("id", "email", "cio_id", "ids", "name_of_segment")


def prefix_of(run_prefix: str, case: Case) -> str:
    """The prefix of one case in a run: cases don't meet, and the same run gives the same prefix again."""
    return f"{run_prefix}{hashlib.sha256(case.name.encode()).hexdigest()[:6]}-"


def why_not_live(case: Case) -> str:
    """Why a real workspace can't be asked this; empty when it can."""
    if not case.live:
        return "only a fake can be asked"
    asks = [step for step in case.steps if isinstance(step, Ask)]
    if len(asks) < len(case.steps) or case.given.seed or case.given.settings or any(ask.after_s for ask in asks):
        return "it needs what only a fake has"
    if any(ask.auth == "own" and not ask.path.startswith(_REACHED) for ask in asks):
        return "it reaches what can't be undone"
    strangers = sorted(set(_strangers(case)))
    return f"it names {strangers[0]!r} without the prefix {PREFIX}" if strangers else ""


def public_case(case: Case) -> Case:
    """The same case with those expectations alone that the public APIs answer."""
    return msgspec.structs.replace(case, ending=_public_ending(case.ending))


def identifiers(case: Case, prefix: str) -> list[str]:
    """Everybody the case may have made under a prefix, by id or email."""
    found = {text for text in _texts(msgspec.to_builtins(case)) if PREFIX in text}
    found |= {unquote(name) for text in found for name in _CUSTOMER.findall(text)}
    return sorted(text.replace(PREFIX, prefix) for text in found if not text.startswith("/"))


def _public_ending(ending: Ending) -> Ending:
    people, events = ending.people, ending.events
    return Ending(
        people=None if people is None else tuple(_public_person(row) for row in people),
        gone=ending.gone,
        events=None if events is None else tuple(
            {key: row[key] for key in ("name", "type", "data", "person") if key in row} for row in events
        ),
        members=ending.members,
    )


def _public_person(row: Row) -> Row:
    shown = {key: row[key] for key in ("id", "email", "cio_id") if key in row}
    if "attributes" in row:
        shown["attributes"] = {name: _public_value(value) for name, value in row["attributes"].items()}
    return shown


def _public_value(value: Any) -> Any:
    """The App API shows every attribute as text; nested ones in a form of its own."""
    if isinstance(value, str) or value in (ABSENT, ANY):
        return value
    return ANY if isinstance(value, Mapping | list) else json.dumps(value)


def _strangers(case: Case) -> Iterator[str]:
    """Identifiers and names of segments that lack the prefix."""
    for row in (*case.given.people, *case.given.segments):
        yield from (str(row[key]) for key in ("id", "email", "name") if row.get(key) and not _marked(row[key]))
    for step in case.steps:
        if isinstance(step, Ask) and step.auth == "own":
            names = (name for name in _CUSTOMER.findall(step.path) if name not in _NOT_PEOPLE)
            yield from (name for name in names if not _marked(name))
            if step.has_body and step.method != "GET" and not step.path.startswith("/v1/customers"):
                yield from _unmarked(step.body, "")


def _unmarked(value: Any, key: str) -> Iterator[str]:
    """Values of a body that name somebody, or a segment, without the prefix."""
    if isinstance(value, Mapping):
        for name, held in value.items():
            inner = "name_of_segment" if (key, name) == ("segment", "name") else name
            yield from _unmarked(held, inner)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from _unmarked(held, key)
    elif key in _NAMING and value and not _marked(value):
        yield str(value)


def _marked(value: Any) -> bool:
    return isinstance(value, str) and (PREFIX in value or "$" in value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _texts(held)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from _texts(held)
