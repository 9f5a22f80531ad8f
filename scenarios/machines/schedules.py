"""Scheduled syncs under a clock that jumps, with restarts, edits and failures: one run a slot, none skipped or doubled.

The truth of a schedule is when it began and the last slot that was run. The syncs share a destination and a ledger, so
each run also shows whether it leaves the others alone.
"""

from __future__ import annotations

import io
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from scenarios.cohorts import Snapshot, snapshots
from scenarios.inprocess import HASTE
from scenarios.invariants import accounting, final_membership, idempotence, isolation
from scenarios.machines.base import START_AT, Machine, begin, move
from scenarios.people import Some, pools, some_of
from scenarios.runs import TurnedClock
from scenarios.steps import DAY_S, HOUR_S, MINUTE_S, setbacks, steps
from scenarios.truth import Person, Truth
from scenarios.weathers import Fault, weathers
from sync.core.configuration import parse_configuration
from sync.edge.console import Console
from sync.running import Runner, Surroundings

POOL = 4
SOME = some_of(POOL)
PERIODS_S = {"minute": MINUTE_S, "hourly": HOUR_S, "daily": DAY_S}
NAMES = tuple(PERIODS_S)  # each sync is called after its cadence


@dataclass(slots=True)
class Schedule:
    """What ought to be known of one: when it was first looked at or edited, the last slot run, how often edited."""

    began_at: float | None = None
    done: int = -1
    edits: int = 0

    def slot(self, period_s: float, now: float) -> int:
        """The slot of this moment. A clock that is more than a slot behind what was done begins anew, for it would be
        long before it is as late again."""
        began_at = now if self.began_at is None else self.began_at
        slot = max(0, int((now - began_at) // period_s))
        if began_at > now + period_s or self.done > slot + 1:
            began_at, slot, self.done = now, 0, -1
        self.began_at = began_at
        return slot


class ScheduleMachine(Machine):
    """A configuration of three syncs, each with a cohort file of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.schedules = {name: Schedule() for name in NAMES}
        self.cohorts: dict[str, Snapshot] = {}
        self.truths = {name: Truth() for name in NAMES}
        self.clock = TurnedClock(self.world, START_AT)
        self.runner = self._runner()

    @begin(pool=pools(POOL), known=SOME, snapshot=snapshots(POOL))
    def begins(self, pool: list[str], known: Some, snapshot: Snapshot) -> None:
        self.pool = pool
        self.world.seed({"id": pool[who]} for who in sorted(known))
        for name in NAMES:
            for who in known:
                self.truths[name].create(pool[who])
            self._cohort_becomes(name, snapshot)

    @move(seconds=steps())
    def time_passes(self, seconds: float) -> None:
        """However long nobody looked: one run makes up for all the slots that passed."""
        self.clock.set(self.clock.now() + seconds)
        self._look()

    @move(seconds=setbacks())
    def the_clock_is_set_back(self, seconds: float) -> None:
        """A slot that was run is not run again, unless the clock is so far behind that all slots begin anew."""
        self.clock.set(self.clock.now() - seconds)
        self._look()

    @move(name=st.sampled_from(NAMES), snapshot=snapshots(POOL))
    def a_cohort_changes(self, name: str, snapshot: Snapshot) -> None:
        self._cohort_becomes(name, snapshot)

    @move()
    def a_restart(self) -> None:
        """Nothing is due because of it, and nothing is forgotten."""
        self.runner = self._runner()
        self._look()

    @move(name=st.sampled_from(NAMES))
    def a_sync_is_edited(self, name: str) -> None:
        """It gets a slot of its own from then on, and runs at once."""
        self.schedules[name] = Schedule(edits=self.schedules[name].edits + 1)
        self.runner = self._runner()
        self._look()

    @move(seconds=steps(), faults=weathers())
    def time_passes_in(self, seconds: float, faults: list[Fault]) -> None:
        """A run that failed has ended, so its slot has; what it left undone is done by the next."""
        self.clock.set(self.clock.now() + seconds)
        self.strike(faults)
        self._look(calm=False)
        self.world.calm()

    def _look(self, *, calm: bool = True) -> None:
        now, due = self.clock.now(), []
        for name, period_s in PERIODS_S.items():
            schedule = self.schedules[name]
            slot = schedule.slot(period_s, now)
            if slot > schedule.done:
                schedule.done = slot
                due.append(name)
        others = {name: self._members(name) for name in NAMES if name not in due}
        ended = self.runner.run_due()
        ran = [one.report.sync for one in ended]
        assert ran == due, f"due are {due}, and {ran} were run"
        for one in ended:
            accounting(_counts(one.report))
        isolation(others, {name: self._members(name) for name in others})
        if calm:
            self._compare(due)
            idempotence([one.report.sync for one in self.runner.run_due()])

    def _compare(self, names: list[str]) -> None:
        for name in names:
            truth = self.truths[name]
            truth.run_cohort(self.cohorts[name].values)
            final_membership(self._members(name), truth.segment)

    def _cohort_becomes(self, name: str, snapshot: Snapshot) -> None:
        values = tuple(self.pool[one] if isinstance(one, int) else one for one in snapshot.values)
        self.cohorts[name] = snapshot._replace(values=values)
        (self.folder / f"{name}.csv").write_bytes(self.cohorts[name].encode())

    def _members(self, name: str) -> set[Person]:
        found = [row for row in self.world.segments() if row["name"] == f"[Amplitude] {name}"]
        return {person for row in found for person in self.world.members(row["id"])}

    def _runner(self) -> Runner:
        """As a process that starts: nothing of the one before but the files."""
        syncs = {
            name: {
                "kind": "cohort", "source": name, "destination": "fake", "cadence": name, "allow_empty": True,
                # an edit that changes nothing else
                "max_removal_share": 1.0 - self.schedules[name].edits / 1_000,
            }
            for name in NAMES
        }  # fmt: skip
        sources = {name: {"files": f"{name}.csv"} for name in NAMES}
        configuration = parse_configuration({"sources": sources, "destinations": {"fake": {}}, "syncs": syncs})
        around = Surroundings(
            folder=self.folder, environ=self.environment(), flags={"track_rate": "0", "app_rate": "0"},
            clock=self.clock, policy=HASTE,
        )  # fmt: skip
        return Runner(configuration, configuration.syncs, around, Console(quiet=True, stream=io.StringIO()))

    def state(self) -> Hashable:
        return tuple((one.done, one.edits) for one in self.schedules.values())


def _counts(report: Any) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__struct_fields__}
