"""The engine's runs as machines want them: in this process, on the world's own clock, and with a fuse to kill them by.

The engine's patience is its own, for its pauses take no time: each moves the clock of the workspace on. What is not
real: no rate holds it back, and the guards against sudden changes are lifted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scenarios.crashing import Fuse, FusedLedger, FusedWire
from scenarios.engine import EngineRun, parse_report
from scenarios.world import World
from sync.core.errors import ConfigError
from sync.core.report import Ended, encode
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.settings import Settings, read_settings
from sync.edge.transport import Network
from sync.run_cohort import CohortOptions, run_cohort
from sync.run_events import EventsOptions, run_events

Run = Callable[[Settings, Ledger, Console, Network], Ended]


class TurnedClock:
    """The engine's clock, and the workspace's: nobody else turns it. Unix seconds."""

    def __init__(self, world: World, now: float) -> None:
        self._world = world
        self._now = now
        world.set_clock(now)

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        """Passes at once."""
        self.set(self._now + seconds)

    def set(self, now: float) -> None:
        """To that moment, which may lie in the past."""
        self._now = now
        self._world.set_clock(now)


class Runs:
    """Runs of one engine: `own` is its environment, which names its ledger; `wire` is the way to the fake."""

    def __init__(self, own: Mapping[str, str], clock: TurnedClock, wire: Network) -> None:
        self._settings = read_settings(own, track_rate="0", app_rate="0")
        self._clock = clock
        self._wire = wire

    def cohort(self, file: Path, name: str, *, fuse: Fuse | None = None, **flags: Any) -> EngineRun:
        """`cio-sync cohort FILE --name NAME`. Raises Killed where the fuse burns."""
        options = CohortOptions(source=str(file), name=name, **{"allow_empty": True, "max_removal_share": 1.0, **flags})
        return self._play(fuse, lambda settings, ledger, console, wire: run_cohort(
            options, settings, ledger, console, network=wire, clock=self._clock,
        ))  # fmt: skip

    def events(self, file: Path, *, fuse: Fuse | None = None) -> EngineRun:
        """`cio-sync events FILE`, likewise."""
        options = EventsOptions(source=str(file))
        return self._play(fuse, lambda settings, ledger, console, wire: run_events(
            options, settings, ledger, console, network=wire, clock=self._clock,
        ))  # fmt: skip

    def _play(self, fuse: Fuse | None, run: Run) -> EngineRun:
        said, fuse = io.StringIO(), fuse or Fuse()
        try:
            with FusedLedger.opened(self._settings.state_path, fuse) as ledger:
                ended = run(self._settings, ledger, Console(quiet=True, stream=said), FusedWire(self._wire, fuse))
        except ConfigError as error:  # what the command would print in place of a report
            return EngineRun(error.exit_code, {}, f"{said.getvalue()}{error.message}")
        why = ended.error.message if ended.error else ""
        return EngineRun(ended.exit_code, parse_report(encode(ended.report).decode()), f"{said.getvalue()}{why}")
