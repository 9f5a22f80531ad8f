"""How every run ends: what stopped it, and its report settled, checked and written down.

What the counts of a report mean is for each integration; when a run is partial or failed is for `core/report.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sync.core.errors import ConfigError, Interrupted, SyncError
from sync.core.report import Ended, Report, encode, finish
from sync.destination import Destination
from sync.edge.ledger import Ledger


def stopped_by(play: Callable[[], None]) -> SyncError | None:
    """Play a run; returns what stopped it, if anything did. Raises ConfigError, which no report can tell of."""
    try:
        play()
    except KeyboardInterrupt:
        return Interrupted("stopped by a signal; what was sent is remembered", hint="run it again to go on")
    except ConfigError:
        raise
    except SyncError as error:
        return error
    return None


def conclude(
    report: Report, error: SyncError | None, destination: Destination, ledger: Ledger | None, began: float,
    *, also_lost: int = 0,
) -> Ended:  # fmt: skip
    """Fill in the report of a run that `began` then (monotonic seconds), prove that it adds up, and remember it in
    `ledger`, unless the run writes nothing (None). `also_lost` as in `finish`."""
    if error is not None:
        error.call(destination.called)
    report.requests, report.retries = destination.requests, destination.retries
    report.duration_s = round(time.monotonic() - began, 3)
    code = finish(report, error, also_lost=also_lost)
    report.check()
    if ledger is not None:
        ledger.finish_run(report.run_id, report.status, code, encode(report))
    return Ended(report, code, error)
