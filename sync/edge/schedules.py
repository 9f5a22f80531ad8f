"""The slots of scheduled syncs, in the ledger: a restart of the process changes nothing."""

from __future__ import annotations

from sync.core.schedule import Cadence, Slots, believed
from sync.edge.ledger import Ledger


class Schedules:
    """Schedules of one ledger; a sync is known by its name in the configuration."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def slots(self, name: str, digest: str, cadence: Cadence, now: float) -> Slots:
        """What is remembered of a sync; one that is new, or was edited since, starts its slots at `now`; so does one
        whose clock was put back."""
        row = self._ledger.connection.execute(
            "SELECT first_at, done, disabled FROM schedules WHERE name = ? AND digest = ?", (name, digest)
        ).fetchone()
        known = None if row is None else Slots(*row)
        slots = Slots(now) if known is None else believed(cadence, known, now)
        if slots != known:
            with self._ledger.atomic() as connection:
                connection.execute(
                    "INSERT OR REPLACE INTO schedules VALUES (?, ?, ?, NULL, ?)", (name, digest, now, slots.disabled)
                )
        return slots

    def finish(self, name: str, slot: int, disabled: str = "") -> None:
        """A slot's run has ended; `disabled` says why there should be no other, empty: there should."""
        with self._ledger.atomic() as connection:
            connection.execute(
                "UPDATE schedules SET done = max(ifnull(done, 0), ?), disabled = ? WHERE name = ?",
                (slot, disabled, name),
            )
