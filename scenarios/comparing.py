"""What differs between what ought to be and what is, as sentences; an empty list means nothing does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scenarios.findings import Account, Chapter
from scenarios.truth import Happened, Person, Truth

_SHOWN = 5  # of many differences of one kind the first few say enough


def compare_world(
    truth: Truth, people: set[Person], members: set[Person], events: Counter[Happened]
) -> list[str]:
    """The workspace against the truth: who exists, who is a member, what happened to whom."""
    return [
        *_compare_sets("people at Customer.io", map(_who, truth.people), map(_who, people)),
        *_compare_sets("members of the segment", map(_who, truth.segment), map(_who, members)),
        *_compare_sets("events at Customer.io", map(_what, truth.events.elements()), map(_what, events.elements())),
    ]


def compare_cohort(title: str, chapter: Chapter, expected: Counter[str]) -> list[str]:
    """The report of a cohort run against what ought to have become of each row."""
    report = chapter.report
    told = Counter({**report.get("skipped", {}), "collapsed": report.get("collapsed_duplicates", 0)})
    told["member"] = report.get("already_members", 0) + report.get("added", 0)
    told["not_found"] = report.get("not_found", 0)
    unsettled = {"pending": report.get("pending", 0), **report.get("refused", {})}
    return list(_compare_counts(title, told + Counter(unsettled), expected))


def compare_events(chapter: Chapter, expected: Counter[str]) -> list[str]:
    """The report of an event run likewise. What Customer.io takes and drops is delivered as far as the engine knows."""
    report = chapter.report
    told = Counter({**report.get("discarded", {}), **report.get("refused", {})})
    for key in ("filtered", "delivered", "expired", "pending"):
        told[key] = report.get(key, 0)
    told["duplicate"] = report.get("duplicates", 0)
    wanted = Counter(expected)
    wanted["delivered"] += wanted.pop("ignored", 0)
    return list(_compare_counts(chapter.title, told, wanted))


def _compare_counts(title: str, told: Mapping[str, int], expected: Mapping[str, int]) -> Iterator[str]:
    for key in sorted({*told, *expected}):
        if told.get(key, 0) != expected.get(key, 0):
            yield f"{title}: {expected.get(key, 0)} rows should be {key!r}, the report says {told.get(key, 0)}"


def _compare_sets(what: str, expected: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    wanted, there = Counter(expected), Counter(found)
    yield from _few(f"{what}: expected and not there", (wanted - there).elements())
    yield from _few(f"{what}: there and not expected", (there - wanted).elements())


def compare_fates(account: Account) -> list[str]:
    """What nothing explains, what became of an anomaly that should not, and faults that were not survived."""
    missing = (*account.missing_people, *account.missing_events)
    unexplained = (f"{one.row}, {one.who!r} {one.what!r}" for one in missing if one.found == "nobody")
    wrong = (one for one in account.oddities if not one.as_expected)
    lost = (f"{one.request} {one.what}; {one.then}" for one in account.strikes if not one.survived)
    return [
        *_few("not there, and nothing explains why", unexplained),
        *(f"{one.name}: should be {one.expected}, was {one.became}" for one in wrong),
        *_few("a fault was not survived", lost),
    ]


def _few(what: str, items: Iterable[str]) -> Iterator[str]:
    rest = sorted(items)
    yield from (f"{what}: {item}" for item in rest[:_SHOWN])
    if len(rest) > _SHOWN:
        yield f"{what}: and {len(rest) - _SHOWN} more"


def _who(person: Person) -> str:
    return " ".join(f"{kind} {value!r}" for kind, value in person._asdict().items() if value) or "somebody unnamed"


def _what(event: Happened) -> str:
    properties: Any = event.properties if len(event.properties) <= 200 else f"{event.properties[:200]}…"
    return f"{event.name!r} of {_who(event.person)} at {event.at} with {properties}"
