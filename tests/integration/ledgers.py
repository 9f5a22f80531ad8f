"""The ledger of a run inside a test's own process: as the run would open it, but no commit waits for the disk.

What a killed process has committed is with the system, which keeps it; only a power cut takes it, and no test makes
one. That commits of a real run do wait is `test_cohort_ledger.py`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from sync.edge.ledger import Ledger


def opened(path: Path, *, dry_run: bool = False) -> contextlib.AbstractContextManager[Ledger | None]:
    """The ledger at `path`; for a dry run as it may be looked at, None where there is none."""
    if dry_run:
        return Ledger.peek(path) or contextlib.nullcontext()
    ledger = Ledger.open(path)
    ledger.connection.execute("PRAGMA synchronous = OFF")
    return ledger
