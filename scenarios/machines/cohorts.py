"""Any sequence of cohort snapshots, people who come and go, and finite faults ends with segment == cohort ∩ people.

One example is one workspace and one ledger. Runs happen in any weather, may fail or be killed, may be the first or the
tenth; what counts is the calm run at the end of every stretch. A second sync stands beside, and nobody may touch it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Hashable
from contextlib import suppress
from itertools import chain
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from scenarios.amplitude import FakeAmplitude
from scenarios.cohorts import Snapshot, snapshots
from scenarios.crashing import AFTER, BEFORE, Fuse, Killed
from scenarios.engine import EngineRun
from scenarios.invariants import (
    batch_law,
    crash_equivalence,
    determinism,
    final_membership,
    idempotence,
    isolation,
    liveness,
    minimality,
    safety_during_faults,
)
from scenarios.machines.base import START_AT, Machine, begin, move, odd_ones
from scenarios.people import NOBODY, Some, pools, some_of
from scenarios.runs import Runs, TurnedClock
from scenarios.truth import Truth
from scenarios.verdicts import cohort_fate
from scenarios.weathers import Fault, weathers
from scenarios.wires import AmplitudeWire
from scenarios.world import Row

POOL = 5  # few, so that the same people come and go
SOME = some_of(POOL)
SNAPSHOT = st.none() | snapshots(POOL)
NAME, OTHER = "machine", "beside"
OTHERS = f"[Amplitude] {OTHER}"  # every other segment is the machine's, however somebody has renamed it
COHORT = "abc"
ADD, REMOVE = "/add_customers", "/remove_customers"
#: Three faults of three strikes each, of which one may end a run at once.
MOST_RUNS = 10


class CohortMachine(Machine):
    """A cohort and what has been done to it; `named` is every value that any cohort ever held."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = Truth()
        self.snapshot = Snapshot((), compressed=False, with_properties=False)
        self.named: set[str] = set()
        self.guests: set[str] = set()  # whoever was ever put there by hand
        self.own: set[int] = set()  # the numbers of requests that were no run's
        self.confirmed: set[str] | None = None  # the cohort of the last calm run, while nothing else has happened
        self.clock = TurnedClock(self.world, START_AT)
        self.runs = Runs(self.environment(), self.clock, self.wire)
        self.amplitude = FakeAmplitude(now=self.clock.now)
        self.wires.append(AmplitudeWire(self.amplitude))

    @begin(pool=pools(POOL))
    def begins(self, pool: list[str]) -> None:
        self.pool = pool

    @move(come=SOME, go=SOME, blocked=SOME, freed=SOME, snapshot=SNAPSHOT, faults=weathers())
    def a_day_of_weather(
        self, come: Some, go: Some, blocked: Some, freed: Some, snapshot: Snapshot | None, faults: list[Fault]
    ) -> None:
        """People come and go, the cohort changes or not, and the engine runs: it may fail, but never silently."""
        self._life_goes_on(come, go, blocked & go, freed)
        self._cohort_becomes(snapshot)
        self._guests_go()
        self.strike(faults)
        run = self._run()
        self.world.calm()  # what people do in the meantime is no business of the faults
        self.check_end(run)

    @move(come=SOME, go=SOME, snapshot=SNAPSHOT)
    def a_calm_day(self, come: Some, go: Some, snapshot: Snapshot | None) -> None:
        """After a run that nothing disturbs all is as it ought to be, and one more run writes nothing."""
        self._life_goes_on(come, go)
        self._cohort_becomes(snapshot)
        self._settle()

    @precondition(lambda self: self.confirmed is not None)
    @move(snapshot=snapshots(POOL))
    def a_quiet_change(self, snapshot: Snapshot) -> None:
        """Only the cohort changes, after a run that settled: only the change is sent."""
        before, after = self.confirmed or set(), self._last()
        wanting = before - {person.id for person in self.truth.people}
        self._cohort_becomes(snapshot)
        self._run()
        added, removed = self._calls(after, ADD), self._calls(after, REMOVE)
        minimality([*chain(*added)], [*chain(*removed)], before, self._cohort(), wanting)
        batch_law([*added, *removed])
        self._settle()

    @move(snapshot=SNAPSHOT, faults=weathers())
    def until_it_settles(self, snapshot: Snapshot | None, faults: list[Fault]) -> None:
        """Faults that end by themselves, and run after run: some run has everything settled, and it is all there."""
        self._cohort_becomes(snapshot)
        self._guests_go()
        self.strike(faults)
        unsettled = [1]
        while unsettled[-1] and len(unsettled) <= MOST_RUNS:
            run = self._run()
            unsettled.append(run.report["pending"] if run.code in (0, 1) else 1)
        liveness(unsettled[1:], MOST_RUNS)
        self.world.calm()
        self._settle()

    @move(snapshot=SNAPSHOT, step=st.integers(1, 12), side=st.sampled_from((BEFORE, AFTER)))
    def a_kill(self, snapshot: Snapshot | None, step: int, side: str) -> None:
        """Killed at some step and run again, it ends as it would have ended undisturbed."""
        self._cohort_becomes(snapshot)
        self._guests_go()
        undisturbed, killed = self._twice(lambda: self._run(), lambda: self._killed_at(step, side))
        crash_equivalence(undisturbed, killed)

    @move(snapshot=SNAPSHOT, faults=weathers())
    def the_same_again(self, snapshot: Snapshot | None, faults: list[Fault]) -> None:
        """The same workspace, ledger, cohort and faults once more: the same requests and the same report."""
        self._cohort_becomes(snapshot)
        self._guests_go()
        told: list[list[Any]] = []

        def run() -> EngineRun:
            after = self._last()
            self.strike(faults)
            run = self._run()
            self.world.calm()
            rows = [(row["method"], row["path"], row["body"], row["status"]) for row in self.world.requests(after)]
            report = {key: value for key, value in run.report.items() if key not in ("run_id", "duration_s")}
            told.append([*rows, report])
            return run

        self._twice(run, run)
        determinism(*told)

    @move(primary=st.integers(0, POOL - 1), secondary=st.integers(0, POOL - 1))
    def a_merge(self, primary: int, secondary: int) -> None:
        """Two people become one. A membership goes over: only within the cohort or outside of it, for a member that no
        cohort named would be an edit by hand."""
        one, other = self.pool[primary], self.pool[secondary]
        there = {person.id for person in self.truth.people}
        members = {one for some in self._mine().values() for one in some}
        if one != other and {one, other} <= there and (one in self._cohort() or other not in members):
            self.confirmed = None
            merge = {"primary": {"id": one}, "secondary": {"id": other}}
            self.world.track("POST", "/api/v1/merge_customers", merge)
            self.truth.delete(other)

    @move()
    def the_segment_is_deleted(self) -> None:
        """Somebody deletes the segment: the next run says so and sends nobody; told to, it makes a new one."""
        for row in self._segments():
            self.confirmed = None
            self.truth.edit_by_hand((), self.pool, ())
            self.world.app("DELETE", f"/v1/segments/{row['id']}")
            after = self._last()
            for run in (self._run(), self._reconcile(repair=True)):
                self.check_end(run, 4)
            idempotence(self._calls(after, ADD) + self._calls(after, REMOVE))
            run = self._run(recreate=True)
            self.check_end(run, 0, 1)
            self._settle()

    @move(come=SOME, go=SOME, put_in=SOME, taken_out=SOME, repaired=st.booleans())
    def somebody_edits_the_segment(
        self, come: Some, go: Some, put_in: Some, taken_out: Some, repaired: bool  # noqa: FBT001 - Hypothesis names it
    ) -> None:
        """By hand, while people come and go: a look tells what differs and writes nothing; a repair makes it right. No
        run does anything about those who were put there by hand."""
        if self.confirmed is None:
            self._settle()
        cohort = self._cohort()
        self._life_goes_on(come, go)
        for verb, some in (("add", put_in), ("remove", taken_out)):
            self._by_hand(verb, self._ids(some))
        self.truth.edit_by_hand(self._ids(put_in), self._ids(taken_out), cohort)
        self._drifts(cohort)
        if repaired:
            self.check_end(self._reconcile(repair=True), 0)
            self.truth.repair(cohort)
            self._drifts(cohort)

    @move(name=st.sampled_from(("Customers", f"[Amplitude] {NAME}", "[Amplitude] somebody else's")))
    def somebody_renames_the_segment(self, name: str) -> None:
        """Whatever it is called, it is the one that is filled."""
        for row in self._segments():
            self.world.rename_segment(row["id"], name)

    @move(come=SOME, go=SOME, snapshot=SNAPSHOT)
    def a_day_of_pulling(self, come: Some, go: Some, snapshot: Snapshot | None) -> None:
        """The same cohort, computed by Amplitude and fetched from where its link leads."""
        self._life_goes_on(come, go)
        self._cohort_becomes(snapshot)
        self.amplitude.put_cohort(COHORT, self.snapshot.values)
        project = self.runs.project(self.amplitude, self.wires[-1])
        self.check_end(self._watch(lambda: self.runs.cohort(f"amplitude:{COHORT}", NAME, project=project)), 0, 1)
        self._settle()

    @move(snapshot=SNAPSHOT, times=st.integers(1, 3))
    def a_redirect(self, snapshot: Snapshot | None, times: int) -> None:
        """Somebody in between sends the engine to another host: nothing goes there, least of all a key."""
        self.confirmed = None
        self._cohort_becomes(snapshot)
        self._guests_go()
        self.wire.astray = times
        self.check_end(self._run())
        self.wire.astray = 0

    @move(snapshot=snapshots(POOL))
    def another_sync(self, snapshot: Snapshot) -> None:
        """A second sync with the same destination and ledger, and a cohort of its own."""
        file = self.folder / "other.csv"
        self._name(snapshot)
        file.write_bytes(self._valued(snapshot).encode())
        mine = self._mine()
        self.check_run(self.runs.cohort(file, OTHER))
        isolation(mine, self._mine())

    # -- what a day is made of ----------------------------------------------------------------------------------------
    def _settle(self) -> None:
        run = self._run()
        counts = self.truth.run_cohort(self.snapshot.values)
        self._compare(run, counts)
        self.check_end(run, int(counts.total() > counts["member"] + counts["collapsed"]))
        before = self._last()
        again = self._run()
        self._compare(again, counts)
        idempotence(self._calls(before, ADD) + self._calls(before, REMOVE))
        self.confirmed = self._cohort()

    def _life_goes_on(self, come: Some, go: Some, blocked: Some = NOBODY, freed: Some = NOBODY) -> None:
        self.confirmed = None
        for person in self._ids(freed):
            self.world.unsuppress(id=person)
            self.truth.blocked.discard(person)
        for person in self._ids(blocked):
            self.world.suppress(id=person)
            self.truth.suppress(id=person)
        for person in self._ids(go - blocked):
            self.world.delete(id=person)
            self.truth.delete(id=person)
        arriving = [person for person in self._ids(come) if person not in self.truth.blocked]
        self.world.seed({"id": person} for person in arriving)
        for person in arriving:
            self.truth.create(person)

    def _cohort_becomes(self, snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self._name(snapshot)
            self.snapshot = self._valued(snapshot)

    def _valued(self, snapshot: Snapshot) -> Snapshot:
        values = (self.pool[one] if isinstance(one, int) else one for one in snapshot.values)
        return snapshot._replace(values=tuple(values))

    def _name(self, snapshot: Snapshot) -> None:
        self.named |= {value for value in self._valued(snapshot).values if cohort_fate(value) == "cohort"}

    def _cohort(self) -> set[str]:
        return {value for value in self.snapshot.values if cohort_fate(value) == "cohort"}

    def _ids(self, some: Some) -> list[str]:
        return [self.pool[who] for who in sorted(some)]

    def _run(self, *, fuse: Fuse | None = None, **flags: Any) -> EngineRun:
        file = self.folder / "cohort.csv"
        file.write_bytes(self.snapshot.encode())
        return self._watch(lambda: self.runs.cohort(file, NAME, fuse=fuse, **flags))

    def _watch(self, play: Callable[[], EngineRun]) -> EngineRun:
        """A run of the engine, which leaves the other sync alone and tells nobody's secrets."""
        others = self._members_of(OTHERS.__eq__)
        run = play()
        self.check_run(run)
        isolation(others, self._members_of(OTHERS.__eq__))
        return run

    # -- edits by hand ------------------------------------------------------------------------------------------------
    def _reconcile(self, *, repair: bool) -> EngineRun:
        return self._watch(lambda: self.runs.reconcile(NAME, repair=repair))

    def _drifts(self, cohort: set[str]) -> None:
        """A look tells how the segment differs from what was agreed, and leaves it so."""
        expected, after = self.truth.drift(cohort), self._last()
        run = self._reconcile(repair=False)
        self.check_end(run, int(any(expected.values())))
        assert run.report["drift"] == expected, f"the drift is told as {run.report['drift']}, and is {expected}"
        idempotence(self._calls(after, ADD) + self._calls(after, REMOVE))
        members = {person for row in self._segments() for person in self.world.members(row["id"])}
        final_membership(members, self.truth.segment)

    def _by_hand(self, verb: str, ids: list[str]) -> None:
        for row in self._segments() if ids else ():
            self.world.track("POST", f"/api/v1/segments/{row['id']}/{verb}_customers", {"ids": ids})
            self.own.add(self._last())
            self.guests |= set(ids)

    def _guests_go(self) -> None:
        """Before a run that may end anywhere, whoever was put there by hand and is now in the cohort is taken out
        again: how much of the cohort such a run takes over is not for the truth to say."""
        guests = sorted(person.id or "" for person in self.truth.by_hand if person.id in self._cohort())
        self._by_hand("remove", guests)
        self.truth.edit_by_hand((), guests, ())

    def _killed_at(self, step: int, side: str) -> EngineRun:
        with suppress(Killed):
            self._run(fuse=Fuse(step, side))
        return self._run()

    def _twice(self, first: Callable[[], EngineRun], second: Callable[[], EngineRun]) -> tuple[Row, Row]:
        """Two ways on from one state, and where each ends; the world goes on after the second."""
        self.confirmed = None
        state, kept = self.world.snapshot(), self.folder / "kept"
        kept.mkdir(exist_ok=True)
        for file in self.folder.glob("state.db*"):
            shutil.copy(file, kept)
        undisturbed = self._ending(first())
        self.world.restore(state)
        for file in self.folder.glob("state.db*"):
            file.unlink()
        for file in kept.glob("*"):
            shutil.move(file, self.folder / file.name)
        return undisturbed, self._ending(second())

    def _ending(self, run: EngineRun) -> Row:
        totals = {key: run.report[key] for key in ("in_cohort", "skipped", "not_found", "pending")}
        return {**totals, "members": self._mine()}

    def _compare(self, run: EngineRun, counts: Any) -> None:
        segments = self._segments()
        assert len(segments) == 1, f"{len(segments)} segments of one name"
        final_membership(self.world.members(segments[0]["id"]), self.truth.segment)
        told = {key: run.report[key] for key in ("not_found", "pending", "refused")}
        assert told == {"not_found": counts["not_found"], "pending": 0, "refused": {}}, f"the report says {told}"

    def _segments(self) -> list[Row]:
        return [row for row in self.world.segments() if row["name"] != OTHERS]

    def _mine(self) -> dict[str, set[str | None]]:
        return self._members_of(OTHERS.__ne__)

    def _members_of(self, wanted: Callable[[str], bool]) -> dict[str, set[str | None]]:
        return {
            row["name"]: {person.id for person in self.world.members(row["id"])}
            for row in self.world.segments() if wanted(row["name"])
        }  # fmt: skip

    def _calls(self, after: int, end: str) -> list[list[str]]:
        return [row["body"]["ids"] for row in self.world.requests(after) if row["path"].endswith(end)]

    def _last(self) -> int:
        return max((row["n"] for row in self.world.requests()), default=0)

    # -- what holds at every moment -----------------------------------------------------------------------------------
    def check_requests(self, rows: list[Row]) -> None:
        runs = [row for row in rows if row["n"] not in self.own]
        added, removed = ([row["body"]["ids"] for row in runs if row["path"].endswith(end)] for end in (ADD, REMOVE))
        batch_law([*added, *removed])
        members = {one or "" for some in self._members_of(lambda name: True).values() for one in some}
        safety_during_faults(chain(*added), members, self.named, {person.id or "" for person in self.truth.by_hand})
        safety_during_faults(chain(*removed), (), self.named | self.guests)

    def state(self) -> Hashable:
        return frozenset(self.truth.people), frozenset(self.truth.blocked), frozenset(self._cohort())

    def personal(self) -> list[str]:
        return odd_ones(self.pool) if self.moves else []
