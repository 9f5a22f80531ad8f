"""Where a cohort comes from: files, an Amplitude project, or, when nothing has changed there, the ledger itself.

A cohort that Amplitude has not computed anew since this sync last agreed with it is taken from memory: the download
would use up one of the month's requests and say the same.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterable, Iterator
from typing import Protocol

from sync.amplitude_pull import Amplitude, Project
from sync.core.amplitude import CohortInfo, choose_cohort, wanted_properties
from sync.core.diff import Ids
from sync.core.errors import SourceError
from sync.core.facts import SnapshotFacts
from sync.core.intents import CohortIntent
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.cohort_files import read_cohort, read_downloaded
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.membership import Members, Spool

AMPLITUDE = "amplitude:"


def cohort_id_of(source: str) -> str:
    """The cohort's id in a source such as `amplitude:abc123`; empty for files."""
    return source.removeprefix(AMPLITUDE).strip() if source.startswith(AMPLITUDE) else ""


class CohortSource(Protocol):
    """Reads one whole cohort into a spool, and is told when the segment equals it."""

    def read(self, spool: Spool) -> SnapshotFacts:
        """Raises SourceError, SnapshotIncomplete."""
        ...

    def complete(self, spool: Spool, members: Iterable[Ids]) -> int:
        """Told who is known to be in the segment, some at a time, before anything is planned: put those into the spool
        of whom this source does not know whether they left. Returns how many."""
        ...

    def agreed(self) -> None:
        """Every id of what was read has its fate in the ledger."""
        ...


class FileSource:
    """Files. What they hold replaces whatever an Amplitude project said of the same sync before."""

    def __init__(self, source: str, intent: CohortIntent, ledger: Ledger | None) -> None:
        self._source = source
        self._intent = intent
        self._ledger = ledger

    def read(self, spool: Spool) -> SnapshotFacts:
        facts = read_cohort(self._source, self._intent.id_column, self._intent.id_type, spool)
        if self._ledger is not None:
            AmplitudeLedger(self._ledger, "").forget_snapshot(self._intent.key)
        return facts

    def complete(self, spool: Spool, members: Iterable[Ids]) -> int:
        return 0

    def agreed(self) -> None:
        return None


class AmplitudeSource:
    """A cohort of a project. `ledger` is for reading; `writing` False: nothing is remembered (a dry run)."""

    def __init__(
        self, amplitude: Amplitude, cohort_id: str, intent: CohortIntent, ledger: Ledger | None, console: Console, *,
        project: str, writing: bool, full: bool,
    ) -> None:  # fmt: skip
        self._amplitude = amplitude
        self._cohort_id = cohort_id
        self._intent = intent
        self._ledger = ledger
        self._memory = AmplitudeLedger(ledger, project) if ledger is not None else None
        self._console = console
        self._project = project
        self._writing = writing
        self._full = full
        self._agreed: tuple[int, SnapshotFacts] | None = None

    def read(self, spool: Spool) -> SnapshotFacts:
        info = choose_cohort(self._amplitude.cohorts(), self._cohort_id)
        facts = None if self._full or info is None else self._remembered(info, spool)
        if facts is None:
            facts = self._downloaded(info, spool)
        return facts

    def complete(self, spool: Spool, members: Iterable[Ids]) -> int:
        return 0

    def agreed(self) -> None:
        if self._agreed is not None and self._memory is not None and self._writing:
            self._memory.store_snapshot(self._intent.key, self._cohort_id, *self._agreed)

    # -- from memory --------------------------------------------------------------------------------------------------
    def _remembered(self, info: CohortInfo, spool: Spool) -> SnapshotFacts | None:
        """The cohort as this sync agreed with it, if that is still what Amplitude has."""
        stored = None if self._memory is None else self._memory.snapshot(self._intent.key)
        if stored is None or self._ledger is None or info.last_computed is None:
            return None
        if (stored.project, stored.cohort_id, stored.last_computed) != (self._project, info.id, info.last_computed):
            return None
        members = Members(self._ledger.connection, self._intent.key)
        for number in members.numbers:
            known = members.bucket(number)
            spool.add(known.agreed)
        self._console.note("Amplitude has not computed the cohort anew since the last run: not downloaded")
        return stored.facts

    # -- from Amplitude -----------------------------------------------------------------------------------------------
    def _downloaded(self, info: CohortInfo | None, spool: Spool) -> SnapshotFacts:
        if self._memory is not None and self._writing:
            self._memory.forget_snapshot(self._intent.key)
        elif not self._writing:
            self._console.note("a dry run asks Amplitude like any other: one of the month's cohort requests is used")
        intent = self._intent
        with tempfile.TemporaryFile(prefix="cio-sync-") as file:  # private: it holds people
            asked_at = self._download(file)
            facts = read_downloaded(file, f"the cohort {self._cohort_id}", intent.id_column, intent.id_type, spool)
        if info is not None:
            self._compare(info, facts.source_rows)
            if info.last_computed is not None and asked_at >= info.last_computed:
                self._agreed = (info.last_computed, facts)
        return facts

    def _download(self, file: io.BufferedRandom) -> float:
        properties = wanted_properties(self._intent.id_column)
        if self._ledger is None or not self._writing:
            return self._amplitude.download_cohort(self._cohort_id, properties, file)
        with self._ledger.lease(f"amplitude {self._project} {self._cohort_id}"):
            return self._amplitude.download_cohort(self._cohort_id, properties, file)

    def _compare(self, info: CohortInfo, rows: int) -> None:
        """Raise SourceError for a download that can't be the cohort; warn of one that differs a little."""
        if rows == 0 and info.size:
            raise SourceError(
                f"the download of the cohort {info.id} has no rows, but Amplitude counts {info.size} people;"
                " nothing was planned or sent",
                hint="run it again later",
                code="cohort_size",
            )
        if info.size is not None and rows != info.size:
            self._console.warn(f"the cohort {info.id} has {rows} rows, and Amplitude counts {info.size} people")


@contextlib.contextmanager
def open_cohort_source(
    source: str, intent: CohortIntent, ledger: Ledger | None, console: Console, project: Project | None, *,
    writing: bool, full: bool,
) -> Iterator[CohortSource]:  # fmt: skip
    """What `source` names. Raises ConfigError when it is an Amplitude cohort and there are no keys for a project."""
    cohort_id = cohort_id_of(source)
    if not cohort_id:
        yield FileSource(source, intent, ledger if writing else None)
        return
    project = project or Project()
    with project.open(ledger if writing else None, console) as amplitude:
        yield AmplitudeSource(
            amplitude, cohort_id, intent, ledger if ledger is not None and ledger.is_current else None, console,
            project=project.settings.project, writing=writing, full=full,
        )  # fmt: skip
