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

#: Ten in the fake and ten in the engine: about each of them the machines tell a short story within a minute.
BREAKAGES = (
    "email-case-sensitive", "add-creates-people", "remove-ignored", "suppressed-accepted", "delete-keeps-events",
    "event-id-not-deduped", "event-time-of-arrival", "event-creates-nobody", "ids-trimmed", "lost-answer-counts-twice",
    "duplicates-in-a-call", "last-call-forgotten", "acceptance-taken-for-membership", "late-people-never-retried",
    "everything-every-time", "long-ids-cut", "partial-taken-for-success", "checkpoint-before-confirm",
    "event-id-from-the-clock", "local-time",
)
