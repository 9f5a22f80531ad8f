"""What a run tells: the exact keys of `--json`, the status and exit code that follow from the counts, and the sums.

A report holds counts, never people. `check` proves that nothing got lost on the way; a run calls it before it prints.
Rendering for people is here too, so that both forms come from the same values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from sync.core.errors import SyncError

SUCCESS, PARTIAL, FAILED, STOPPED = "success", "partial", "failed", "stopped"
DRY_RUN = "dry_run"


class AccountingBroken(Exception):
    """The counts of a report don't add up: a bug in the engine, never the user's fault."""


class Segment(msgspec.Struct, kw_only=True):
    """The segment a cohort run worked on; `id` is None when it was not reached."""

    id: int | None
    name: str
    created: bool


class CohortReport(msgspec.Struct, kw_only=True):
    """Report of a cohort run. `added` counts confirmed members, unless nothing was verified."""

    run_id: str
    kind: str = "cohort"
    sync: str
    status: str = SUCCESS
    mode: str = "incremental"
    segment: Segment
    source_rows: int = 0
    in_cohort: int = 0
    collapsed_duplicates: int = 0
    skipped: dict[str, int] = {}
    already_members: int = 0
    added: int = 0
    not_found: int = 0
    pending: int = 0
    refused: dict[str, int] = {}
    removed: int = 0
    requests: int = 0
    retries: int = 0
    duration_s: float = 0.0
    error: dict[str, str] | msgspec.UnsetType = msgspec.UNSET

    def losses(self) -> int:
        """People of the source who are not confirmed members, for whatever reason."""
        return total(self.skipped) + self.not_found + self.pending + total(self.refused)

    def check(self) -> None:
        """Raise AccountingBroken unless every row of the source has exactly one fate."""
        _equal("source_rows", self.source_rows, self.in_cohort + self.collapsed_duplicates + total(self.skipped))
        settled = self.already_members + self.added + self.not_found + self.pending + total(self.refused)
        _equal("in_cohort", self.in_cohort, settled)


class ReconcileReport(CohortReport, kw_only=True):
    """Report of a look at a segment. The source is what was agreed; `drift` counts what differed before anything was
    done: `missing`, `leftover` (ours, should be out) and `strangers` (put there by somebody else)."""

    kind: str = "reconcile"
    drift: dict[str, int] = {}

    def losses(self) -> int:
        """What still differs."""
        return total(self.drift) if self.mode == DRY_RUN else self.pending + total(self.refused)


class EventsReport(msgspec.Struct, kw_only=True):
    """Report of an events run; the times are ISO 8601 in UTC, None when there was no event."""

    run_id: str
    kind: str = "events"
    sync: str | None = None
    status: str = SUCCESS
    mode: str = "send"
    received: int = 0
    filtered: int = 0
    delivered: int = 0
    duplicates: int = 0
    discarded: dict[str, int] = {}
    refused: dict[str, int] = {}
    expired: int = 0
    pending: int = 0
    requests: int = 0
    retries: int = 0
    oldest_event_at: str | None = None
    newest_event_at: str | None = None
    duration_s: float = 0.0
    error: dict[str, str] | msgspec.UnsetType = msgspec.UNSET

    def losses(self) -> int:
        """Events that are not at the destination and should be."""
        return total(self.discarded) + total(self.refused) + self.expired + self.pending

    def check(self) -> None:
        """Raise AccountingBroken unless every event has exactly one fate."""
        _equal("received", self.received, self.filtered + self.delivered + self.duplicates + self.losses())


Report = CohortReport | EventsReport
KINDS: dict[str, type[Report]] = {"cohort": CohortReport, "reconcile": ReconcileReport, "events": EventsReport}


def total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())


def _equal(name: str, left: int, right: int) -> None:
    if left != right:
        raise AccountingBroken(f"{name} is {left}, its parts add up to {right}")


def finish(report: Report, error: SyncError | None = None, *, also_lost: int = 0) -> int:
    """Set the report's status (and `error`, where something stopped the run) and return the exit code.

    Without an error the counts decide: 0 when everything settled, 1 when something was skipped, discarded, refused,
    not found, expired or is pending. An error of code 1 (told to slow down, nobody there) is such a partial end too.
    `also_lost` counts what the report has no key for.
    """
    code = error.exit_code if error is not None else int(report.losses() + also_lost > 0)
    report.status = {0: SUCCESS, 1: PARTIAL, 5: STOPPED, 130: STOPPED}.get(code, FAILED)
    if error is not None:
        report.error = error.as_dict()
    return code


class Ended(NamedTuple):
    """How a run ended: what it tells, what its process returns, and what stopped it, if anything did."""

    report: Report
    exit_code: int
    error: SyncError | None = None


def encode(report: Report) -> bytes:
    """The one JSON object of `--json`, without a line end."""
    return msgspec.json.encode(report)
