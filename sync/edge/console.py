"""What a person sees while a run goes on: a bar on a terminal, plain lines elsewhere, nothing under `--json`.

All that goes to stderr; only `tell` writes what was asked for to stdout. Lines hold counts, never people.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

Advance = Callable[[int], None]
LINE_EVERY_S = 10.0


class Console:
    """`quiet` (under --json) keeps everything but warnings."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._bars = not quiet and self._stream.isatty()

    def note(self, text: str) -> None:
        """A line for somebody who watches."""
        if not self._quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """A line that matters even when nobody watches."""
        print(text, file=self._stream, flush=True)

    def tell(self, text: str) -> None:
        """A line of what was asked for, on stdout."""
        sys.stdout.write(f"{text}\n")

    def waiting(self, seconds: float, why: str) -> None:
        """The driver waits, and says why."""
        self.note(f"waiting {seconds:.0f} s: {why}")

    @contextlib.contextmanager
    def progress(self, label: str, total: int | None, unit: str) -> Iterator[Advance]:
        """Call what this gives with each number of units done. `total` None: not known."""
        if self._bars:
            with self._bar(label, total) as advance:
                yield advance
        else:
            yield self._lines(label, total, unit)

    @contextlib.contextmanager
    def _bar(self, label: str, total: int | None) -> Iterator[Advance]:
        # here, since only a terminal needs it, and loading it takes a third of the time until a run starts
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = (
            "{task.description}", BarColumn(), MofNCompleteColumn(), "{task.fields[rate]}", TimeRemainingColumn(),
        )
        with Progress(*columns, console=RichConsole(file=self._stream), transient=True) as bar:
            task, began, done = bar.add_task(label, total=total, rate=""), time.monotonic(), 0

            def advance(count: int) -> None:
                nonlocal done
                done += count
                elapsed_s = max(time.monotonic() - began, 0.001)
                bar.update(task, advance=count, rate=f"{done / elapsed_s:,.0f}/s")

            yield advance

    def _lines(self, label: str, total: int | None, unit: str) -> Advance:
        done, said_at = 0, time.monotonic()

        def advance(count: int) -> None:
            nonlocal done, said_at
            done += count
            if time.monotonic() - said_at >= LINE_EVERY_S:
                said_at = time.monotonic()
                self.note(f"{label}: {done}{'' if total is None else f' of {total}'} {unit}")

        return advance
