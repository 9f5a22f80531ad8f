"""A project's events, hour by hour through the Export API, in the shape that an events run reads files in.

Brings a few hours at a time to disk, proves the archive whole, hands out its lines, and moves the cursor only over
hours whose every event has a fate in the ledger. A range that Amplitude finds too large is halved until one hour is
left. Hours that were read last are read again: what is known of them already is a duplicate.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sync.amplitude_pull import Amplitude, unfetched
from sync.core.errors import SourceError
from sync.core.export_hours import (
    Hours,
    encode_hour,
    export_path,
    hours_of_backfill,
    hours_to_read,
    in_ranges,
)
from sync.core.sending import Fate, FateKind
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.console import Console
from sync.edge.files import EventFiles, Piece

EXPORT = "amplitude:export"
_EMPTY, _TOO_LARGE = 404, frozenset({400, 504})


class ExportSource:
    """The hours of one run, as pieces of whole lines. `since` and `until` (Unix seconds) make it a back-fill, which
    leaves the cursor alone."""

    total_bytes: int | None = None

    def __init__(
        self, amplitude: Amplitude, memory: AmplitudeLedger | None, site_id: str, console: Console, *, now: float,
        since: int | None = None, until: int | None = None, writing: bool = True,
    ) -> None:  # fmt: skip
        self._amplitude = amplitude
        self._memory = memory
        self._site_id = site_id
        self._console = console
        self._backfill = since is not None or until is not None
        self._writing = writing and memory is not None and not self._backfill
        self._cursor = None if memory is None or self._backfill else memory.next_hour(site_id)
        self._hours = hours_of_backfill(since, until, now) if self._backfill else hours_to_read(self._cursor, now)
        self._given_out_until = self._cursor  # the first hour of which not everything was given out
        self.bytes_read = 0

    def prove(self) -> None:
        """Nothing to look into before the first download."""
        if self._hours is None:
            self._console.note("no hour has become available since the last run: nothing to read")

    def pieces(self) -> Iterator[Piece]:
        """Every line of every hour, in order. Raises SourceError where it can't be read on."""
        if self._hours is None:
            return
        for hours in in_ranges(self._hours):
            yield from self._range(hours)

    def advance(self) -> None:
        """Everything that was given out has a fate: the next run need not start before it."""
        hour = self._given_out_until
        if self._writing and self._memory is not None and hour is not None and hour != self._cursor:
            self._memory.store_next_hour(self._site_id, max(hour, self._cursor or hour))

    # -- a range ------------------------------------------------------------------------------------------------------
    def _range(self, hours: Hours) -> Iterator[Piece]:
        with tempfile.TemporaryDirectory(prefix="cio-sync-") as folder:  # mode 0700: these are people
            archive = Path(folder, f"{encode_hour(hours.first)}-{encode_hour(hours.last)}.zip")
            fate = self._download(hours, archive)
            if _status(fate) in _TOO_LARGE and hours.size > 1:
                for half in hours.halves():
                    yield from self._range(half)
                return
            if self._has_file(fate, hours):
                yield from self._unpacked(hours, archive)
        self._given_out_until = max(hours.last + 1, self._given_out_until or 0)

    def _download(self, hours: Hours, archive: Path) -> Fate:
        try:
            with archive.open("wb") as sink:
                return self._amplitude.download(export_path(hours), sink)
        except OSError as error:
            raise SourceError(
                f"the export can't be kept on disk: {error.strerror or 'the system refused'}",
                hint="make room, or name another folder in TMPDIR",
            ) from error

    def _has_file(self, fate: Fate, hours: Hours) -> bool:
        """False for hours without events. Raises SourceError for any other answer without a file."""
        if fate.kind is FateKind.ACCEPTED:
            return True
        if _status(fate) == _EMPTY:
            return False
        if _status(fate) in _TOO_LARGE:
            raise SourceError(
                f"the hour {encode_hour(hours.first)} is too large for the Export API",
                hint="read that hour from an S3 export, then go on with --since the hour after it",
                code="export_too_large",
            )
        raise unfetched(fate, f"downloading the export of {encode_hour(hours.first)} to {encode_hour(hours.last)}")

    def _unpacked(self, hours: Hours, archive: Path) -> Iterator[Piece]:
        try:
            self._prove(hours, archive)
        except SourceError:
            if hours.size == 1:
                raise
            for half in hours.halves():  # somewhere in here: the hours before it can still be read
                yield from self._range(half)
            return
        with EventFiles(str(archive)) as files:
            yield from files.pieces()
        self.bytes_read += archive.stat().st_size

    def _prove(self, hours: Hours, archive: Path) -> None:
        """Raise SourceError for an archive that is damaged, and again after another download."""
        try:
            _prove(archive)
        except SourceError:
            self._console.note("the export arrived damaged: downloading it again")
            self._has_file(self._download(hours, archive), hours)
            _prove(archive)

    def __enter__(self) -> ExportSource:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _prove(archive: Path) -> None:
    with EventFiles(str(archive)) as files:
        files.prove()


def _status(fate: Fate) -> int:
    return fate.reply.status if fate.reply is not None else 0
