"""Kills the engine before and after every request and every commit of a story, and sees that each time it recovers.

A story is played once to count its steps, then once for each step and side of it, in a fresh workspace with a fresh
ledger: killed there, run again to the end, and compared with the truth. A kill is an exception that nothing in the
engine may catch, after which nothing more reaches the wire or the ledger. The tests kill real processes as well.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from fakeio import Fake
from scenarios.inprocess import HASTE
from scenarios.scratch import scratch_folder
from scenarios.world import World, new_world
from sync.core.report import Ended
from sync.core.sending import RetryPolicy
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.settings import Settings, read_settings
from sync.edge.transport import Network

BEFORE, AFTER = "before", "after"
MOST_RUNS = 4  # after a kill: what is pending at the end of one run is settled by the next


class Killed(BaseException):
    """Stands for a kill: nothing in the engine may catch it and go on."""


class Point(NamedTuple):
    """Where a story was killed: the number of the step from 1, its side, and what the step was."""

    number: int
    side: str
    step: str

    def __str__(self) -> str:
        return f"{self.side} step {self.number}, {self.step}"


class Fuse:
    """Counts the steps of a run, and burns at one of them. `at` 0 never burns."""

    def __init__(self, at: int = 0, side: str = BEFORE) -> None:
        self.steps: list[str] = []
        self._at = at
        self._side = side

    @property
    def has_burnt(self) -> bool:
        return 0 < self._at <= len(self.steps)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Around whatever one step does. Raises Killed at the step that was chosen, and at every later one."""
        self.steps.append(name)
        number = len(self.steps)
        if self._at and (number > self._at or (number == self._at and self._side == BEFORE)):
            raise Killed
        yield
        if number == self._at:
            raise Killed


class FusedWire(Network):
    """The wire to the fake; a request and its answer are one step."""

    def __init__(self, wire: Network, fuse: Fuse) -> None:
        self._wire = wire
        self._fuse = fuse

    def handle_request(self, request: Any) -> Any:
        """What httpx calls for each request."""
        with self._fuse.step(f"{request.method} {request.url.path}"):
            answer = self._wire.handle_request(request)
            answer.read()
        return answer


class FusedLedger(Ledger):
    """A ledger whose commits are steps."""

    fuse = Fuse()

    @classmethod
    def opened(cls, path: Path, fuse: Fuse) -> Ledger:
        """The ledger at `path`. Migrating it is no step."""
        ledger = cls.open(path)
        assert isinstance(ledger, FusedLedger)
        ledger.fuse = fuse
        return ledger

    @contextmanager
    def atomic(self) -> Iterator[sqlite3.Connection]:
        """As the ledger's own. A step that joins an outer one is part of that."""
        if self.connection.in_transaction:
            with super().atomic() as connection:
                yield connection
            return
        with self.fuse.step("commit"), super().atomic() as connection:
            yield connection


class Tools(NamedTuple):
    """What a story runs the engine with."""

    settings: Settings
    ledger: Ledger
    console: Console
    network: Network
    policy: RetryPolicy


class Story(Protocol):
    """Something the engine does, whole: how it begins, one run of the engine, what ought to be true in the end."""

    name: str

    def begin(self, world: World, folder: Path, tools: Tools) -> None:
        """Put people and files there, and run what is history by then; no kill falls into this."""
        ...

    def play(self, folder: Path, tools: Tools) -> Ended:
        """One run of the engine, from wherever the ledger says that it stands."""
        ...

    def differences(self, world: World) -> list[str]:
        """How the workspace differs from what ought to be there; empty when it does not."""
        ...


class Swept(NamedTuple):
    """A story that was killed at every step: what its steps were, how often it was killed, and where it went wrong."""

    name: str
    steps: tuple[str, ...]
    kills: int
    failures: tuple[tuple[Point, list[str]], ...]

    def tell(self) -> str:
        """In words, one line for each place where it did not recover."""
        head = f"{self.name}: {len(self.steps)} steps, killed {self.kills} times, {len(self.failures)} times not mended"
        return "\n".join([head, *(f"  killed {point}: {'; '.join(why)}" for point, why in self.failures)])


def sweep(fake: Fake, story: Story, *, stop_at_first: bool = False) -> Swept:
    """Kill `story` before and after each of its steps, one after the other."""
    steps, unharmed = _count(fake, story)
    if unharmed:
        return Swept(story.name, steps, 0, ((Point(0, BEFORE, "not killed at all"), unharmed),))
    failures: list[tuple[Point, list[str]]] = []
    points = [Point(n, side, step) for n, step in enumerate(steps, start=1) for side in (BEFORE, AFTER)]
    for point in points:
        why = _killed_at(fake, story, point)
        if why:
            failures.append((point, why))
            if stop_at_first:
                break
    return Swept(story.name, steps, len(points), tuple(failures))


def _count(fake: Fake, story: Story) -> tuple[tuple[str, ...], list[str]]:
    """The steps of a run that nobody disturbs, and what is wrong after it."""
    fuse = Fuse()
    with _stage(fake, story) as (world, play):
        play(fuse)
        return tuple(fuse.steps), story.differences(world)


def _killed_at(fake: Fake, story: Story, point: Point) -> list[str]:
    """What is wrong after a kill at that point and as many calm runs as it takes."""
    with _stage(fake, story) as (world, play):
        with suppress(Killed):
            play(Fuse(point.number, point.side))
        for _ in range(MOST_RUNS):
            ended = play(Fuse())
            if ended.exit_code in (0, 1) and not ended.report.pending:
                break
        return story.differences(world)


Play = Callable[[Fuse], Ended]


@contextmanager
def _stage(fake: Fake, story: Story) -> Iterator[tuple[World, Play]]:
    """A fresh workspace where the story has begun, and a way to run the engine in it."""
    with scratch_folder() as folder, new_world(fake) as world:
        settings = read_settings(world.environment(str(folder / "ledger.db")), track_rate="0", app_rate="0")

        @contextmanager
        def tools(fuse: Fuse) -> Iterator[Tools]:
            with FusedLedger.opened(settings.state_path, fuse) as ledger:
                console = Console(quiet=True, stream=io.StringIO())
                yield Tools(settings, ledger, console, FusedWire(fake.transport, fuse), HASTE)

        def play(fuse: Fuse) -> Ended:
            with tools(fuse) as given:
                return story.play(folder, given)

        with tools(Fuse()) as unharmed:
            story.begin(world, folder, unharmed)
        yield world, play
