"""Looks whether a segment still is what its sync agreed on, and with `repair` makes it so: `cio-sync reconcile`.

Asks no source: what should be true is in the ledger. Members whom somebody put in by hand are taken out by a repair,
which no cohort run does; in a segment that was adopted they belong to its owner and stay. Without `repair` nothing is
written anywhere.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from functools import partial

from sync.cohort_pass import MEMBERSHIP, CohortPass, Performer, Resolve, Sums, Tools, Totals
from sync.cohort_sending import Spools, Target, find_people, read_members
from sync.core.diff import Drift, Ids, Known, drift, observed
from sync.core.errors import ConfigError, InDoubt, SyncError
from sync.core.guards import guard_removals
from sync.core.intents import CohortIntent
from sync.core.ports import Clock
from sync.core.report import DRY_RUN, Ended, ReconcileReport, Segment, total
from sync.core.sending import RetryPolicy
from sync.core.wire_segments import SegmentInfo
from sync.destination import Destination
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.console import Console
from sync.edge.ledger import Ledger, SyncRow
from sync.edge.membership import Members, Spool
from sync.edge.settings import Settings
from sync.edge.transport import Network
from sync.ending import conclude, stopped_by
from sync.run import new_run_id
from sync.segments import find_segment, is_ours


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileOptions:
    """The flags of `cio-sync reconcile`; `max_removal_share` is in 0..1."""

    name: str
    repair: bool = False
    max_removal_share: float = 0.5
    allow_empty: bool = False


def run_reconcile(
    options: ReconcileOptions,
    settings: Settings,
    ledger: Ledger,
    console: Console,
    *,
    policy: RetryPolicy | None = None,
    network: Network | None = None,
    clock: Clock | None = None,
) -> Ended:
    """Look once, or repair once, and tell. Raises ConfigError: for a name that no sync has, for a ledger that fails."""
    settings.require("site_id", "track_api_key", "app_api_key")
    began = time.monotonic()
    shared = options.repair and clock is None
    reach = Destination(settings, console, policy=policy, network=network, clock=clock, shared=shared)
    with reach as destination:
        run = _Run(options, settings.site_id, ledger, console, destination)
        with console.of_run(run.report.run_id):
            error = run.play()
    return conclude(run.report, error, destination, ledger if options.repair else None, began)


class _Run:
    """One run's state, so that a report can be made wherever it stops."""

    def __init__(
        self, options: ReconcileOptions, site_id: str, ledger: Ledger, console: Console, destination: Destination
    ) -> None:
        """Raises ConfigError when there is no such sync."""
        self._options = options
        self._ledger = ledger
        self._console = console
        self._destination = destination
        self._site_id = site_id
        self._settled = False
        self._know(_row(ledger, site_id, options.name))
        segment = Segment(id=self._segment_id, name=self._intent.segment_name, created=False)
        mode = "incremental" if options.repair else DRY_RUN
        self.report = ReconcileReport(run_id=new_run_id(), sync=options.name, segment=segment, mode=mode)

    def _know(self, row: SyncRow) -> None:
        self._intent = CohortIntent(self._site_id, self._options.name, row.id_type, row.id_column)
        self._segment_id = row.segment_id
        self._members = Members(self._ledger.connection, row.sync_key)

    def play(self) -> SyncError | None:
        """Everything; returns what stopped it. The report adds up wherever that was."""
        error = stopped_by(self._play)
        if not self._settled:
            report = self.report
            report.pending = report.in_cohort - report.already_members - total(report.refused)
        return error

    def _play(self) -> None:
        lease: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if self._options.repair:
            self._ledger.start_run(self.report.run_id, "reconcile", self._intent.name, self._intent.key)
            lease = self._ledger.lease(f"cohort {self._intent.site_id} {self._intent.name}")
        with lease, Spool() as cohort:
            self._know(_row(self._ledger, self._site_id, self._options.name))  # a run we waited for may have changed it
            self.report.segment.id = self._segment_id
            for number in self._members.numbers:
                cohort.add(self._members.bucket(number).agreed)
            self.report.source_rows = self.report.in_cohort = cohort.count
            self._destination.prove_app_key(self._destination.connect())
            self._compare(cohort, self._find())

    def _find(self) -> SegmentInfo:
        found = find_segment(self._destination, self._intent, self._segment_id, adopt_id=None, recreate=False)
        assert found.info is not None, "a sync that was found by its stored segment has one"
        self.report.segment.name = found.info.name
        return found.info

    # -- looking ------------------------------------------------------------------------------------------------------
    def _compare(self, cohort: Spool, segment: SegmentInfo) -> None:
        target = Target(segment.id, self._intent.id_type)
        others = self._ledger.others_filling(self._intent.site_id, segment.id, self._intent.name)
        ours = is_ours(segment, self._intent) and not others
        with Spool() as present, Spool() as nowhere:
            read_members(self._destination, *target, present)
            missing = (one for number in self._members.numbers for one in self._drift(number, cohort, present).missing)
            for _, nobody in find_people(self._destination, *target, missing, members_only=False):
                nowhere.add(sorted(nobody))
            known = partial(_known, present, nowhere, ours=ours)
            work = CohortPass(cohort, self._members)
            strangers = self._account(cohort, present, nowhere)
            if strangers and not ours:
                whose = f"may be of {', '.join(map(repr, others))}" if others else "belong to the owner of the segment"
                self._console.note(f"{strangers} members {whose}, and are left alone")
            self._act(work, known, target, strangers if ours else 0)

    def _drift(self, number: int, cohort: Spool, present: Spool) -> Drift:
        ids = (frozenset(spool.bucket(number)) for spool in (cohort, present))
        return drift(self._members.bucket(number), *ids)

    def _account(self, cohort: Spool, present: Spool, nowhere: Spool) -> int:
        """Fill in what a look alone tells, and return how many members nobody here put in."""
        report = self.report
        missing = strangers = leftover = 0
        for number in self._members.numbers:
            found = self._drift(number, cohort, present)
            missing += len(found.missing)
            leftover += len(found.leftover)
            strangers += len(found.strangers)
        report.already_members = report.in_cohort - missing
        report.not_found = nowhere.count
        report.drift = {"missing": missing - nowhere.count, "leftover": leftover}
        return strangers

    # -- acting -------------------------------------------------------------------------------------------------------
    def _act(self, work: CohortPass, known: Resolve, target: Target, strangers: int) -> None:
        report, options = self.report, self._options
        report.drift["strangers"] = strangers
        if not options.repair:
            self._settled = True
            report.added, report.removed = report.drift["missing"], report.drift["leftover"] + strangers
            return
        report.not_found = 0  # counted again when all is done
        with self._ledger.atomic():
            totals = work.plan(known, full=False, retry_absent=False, write=True)
            if not options.allow_empty:
                guard_removals(totals.losses, totals.members, most_share=options.max_removal_share)
        with Spools() as spools:
            self._repair(work, target, spools, totals)

    def _repair(self, work: CohortPass, target: Target, spools: Spools, totals: Totals) -> None:
        tools = Tools(self._ledger, self._destination, self._console, spools, self.report.run_id)
        performer = Performer(work, self._members, target, tools, verify=MEMBERSHIP)
        try:
            performer.send(totals)
            performer.verify()
        except (SyncError, KeyboardInterrupt):
            self.report.refused = dict(performer.abandon())
            raise
        with self._ledger.atomic():
            sums = performer.settle(everybody=False)
            if sums.refused:  # the ledger forgets those: only the source can name them again
                AmplitudeLedger(self._ledger, "").forget_snapshot(self._intent.key)
        self._tell(sums)

    def _tell(self, sums: Sums) -> None:
        self._settled = True
        report = self.report
        report.already_members, report.added = sums.already_members, sums.added
        report.not_found, report.pending = sums.not_found, sums.pending
        report.refused, report.removed = dict(sums.refused), sums.removed
        if sums.staying:
            raise InDoubt(
                f"{sums.staying} people who should have left the segment are still in it or in doubt",
                hint="run it again: it goes on where it stopped",
            )


def _row(ledger: Ledger, site_id: str, name: str) -> SyncRow:
    """The sync of that name with its segment. Raises ConfigError."""
    row = ledger.sync(site_id, name)
    if row is None:
        known = ledger.sync_names(site_id)
        raise ConfigError(
            f"no cohort sync {name!r} to this destination is remembered; nothing was sent",
            hint=f"those that are: {', '.join(map(repr, known)) or 'none'}; another Site ID has syncs of its own",
        )
    if row.segment_id is None:
        raise ConfigError(
            f"the sync {name!r} has no segment yet; nothing was sent", hint="run its cohort to the end first"
        )
    return row


def _known(present: Spool, nowhere: Spool, number: int, stored: Known, cohort: Ids, *, ours: bool) -> Known:
    return observed(stored, cohort, frozenset(present.bucket(number)), frozenset(nowhere.bucket(number)), ours=ours)
