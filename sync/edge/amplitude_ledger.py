"""What the engine remembers of Amplitude: the month's requests, computations under way, snapshots, export cursors.

Every write is a step of its own on disk before the request that it stands for leaves, so that a kill can only make the
count of a quota too high, never too low.
"""

from __future__ import annotations

import msgspec

from sync.core.amplitude import JOB_LIFE_S, MONTHLY_REQUESTS, month_of
from sync.core.facts import SnapshotFacts
from sync.edge.ledger import Ledger


class Job(msgspec.Struct, frozen=True):
    """A computation under way; `requested_at` is Unix seconds."""

    request_id: str
    requested_at: float


class Snapshot(msgspec.Struct, frozen=True):
    """The computation that a sync's membership was last made equal to. `last_computed` is Unix seconds."""

    project: str
    cohort_id: str
    last_computed: int
    facts: SnapshotFacts


class AmplitudeLedger:
    """One project's part of a ledger."""

    def __init__(self, ledger: Ledger, project: str) -> None:
        self._ledger = ledger
        self._project = project

    # -- the quota ----------------------------------------------------------------------------------------------------
    def spend_request(self, now: float) -> bool:
        """Count one cohort request for the month of `now`; False, and nothing counted, when none is left."""
        key = (self._project, month_of(now))
        with self._ledger.atomic() as connection:
            connection.execute("INSERT OR IGNORE INTO amplitude_requests VALUES (?, ?, 0)", key)
            changed = connection.execute(
                "UPDATE amplitude_requests SET spent = spent + 1 WHERE project = ? AND month = ? AND spent < ?",
                (*key, MONTHLY_REQUESTS),
            ).rowcount
        return changed == 1

    def return_request(self, now: float) -> None:
        """Take one back that Amplitude refused."""
        with self._ledger.atomic() as connection:
            connection.execute(
                "UPDATE amplitude_requests SET spent = spent - 1 WHERE project = ? AND month = ? AND spent > 0",
                (self._project, month_of(now)),
            )

    def spent(self, now: float) -> int:
        """How many requests of the month are gone."""
        row = self._ledger.connection.execute(
            "SELECT spent FROM amplitude_requests WHERE project = ? AND month = ?", (self._project, month_of(now))
        ).fetchone()
        return 0 if row is None else int(row[0])

    # -- computations -------------------------------------------------------------------------------------------------
    def job(self, wanted: str, now: float) -> Job | None:
        """A computation that was asked for and can still be read."""
        row = self._ledger.connection.execute(
            "SELECT request_id, requested_at FROM amplitude_jobs WHERE project = ? AND wanted = ? AND requested_at > ?",
            (self._project, wanted, now - JOB_LIFE_S),
        ).fetchone()
        return None if row is None else Job(*row)

    def store_job(self, wanted: str, request_id: str, now: float) -> None:
        with self._ledger.atomic() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO amplitude_jobs VALUES (?, ?, ?, ?)", (self._project, wanted, request_id, now)
            )

    def drop_job(self, wanted: str) -> None:
        """It was read to its end, or is gone."""
        with self._ledger.atomic() as connection:
            connection.execute("DELETE FROM amplitude_jobs WHERE project = ? AND wanted = ?", (self._project, wanted))

    # -- snapshots ----------------------------------------------------------------------------------------------------
    def snapshot(self, sync_key: str) -> Snapshot | None:
        row = self._ledger.connection.execute(
            "SELECT project, cohort_id, last_computed, facts FROM amplitude_snapshots WHERE sync_key = ?", (sync_key,)
        ).fetchone()
        if row is None:
            return None
        project, cohort_id, last_computed, facts = row
        return Snapshot(project, cohort_id, last_computed, msgspec.json.decode(facts, type=SnapshotFacts))

    def store_snapshot(self, sync_key: str, cohort_id: str, last_computed: int, facts: SnapshotFacts) -> None:
        with self._ledger.atomic() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO amplitude_snapshots VALUES (?, ?, ?, ?, ?)",
                (sync_key, self._project, cohort_id, last_computed, msgspec.json.encode(facts)),
            )

    def forget_snapshot(self, sync_key: str) -> None:
        with self._ledger.atomic() as connection:
            connection.execute("DELETE FROM amplitude_snapshots WHERE sync_key = ?", (sync_key,))

    # -- exports ------------------------------------------------------------------------------------------------------
    def next_hour(self, place: str) -> int | None:
        """Where the export goes on; None before its first run. `place` is a Site ID, and behind it, after a space,
        which sync or choice of events; one without a cursor of its own goes on from where everything was sent."""
        row = self._ledger.connection.execute(
            "SELECT next_hour FROM export_cursors WHERE site_id IN (?1, ?2) AND project = ?3"
            " ORDER BY site_id = ?1 DESC LIMIT 1",
            (place, place.partition(" ")[0], self._project),
        ).fetchone()
        return None if row is None else int(row[0])

    def store_next_hour(self, place: str, hour: int) -> None:
        with self._ledger.atomic() as connection:
            connection.execute("INSERT OR REPLACE INTO export_cursors VALUES (?, ?, ?)", (place, self._project, hour))
