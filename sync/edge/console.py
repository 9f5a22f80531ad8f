"""What is seen while a run goes on: a bar on a terminal, plain lines elsewhere, JSON objects for a collector of logs.

All that goes to stderr; only `tell` writes what was asked for to stdout. Under `--json` only warnings and errors are
left. Lines hold counts, never people; should a credential ever get into one, it is masked here. A line that can't be
written is lost and ends no run: its log may be on a full disk, or nobody may read it any more.
"""

from __future__ import annotations

import contextlib
import datetime
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO, cast

import msgspec

from sync.core.page import shown
from sync.edge.streams import Forgiving

Advance = Callable[[int], None]
LINE_EVERY_S = 10.0
PLAIN, JSON = FORMATS = ("plain", "json")
MASK = "***"
SHORTEST_SECRET = 6  # a shorter one would mask parts of ordinary words
_encode = msgspec.json.Encoder().encode


class Console:
    """`quiet` (under --json) keeps everything but warnings and errors; `log` is how lines are written."""

    def __init__(
        self, *, quiet: bool = False, stream: TextIO | None = None, log: str = PLAIN,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._stream = Forgiving(stream or sys.stderr)
        self._quiet = quiet
        self._log = log
        self._now = now
        self._bars = not quiet and log == PLAIN and self._stream.isatty()
        self._secrets: frozenset[str] = frozenset()
        self._run_id = ""

    @property
    def log(self) -> str:
        """How lines are written, one of FORMATS."""
        return self._log

    def hide(self, *secrets: str) -> None:
        """Never show these, whatever is said."""
        self._secrets |= {one for one in secrets if len(one) >= SHORTEST_SECRET}

    @contextlib.contextmanager
    def of_run(self, run_id: str) -> Iterator[None]:
        """What is said inside is about that run."""
        before, self._run_id = self._run_id, run_id
        try:
            yield
        finally:
            self._run_id = before

    def note(self, text: str) -> None:
        """A line for somebody who watches."""
        if not self._quiet:
            self._say("info", text)

    def warn(self, text: str) -> None:
        """A line that matters even when nobody watches."""
        self._say("warning", text)

    def fail(self, text: str) -> None:
        """Why something ended, or could not begin."""
        self._say("error", text if self._log == JSON else f"cio-sync: {text}")

    def _say(self, level: str, text: str) -> None:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        if self._log == JSON:
            at = datetime.datetime.fromtimestamp(self._now(), datetime.UTC).isoformat(timespec="milliseconds")
            line = {"at": at.replace("+00:00", "Z"), "level": level, "message": text}
            text = _encode(line | ({"run_id": self._run_id} if self._run_id else {})).decode()
        else:
            text = shown(text)
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def tell(self, text: str) -> None:
        """Lines of what was asked for, on stdout."""
        sys.stdout.write("\n".join(map(shown, text.split("\n"))) + "\n")

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
        with Progress(*columns, console=RichConsole(file=cast(TextIO, self._stream)), transient=True) as bar:
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
