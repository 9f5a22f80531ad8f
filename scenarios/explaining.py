"""Why a row of a file is not at Customer.io: first the engine's reasons, then what the fake ignored, else nobody knows.

Reads the samples with the truth's eyes, the engine through its reports and the world through its tape. Where the engine
only counts, its reason holds if it counted exactly as many rows as have that flaw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from scenarios.findings import Found, Missing
from scenarios.truth import Happened, Person
from scenarios.verdicts import cohort_fate, event_fate, looks_like_email, own_properties, seconds

#: The engine's words for rows that it only counts, in plain ones. Of an event it discards it says why itself.
REASONS = {
    "unresolved_mapping": "the row has no user id, so it names nobody",
    "id_too_long": "the id is longer than 150 bytes; cut short, it could be somebody else's",
    "filtered": "it carries properties and is no activity",
    "duplicate": "the same event as an earlier row (same device, same $insert_id)",
}
Letters = Mapping[tuple[str, int], tuple[str, str]]
_Seen = tuple[str | None, str, int, str]  # an event as found: who, what, when, its properties
_NOBODY = "nothing explains it"


class Line(NamedTuple):
    """One line of the export: where it stands and what it says, None if it is no JSON."""

    member: str
    number: int
    row: Any


class Fate(NamedTuple):
    """What became of one row. `rule` is the engine's reason or the fake's rule; both are empty for what arrived."""

    became: str
    rule: str = ""
    why: str = ""
    found: Found = "nobody"


class Ignorance(NamedTuple):
    """What the fake accepted and dropped: ids it did not add, events it did not keep, each with (rule, explanation)."""

    ids: Mapping[str, tuple[str, str]]
    events: Mapping[tuple[str, str, int | None], tuple[str, str]]


def read_ignored(ignored: Iterable[Mapping[str, Any]], requests: Iterable[Mapping[str, Any]]) -> Ignorance:
    """The fake's list of what it dropped, joined with the requests that asked for it."""
    bodies = {row["n"]: row for row in requests}
    ids: dict[str, tuple[str, str]] = {}
    events: dict[tuple[str, str, int | None], tuple[str, str]] = {}
    for entry in ignored:
        if entry["effect"] != "dropped":
            continue
        asked, says = bodies[entry["request"]], (entry["rule"], entry["explanation"])
        if entry["operation"] == "join_segment":
            ids[asked["body"]["ids"][entry["index"]]] = says
        elif entry["operation"] == "record_event":
            events[_sent_event(asked, entry["index"])] = says
    return Ignorance(ids, events)


def _sent_event(asked: Mapping[str, Any], index: int) -> tuple[str, str, int | None]:
    """Who, what and when of one event of a v2 batch, or of a v1 call, which names its person in the path."""
    if "batch" in asked["body"]:
        item = asked["body"]["batch"][index]
        return next(iter(item["identifiers"].values())), item["name"], item.get("timestamp")
    person = unquote(asked["path"].split("/")[-2])
    return person, asked["body"]["name"], asked["body"].get("timestamp")


class Present(NamedTuple):
    """Customer.io right after a cohort run."""

    members: set[Person]
    people: set[Person]
    blocked: set[str]


def cohort_fates(
    values: Sequence[str], report: Mapping[str, Any], present: Present, ignorance: Ignorance
) -> Iterator[Fate]:
    """What became of each row of a cohort file."""
    flaws = Counter(cohort_fate(value) for value in values)
    members = {person.id for person in present.members}
    seen: set[str] = set()
    for value in values:
        reason = cohort_fate(value)
        if reason != "cohort":
            counted = report.get("skipped", {}).get(reason) == flaws[reason]
            yield Fate("skipped", reason, REASONS[reason], "engine") if counted else Fate("skipped", reason, _NOBODY)
        elif value in members:
            yield Fate("collapsed" if value in seen else "member")
        else:
            yield _not_found(value, present, ignorance)
        seen.add(value)


def _not_found(value: str, present: Present, ignorance: Ignorance) -> Fate:
    """Blocked, or unknown; for somebody who is there and no member nothing speaks."""
    if value in present.blocked:
        return Fate("not_found", "person.suppressed", f"id {value!r} is suppressed", "customer.io")
    if value in {person.id for person in present.people}:
        return Fate("not_found", "", _NOBODY)
    gone = ("segment.person_unknown", f"nobody has id {value!r} any more")
    return Fate("not_found", *ignorance.ids.get(value, gone), "customer.io")


def read_letters(failed: Iterable[Mapping[str, Any]]) -> Letters:
    """What `cio-sync failed --json` says of an export's rows: (member, row from 1) -> (reason, message)."""
    return {
        (letter["item"]["file"].rpartition("!")[2], letter["item"]["row"]): (letter["reason"], letter["message"])
        for letter in failed
        if "file" in letter["item"]
    }


class Told(NamedTuple):
    """What engine and fake said about an export: how many rows were no activity, which were discarded or dropped."""

    filtered: int
    letters: Letters
    ignorance: Ignorance


def event_fates(lines: Sequence[Line], told: Told, events: Counter[Happened]) -> Iterator[Fate]:
    """What became of each line of an export."""
    there = {(who, event.name, event.at, event.properties) for event in events for who in event.person}
    no_activity = sum(event_fate(line.row) == "filtered" for line in lines)
    seen: set[tuple[Any, Any]] = set()
    for line in lines:
        fate = event_fate(line.row)
        if (line.member, line.number) in told.letters:
            yield Fate("discarded", *told.letters[line.member, line.number], "engine")
        elif fate == "filtered" and told.filtered == no_activity:
            yield Fate("filtered", "filtered", REASONS["filtered"], "engine")
        elif fate == "delivered":
            yield _delivered(line.row, there, seen, told.ignorance)
        else:
            yield Fate("lost", "", _NOBODY)


def _delivered(row: Mapping[str, Any], there: set[_Seen], seen: set[tuple[Any, Any]], ignorance: Ignorance) -> Fate:
    key = (row["device_id"], row["$insert_id"] or row["uuid"])
    if key in seen:
        return Fate("duplicate", "duplicate", REASONS["duplicate"], "engine")
    seen.add(key)
    name, at = row["event_type"].strip(), seconds(row["event_time"]) or 0
    user = row["user_id"].lower() if looks_like_email(row["user_id"]) else row["user_id"]
    if (user, name, at, own_properties(row["event_properties"])) in there:
        return Fate("delivered")
    says = ignorance.events.get((row["user_id"], name, at))
    return Fate("ignored", *says, "customer.io") if says else Fate("lost", "", _NOBODY)


def missing_people(values: Sequence[str], fates: Iterable[Fate]) -> list[Missing]:
    """The rows of a cohort that did not lead to a member; a repeated row is no loss."""
    return [
        Missing(row=f"row {number}", who=value, what="", rule=fate.rule, why=fate.why, found=fate.found)
        for number, (value, fate) in enumerate(zip(values, fates, strict=True), start=1)
        if fate.became not in ("member", "collapsed")
    ]


def missing_events(lines: Sequence[Line], fates: Iterable[Fate]) -> list[Missing]:
    """The lines of an export that did not become an event."""
    return [
        Missing(
            row=f"{line.member.rpartition('_')[2].removesuffix('.json.gz')} line {line.number}",
            who=(line.row or {}).get("user_id") or "", what=(line.row or {}).get("event_type") or "",
            rule=fate.rule, why=fate.why, found=fate.found,
        )
        for line, fate in zip(lines, fates, strict=True)
        if fate.became != "delivered"
    ]
