"""Any sequence of cohort snapshots, people who come and go, and finite faults ends with segment == cohort ∩ people.

One example is one workspace and one ledger. Runs happen in any weather, may fail, may be the first or the tenth; what
counts is the calm run at the end of every stretch. Invariants by their numbers in the catalogue: I1 final membership,
I2 nobody is sent who never was in the cohort, I4 a second run writes nothing, I7 the batch law, I8 the sums.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fakeio import Fake
from scenarios.cohorts import Snapshot, snapshots
from scenarios.engine import EngineRun
from scenarios.inprocess import run_cohort_file
from scenarios.machines.telling import ENDS, tell
from scenarios.people import NOBODY, Some, pools, some_of
from scenarios.truth import Truth
from scenarios.verdicts import cohort_fate
from scenarios.weathers import Fault, weathers
from scenarios.world import new_world

POOL = 5  # few, so that the same people come and go
SOME = some_of(POOL)
SNAPSHOT = st.none() | snapshots(POOL)
NAME = "machine"
WRITES = ("/add_customers", "/remove_customers")


def cohort_machine(fake: Fake) -> type[RuleBasedStateMachine]:
    """The machine, aimed at a running fake."""
    return type("Cohorts", (CohortMachine,), {"fake": fake})


class CohortMachine(RuleBasedStateMachine):
    """The world, the truth beside it, and a tape that is checked as it grows."""

    fake: Fake

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(TemporaryDirectory()))
        self.world = self._stack.enter_context(new_world(self.fake))
        self.truth = Truth()
        self.snapshot = Snapshot((), compressed=False, with_properties=False)
        self.named: set[str] = set()  # every value that any cohort ever held
        self._checked = 0  # how far the tape has been looked at

    def teardown(self) -> None:
        self._stack.close()

    @initialize(pool=pools(POOL))
    def begins(self, pool: list[str]) -> None:
        self.pool = pool

    @rule(come=SOME, go=SOME, blocked=SOME, freed=SOME, snapshot=SNAPSHOT, faults=weathers())
    def a_day_of_weather(
        self, come: Some, go: Some, blocked: Some, freed: Some, snapshot: Snapshot | None, faults: list[Fault]
    ) -> None:
        """People come and go, the cohort changes or not, and the engine runs: it may fail, but never silently."""
        self._life_goes_on(come, go, blocked & go, freed)
        self._cohort_becomes(snapshot)
        for fault in faults:
            self.world.arm(fault)
        run = self._run()
        self.world.calm()  # what people do in the meantime is no business of the faults
        assert run.code in ENDS, run
        assert run.code != 4 or run.report["error"]["message"], run

    @rule(come=SOME, go=SOME, snapshot=SNAPSHOT)
    def a_calm_day(self, come: Some, go: Some, snapshot: Snapshot | None) -> None:
        """After a run that nothing disturbs all is as it ought to be, and one more run writes nothing."""
        self._life_goes_on(come, go)
        self._cohort_becomes(snapshot)
        run = self._run()
        counts = self.truth.run_cohort(self.snapshot.values)
        assert run.code == int(counts.total() > counts["member"] + counts["collapsed"]), run
        self._compare(run, counts)
        before = self._last()
        again = self._run()
        self._compare(again, counts)
        assert [row["path"] for row in self.world.requests(after=before) if row["path"].endswith(WRITES)] == []

    def _life_goes_on(self, come: Some, go: Some, blocked: Some = NOBODY, freed: Some = NOBODY) -> None:
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
            values = tuple(self.pool[value] if isinstance(value, int) else value for value in snapshot.values)
            self.snapshot = snapshot._replace(values=values)
            self.named |= {value for value in values if cohort_fate(value) == "cohort"}

    def _ids(self, some: Some) -> list[str]:
        return [self.pool[who] for who in sorted(some)]

    @invariant()
    def every_call_keeps_the_law(self) -> None:
        """1 to 1000 ids a call, none twice, none that no cohort ever held; and no error of the fake's own."""
        for row in self.world.requests(after=self._checked):
            self._checked = row["n"]
            assert row["error"] is None, row
            if row["path"].endswith(WRITES):
                check_call(row["body"]["ids"], self.named)

    def _run(self) -> EngineRun:
        file = self.folder / "cohort.csv"
        file.write_bytes(self.snapshot.encode())
        run = run_cohort_file(file, NAME, self.world.environment(str(self.folder / "state.db")))
        tell(f"exit {run.code}: {dict(run.report)} {run.said}")
        check_sums(run.report)
        return run

    def _compare(self, run: EngineRun, counts: Any) -> None:
        segments = self.world.segments()
        assert [row["name"] for row in segments] == [f"[Amplitude] {NAME}"]
        assert self.world.members(segments[0]["id"]) == self.truth.segment
        assert run.report["not_found"] == counts["not_found"]
        assert run.report["pending"] == 0
        assert run.report["refused"] == {}

    def _last(self) -> int:
        return max((row["n"] for row in self.world.requests()), default=0)


def check_call(ids: list[str], named: Collection[str]) -> None:
    """I2 and I7 for one add or remove call."""
    assert 1 <= len(ids) <= 1_000
    assert len(set(ids)) == len(ids)
    assert set(ids) <= set(named)


def check_sums(report: Any) -> None:
    """I8: every row of the source has exactly one fate."""
    skipped, refused = sum(report["skipped"].values()), sum(report["refused"].values())
    assert report["source_rows"] == report["in_cohort"] + report["collapsed_duplicates"] + skipped
    settled = report["already_members"] + report["added"] + report["not_found"] + report["pending"] + refused
    assert report["in_cohort"] == settled
