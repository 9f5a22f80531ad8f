"""The engine's runs as machines want them: in this process, on the world's own clock, and with a fuse to kill them by.

The engine's patience is its own, for its pauses take no time: each moves the clock of the workspace on. What is not
real: no rate holds it back, and the guards against sudden changes are lifted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scenarios.amplitude import FakeAmplitude
from scenarios.crashing import Fuse, FusedLedger, FusedWire
from scenarios.engine import EngineRun, parse_report
from scenarios.wires import AMPLITUDE
from scenarios.world import World
from sync.amplitude_pull import Project
from sync.core.errors import ConfigError
from sync.core.report import Ended, encode
from sync.edge.amplitude_settings import AmplitudeSettings
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.settings import Settings, read_settings
from sync.edge.transport import Network
from sync.run_cohort import CohortOptions, run_cohort
from sync.run_events import EventsOptions, run_events
from sync.run_reconcile import ReconcileOptions, run_reconcile

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

    def cohort(
        self, source: Path | str, name: str, *, project: Project | None = None, fuse: Fuse | None = None, **flags: Any
    ) -> EngineRun:
        """`cio-sync cohort SOURCE --name NAME`; `project` is what `amplitude:COHORT_ID` is read from. Raises Killed
        where the fuse burns."""
        lifted = {"allow_empty": True, "max_removal_share": 1.0, **flags}
        options = CohortOptions(source=str(source), name=name, **lifted)
        return self._play(fuse, lambda settings, ledger, console, wire: run_cohort(
            options, settings, ledger, console, network=wire, clock=self._clock, project=project,
        ))  # fmt: skip

    def project(self, amplitude: FakeAmplitude, wire: Network) -> Project:
        """How the engine reaches that project of Amplitude, with its own patience, which takes no time."""
        keys = AmplitudeSettings(api_key=amplitude.api_key, secret_key=amplitude.secret_key, url=AMPLITUDE)
        return Project(settings=keys, clock=self._clock, network=wire)

    def reconcile(self, name: str, *, repair: bool = False) -> EngineRun:
        """`cio-sync reconcile NAME [--repair]`."""
        options = ReconcileOptions(name=name, repair=repair, allow_empty=True, max_removal_share=1.0)
        return self._play(None, lambda settings, ledger, console, wire: run_reconcile(
            options, settings, ledger, console, network=wire, clock=self._clock,
        ))  # fmt: skip

    def events(
        self, source: Path | str, *, project: Project | None = None, fuse: Fuse | None = None
    ) -> EngineRun:
        """`cio-sync events SOURCE`, likewise; `project` is what `amplitude:export` is read from."""
        options = EventsOptions(source=str(source))
        return self._play(fuse, lambda settings, ledger, console, wire: run_events(
            options, settings, ledger, console, network=wire, clock=self._clock, project=project,
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
