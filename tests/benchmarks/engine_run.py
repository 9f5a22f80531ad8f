"""The engine as a user runs it, with a stopwatch on its ledger.

`python -m tests.benchmarks.engine_run ARGUMENT…` is `cio-sync ARGUMENT…`; when it ends, one more line on standard
output holds `{"ledger_s", "steps", "wall_s", "peak_mb"}`. A ledger step is timed from its first statement until its
commit has returned, so that its share is rather over- than understated.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator

from sync.cli import main
from sync.edge.ledger import Ledger


class Stopwatch:
    """Seconds inside the outermost ledger steps, and how many there were."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.steps = 0

    def install(self) -> None:
        """From now on every ledger step is timed."""
        untimed = Ledger.atomic

        @contextlib.contextmanager
        def timed(ledger: Ledger) -> Iterator[sqlite3.Connection]:
            nested = ledger.connection.in_transaction
            started = time.perf_counter()
            with untimed(ledger) as connection:
                yield connection
            if not nested:
                self.seconds += time.perf_counter() - started
                self.steps += 1

        Ledger.atomic = timed  # type: ignore[method-assign,assignment]  # the engine itself has no use for a stopwatch


if __name__ == "__main__":
    watch = Stopwatch()
    watch.install()
    began = time.perf_counter()
    code = main(sys.argv[1:])
    figures = {
        "ledger_s": watch.seconds,
        "steps": watch.steps,
        "wall_s": time.perf_counter() - began,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.exit(code)
