"""What an edge case is: data, and nothing else. JSON reads it, JSON writes it, no case has code of its own.

In every text `~` stands for the prefix of a run (empty on a fake, random on a real workspace) and `$name` for a value
learnt on the way: the id of a segment of that name, or what an earlier answer was told to keep. A text that is a
`$name` and nothing else keeps the value's own type.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

#: Where every case begins, in Unix seconds. A fake's clock stands still there; a real workspace has its own.
NOW = 1_780_000_000
DOCUMENTED, RECORDED, CLIENT_TESTED, ASSUMED = "documented", "recorded", "client-tested", "assumed"
GRADES = (DOCUMENTED, RECORDED, CLIENT_TESTED, ASSUMED)
APIS, AUTHS = ("track", "app"), ("own", "other", "wrong", "empty", "service", "none")
Row = Mapping[str, Any]


class CaseError(ValueError):
    """A case that can't be read; the message says where and what would be right."""


class RunError(Exception):
    """A run that can't go on; the message says why and what to do."""


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Immutable, every field by name, and a misspelt field is an error."""


class Given(_Data, frozen=True, kw_only=True):
    """What is there beforehand. `people`: `{"id"?, "email"?, "attributes"?}` each; `segments`: `{"name", "members"?}`,
    members by id. `seed` holds what only a fake can be given: the other keys of its seed."""

    people: tuple[Row, ...] = ()
    segments: tuple[Row, ...] = ()
    settings: Row = msgspec.field(default_factory=dict)
    seed: Row = msgspec.field(default_factory=dict)
    region: str = "us"


class Ask(_Data, frozen=True, kw_only=True, tag="ask", tag_field="step"):
    """One request and what must come back.

    `auth`: own (the API's credentials), other (those of the other API), wrong, empty, service or none. `body` is sent
    as JSON, `text` as it is. `after_s` lets time pass first. `answer` and `answer_headers` are partial matches,
    `answer_text` the whole body. `keep` learns values: a name, and the dotted place of the value in the answer.
    Status 0 means that the connection ended without an answer.
    """

    method: str
    path: str
    api: str = "track"
    auth: str = "own"
    body: Any = UNSET
    text: str | None = None
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    after_s: int | float = 0
    status: int = 200
    answer: Any = UNSET
    answer_text: str | None = None
    answer_headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    keep: Mapping[str, str] = msgspec.field(default_factory=dict)

    @property
    def has_body(self) -> bool:
        return not isinstance(self.body, UnsetType)

    @property
    def has_answer(self) -> bool:
        return not isinstance(self.answer, UnsetType)


class Sync(_Data, frozen=True, kw_only=True, tag="sync", tag_field="step"):
    """One run of the engine and what it must report.

    `cohort`: the user ids of a cohort file, or whole rows below `header`. `events`: rows of an export, partial ones
    being completed. `flags` as typed behind `cio-sync cohort FILE` or `cio-sync events FILE`. `faults` strike from
    here on. `report` is a partial match.
    """

    cohort: tuple[Any, ...] | None = None
    header: tuple[str, ...] = ("amplitude_id", "user_id")
    events: tuple[Row, ...] | None = None
    flags: tuple[str, ...] = ()
    faults: tuple[Row, ...] = ()
    code: int = 0
    report: Row = msgspec.field(default_factory=dict)


class Ending(_Data, frozen=True, kw_only=True):
    """What must be true in the end; what is not named is not looked at.

    `people`: everybody, each partially, in order of creation. `gone`: ids that nobody has. `events`: all, each
    partially, in order of arrival. `members`: the ids of each named segment, in any order. `activities`: types of the
    activities in order. `ignored`, `refused`: the rules of every operation that changed nothing, in order of arrival.
    """

    people: tuple[Row, ...] | None = None
    gone: tuple[str, ...] = ()
    events: tuple[Row, ...] | None = None
    members: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    activities: tuple[str, ...] | None = None
    ignored: tuple[str, ...] | None = None
    refused: tuple[str, ...] | None = None


class Case(_Data, frozen=True, kw_only=True):
    """One edge case. `rules` are ids of the fake's rules or names of its switches; `live`: a real workspace can be
    asked, since everything it needs and everything it expects goes through public APIs and can be undone."""

    name: str
    tags: tuple[str, ...]
    words: str
    grade: str
    source: str
    steps: tuple[Ask | Sync, ...]
    rules: tuple[str, ...] = ()
    given: Given = Given()
    ending: Ending = Ending()
    live: bool = False


def parse_case(document: bytes | str) -> Case:
    """A case from its JSON. Raises CaseError."""
    try:
        return _checked(msgspec.json.decode(document, type=Case))
    except msgspec.DecodeError as bad:
        raise CaseError(f"this is no case: {bad}; `cio-scenarios show NAME --json` prints one to start from") from None


def read_case(file: Path) -> Case:
    """A case from a file. Raises CaseError."""
    try:
        return parse_case(file.read_bytes())
    except OSError as error:
        raise CaseError(f"{file} can't be read: {error.strerror}") from None


def encode_case(case: Case) -> str:
    """JSON that people can edit."""
    return msgspec.json.format(msgspec.json.encode(case), indent=2).decode()


def _checked(case: Case) -> Case:
    if case.grade not in GRADES:
        raise CaseError(f"{case.name}: the grade is one of {', '.join(GRADES)}, not {case.grade!r}")
    if case.live and any(isinstance(step, Sync) for step in case.steps):
        raise CaseError(f"{case.name}: runs of the engine are for a fake; take `live` away")
    for step in case.steps:
        if isinstance(step, Ask) and (step.api not in APIS or step.auth not in AUTHS):
            raise CaseError(f"{case.name}: APIs are {', '.join(APIS)}, credentials are {', '.join(AUTHS)}")
        if isinstance(step, Sync) and (step.cohort is None) == (step.events is None):
            raise CaseError(f"{case.name}: a run has either a cohort or events")
    return case
