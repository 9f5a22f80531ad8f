"""A cohort row of nothing but white space was taken for an id and asked for; an event of a blank id never was."""

from __future__ import annotations

from scenarios.cohorts import Snapshot
from scenarios.machines.cohorts import CohortMachine
from scenarios.people import NOBODY

MACHINE = "cohorts"


def play(state: CohortMachine) -> None:
    """One person twice, and a blank value, which is skipped as `unresolved_mapping`."""
    state.begins(pool=["0", "1", "2", "3", "4"])
    snapshot = Snapshot((0, 0, " "), compressed=False, with_properties=False)
    state.a_calm_day(come=NOBODY, go=NOBODY, snapshot=snapshot)
