"""Whom a run names when somebody asks for people: those who were refused, and those who are still not members.

The ledger keeps refused people of every run. Who was not found or is pending is a state of the sync, true of the newest
run that came to its end; of older runs only their numbers are left.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sync.edge.ledger import DeadLetter, Ledger, RunRow
from sync.edge.membership import ABSENT, JOINING, Members

_REASONS = ((ABSENT, "not_found"), (JOINING, "pending"))
_KINDS = frozenset({"cohort", "reconcile"})


def named_people(ledger: Ledger, run: RunRow) -> Iterator[DeadLetter]:
    """One entry each, in the shape of `cio-sync failed --json`; people that nobody refused have no field or message."""
    yield from ledger.dead_letters(run.run_id)
    if newest_run(ledger, run) != run.run_id:
        return
    sync = ledger.connection.execute(
        "SELECT sync_key, id_type FROM syncs WHERE sync_key = (SELECT sync_key FROM runs WHERE run_id = ?)",
        (run.run_id,),
    ).fetchone()
    for state, reason in _REASONS if sync is not None else ():
        for one in Members(ledger.connection, sync[0]).ids(state):
            item = msgspec.Raw(msgspec.json.encode({sync[1]: one.decode()}))
            yield DeadLetter(run.run_id, run.kind, reason, "", "", item)


def newest_run(ledger: Ledger, run: RunRow) -> str | None:
    """The run whose outcome the ledger holds, of those of the same cohort sync; None for a run of another kind."""
    if run.kind not in _KINDS:
        return None
    row = ledger.connection.execute(
        "SELECT run_id FROM runs WHERE kind IN ('cohort', 'reconcile') AND finished_at IS NOT NULL AND sync_key ="
        " (SELECT sync_key FROM runs WHERE run_id = ?) ORDER BY started_at DESC, run_id DESC LIMIT 1",
        (run.run_id,),
    ).fetchone()
    return None if row is None else str(row[0])
