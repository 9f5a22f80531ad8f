"""An events run from file to report: read, map, pack, write down, send, settle, tell.

Every batch is in the ledger before it is sent, and what became of it is written with the next one. Kill it anywhere and
run it again: what was delivered is a duplicate then, what was in doubt is sent again under the same ids.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field

from sync.amplitude_pull import Project
from sync.core.errors import SourceError, SyncError
from sync.core.forecast import Forecast
from sync.core.mapping import Discard, Rules, selection_of
from sync.core.ports import Clock
from sync.core.report import Ended, EventsReport
from sync.core.sending import RetryPolicy
from sync.courier import Courier
from sync.destination import Destination
from sync.dispatch import Dispatcher, deliver_all
from sync.edge.console import Console
from sync.edge.event_ledger import EventLedger
from sync.edge.files import EventFiles, EventSource, Piece
from sync.edge.ledger import KEPT_LETTERS_S, Ledger
from sync.edge.letters import EventLetters, Read
from sync.edge.settings import Settings
from sync.edge.transport import Network
from sync.ending import conclude, stopped_by
from sync.event_letters import MOST_ROWS, discarded_letter
from sync.event_notes import LATE_S, losses, notes, silent_names, update_losses, update_notes
from sync.event_reading import EventReading
from sync.export_source import EXPORT, open_export, place_of
from sync.run import new_run_id

_KIB = 1024
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsOptions:
    """The flags of `cio-sync events`. `sync` is what a configuration calls it."""

    source: str
    sync: str | None = None
    rules: Rules = field(default_factory=Rules)
    dry_run: bool = False


def run_events(
    options: EventsOptions,
    settings: Settings,
    ledger: Ledger | None,
    console: Console,
    *,
    policy: RetryPolicy | None = None,
    network: Network | None = None,
    project: Project | None = None,
    events: EventSource | None = None,
    clock: Clock | None = None,
) -> Ended:
    """Run once and tell. Raises ConfigError (a ledger that fails included); every other end is in what it returns.

    `ledger` may be None in a dry run that has nothing to look up. `network` replaces the wire to Customer.io in tests;
    `project` is the Amplitude project of the source `amplitude:export`, `events` stands in for what `options.source`
    names; `clock` is the time that pauses pass on, for tests that turn it (such a run keeps its pace to itself).
    """
    settings.require("site_id", "track_api_key")
    began = time.monotonic()
    shared = ledger is not None and not options.dry_run and clock is None
    reach = Destination(settings, console, policy=policy, network=network, clock=clock, shared=shared)
    with reach as destination:
        run = _Run(options, settings, ledger, console, destination, project, events)
        with console.of_run(run.report.run_id):
            error = run.play()
    kept = None if options.dry_run else ledger
    return conclude(run.report, error, destination, kept, began, also_lost=run.updates_lost)


class _Run:
    """One run's state, so that a report can be made wherever it stops."""

    def __init__(
        self, options: EventsOptions, settings: Settings, ledger: Ledger | None, console: Console,
        destination: Destination, project: Project | None, given: EventSource | None,
    ) -> None:
        mode = "dry_run" if options.dry_run else "send"
        self.report = EventsReport(run_id=new_run_id(), sync=options.sync, mode=mode)
        self._options = options
        self._site_id = settings.site_id
        self._state_path = settings.state_path
        self._lanes = settings.workers
        self._ledger = ledger
        self._console = console
        self._destination = destination
        self._project = project
        self._given = given
        self._reading: EventReading | None = None
        self._dispatcher: Dispatcher | None = None
        self._told: Counter[str] = Counter()  # letters of rows that leave this run less room, by reason

    def play(self) -> SyncError | None:
        """Everything; returns what stopped it. The report adds up wherever that was."""
        error = stopped_by(self._play)
        if isinstance(error, SourceError):
            error = self._broken(error)
        self._account(stopped=error is not None)
        return error

    def _play(self) -> None:
        if self._writing is not None:
            self._writing.start_run(self.report.run_id, "events", self._options.sync, self._site_id)
        with self._opened() as source:
            source.prove()
            if self._writing is None:
                self._rehearse(source)
                return
            with self._writing.lease(f"events {self._site_id}"):
                self._destination.connect()
                try:
                    self._deliver(source)
                except SourceError:
                    self._advance(source)
                    raise
                self._advance(source)

    def _opened(self) -> contextlib.AbstractContextManager[EventSource]:
        if self._given is not None:
            return contextlib.nullcontext(self._given)
        source, rules = self._options.source, self._options.rules
        if source == EXPORT:
            return open_export(
                self._project, self._ledger, place_of(self._site_id, self._options.sync, rules), self._console,
                since=rules.since, until=rules.until, writing=self._writing is not None,
            )  # fmt: skip
        stdin = sys.stdin.buffer if source == "-" and sys.stdin is not None else None  # a daemon may have none
        return EventFiles(source, stdin, state_path=self._state_path)

    def _advance(self, source: EventSource) -> None:
        """Unless an event was never sent: what was read of the source need not be read again, as far as it can wait
        for those without an answer."""
        dispatcher = self._dispatcher
        if dispatcher is not None and dispatcher.pending + dispatcher.beside["pending"] == 0:
            source.advance(expired=dispatcher.expired + dispatcher.beside["expired"] > 0)

    @property
    def _writing(self) -> Ledger | None:
        """The ledger, unless nothing may be written."""
        return None if self._options.dry_run else self._ledger

    def _rehearse(self, source: EventSource) -> None:
        """A dry run: everything but sending and remembering."""
        known = EventLedger(self._ledger, self._site_id, self.report.run_id)
        self._reading = EventReading(
            self._options.rules, known, known.people, bury=lambda discard, file, number: None, lanes=self._lanes
        )
        requests = 1  # the one that proves the credentials
        with contextlib.closing(self._watched(source)) as pieces:
            for batch in self._reading.batches(pieces):
                self.report.delivered += batch.rows
                requests += 1
        self._console.note(Forecast(requests).sentence(self._destination.rates_per_s, self._lanes))

    def _deliver(self, source: EventSource) -> None:
        events = EventLedger(self._ledger, self._site_id, self.report.run_id)
        if self._given is not None and self._writing is not None:  # one of very many short runs
            self._told = EventLetters(self._writing, self._site_id).rows_since(time.time() - HOUR_S)
        with Courier(self._destination.driver, self._lanes) as courier:
            self._dispatcher = dispatcher = Dispatcher(courier, events, self.report.run_id)
            self._reading = reading = EventReading(
                self._options.rules, events, events.people, self._bury, lanes=self._lanes,
                late_before_s=time.time() - LATE_S,
            )  # fmt: skip
            with contextlib.closing(self._watched(source)) as pieces:
                in_doubt = deliver_all(reading.batches(pieces), courier, dispatcher, events)
        if self._writing is not None:
            letters = EventLetters(self._writing, self._site_id)
            letters.settle(self.report.run_id, self._read(reading))
            letters.forget(time.time() - KEPT_LETTERS_S)
            self._remark(reading, self._writing)
        if in_doubt:
            self._console.warn(
                f"{in_doubt} events of an earlier run that was cut off are still in doubt: run its source again"
            )

    def _read(self, reading: EventReading) -> Read:
        """What has been read to its end, as far as the same name stands for the same rows the next time."""
        rules = self._options.rules
        lasting = self._given is None and self._options.source != "-"
        whole = not selection_of(rules) and rules.since is None and rules.until is None
        return Read({self._place(name) for name in reading.files} if lasting else (), self._options.sync, whole)

    def _remark(self, reading: EventReading, ledger: Ledger) -> None:
        assert self._dispatcher is not None, "only a run that delivered remarks"
        for line in (*notes(reading), *update_notes(reading, self._dispatcher.updates)):
            self._console.note(line)
        for line in (
            *losses(reading, self._dispatcher.unclear), *update_losses(reading, self._dispatcher.beside),
        ):
            self._console.warn(line)
        if (wanted := self._options.rules.events) is not None and reading.received:
            for line in silent_names(ledger, self._site_id, wanted, reading.came):
                self._console.warn(line)

    def _bury(self, discard: Discard, file: str, number: int) -> None:
        assert self._dispatcher is not None, "only a run that delivers buries"
        assert self._reading is not None, "and one that reads"
        if self._told[discard.reason] + self._reading.discarded[discard.reason] <= MOST_ROWS:
            who = self._options.rules.id_property
            self._dispatcher.bury(
                discarded_letter(self.report.run_id, discard, self._place(file), number, id_property=who)
            )

    def _place(self, name: str) -> str:
        """A file by its whole path, which holds wherever somebody looks for it from; what is no file by its name."""
        is_file = self._given is None and self._options.source not in ("-", EXPORT)
        return os.path.abspath(name) if is_file else name

    def _watched(self, source: EventSource) -> Generator[Piece, None, None]:
        """The pieces, with progress told as they go by.

        To be closed by whoever reads them, also when the run stops: a file that is still being unpacked belongs to a
        thread, and whichever thread collects the garbage must not wait for that one.
        """
        total = None if source.total_bytes is None else source.total_bytes // _KIB
        with self._console.progress("reading", total, "KiB") as advance:
            told = 0
            for piece in source.pieces():
                yield piece
                advance(source.bytes_read // _KIB - told)
                told = source.bytes_read // _KIB

    @property
    def updates_lost(self) -> int:
        """Updates of people that went with an event and did not arrive: the report counts rows, and is partial."""
        return 0 if self._dispatcher is None else self._dispatcher.beside.total()

    # -- telling ------------------------------------------------------------------------------------------------------
    def _broken(self, error: SourceError) -> SourceError:
        """The source's error with what had been sent by then."""
        sent = self._dispatcher.delivered if self._dispatcher is not None else 0
        said = f"{sent} events before that were delivered and are remembered" if sent else "nothing was sent"
        what = error.message.removesuffix("; nothing was sent")  # true of the source, and perhaps not of the run
        return SourceError(f"{what}; {said}", hint=error.hint, code=error.reason)

    def _account(self, *, stopped: bool) -> None:
        report, reading, dispatcher = self.report, self._reading, self._dispatcher
        if reading is not None:
            report.received, report.filtered = reading.received, reading.filtered
            report.duplicates, report.discarded = reading.duplicates, dict(reading.discarded)
            report.oldest_event_at, report.newest_event_at = reading.oldest_at, reading.newest_at
        if dispatcher is not None:
            report.delivered, report.expired = dispatcher.delivered, dispatcher.expired
            report.pending, report.refused = dispatcher.pending, dict(dispatcher.refused)
        if stopped:  # what was read and has no other fate was not sent, or has no answer yet
            report.pending = report.received - report.filtered - report.duplicates - report.delivered - report.expired
            report.pending -= sum(report.discarded.values()) + sum(report.refused.values())
