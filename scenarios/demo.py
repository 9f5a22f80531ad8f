"""The main job on real-format input, in bad weather: `cio-scenarios demo`.

Starts a fake, puts people there, lets the real engine sync a cohort twice and an export once while faults strike, and
compares what is there with the truth, which was fed the same files. Any difference, an unexplained absence and a fault
that was not survived among them, is a failure. `account.py` says it all in words.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from fakeio import Fake
from scenarios.comparing import compare_cohort, compare_events, compare_fates, compare_world
from scenarios.engine import run_engine
from scenarios.explaining import (
    Fate,
    Line,
    Present,
    Told,
    cohort_fates,
    event_fates,
    missing_events,
    missing_people,
    read_ignored,
    read_letters,
)
from scenarios.findings import Account, Chapter
from scenarios.oddities import read_oddities
from scenarios.samples.formats import parse_cohort, parse_export
from scenarios.samples.generate import FOLDER
from scenarios.samples.population import COHORT_ID, COHORT_NAME, MONDAY_NOON, TUESDAY_NOON
from scenarios.strikes import read_strikes
from scenarios.truth import Truth
from scenarios.world import World, default_world

SEGMENT = f"[Amplitude] {COHORT_NAME}: {COHORT_ID}"
MONDAY_FILE, TUESDAY_FILE, EXPORT_FILE = "cohort-monday.csv.gz", "cohort-tuesday-properties.csv", "export.zip"

#: What strikes in each run: a server error, an answer lost after the work was done, a plea to slow down and a reset
#: in the middle of everything. Each once.
WEATHER: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    MONDAY_FILE: ({"kind": "status", "status": 500, "times": 1, "match": {"path": "*/add_customers"}},),
    TUESDAY_FILE: ({"kind": "lose_reply", "times": 1, "match": {"path": "*/remove_customers"}},),
    EXPORT_FILE: (
        {"kind": "status", "status": 429, "retry_after": 1, "times": 1, "match": {"path": "/api/v2/batch", "nth": 1}},
        {"kind": "reset", "when": "after_commit", "times": 1, "match": {"path": "/api/v2/batch", "nth": 2}},
    ),
}


class Samples(NamedTuple):
    """The sample files, read without the engine."""

    folder: Path
    people: list[Mapping[str, Any]]
    between: Mapping[str, Any]
    anomalies: list[Mapping[str, Any]]
    monday: list[str]
    tuesday: list[str]
    export: list[Line]


def read_samples(folder: Path = FOLDER) -> Samples:
    """Every file the demonstration uses; raises OSError or ValueError for one that is missing or broken."""
    return Samples(
        folder=folder,
        people=_document(folder / "people.json")["people"],
        between=_document(folder / "between.json"),
        anomalies=_document(folder / "anomalies.json")["anomalies"],
        monday=parse_cohort((folder / MONDAY_FILE).read_bytes()),
        tuesday=parse_cohort((folder / TUESDAY_FILE).read_bytes()),
        export=[Line(*found) for found in parse_export((folder / EXPORT_FILE).read_bytes())],
    )


def run_demo(
    samples: Path = FOLDER,
    *,
    change_expectation: Callable[[Truth], None] | None = None,
    afterwards: Callable[[Account, World], None] | None = None,
) -> Account:
    """Play the whole story and tell what happened.

    `change_expectation` may alter the truth before the comparison, to see it fail; `afterwards` is called with the
    account while the fake still runs.
    """
    with TemporaryDirectory(prefix="cio-scenarios-") as folder, Fake() as fake, default_world(fake) as world:
        demo = _Demo(read_samples(samples), world, Path(folder) / "state.db")
        account = demo.tell(change_expectation or _as_it_is)
        if afterwards is not None:
            afterwards(account, world)
    return account


class _Demo:
    """The story while it happens: the world, the truth beside it, and the account that grows."""

    def __init__(self, samples: Samples, world: World, state: Path) -> None:
        self.samples = samples
        self.world = world
        self.truth = Truth()
        self.account = Account(segment=SEGMENT)
        self._environment = world.environment(str(state))
        self._segment_id = 0

    def tell(self, change_expectation: Callable[[Truth], None]) -> Account:
        self._people_sign_up(self.samples.people)
        self.world.set_clock(_unix(MONDAY_NOON))
        self._sync_cohort("Monday", MONDAY_FILE, self.samples.monday)
        self._life_goes_on()
        self.world.set_clock(_unix(TUESDAY_NOON))
        tuesday = self._sync_cohort("Tuesday", TUESDAY_FILE, self.samples.tuesday)
        events = self._send_events()
        change_expectation(self.truth)
        self._compare([*tuesday], events)
        return self.account

    def _people_sign_up(self, people: Iterable[Mapping[str, Any]]) -> None:
        rows = list(people)
        self.world.seed(rows)
        for row in rows:
            self.truth.create(row.get("id"), row.get("email"))

    def _life_goes_on(self) -> None:
        between = self.samples.between
        self._people_sign_up(between["created"])
        for person in between["deleted"]:
            self.world.delete(id=person)
            self.truth.delete(id=person)
        for person in between["suppressed"]:
            self.world.suppress(id=person)
            self.truth.suppress(id=person)
        signed_up = [person["id"] for person in between["created"]]
        suppressed = ("is suppressed (deleted, and the id blocked)", between["suppressed"])
        words = (("signs up", signed_up), ("is deleted", between["deleted"]), suppressed)
        self.account.between = [f"{person} {what}" for what, people in words for person in people]

    def _run(self, title: str, file: str, arguments: list[str]) -> Chapter:
        """One run of the engine with its faults in force; what they struck goes into the account."""
        before = max((row["n"] for row in self.world.requests()), default=0)
        self.world.calm()
        for fault in WEATHER[file]:
            self.world.arm(fault)
        run = run_engine([arguments[0], str(self.samples.folder / file), *arguments[1:]], self._environment)
        words = " ".join(f'"{word}"' if " " in word else word for word in [arguments[0], file, *arguments[1:]])
        chapter = Chapter(title=title, file=file, command=f"cio-sync {words}", code=run.code, report=run.report)
        self.account.chapters.append(chapter)
        if not run.report:
            said = f"{title}: the engine ended with {run.code} and without a report: {run.said}"
            self.account.differences.append(said)
        self.account.strikes += read_strikes(title, self.world.requests(after=before))
        unspent = [fault["kind"] for fault in self.world.faults() if not fault["fired"]]
        self.account.differences += [f"{title}: the fault {kind!r} found nothing to strike" for kind in unspent]
        self.world.calm()
        return chapter

    def _sync_cohort(self, title: str, file: str, values: list[str]) -> list[Fate]:
        """Monday's and Tuesday's run; returns what became of each row."""
        chapter = self._run(title, file, ["cohort", "--name", COHORT_NAME, "--cohort-id", COHORT_ID])
        self._segment_id = (chapter.report.get("segment") or {}).get("id") or 0
        self.account.differences += compare_cohort(title, chapter, self.truth.run_cohort(values))
        ignorance = read_ignored(self.world.ignored(), self.world.requests())
        present = Present(self._members(), self.world.people(), self.world.blocked())
        return list(cohort_fates(values, chapter.report, present, ignorance))

    def _send_events(self) -> list[Fate]:
        chapter = self._run("Events", EXPORT_FILE, ["events"])
        lines = self.samples.export
        expected = Counter(self.truth.take_event(line.row) for line in lines)
        self.account.differences += compare_events(chapter, expected)
        failed = run_engine(["failed", chapter.report.get("run_id", "")], self._environment).report
        told = Told(
            chapter.report.get("filtered", 0), read_letters(failed.get("failed", ())),
            read_ignored(self.world.ignored(), self.world.requests()),
        )
        return list(event_fates(lines, told, self.world.events()))

    def _compare(self, tuesday: list[Fate], events: list[Fate]) -> None:
        account, samples = self.account, self.samples
        account.missing_people = missing_people(samples.tuesday, tuesday)
        account.missing_events = missing_events(samples.export, events)
        account.oddities = read_oddities(samples.anomalies, zip(samples.tuesday, tuesday, strict=True),
                                         zip(samples.export, events, strict=True))
        there = self.world.events()
        account.people, account.members = len(self.world.people()), len(self._members())
        account.arrived = dict(Counter(event.name for event in there.elements()).most_common())
        account.differences += compare_world(self.truth, self.world.people(), self._members(), there)
        account.differences += compare_fates(account)

    def _members(self) -> set[Any]:
        segments = {row["id"]: row["name"] for row in self.world.segments()}
        if segments != {self._segment_id: SEGMENT}:
            said = f"there should be one segment, {SEGMENT!r}; there is {segments}"
            self.account.differences.append(said)
            return set()
        return self.world.members(self._segment_id)


def _as_it_is(truth: Truth) -> None:
    """The expectation, unchanged."""


def _document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
