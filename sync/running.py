"""The syncs of a configuration, each when it is due, one after the other, until somebody stops it.

Which slot is due is for `core/schedule.py`, what a sync does for the two runs, several at a time for `crew.py`. The
leases of the ledger let several processes share a configuration. A cohort that is gone at Amplitude ends its schedule.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sync.amplitude_pull import Project
from sync.cohort_pass import MEMBERSHIP
from sync.core.conditions import parse_condition
from sync.core.configuration import Configuration, Sync
from sync.core.conversions import Conversions
from sync.core.mapping import Rules
from sync.core.ports import Clock
from sync.core.properties import Select
from sync.core.report import Ended
from sync.core.schedule import Slots, due_slot, next_at, slot_at
from sync.core.sending import RetryPolicy
from sync.edge.config_file import called_of, project_of, settings_of
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.schedules import Schedules
from sync.edge.settings import Settings
from sync.export_source import EXPORT
from sync.run import SystemClock
from sync.run_cohort import CohortOptions, run_cohort
from sync.run_events import EventsOptions, run_events

GONE = frozenset({"cohort_archived", "cohort_unknown", "cohort_of_groups"})  # errors that no later run would mend
LONGEST_SLEEP_S = 60.0
INTERRUPTED = 130
Told = Callable[[str, Ended, bool], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is around the syncs: where the file lies, the environment, flags of pace; for tests, time and patience."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    flags: Mapping[str, str | None] = field(default_factory=dict)
    clock: Clock | None = None
    policy: RetryPolicy | None = None


class Runner:
    """Runs syncs of one configuration. `told` hears of each run that ended: its name, its end, and whether its schedule
    ended with it."""

    def __init__(
        self, configuration: Configuration, syncs: Mapping[str, Sync], around: Surroundings, console: Console,
        told: Told = lambda name, ended, disabled: None,
    ) -> None:  # fmt: skip
        self._configuration = configuration
        self._syncs = syncs
        self._around = around
        self._clock: Clock = around.clock or SystemClock()
        self._console = console
        self._told = told

    def run_all(self) -> list[Ended]:
        """Every sync now, whatever its schedule says; it counts as the run of its slot, and starts an ended schedule
        again when it ends well."""
        return [self._run(name, sync) for name, sync in self._syncs.items()]

    def run_due(self) -> list[Ended]:
        """Every sync that is due, in the order of the file."""
        now = self._clock.now()
        return [self._run(name, sync) for name, sync in self._syncs.items() if self._is_due(name, sync, now)]

    def run_forever(self) -> None:
        """Until KeyboardInterrupt. Returns when nothing will ever be due."""
        while True:
            self.run_due()
            wait_s = self._until_next()
            if wait_s is None:
                self._console.note("no sync will be due any more")
                return
            self._clock.sleep(min(wait_s, LONGEST_SLEEP_S))

    @property
    def names(self) -> list[str]:
        """Of its syncs, in the order of the file."""
        return list(self._syncs)

    def due_in_s(self, name: str) -> float | None:
        """Seconds until a sync is due, 0 when it is; None for never."""
        sync, now = self._syncs[name], self._clock.now()
        with Ledger.open(self._settings(sync).state_path) as ledger:
            moment = next_at(sync.cadence, _slots(ledger, name, sync, now), now)
        return None if moment is None else max(0.0, moment - now)

    def keys(self, name: str) -> frozenset[str]:
        """What a run of it has for itself: syncs that share one can't run at once. Raises ConfigError."""
        sync = self._syncs[name]
        site_id = self._settings(sync).site_id
        source = self._configuration.sources[sync.source]
        if sync.kind == "events":
            return frozenset({f"events {site_id}"})
        download = {f"download {source.api_key} {sync.cohort}"} if source.amplitude else set()
        return frozenset({f"cohort {site_id} {sync.name or name}", *download})

    # -- schedules ----------------------------------------------------------------------------------------------------
    def _is_due(self, name: str, sync: Sync, now: float) -> bool:
        with Ledger.open(self._settings(sync).state_path) as ledger:
            return due_slot(sync.cadence, _slots(ledger, name, sync, now), now) is not None

    def _until_next(self) -> float | None:
        waits_s = [wait_s for name in self._syncs if (wait_s := self.due_in_s(name)) is not None]
        return min(waits_s, default=None)

    def _settings(self, sync: Sync) -> Settings:
        target = self._configuration.destinations[sync.destination]
        return settings_of(self._configuration, target, self._around.environ, self._around.flags)

    # -- a run --------------------------------------------------------------------------------------------------------
    def _run(self, name: str, sync: Sync) -> Ended:
        """One run, and its slot. Raises ConfigError and KeyboardInterrupt, after which the slot is still to be run."""
        settings = self._settings(sync)
        now = self._clock.now()
        with Ledger.open(settings.state_path) as ledger:
            slot = slot_at(sync.cadence, _slots(ledger, name, sync, now).first_at, now)
            ended = self._play(name, sync, settings, ledger)
            gone = ended.error is not None and ended.error.reason in GONE
            if ended.exit_code != INTERRUPTED:
                Schedules(ledger).finish(name, slot, ended.error.message if gone and ended.error is not None else "")
        self._told(name, ended, gone)
        if ended.exit_code == INTERRUPTED:
            raise KeyboardInterrupt
        return ended

    def _play(self, name: str, sync: Sync, settings: Settings, ledger: Ledger) -> Ended:
        source = self._configuration.sources[sync.source]
        project = None
        if source.amplitude:
            settings = replace(settings, called={**settings.called, **called_of(source)})
            project = Project(settings=project_of(source, self._around.environ), clock=self._around.clock)
        policy, clock = self._around.policy, self._around.clock
        files = str(self._around.folder / os.path.expanduser(source.files))
        if sync.kind == "cohort":
            cohort = cohort_options(name, sync, f"amplitude:{sync.cohort}" if project else files)
            return run_cohort(cohort, settings, ledger, self._console, policy=policy, project=project, clock=clock)
        events = EventsOptions(source=EXPORT if project else files, sync=name, rules=rules_of(sync))
        return run_events(events, settings, ledger, self._console, policy=policy, project=project, clock=clock)


def _slots(ledger: Ledger, name: str, sync: Sync, now: float) -> Slots:
    return Schedules(ledger).slots(name, sync.digest(), sync.cadence, now)


def cohort_options(name: str, sync: Sync, source: str) -> CohortOptions:
    """The flags of `cio-sync cohort` that a table stands for; `name` is the table's own."""
    return CohortOptions(
        source=source, name=sync.name or name, cohort_id=sync.cohort_id, id_column=sync.id_column or "user_id",
        id_type=sync.id_type or "id", segment_id=sync.segment_id, recreate=sync.recreate,
        verify=sync.verify or MEMBERSHIP, allow_empty=sync.allow_empty,
        max_removal_share=0.5 if sync.max_removal_share is None else sync.max_removal_share,
    )  # fmt: skip


def rules_of(sync: Sync) -> Rules:
    """The rules of `cio-sync events` that a table stands for."""
    chosen, kept = sync.properties, sync.user_properties
    properties = frozenset(chosen) if isinstance(chosen, list) else Select(chosen or "all")
    user_properties = tuple(kept) or Select.NONE if isinstance(kept, list) else Select(kept or "none")
    return Rules(
        events=None if sync.events is None else frozenset(name.strip() for name in sync.events),
        exclude=frozenset(name.strip() for name in sync.exclude or ()), properties=properties, parity=sync.parity,
        where=tuple(map(parse_condition, sync.where or ())), hash_long_names=sync.long_names == "hash",
        conversions=Conversions(
            safe_ints=sync.safe_ints, date_keys=frozenset(sync.date_keys or ()), max_depth=sync.max_depth
        ),
        user_properties=user_properties, id_property=sync.id_property or "user_id", id_type=sync.id_type or "auto",
    )  # fmt: skip


def worst(ended: list[Ended]) -> int:
    """The exit code of several runs: the gravest of theirs."""
    return max((one.exit_code for one in ended), default=0)
