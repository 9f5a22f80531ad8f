"""Replays the dead letters of events: what was refused or expired goes out once more, as it was, under its own id.

Reports like any events run, and is as safe to kill. What is refused again has a newer letter; rows that never became
events and members of cohorts are not replayed here: the next run over their source sends them.
"""

from __future__ import annotations

import time

from sync.core.errors import ConfigError, SyncError
from sync.core.replaying import Replay
from sync.core.report import Ended, EventsReport, total
from sync.core.sending import RetryPolicy
from sync.courier import Courier
from sync.destination import Destination
from sync.dispatch import Dispatcher, deliver_all
from sync.edge.console import Console
from sync.edge.event_ledger import EventLedger
from sync.edge.ledger import Ledger
from sync.edge.letters import EventLetters
from sync.edge.settings import Settings
from sync.edge.transport import Network
from sync.ending import conclude, stopped_by
from sync.run import new_run_id

ALL = "all"


def run_retry(
    scope: str,
    settings: Settings,
    ledger: Ledger,
    console: Console,
    *,
    policy: RetryPolicy | None = None,
    network: Network | None = None,
) -> Ended:
    """Replay what run `scope` gave up, or ALL. Raises ConfigError (an unknown run, a ledger that fails)."""
    settings.require("site_id", "track_api_key")
    _check_scope(scope, ledger)
    began = time.monotonic()
    with Destination(settings, console, policy=policy, network=network, shared=True) as destination:
        run = _Run(scope, settings.site_id, ledger, console, destination)
        with console.of_run(run.report.run_id):
            error = run.play()
    return conclude(run.report, error, destination, ledger, began)


def _check_scope(scope: str, ledger: Ledger) -> None:
    if scope == ALL:
        return
    run = ledger.run(scope)
    if run is None:
        raise ConfigError(f"no run {scope!r} is remembered", hint="`cio-sync history` lists them; or retry all")
    if run.kind != "events":
        raise ConfigError(
            f"run {scope} was a cohort run; whoever was refused there is sent again by the next run of that cohort",
            hint=f"run `cio-sync cohort SOURCE --name {run.sync}` again",
        )


class _Run:
    """One replay's state, so that a report can be made wherever it stops."""

    def __init__(
        self, scope: str, site_id: str, ledger: Ledger, console: Console, destination: Destination
    ) -> None:
        self.report = EventsReport(run_id=new_run_id())
        self._scope = scope
        self._site_id = site_id
        self._ledger = ledger
        self._console = console
        self._destination = destination
        self._events = EventLedger(None, site_id, "")
        self._replay = Replay(self._events)
        self._dispatcher: Dispatcher | None = None

    def play(self) -> SyncError | None:
        """Everything; returns what stopped it."""
        error = stopped_by(self._play)
        self._account()
        return error

    def _play(self) -> None:
        self._ledger.start_run(self.report.run_id, "events", None, self._site_id)
        with self._ledger.lease(f"events {self._site_id}"):
            self._destination.connect()
            try:
                self._deliver()
            finally:
                EventLetters(self._ledger, self._site_id).settle(self.report.run_id)
        if self._replay.unsendable:
            self._console.warn(
                f"{self._replay.unsendable} rows never became events and can't be sent again: mend their source and"
                " run it again"
            )

    def _deliver(self) -> None:
        events = EventLedger(self._ledger, self._site_id, self.report.run_id)
        self._replay = Replay(events)
        items = EventLetters(self._ledger, self._site_id).items(None if self._scope == ALL else self._scope)
        with Courier(self._destination.driver) as courier:
            self._dispatcher = Dispatcher(courier, events, self.report.run_id)
            deliver_all(self._replay.batches(items), courier, self._dispatcher, events)

    def _account(self) -> None:
        """Whatever was read and has no other fate is pending."""
        report, dispatcher = self.report, self._dispatcher
        report.received, report.duplicates = self._replay.received, self._replay.duplicates
        if dispatcher is not None:
            report.delivered, report.expired = dispatcher.delivered, dispatcher.expired
            report.refused = dict(dispatcher.refused)
        settled = report.duplicates + report.delivered + report.expired + total(report.refused)
        report.pending = report.received - settled
