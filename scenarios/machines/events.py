"""However events are split and repeated over files and runs, and whatever fails: each arrives once, at its own time.

One example is one workspace, one ledger and a dozen rows, of which every file holds some. Invariants: I8 the sums, I9
exactly-once visibility, I10 the time law (the truth holds whole seconds of each event's own time).
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from fakeio import Fake
from scenarios.engine import EngineRun
from scenarios.events import Row, Sketch, encode_upload, sketches, uploads
from scenarios.inprocess import run_events_file
from scenarios.machines.telling import ENDS, tell
from scenarios.people import NOBODY, Some, pools, some_of
from scenarios.truth import Truth
from scenarios.verdicts import event_fate, looks_like_email
from scenarios.weathers import Fault, weathers
from scenarios.world import new_world

POOL, ROWS = 4, 12
SOME = some_of(POOL)
SKETCHES = st.lists(sketches(POOL), min_size=1, max_size=ROWS)
#: An id that begins like a cio_id means somebody else in an event, so nobody here has one.
IDS = pools(POOL).filter(lambda pool: not any(person.startswith("cio_") for person in pool))


def event_machine(fake: Fake) -> type[RuleBasedStateMachine]:
    """The machine, aimed at a running fake."""
    return type("Events", (EventMachine,), {"fake": fake})


class EventMachine(RuleBasedStateMachine):
    """The world, the truth beside it, and the rows that any file may hold."""

    fake: Fake

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(TemporaryDirectory()))
        self.world = self._stack.enter_context(new_world(self.fake))
        self.truth = Truth()
        self.offered: list[Row] = []  # every row that the engine was given, in whichever file

    def teardown(self) -> None:
        self._stack.close()

    @initialize(pool=IDS, sketches=SKETCHES, known=SOME, blocked=SOME)
    def begins(self, pool: list[str], sketches: list[Sketch], known: Some, blocked: Some = NOBODY) -> None:
        self.rows = [sketch.row(number, pool) for number, sketch in enumerate(sketches)]
        for who in sorted(known):
            self.world.seed([_named(pool[who])])
            self.truth.create(**_named(pool[who]))
        for who in sorted(blocked & known):
            self.world.suppress(**_named(pool[who]))
            self.truth.suppress(**_named(pool[who]))

    @rule(places=uploads(ROWS), faults=weathers())
    def a_file_arrives_in(self, places: list[int], faults: list[Fault]) -> None:
        """In whatever weather: the run may fail, but never silently."""
        given = self._offer(places)
        for fault in faults:
            self.world.arm(fault)
        run = self._run(given)
        self.world.calm()
        assert run.code in ENDS, run
        assert run.code != 4 or run.report["error"]["message"], run

    @rule(places=uploads(ROWS))
    def a_calm_day(self, places: list[int]) -> None:
        """All that was ever offered, offered again with some more, ends as the truth has it; again changes nothing."""
        self._offer(places)
        fates = Counter(self.truth.take_event(row) for row in self.offered)
        tell(f"the truth expects {dict(fates)}")
        run = self._run(self.offered)
        assert run.code == int(any(event_fate(row) not in ("delivered", "filtered") for row in self.offered)), run
        assert self.world.events() == self.truth.events
        assert self.world.people() == self.truth.people
        again = self._run(self.offered)
        assert again.report["delivered"] == 0
        assert self.world.events() == self.truth.events

    def _offer(self, places: list[int]) -> list[Row]:
        given = [self.rows[place % len(self.rows)] for place in places]
        self.offered += given
        return given

    def _run(self, given: list[Row]) -> EngineRun:
        file = self.folder / "export.zip"
        file.write_bytes(encode_upload(given))
        run = run_events_file(file, self.world.environment(str(self.folder / "state.db")))
        tell(f"exit {run.code}: {dict(run.report)} {run.said}")
        check_sums(run.report)
        # a run that was stopped says why, and may not have read to the end
        assert run.report["received"] == len(given) or (run.said and run.report["received"] < len(given))
        return run


def _named(person: str) -> dict[str, str]:
    return {"email" if looks_like_email(person) else "id": person}


def check_sums(report: Any) -> None:
    """I8: every row that was read has exactly one fate."""
    losses = sum(report["discarded"].values()) + sum(report["refused"].values()) + report["expired"] + report["pending"]
    assert report["received"] == report["filtered"] + report["delivered"] + report["duplicates"] + losses
