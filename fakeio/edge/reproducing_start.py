"""What a workspace held before the recorded requests, as far as a fresh one needs it to act the same.

Blame tells: whatever no request on the tape has written came from a seed, a fork, a snapshot or a test's own hands, or
from a request that the tape no longer knows. Read from today's state, so somebody seeded and deleted since is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from fakeio.core.identifiers import CIO_ID, EMAIL, ID
from fakeio.core.outcomes import Applied
from fakeio.core.people import Person
from fakeio.core.segments import Segment
from fakeio.core.settings import Settings
from fakeio.core.workspace import Workspace
from fakeio.edge.decode import Malformed, parse_json
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.reproducing import target_of
from fakeio.edge.tape import Exchange, Tape

CALM = {"rate_limits": "off"}  # what a test's workspace starts with
MANY = 200  # more people than that are left out unless a request names them

# what the seed of a workspace may hold besides, and today's state can't tell from what requests made of it
_ONLY_SEEDED = ("objects", "templates", "broadcasts", "topics", "collections", "snippets", "deliveries")
_WORD = re.compile(r"[^\s\"'/?&=,:{}\[\]()<>]+")


class Start(NamedTuple):
    """`seed` is a seed document, empty where a fresh workspace will do; `left_out` counts people who are not in it."""

    seed: dict[str, Any]
    left_out: int = 0


def start_of(hosted: HostedWorkspace, recorded: Iterable[Exchange]) -> Start:
    """Where a reproduction of some exchanges of the tape has to start. The caller holds the workspace's lock."""
    space, tape = hosted.state, hosted.tape
    people = [row for person in space.people.iter_after(0) if (row := _seeded_person(space, person, tape)) is not None]
    kept = people if len(people) <= MANY else list(_named(people, recorded))
    seed = {
        **{name: rows for name, rows in hosted.seed.items() if name in _ONLY_SEEDED},
        "settings": _settings(space),
        "people": kept,
        "segments": _seeded_segments(space, tape),
        "suppressions": [
            {"identifiers": [{ref.kind: ref.value} for ref in found.identifiers]}
            for found in space.suppressions if not _is_of(tape, found)
        ],
    }  # fmt: skip
    return Start({name: rows for name, rows in seed.items() if rows}, len(people) - len(kept))


def _settings(space: Workspace) -> dict[str, Any]:
    calm = Settings(CALM).as_dict()
    return {name: value for name, value in space.settings.as_dict().items() if value != calm[name]}


class _Written(Protocol):
    """What something carries that a request has written."""

    @property
    def request(self) -> int: ...


def _is_of(tape: Tape, stamp: _Written) -> bool:
    """Whether a request on this tape wrote it. A fork's tape counts on from its parent's, and a snapshot brings 0s."""
    return tape.get(stamp.request) is not None


def _seeded_person(space: Workspace, person: Person, tape: Tape) -> dict[str, Any] | None:
    def past(name: str) -> bool:
        return not _is_of(tape, person.stamp(name))

    if _is_of(tape, person.born):
        return None
    row: dict[str, Any] = {CIO_ID: person.cio_id}
    row |= {
        kind: person.identifier(kind)
        for kind in (ID, EMAIL) if person.identifier(kind) is not None and past(kind)
    }  # fmt: skip
    row["attributes"] = {name: value for name, value in person.attributes.items() if past(name)}
    row["attributes"] |= _before_changes(space, person, tape)
    devices = [
        {"token": device.token, "platform": device.platform, "last_used": device.last_used,
         "attributes": dict(device.attributes)}
        for device in person.devices.values() if past(f"device:{device.token}")
    ]  # fmt: skip
    return {**row, "devices": devices} if devices else row


def _before_changes(space: Workspace, person: Person, tape: Tape) -> dict[str, Any]:
    """Seeded values that a request has changed since: the log remembers what was there before."""
    first: dict[str, Any] = {}
    for line in space.log.of(person.cio_id):
        for name, old, _ in line.changes if _is_of(tape, line) else ():
            first.setdefault(name, old)
    # the log writes an empty text where nothing was
    return {name: old for name, old in first.items() if old not in (None, "") and name not in (ID, EMAIL, CIO_ID)}


def _named(people: Iterable[dict[str, Any]], recorded: Iterable[Exchange]) -> Iterator[dict[str, Any]]:
    words: set[str] = set()
    for exchange in recorded:
        text = target_of(exchange.request) + " " + exchange.request.body.decode("utf-8", "replace")
        found = _WORD.findall(text)
        words |= {each.lower() for word in found for each in (word, unquote(word), word.removeprefix("cio_"))}
    return (row for row in people if any(str(row.get(kind, "")).lower() in words for kind in (ID, EMAIL, CIO_ID)))


def _seeded_segments(space: Workspace, tape: Tape) -> list[dict[str, Any]]:
    made = set(_made(tape))
    return [_segment(segment, tape) for segment in space.segments if segment.name not in made]


def _made(tape: Iterable[Exchange]) -> Iterator[str]:
    """Names of the segments that requests made."""
    for exchange in tape:
        if any(name == "create_segment" and isinstance(how, Applied) for name, how in exchange.operations):
            document = parse_json(exchange.request.body)
            if not isinstance(document, Malformed):
                yield document["segment"]["name"]


def _segment(segment: Segment, tape: Tape) -> dict[str, Any]:
    row: dict[str, Any] = {"id": segment.id, "name": segment.name, "type": segment.type}
    row["description"] = segment.description
    if segment.conditions is not None:
        return {**row, "conditions": segment.conditions}
    members = [{CIO_ID: cio_id} for cio_id in segment.members
               if tape.get(segment.joined_by.get(cio_id, 0)) is None]  # fmt: skip
    return {**row, "members": members} if members else row
