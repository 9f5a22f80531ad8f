"""What every machine has: a world, a folder, a record of its moves, a tape that is checked as it grows, and a tally.

A machine is a class with moves (`@move`, `@begin`); `aimed` points it at a running fake. Moves are recorded as plain
values, so that the shortest way to a failure can be written down as a story and played again without Hypothesis.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import wraps
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from fakeio import Fake
from scenarios.invariants import accounting, credentials_stay_home, secrecy, size_law
from scenarios.scratch import scratch_folder
from scenarios.weathers import Fault
from scenarios.wires import HomeWire, Wire
from scenarios.world import Row, World, new_world

#: As usual, finished with losses, or refused by a faked answer; never a crash and never a usage error.
ENDS = {0, 1, 4}
START_AT = 1_787_000_000.0  # when every world begins, in Unix seconds: nothing may depend on today
_MARKER = re.compile(r"cio-sync:[0-9a-zA-Z_-]+")
Some_Machine = TypeVar("Some_Machine", bound="Machine")


class Move(NamedTuple):
    """One move of a story: the name of the method, and its arguments."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(slots=True)
class Failing:
    """The shortest way to a failure so far, and what was wrong there. `since` is when the first was found, by the
    process's own clock."""

    moves: list[Move]
    error: Exception
    since: float


@dataclass(slots=True)
class Tally:
    """What a search came to. `states` are the different states that its worlds were in after a move."""

    worlds: int = 0
    moves: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    states: set[int] = field(default_factory=set)
    digest: Any = field(default_factory=sha256)
    failing: Failing | None = None
    shrinks: int = 0  # how often a way to a failure was made shorter
    most_s: float = math.inf  # how long to look for a shorter way, once there is one

    def note_failure(self, moves: list[Move], error: Exception) -> None:
        """Keep the shorter one. Raises Enough when time is up."""
        first = self.failing.since if self.failing else time.monotonic()
        if self.failing is None or _length(moves) <= _length(self.failing.moves):
            self.shrinks += self.failing is not None and _length(moves) < _length(self.failing.moves)
            self.failing = Failing(moves, error, first)
        self.go_on()

    def go_on(self) -> None:
        """Raises Enough when there is a failure and no more time for a shorter one."""
        if self.failing and time.monotonic() > self.failing.since + self.most_s:
            raise Enough

    @property
    def fingerprint(self) -> str:
        """Of every request of every world, in order: equal searches have equal ones."""
        return str(self.digest.hexdigest()[:16])


class Enough(BaseException):
    """Looking for a shorter way has taken long enough; nothing on the way out may take it for a failure."""


class Machine(RuleBasedStateMachine):
    """The world, the truth beside it (each machine has its own), and what has been done to both."""

    fake: Fake
    tally: Tally

    def __init__(self) -> None:
        super().__init__()
        self.tally.go_on()
        self.stack = ExitStack()
        self.folder = self.stack.enter_context(scratch_folder())
        self.world = self.open_world()
        self.wire = HomeWire(self.fake.transport, self.world.url)  # the engine's, where a machine has one
        self.wires: list[Wire] = [self.wire]
        self.moves: list[Move] = []
        self.tally.worlds += 1
        self._checked = 0

    def open_world(self) -> World:
        """One more workspace, whose clock stands until somebody turns it."""
        world = self.stack.enter_context(new_world(self.fake))
        world.set_clock(START_AT)
        return world

    def teardown(self) -> None:
        self.stack.close()

    def environment(self) -> dict[str, str]:
        """The engine's, with one request at a time: two in flight have no order that could be repeated."""
        return {**self.world.environment(str(self.folder / "state.db")), "CIO_WORKERS": "1"}

    # -- for a machine to say -----------------------------------------------------------------------------------------
    def state(self) -> Hashable:
        """What tells one state of this world from another; the variety of it is what a search looks for."""
        return len(self.moves)

    def check_requests(self, rows: list[Row]) -> None:
        """Look at the requests of the last move."""

    def check_world(self) -> None:
        """Look at the world after a move."""

    # -- after each move ----------------------------------------------------------------------------------------------
    def look(self) -> None:
        """Every law that holds at every moment."""
        rows = self.world.requests(after=self._checked)
        for row in rows:
            self._checked = row["n"]
            assert row["error"] is None, f"the fake broke: {row}"
            self.tally.digest.update(_plain(row).encode())
        self.tally.requests += len(rows)
        size_law(rows)
        self.check_wires()
        self.check_requests(rows)
        self.check_world()
        self.tally.states.add(hash(self.state()))

    def strike(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.world.arm(fault)

    def check_run(self, run: Any) -> None:
        """I8 and I12 of one run of the engine; `run` is an EngineRun."""
        tell(f"exit {run.code}: {dict(run.report)} {run.said}")
        self.check_wires()
        if run.report:
            accounting(run.report)
        credentials = [self.world.workspace[key] for key in ("track_api_key", "app_api_key")]
        secrecy([run.said, json.dumps(run.report, ensure_ascii=False)], [*credentials, *self.personal()])

    def check_end(self, run: Any, *codes: int) -> None:
        """`run` ended with one of these exit codes; without any, as a run may in bad weather: never silently."""
        assert run.code in (codes or ENDS), f"a run ended with {run.code}, not {codes or ENDS}: {run.said}"
        told = run.code != 4 or run.report["error"]["message"]
        assert told, f"a run ended with {run.code} and does not say why"

    def check_wires(self) -> None:
        """I12 of whom the engine has asked since the last look."""
        for wire in self.wires:
            asked, wire.asked = wire.asked, []
            credentials_stay_home(asked, wire.home)

    def personal(self) -> list[str]:
        """Values that nobody may be told, long and odd enough not to be a word of a report."""
        return []


def aimed(machine: type[Some_Machine], fake: Fake) -> type[Some_Machine]:
    """The machine on a running fake, with a tally of its own."""
    name = machine.__name__.removesuffix("Machine")
    return type(name, (machine,), {"fake": fake, "tally": Tally()})


def move(**strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """A move of a machine, with the strategies of its arguments. Each is recorded, and looked at when it is over."""
    return lambda function: rule(**strategies)(  # type: ignore[call-overload] # its overloads know no mapping
        _recorded(function)
    )


def begin(**strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """The first move, played once."""
    return lambda function: initialize(**strategies)(  # type: ignore[call-overload] # likewise
        _recorded(function)
    )


def _recorded(function: Callable[..., None]) -> Callable[..., None]:
    @wraps(function)
    def played(self: Machine, **arguments: Any) -> None:
        self.moves.append(Move(function.__name__, arguments))
        self.tally.moves[function.__name__] += 1
        try:
            function(self, **arguments)
            self.look()
        except Exception as error:
            self.tally.note_failure(self.moves, error)
            raise

    return played


def _length(moves: list[Move]) -> tuple[int, int]:
    return len(moves), sum(len(repr(one)) for one in moves)


def tell(text: str) -> None:
    """For the report of a failure. A story is played outside of Hypothesis, where nobody keeps notes."""
    if currently_in_test_context():
        note(text)


def odd_ones(values: Iterable[str]) -> list[str]:
    """Of these, the ones that could only be a person's: an address, or text that no report has in it."""
    return [one for one in values if len(one) >= 6 and ("@" in one or not one.isascii())]


def _plain(row: Row) -> str:
    """A request without what differs between equal ones: the workspace's own credentials."""
    body = _MARKER.sub("cio-sync:", json.dumps(row["body"], sort_keys=True))
    return "\n".join((row["method"], row["path"], json.dumps(row["query"], sort_keys=True), body, str(row["status"])))
