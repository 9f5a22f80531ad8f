"""The stories that `crashing.py` kills at every step: a cohort that changes, an export, dead letters sent again.

Each holds what makes recovery hard: people who don't exist, a segment that is made on the way, removals beside
additions, events of one person in several requests, an event too large for a batch, the same event twice.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from scenarios.crashing import Story, Tools
from scenarios.samples.formats import encode_cohort
from scenarios.truth import Person, Truth
from scenarios.world import World
from sync.core.report import Ended
from sync.run_cohort import CohortOptions, run_cohort
from sync.run_events import EventsOptions, run_events
from sync.run_retry import ALL, run_retry

NAME = "swept"


class NewCohort:
    """The first run: the segment does not exist yet, and one of the cohort's people doesn't either."""

    name = "cohort-first"
    people = tuple(f"p{n}" for n in range(6))
    cohort = ("p0", "p1", "p2", "p3", "nobody")

    def begin(self, world: World, folder: Path, tools: Tools) -> None:
        world.seed({"id": person} for person in self.people)
        write_cohort(folder, self.cohort)

    def play(self, folder: Path, tools: Tools) -> Ended:
        options = CohortOptions(source=str(folder / "cohort.csv"), name=NAME, max_removal_share=1.0)
        settings, ledger, console, network, policy = tools
        return run_cohort(options, settings, ledger, console, policy=policy, network=network)

    def differences(self, world: World) -> list[str]:
        truth = Truth()
        for person in self.people:
            truth.create(person)
        truth.run_cohort(self.cohort)
        return cohort_differences(world, truth.segment)


class ChangedCohort(NewCohort):
    """The second run: some leave, some come, one who was unknown has signed up. The first run is history."""

    name = "cohort-changed"
    before = ("p0", "p1", "p2", "late")
    cohort = ("p2", "p3", "p4", "late", "nobody")
    people = (*NewCohort.people, "late")

    def begin(self, world: World, folder: Path, tools: Tools) -> None:
        world.seed({"id": person} for person in NewCohort.people)
        write_cohort(folder, self.before)
        self.play(folder, tools)
        world.seed([{"id": "late"}])
        write_cohort(folder, self.cohort)


class Export:
    """Events of several people, one too large for a batch, one that nobody owns, one that is there twice."""

    name = "events"

    def __init__(self) -> None:
        self.rows = [*(event(n, f"p{n % 3}") for n in range(24)), event(24, "p0", "x" * 60_000)]
        self.rows += [event(25, "p1"), event(3, "p0"), event(26, "")]

    def begin(self, world: World, folder: Path, tools: Tools) -> None:
        (folder / "export.json").write_text("\n".join(map(json.dumps, self.rows)))

    def play(self, folder: Path, tools: Tools) -> Ended:
        settings, ledger, console, network, policy = tools
        options = EventsOptions(source=str(folder / "export.json"))
        return run_events(options, settings, ledger, console, policy=policy, network=network)

    def differences(self, world: World) -> list[str]:
        truth = Truth()
        for row in self.rows:
            truth.take_event(row)
        return event_differences(world, truth)


class Replay(Export):
    """Dead letters of an export, sent again: the first run met a destination that refused every batch."""

    name = "retry"

    def begin(self, world: World, folder: Path, tools: Tools) -> None:
        super().begin(world, folder, tools)
        world.arm({"kind": "status", "status": 400, "match": {"path": "*batch"}})
        super().play(folder, tools)
        world.calm()

    def play(self, folder: Path, tools: Tools) -> Ended:
        settings, ledger, console, network, policy = tools
        return run_retry(ALL, settings, ledger, console, policy=policy, network=network)


STORIES: tuple[type[Story], ...] = (NewCohort, ChangedCohort, Export, Replay)


def write_cohort(folder: Path, ids: tuple[str, ...]) -> None:
    """A cohort file as Amplitude's download has it."""
    (folder / "cohort.csv").write_bytes(encoded(ids))


def encoded(ids: tuple[str, ...]) -> bytes:
    """The same as bytes."""
    return encode_cohort([(str(n), one) for n, one in enumerate(ids)])


def event(number: int, user_id: str, text: str = "") -> dict[str, Any]:
    """An ordinary export row; `number` tells it from others."""
    return {
        "event_type": "order", "event_time": f"2026-07-14 10:00:{number % 60:02}.000000", "user_id": user_id or None,
        "device_id": "d", "$insert_id": f"i{number}", "uuid": f"u{number}", "app": 1,
        "event_properties": {"n": number, "text": text}, "user_properties": {}, "group_properties": {}, "groups": {},
    }  # fmt: skip


def cohort_differences(world: World, ought: set[Person]) -> list[str]:
    """How many segments there are, and who is in the one."""
    segments = world.segments()
    if len(segments) != 1:
        return [f"there are {len(segments)} segments"]
    members = world.members(segments[0]["id"])
    return _named("should be a member", ought - members) + _named("should not be a member", members - ought)


def event_differences(world: World, truth: Truth) -> list[str]:
    """Events that are missing, and those that nobody expects or that are there twice."""
    found = world.events()
    return _counted("missing", truth.events - found) + _counted("too many", found - truth.events)


def _named(what: str, people: set[Person]) -> list[str]:
    return [f"{person.id or person.email} {what}" for person in sorted(people, key=str)]


def _counted(what: str, events: Counter[Any]) -> list[str]:
    return [f"{what}: {one.person.id} {one.properties[:40]} ({count})" for one, count in events.items()]
