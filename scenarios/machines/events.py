"""However events are split and repeated over files and runs, and whatever fails: each arrives once, at its own time.

One example is one workspace, one ledger and a dozen rows, of which every file holds some. The truth holds whole seconds
of each event's own time and its own properties, so what comes back is compared value by value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from contextlib import suppress

from hypothesis import strategies as st

from scenarios.crashing import AFTER, BEFORE, Fuse, Killed
from scenarios.engine import EngineRun
from scenarios.events import NUMBER, Row, Sketch, encode_upload, sketches, uploads
from scenarios.invariants import exactly_once_visibility, final_membership, time_law
from scenarios.machines.base import START_AT, Machine, begin, move, odd_ones
from scenarios.people import NOBODY, Some, pools, some_of
from scenarios.runs import Runs, TurnedClock
from scenarios.truth import Truth
from scenarios.verdicts import event_fate, looks_like_email, seconds
from scenarios.weathers import Fault, weathers

POOL, ROWS = 4, 12
SOME = some_of(POOL)
SKETCHES = st.lists(sketches(POOL), min_size=1, max_size=ROWS)
#: An id that begins like a cio_id means somebody else in an event, so nobody here has one.
IDS = pools(POOL).filter(lambda pool: not any(person.startswith("cio_") for person in pool))


class EventMachine(Machine):
    """The rows that any file may hold; `offered` is every row that the engine was given, in whichever file."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = Truth()
        self.pool: list[str] = []
        self.offered: list[Row] = []
        self.runs = Runs(self.environment(), TurnedClock(self.world, START_AT), self.wire)

    @begin(pool=IDS, sketches=SKETCHES, known=SOME, blocked=SOME)
    def begins(self, pool: list[str], sketches: list[Sketch], known: Some, blocked: Some = NOBODY) -> None:
        self.pool = pool
        self.rows = [sketch.row(number, pool) for number, sketch in enumerate(sketches)]
        for who in sorted(known):
            self.world.seed([_named(pool[who])])
            self.truth.create(**_named(pool[who]))
        for who in sorted(blocked & known):
            self.world.suppress(**_named(pool[who]))
            self.truth.suppress(**_named(pool[who]))

    @move(places=uploads(ROWS), faults=weathers())
    def a_file_arrives_in(self, places: list[int], faults: list[Fault]) -> None:
        """In whatever weather: the run may fail, but never silently."""
        self._arrives_in(places, faults)

    @move(places=uploads(ROWS), times=st.integers(1, 3))
    def answers_get_lost(self, places: list[int], times: int) -> None:
        """What was sent is done, and nobody says so: the worst of weathers for whoever has to send a thing once."""
        self._arrives_in(places, [{"kind": "lose_reply", "match": {"api": "track"}, "times": times}])

    @move(places=uploads(ROWS), times=st.integers(1, 3))
    def a_redirect(self, places: list[int], times: int) -> None:
        """Somebody in between sends the engine to another host: nothing goes there, least of all a key."""
        self.wire.astray = times
        self.check_end(self._run(self._offer(places)))
        self.wire.astray = 0

    @move(places=uploads(ROWS), step=st.integers(1, 8), side=st.sampled_from((BEFORE, AFTER)))
    def a_kill(self, places: list[int], step: int, side: str) -> None:
        """Killed at some request or commit: what was sent is there, and what was not is sent by another run."""
        with suppress(Killed):
            self._run(self._offer(places), Fuse(step, side))

    @move(places=uploads(ROWS))
    def a_calm_day(self, places: list[int]) -> None:
        """All that was ever offered, offered again with some more, ends as the truth has it; again changes nothing."""
        self._offer(places)
        for row in self.offered:
            self.truth.take_event(row)
        run = self._run(self.offered)
        self.check_end(run, int(any(event_fate(row) not in ("delivered", "filtered") for row in self.offered)))
        self._compare()
        delivered = self._run(self.offered).report["delivered"]
        assert delivered == 0, f"of events that are all there, {delivered} were delivered again"
        self._compare()

    def _arrives_in(self, places: list[int], faults: list[Fault]) -> None:
        given = self._offer(places)
        self.strike(faults)
        run = self._run(given)
        self.world.calm()
        self.check_end(run)

    def _compare(self) -> None:
        exactly_once_visibility(self.world.events(), self.truth.events)
        final_membership(self.world.people(), self.truth.people)

    def _offer(self, places: list[int]) -> list[Row]:
        given = [self.rows[place % len(self.rows)] for place in places]
        self.offered += given
        return given

    def _run(self, given: list[Row], fuse: Fuse | None = None) -> EngineRun:
        file = self.folder / "export.zip"
        file.write_bytes(encode_upload(given))
        run = self.runs.events(file, fuse=fuse)
        self.check_run(run)
        # a run that was stopped says why, and may not have read to the end
        read = run.report["received"]
        assert read == len(given) or (run.said and read < len(given)), f"of {len(given)} rows {read} were read"
        return run

    def check_world(self) -> None:
        """At no moment is anything there that ought not to be, or there twice; nor at another time than its own."""
        rows = {row["event_properties"].get(NUMBER): row for row in self.rows}
        there = [row for row in self.world.look("events") if NUMBER in row["data"]]
        time_law(
            (row["name"], seconds(rows[row["data"][NUMBER]]["event_time"]), row["timestamp"])
            for row in there if row["data"][NUMBER] in rows
        )  # fmt: skip
        often = Counter(row["data"][NUMBER] for row in there)
        exactly_once_visibility(often, Counter(dict.fromkeys(often, 1)))
        there_again = {key for person in self.world.people() for key in person} & self.truth.blocked
        exactly_once_visibility(Counter(there_again), Counter())

    def state(self) -> Hashable:
        return len(self.offered), frozenset(self.truth.people), self.truth.events.total()

    def personal(self) -> list[str]:
        return odd_ones(self.pool)



def _named(person: str) -> dict[str, str]:
    return {"email" if looks_like_email(person) else "id": person}
