"""A cohort run from file to report: read, guard, find the segment, plan, send, look, settle, tell.

Nothing leaves before the source was read to its end and the guards have passed; the plan is in the ledger before the
first identifier is sent. Kill it anywhere and run it again: same end.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

import msgspec

from sync.amplitude_pull import Project
from sync.cohort_pass import AS_STORED, MEMBERSHIP, NOTHING, CohortPass, Performer, Sums, Tools, Totals
from sync.cohort_sending import Spools, Target, read_members
from sync.cohort_source import CohortSource, cohort_id_of, open_cohort_source
from sync.core.diff import Ids, Known
from sync.core.errors import InDoubt, SyncError
from sync.core.facts import SnapshotFacts
from sync.core.forecast import forecast_cohort
from sync.core.guards import guard_empty, guard_mapping, guard_removals
from sync.core.intents import CohortIntent
from sync.core.ports import Clock
from sync.core.report import CohortReport, Ended, Segment, total
from sync.core.sending import RetryPolicy
from sync.destination import Destination
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.console import Console
from sync.edge.ledger import Ledger, SyncRow
from sync.edge.membership import COARSE, Members, Spool
from sync.edge.scale import open_spool
from sync.edge.settings import Settings
from sync.edge.transport import Network
from sync.ending import conclude, stopped_by
from sync.run import new_run_id
from sync.segments import Found, Origin, find_segment, is_ours, make_segment


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortOptions:
    """The flags of `cio-sync cohort`; `max_removal_share` is in 0..1."""

    source: str
    name: str
    cohort_id: str = ""
    id_column: str = "user_id"
    id_type: str = "id"
    segment_id: int | None = None
    full: bool = False
    recreate: bool = False
    verify: str = MEMBERSHIP
    max_removal_share: float = 0.5
    allow_empty: bool = False
    dry_run: bool = False


def run_cohort(
    options: CohortOptions,
    settings: Settings,
    ledger: Ledger | None,
    console: Console,
    *,
    policy: RetryPolicy | None = None,
    network: Network | None = None,
    project: Project | None = None,
    cohort: CohortSource | None = None,
    clock: Clock | None = None,
) -> Ended:
    """Run once and tell. Raises ConfigError (a ledger that fails included); every other end is in what it returns.

    `ledger` may be None in a dry run that has nothing to look up. `network` replaces the wire to Customer.io in tests;
    `project` is the Amplitude project of a source such as `amplitude:COHORT_ID`, `cohort` stands in for what
    `options.source` names; `clock` is the time that pauses pass on, for tests that turn it (such a run keeps its pace
    to itself).
    """
    settings.require("site_id", "track_api_key", "app_api_key")
    began = time.monotonic()
    shared = ledger is not None and not options.dry_run and clock is None
    reach = Destination(settings, console, policy=policy, network=network, clock=clock, shared=shared)
    writing = not options.dry_run
    intent = _intent(options, settings)
    origin: contextlib.AbstractContextManager[CohortSource] = (
        open_cohort_source(options.source, intent, ledger, console, project, writing=writing, full=options.full)
        if cohort is None else contextlib.nullcontext(cohort)
    )  # fmt: skip
    with open_spool(settings.diff) as spool, origin as source, reach as destination:
        run = _Run(options, intent, ledger, console, destination, source, spool, pushed=cohort is not None)
        with console.of_run(run.report.run_id):
            error = run.play()
    return conclude(run.report, error, destination, None if options.dry_run else ledger, began)


class _Run:
    """One run's state, so that a report can be made wherever it stops."""

    def __init__(
        self, options: CohortOptions, intent: CohortIntent, ledger: Ledger | None, console: Console,
        destination: Destination, source: CohortSource, cohort: Spool, *, pushed: bool,
    ) -> None:
        self._options = options
        self._pushed = pushed
        self._ledger = ledger
        self._console = console
        self._destination = destination
        self._cohort = cohort
        self._source = source
        self._intent = intent
        self._facts: SnapshotFacts | None = None
        self._totals: Totals | None = None
        self._refused: Counter[str] = Counter()
        self._settled = False
        self._ours = True  # the segment: made by this sync rather than adopted
        segment = Segment(id=None, name=self._intent.segment_name, created=False)
        mode = "dry_run" if options.dry_run else "full" if options.full else "incremental"
        self.report = CohortReport(run_id=new_run_id(), sync=options.name, segment=segment, mode=mode)

    def play(self) -> SyncError | None:
        """Everything; returns what stopped it. The report adds up wherever that was."""
        error = stopped_by(self._play)
        if not self._settled:
            self._account_unsettled()
        return error

    def _play(self) -> None:
        options = self._options
        if self._writing is not None:
            self._writing.start_run(self.report.run_id, "cohort", options.name, self._intent.key)
        lease = f"cohort {self._intent.site_id} {options.name}"
        # before the source is read: whoever waits for another run must not come back with an older cohort than that had
        with self._writing.lease(lease) if self._writing is not None else contextlib.nullcontext():
            if self._pushed and self._writing is not None:  # what is agreed will be no computation of Amplitude's
                AmplitudeLedger(self._writing, "").forget_snapshot(self._intent.key)
            self._facts = self._source.read(self._cohort)
            guard_empty(self._facts.kept, self._facts.source_rows, allow_empty=options.allow_empty)
            row = self._remembered()
            self._destination.prove_app_key(self._destination.connect())
            self._run(self._find(row), row)

    @property
    def _writing(self) -> Ledger | None:
        """The ledger, unless nothing may be written."""
        return None if self._options.dry_run else self._ledger

    # -- what is known ------------------------------------------------------------------------------------------------
    def _remembered(self) -> SyncRow | None:
        row = None if self._ledger is None else self._ledger.sync(self._intent.site_id, self._intent.name)
        if row is not None:
            self._guard_mapping(row.id_type, row.id_column)
        return row

    def _guard_mapping(self, id_type: str, id_column: str) -> None:
        now = (self._intent.id_type, self._intent.id_column)
        guard_mapping(self._intent.name, (id_type, id_column), now, full=self._options.full)

    def _find(self, row: SyncRow | None) -> Found:
        found = find_segment(
            self._destination, self._intent, row.segment_id if row else None,
            adopt_id=self._options.segment_id, recreate=self._options.recreate,
        )
        if found.origin is Origin.REMAPPED:
            self._guard_mapping("another identifier", "(not remembered)")
        if found.info is not None:
            self.report.segment = Segment(id=found.info.id, name=found.info.name, created=False)
            self._ours = is_ours(found.info, self._intent)
            self._warn_of_sharing(found.info.id, row.segment_id if row else None)
        if found.origin is not Origin.STORED and not self._options.dry_run:
            self.report.mode = "full"
        return found

    def _warn_of_sharing(self, segment_id: int, stored_id: int | None) -> None:
        """Of what a segment that was chosen by its id brings with it."""
        intent, ledger = self._intent, self._ledger
        others = ledger.others_filling(intent.site_id, segment_id, intent.name) if ledger is not None else []
        if others:
            self._console.warn(
                f"segment {segment_id} is filled by {', '.join(map(repr, others))} too: whoever leaves one cohort is"
                " taken out, though another may have them; without --segment-id a sync has one of its own"
            )
        if stored_id is not None and stored_id != segment_id and not self._options.recreate:
            self._console.warn(f"this sync filled segment {stored_id} until now; whoever is still in that one stays")

    def _run(self, found: Found, row: SyncRow | None) -> None:
        if row is not None and row.sync_key != self._intent.key:
            self._retire(row, found)
        with Spools() as spools, Spool() as baseline:
            if found.info is not None and found.origin is not Origin.STORED:
                read_members(self._destination, found.info.id, self._intent.id_type, baseline)
            members = None if self._ledger is None else Members(self._ledger.connection, self._intent.key)
            self._complete(found, members, baseline)
            work = CohortPass(self._cohort, members)
            self._totals = self._plan(work, found, baseline, remapped=_remapped(row, self._intent))
            if self._writing is None:
                self._account_dry_run(self._totals)
                self._foretell(self._totals, new=found.info is None)
            elif members is not None:
                target = Target(self._segment_id(found, self._writing), self._intent.id_type)
                self._perform(self._performer(work, members, target, spools), self._totals)

    def _complete(self, found: Found, members: Members | None, baseline: Spool) -> None:
        """Let the source say who of those in the segment stays, though it does not name them."""
        if members is None or self._facts is None:
            return
        stored = found.origin is Origin.STORED
        numbers = members.numbers if stored else COARSE
        known = (members.bucket(n).agreed if stored else frozenset(baseline.bucket(n)) for n in numbers)
        unsaid = self._source.complete(self._cohort, known)
        self._facts = msgspec.structs.replace(self._facts, kept=self._facts.kept + unsaid)

    # -- plan ---------------------------------------------------------------------------------------------------------
    def _plan(self, work: CohortPass, found: Found, baseline: Spool, *, remapped: bool) -> Totals:
        """Compare, guard, and write the plan down: all of it or, when a guard stops it, nothing."""
        options = self._options
        with self._writing.atomic() if self._writing is not None else contextlib.nullcontext():
            self._totals = totals = work.plan(
                AS_STORED if found.origin is Origin.STORED else partial(_resolve, found.origin, baseline),
                full=options.full, retry_absent=options.verify == NOTHING, write=self._writing is not None,
            )
            if not options.allow_empty and not remapped:
                guard_removals(totals.losses, totals.members, most_share=options.max_removal_share)
            if self._writing is not None:
                self._store(self._writing, found.info.id if found.info else None)
        if totals.prefixed and self._intent.id_type == "id":
            self._console.warn(
                f"{totals.prefixed} identifiers start with cio_ and are sent as ids, to the letter; if they are"
                " Customer.io's own, pass --id-type cio_id"
            )
        return totals

    def _store(self, ledger: Ledger, segment_id: int | None) -> None:
        intent = self._intent
        row = SyncRow(intent.key, intent.id_type, intent.id_column, segment_id)
        ledger.store_sync(intent.site_id, intent.name, row)

    def _segment_id(self, found: Found, ledger: Ledger) -> int:
        if found.info is not None:
            return found.info.id
        made = make_segment(self._destination, self._intent)
        self._store(ledger, made.id)
        self.report.segment = Segment(id=made.id, name=made.name, created=True)
        self._console.note(f"made segment {made.id}, {made.name}")
        return made.id

    # -- send, look, settle -------------------------------------------------------------------------------------------
    def _performer(self, work: CohortPass, members: Members, target: Target, spools: Spools) -> Performer:
        assert self._writing is not None, "only a run that writes performs"
        tools = Tools(self._writing, self._destination, self._console, spools, self.report.run_id)
        return Performer(work, members, target, tools, verify=self._options.verify)

    def _perform(self, performer: Performer, totals: Totals) -> None:
        try:
            performer.send(totals)
            performer.verify()
        except (SyncError, KeyboardInterrupt):
            self._refused = performer.abandon()
            raise
        sums = performer.settle()
        self._account(totals, sums)
        if not sums.refused:  # the ledger forgets those: only the source can name them again
            self._source.agreed()
        if sums.strangers:  # in a segment of our own that is drift, which somebody should know of
            tell = self._console.warn if self._ours else self._console.note
            tell(f"{sums.strangers} members were put there by somebody else and are left alone")
        _all_gone(sums)

    def _retire(self, row: SyncRow, found: Found) -> None:
        """Take out those whom an earlier mapping put in, under the identifiers it used; then forget it."""
        if self._ledger is None:
            return
        old = Members(self._ledger.connection, row.sync_key)
        stored = found.info if found.origin is Origin.STORED else None
        if self._writing is None:
            self.report.removed += sum(len(old.bucket(number).ours) for number in old.numbers) if stored else 0
            return
        if stored is not None:
            self._empty(old, Target(stored.id, row.id_type))
        with self._writing.atomic():
            old.forget()
            self._store(self._writing, row.segment_id)

    def _empty(self, old: Members, target: Target) -> None:
        assert self._writing is not None, "only a run that writes empties a segment"
        with Spool() as nobody, Spools() as spools:
            work = CohortPass(nobody, old)
            with self._writing.atomic():
                totals = work.plan(AS_STORED, full=False, retry_absent=False, write=True)
            performer = self._performer(work, old, target, spools)
            performer.send(totals)
            performer.verify()
            sums = performer.settle()
        self.report.removed += sums.removed
        _all_gone(sums)

    # -- telling ------------------------------------------------------------------------------------------------------
    def _account_source(self, in_cohort: int) -> None:
        if self._facts is not None:
            self.report.source_rows = self._facts.source_rows
            self.report.skipped = self._facts.skipped
            self.report.in_cohort = in_cohort
            self.report.collapsed_duplicates = self._facts.kept - in_cohort

    def _account(self, totals: Totals, sums: Sums) -> None:
        self._settled = True
        self._account_source(totals.in_cohort)
        report = self.report
        report.already_members, report.added = sums.already_members, sums.added
        report.not_found, report.pending = sums.not_found, sums.pending
        report.refused = dict(sums.refused)
        report.removed += sums.removed

    def _account_dry_run(self, totals: Totals) -> None:
        """What a run would do: `added` and `removed` are intentions."""
        self._settled = True
        self._account_source(totals.in_cohort)
        self.report.already_members, self.report.not_found = totals.kept, totals.waiting
        self.report.added = totals.in_cohort - totals.kept - totals.waiting
        self.report.removed += totals.losses

    def _foretell(self, totals: Totals, *, new: bool) -> None:
        members = totals.in_cohort - totals.waiting
        forecast = forecast_cohort(
            totals.join, totals.leave, members, totals.waiting, verify=self._options.verify, new=new
        )
        self._console.note(forecast.sentence(self._destination.rates_per_s))

    def _account_unsettled(self) -> None:
        """A run that stopped early: who was a member is, the rest is pending."""
        if self._facts is None:
            return
        if self._totals is None:
            self._account_source(sum(len(frozenset(self._cohort.bucket(number))) for number in COARSE))
        else:
            self._account_source(self._totals.in_cohort)
            self.report.already_members = self._totals.kept
        self.report.refused = dict(self._refused)
        self.report.pending = self.report.in_cohort - self.report.already_members - total(self._refused)


def _intent(options: CohortOptions, settings: Settings) -> CohortIntent:
    cohort_id = options.cohort_id or cohort_id_of(options.source)
    return CohortIntent(settings.site_id, options.name, options.id_type, options.id_column, cohort_id)


def _remapped(row: SyncRow | None, intent: CohortIntent) -> bool:
    """Whether another mapping came before; --full confirmed it, so leaving in numbers is what was asked for."""
    return row is not None and (row.id_type, row.id_column) != (intent.id_type, intent.id_column)


def _resolve(origin: Origin, baseline: Spool, number: int, stored: Known, cohort: Ids) -> Known:
    """What is known of a bucket, by where the segment came from.

    A marked segment without memory is ours: who is in it was put there by us. In an adopted one, those who are not in
    the cohort belong to whoever made it.
    """
    present = frozenset(baseline.bucket(number))
    return Known(confirmed=present & cohort if origin is Origin.ADOPTED else present)


def _all_gone(sums: Sums) -> None:
    if sums.staying:
        raise InDoubt(
            f"{sums.staying} people who should have left the segment are still in it or in doubt",
            hint="run it again: it goes on where it stopped",
        )
