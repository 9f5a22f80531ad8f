"""A project's events, hour by hour through the Export API, in the shape that an events run reads files in.

Brings a few hours at a time to disk, proves the archive whole, hands out its lines, and moves the cursor only over
hours whose every event has a fate in the ledger. A range that Amplitude finds too large is halved until one hour is
left. Hours that were read last are read again: what is known of them already is a duplicate.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Generator, Iterator
from typing import IO

from sync.amplitude_pull import Amplitude, Project, unfetched
from sync.core.errors import SourceError
from sync.core.export_hours import (
    READ_AGAIN_H,
    Hours,
    encode_hour,
    export_path,
    hours_of_backfill,
    hours_to_read,
    range_after,
    says_no_events,
)
from sync.core.mapping import Rules, selection_of
from sync.core.sending import Fate, FateKind
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.console import Console
from sync.edge.files import Piece, pieces_of_archive, prove_archive
from sync.edge.ledger import Ledger
from sync.run import SystemClock

EXPORT = "amplitude:export"
_NOT_FOUND, _TOO_LARGE = 404, frozenset({400, 504})


class ExportSource:
    """The hours of one run, as pieces of whole lines. `since` and `until` (Unix seconds) make it a back-fill, which
    leaves the cursor alone."""

    total_bytes: int | None = None

    def __init__(
        self, amplitude: Amplitude, memory: AmplitudeLedger | None, place: str, console: Console, *, now: float,
        since: int | None = None, until: int | None = None, writing: bool = True,
    ) -> None:  # fmt: skip
        """`memory` is where the cursor is, under the name of `place`; None: as if this were the first run. Connects to
        nothing yet. Not `writing`: leaves the cursor alone."""
        self._amplitude = amplitude
        self._memory = memory
        self._place = place
        self._console = console
        self._now = now
        self._since, self._until = since, until
        self._cursor: int | None = None
        self._writing = writing
        self._begins_at: int | None = None  # where a first run begins that has given out nothing yet
        self._read_until: int | None = None  # the first hour of which not everything was given out
        self.bytes_read = 0

    def prove(self) -> None:
        """Does nothing: each archive is proved when it has been downloaded."""

    def pieces(self) -> Iterator[Piece]:
        """Every line of every hour, in order. Raises SourceError where it can't be read on."""
        hours = self._plan()
        if hours is None:
            since = "of that time" if self._is_backfill else "since the last run"
            self._console.note(f"no hour {since} has become available: nothing to read")
            return
        part = range_after(hours, None)
        while part is not None:
            found = yield from self._range(part)
            part = range_after(hours, part, was_empty=not found)

    def _plan(self) -> Hours | None:
        if self._is_backfill:
            return hours_of_backfill(self._since, self._until, self._now)
        self._cursor = None if self._memory is None else self._memory.next_hour(self._place)
        hours = hours_to_read(self._cursor, self._now)
        if self._cursor is None and hours is not None and self._writing:
            self._begins_at = hours.first
        return hours

    @property
    def _is_backfill(self) -> bool:
        return self._since is not None or self._until is not None

    def advance(self, *, expired: bool) -> None:
        """Everything that was given out has a fate in the ledger: the next run need not start before it, unless some of
        it has to be sent again."""
        if expired or self._memory is None or self._is_backfill or self._read_until is None:
            return
        if self._cursor is None or self._read_until > self._cursor:
            self._memory.store_next_hour(self._place, self._read_until)

    # -- a range ------------------------------------------------------------------------------------------------------
    def _range(self, hours: Hours) -> Generator[Piece, None, bool]:
        """The lines of these hours; returns whether there was a file."""
        with _private_file() as archive:
            fate = self._download(hours, archive)
            if _status(fate) in _TOO_LARGE and hours.size > 1:
                for half in hours.halves():
                    yield from self._range(half)
                return True
            found = self._has_file(fate, hours)
            if found:
                yield from self._unpacked(hours, archive)
        self._read_until = hours.last + 1
        return found

    def _download(self, hours: Hours, archive: IO[bytes]) -> Fate:
        try:
            # of several hours asking for fewer is better than asking again
            return self._amplitude.download(export_path(hours), archive, final=_TOO_LARGE if hours.size > 1 else ())
        except OSError as error:
            raise _no_room(error) from error

    def _has_file(self, fate: Fate, hours: Hours) -> bool:
        """False for hours without events. Raises SourceError for any other answer without a file."""
        if fate.kind is FateKind.ACCEPTED:
            return True
        if fate.reply is not None and says_no_events(fate.reply):
            return False
        if _status(fate) == _NOT_FOUND:
            raise SourceError(
                f"downloading the export of {encode_hour(hours.first)} to {encode_hour(hours.last)}: the answer was"
                " 404, but not that there are no events",
                hint="check AMPLITUDE_URL and AMPLITUDE_REGION, and what stands between here and Amplitude",
                code="export_unknown",
            )
        if _status(fate) in _TOO_LARGE:
            raise SourceError(
                f"the hour {encode_hour(hours.first)} is too large for the Export API",
                hint="read that hour from an S3 export, then go on with --since the hour after it",
                code="export_too_large",
            )
        raise unfetched(fate, f"downloading the export of {encode_hour(hours.first)} to {encode_hour(hours.last)}")

    def _unpacked(self, hours: Hours, archive: IO[bytes]) -> Iterator[Piece]:
        try:
            self._prove(hours, archive)
        except SourceError as error:
            if hours.size == 1:
                raise SourceError(
                    f"the export of the hour {encode_hour(hours.first)} is damaged, also when downloaded again",
                    hint="run it again later: it goes on with that hour",
                    code="export_damaged",
                ) from error
            for half in hours.halves():  # somewhere in here: the hours before it can still be read
                yield from self._range(half)
            return
        self._remember_beginning()
        yield from pieces_of_archive(EXPORT, archive)  # under names that are the same when the hour is read again
        self.bytes_read += archive.seek(0, os.SEEK_END)

    def _remember_beginning(self) -> None:
        """A first run that does not come to its end is followed, whenever that is, by one that begins there too."""
        if self._memory is not None and self._begins_at is not None:
            self._memory.store_next_hour(self._place, self._begins_at + READ_AGAIN_H)
        self._begins_at = None

    def _prove(self, hours: Hours, archive: IO[bytes]) -> None:
        """Raise SourceError for an archive that is damaged, and again after another download."""
        try:
            prove_archive(EXPORT, archive)
        except SourceError:
            self._console.note("the export arrived damaged: downloading it again")
            self._has_file(self._download(hours, archive), hours)
            prove_archive(EXPORT, archive)

    def __enter__(self) -> ExportSource:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def place_of(site_id: str, sync: str | None, rules: Rules) -> str:
    """What a cursor is kept under. A sync with a name has its own, and so has every other choice of events: what one
    run left out, another may still have to send."""
    choice = f"sync {sync}" if sync else selection_of(rules)
    return f"{site_id} {choice}" if choice else site_id


def _private_file() -> IO[bytes]:
    """A file without a name: nobody else can open it, and a kill leaves nobody's events behind."""
    try:
        return tempfile.TemporaryFile(prefix="cio-sync-")
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> SourceError:
    return SourceError(
        f"the export can't be kept on disk: {error.strerror or 'the system refused'}",
        hint="make room, or name another folder in TMPDIR",
    )


def _status(fate: Fate) -> int:
    return fate.reply.status if fate.reply is not None else 0


@contextlib.contextmanager
def open_export(
    project: Project | None, ledger: Ledger | None, place: str, console: Console, *, since: int | None,
    until: int | None, writing: bool,
) -> Iterator[ExportSource]:  # fmt: skip
    """The export of a project. `ledger` holds the cursor, under the name of `place` (see `place_of`). Raises
    ConfigError when there are no keys."""
    project = project or Project()
    now = (project.clock or SystemClock()).now()
    with project.open(ledger if writing else None, console) as amplitude:
        known = ledger is not None and ledger.is_current
        memory = AmplitudeLedger(ledger, project.settings.project) if ledger is not None and known else None
        yield ExportSource(
            amplitude, memory, place, console, now=now, since=since, until=until, writing=writing
        )
