"""However events are split and repeated over files, exports and runs, and whatever fails: each arrives once, at its own
time.

One example is one workspace, one ledger, one project of Amplitude and a dozen rows, of which every file and every hour
holds some. The truth holds whole seconds of each event's own time and its own properties, so what comes back is
compared value by value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import strategies as st

from scenarios.amplitude import FakeAmplitude, Trouble
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
from scenarios.wires import AmplitudeWire

POOL, ROWS, MOST_NEW = 4, 12, 6
SOME = some_of(POOL)
SKETCHES = st.lists(sketches(POOL), min_size=1, max_size=ROWS)
#: An id that begins like a cio_id means somebody else in an event, so nobody here has one.
IDS = pools(POOL).filter(lambda pool: not any(person.startswith("cio_") for person in pool))
EXPORT = "amplitude:export"
HOUR_S = 3600
#: A row may show up in an hour that was read already: the export is read again as far back as this.
OLDEST_UPLOAD_H = 4
WHOLE_H = 3  # so much later even the hour that it is now can be had
#: What the Export API answers in place of an archive; 0 breaks off. Of more hours than one, 400 and 504 halve them.
UPSETS = (0, 400, 404, 429, 503, 504)


class EventMachine(Machine):
    """The rows that any file may hold; `offered` is every row that the engine was given, in whichever file, or by the
    export."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = Truth()
        self.pool: list[str] = []
        self.offered: list[Row] = []
        self.clock = TurnedClock(self.world, START_AT)
        self.runs = Runs(self.environment(), self.clock, self.wire)
        self.amplitude = FakeAmplitude(now=self.clock.now)
        self.wires.append(AmplitudeWire(self.amplitude))

    @begin(pool=IDS, sketches=SKETCHES, known=SOME, blocked=SOME)
    def begins(self, pool: list[str], sketches: list[Sketch], known: Some, blocked: Some = NOBODY) -> None:
        self.pool, self.sketches = pool, sketches
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

    @move(
        like=uploads(MOST_NEW), later_h=st.integers(0, WHOLE_H), upset=st.sampled_from(UPSETS), times=st.integers(0, 3),
        lost=st.integers(0, 2), damaged=st.booleans(), step=st.sampled_from((0, 0, 0, 1, 3, 5)),
    )  # fmt: skip
    def an_export(
        self, like: list[int], later_h: int, upset: int, times: int, lost: int, step: int,
        damaged: bool,  # noqa: FBT001 - Hypothesis names it
    ) -> None:  # fmt: skip
        """New rows are uploaded, some of them late, and the hours are read whatever Amplitude answers and wherever it
        ends: when all is well again and all hours are whole, nothing is missing that a file of the same rows would
        bring."""
        given = self._upload(like)
        self.clock.set(self.clock.now() + later_h * HOUR_S)
        self.amplitude.troubles.append(Trouble("/api/2/export", upset, cut_bytes=None if upset else 0, times=times))
        self.amplitude.damaged_hours = {int(self.clock.now() // HOUR_S) - WHOLE_H} if damaged else set()
        self.strike([{"kind": "lose_reply", "match": {"api": "track"}, "times": lost}] if lost else [])
        with suppress(Killed):
            self.check_end(self._pull(Fuse(step)), 0, 1, 3)
        self.world.calm()
        self.amplitude.troubles.clear()
        self.amplitude.damaged_hours.clear()
        self.clock.set(self.clock.now() + WHOLE_H * HOUR_S)
        self.check_end(self._pull(), 0, 1)
        missed = self._run(given).report["delivered"]
        assert missed == 0, f"of events that the export has, {missed} were not delivered by it"

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

    def _upload(self, like: list[int]) -> list[Row]:
        """Rows like those of the sketches at these places, none of which was ever offered."""
        first = len(self.rows)
        sketches = [self.sketches[place % len(self.sketches)] for place in like]
        self.rows += [sketch.row(number, self.pool) for number, sketch in enumerate(sketches, start=first)]
        given = self._offer(list(range(first, len(self.rows))))
        for place, row in zip(like, given, strict=True):
            at = datetime.fromtimestamp(self.clock.now() - place % (OLDEST_UPLOAD_H + 1) * HOUR_S, UTC)
            self.amplitude.events.append({**row, "server_upload_time": f"{at:%Y-%m-%d %H:%M:%S.%f}"})
        return given

    def _pull(self, fuse: Fuse | None = None) -> EngineRun:
        run = self.runs.events(EXPORT, project=self.runs.project(self.amplitude, self.wires[-1]), fuse=fuse)
        self.check_run(run)
        return run

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
