"""All mutants by name, and the twenty breakages that the machines must tell a short story about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scenarios.mutants import of_answers, of_cohorts, of_events, of_fake
from scenarios.mutants.mutant import Mutant

MUTANTS: Mapping[str, Mutant] = {
    mutant.name: mutant
    for collection in (of_fake.HERE, of_answers.HERE, of_cohorts.HERE, of_events.HERE)
    for mutant in collection.mutants
}


def choose(names: Iterable[str] = (), room: str | None = None) -> list[Mutant]:
    """Those of these names, or all, as far as they are of that room; raises ValueError for a name nobody knows."""
    wanted = list(names)
    unknown = [name for name in wanted if name not in MUTANTS]
    if unknown:
        raise ValueError(f"there is no mutant {', '.join(unknown)}; `cio-scenarios mutants --list` names them all")
    return [mutant for mutant in map(MUTANTS.__getitem__, wanted or MUTANTS) if room in (None, mutant.room)]

#: Ten in the fake and ten in the engine: about each of them a machine tells a short story within a minute.
BREAKAGES: Mapping[str, str] = {
    "add-creates-people": "cohorts",
    "remove-ignored": "cohorts",
    "delete-ignored": "cohorts",
    "suppressed-accepted": "events",
    "segment-made-twice": "cohorts",
    "numbers-become-floats": "events",
    "event-id-not-deduped": "events",
    "event-time-of-arrival": "events",
    "event-creates-nobody": "events",
    "lost-answer-counts-twice": "events",
    "duplicates-in-a-call": "cohorts",
    "last-call-forgotten": "cohorts",
    "acceptance-taken-for-membership": "cohorts",
    "late-people-never-retried": "cohorts",
    "everything-every-time": "cohorts",
    "long-ids-cut": "cohorts",
    "time-of-sending": "events",
    "event-id-from-the-clock": "events",
    "local-time": "events",
    "never-removes": "cohorts",
}
