"""Looks at what a run needs on this machine: Python, the state file and what is in it, leases, room. Changes nothing.

The state file is opened for reading only; a lease is looked at by asking the kernel whether it is held.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from sync.core.errors import SyncError
from sync.core.health import Finding, Level
from sync.edge import migrations
from sync.edge.ledger import Ledger
from sync.edge.letters import count_open

OLD_S = 600.0  # what was pushed is delivered within moments while a listener runs
LITTLE_BYTES, NO_ROOM_BYTES = 1 << 30, 100 << 20
OK, WARN, WRONG = Level.OK, Level.WARN, Level.WRONG


def look_at_python() -> Finding:
    try:
        ours = f"fakeio {version('fakeio')}"
    except PackageNotFoundError:
        ours = "fakeio, not installed"
    extra = "with" if find_spec("duckdb") else "without"
    said = f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, {ours}, {extra} the extra scale"
    return Finding("python", OK, said)


def look_at_room(path: Path) -> Iterator[Finding]:
    """The disks of the state file and of temporary files."""
    for check, folder in (("disk", _existing(path.parent)), ("temp", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free
        said = f"{free / (1 << 30):.1f} GiB free at {folder}"
        level = WRONG if free < NO_ROOM_BYTES else WARN if free < LITTLE_BYTES else OK
        yield Finding(check, level, said, "" if level is OK else "make room: a cohort of ten million needs about 1 GiB")


def look_at_state(path: Path, site_id: str) -> Iterator[Finding]:
    """The state file, everything in it that waits for somebody, its leases and the inbox beside it."""
    if not path.exists():
        folder = _existing(path.parent)
        if os.access(folder, os.W_OK):
            yield Finding("state", OK, f"there is no {path} yet; the first run makes it")
        else:
            yield Finding("state", WRONG, f"{folder} can't be written to", "name another file in CIO_SYNC_STATE")
        return
    yield _access(path)
    try:
        ledger = Ledger.peek(path)
        assert ledger is not None, "it exists"
        with ledger:
            yield from _contents(ledger, site_id)
            yield from _leases(ledger, path, site_id)
    except SyncError as error:
        yield Finding("schema", WRONG, error.message, error.hint)
    except sqlite3.Error as error:
        yield Finding("integrity", WRONG, f"the file is damaged: {error}", "restore a copy, or start with a new file")
    yield from _inbox(path.with_name(f"{path.name}-inbox"))


def _access(path: Path) -> Finding:
    mode = path.stat().st_mode & 0o777
    if not os.access(path, os.R_OK | os.W_OK):
        return Finding("state", WRONG, f"{path} can't be written", "make it yours, or name another in CIO_SYNC_STATE")
    if mode & 0o077:
        return Finding("state", WARN, f"{path} has mode {mode:04o}: others may read it", f"chmod 600 {path}")
    return Finding("state", OK, f"{path} is yours alone")


def _contents(ledger: Ledger, site_id: str) -> Iterator[Finding]:
    steps = int(ledger.connection.execute("PRAGMA user_version").fetchone()[0])
    newer = "" if ledger.is_current else f"; the next run brings it to {migrations.LATEST}"
    yield Finding("schema", OK, f"version {steps}{newer}")
    (said,) = ledger.connection.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        yield Finding("integrity", WRONG, f"the file is damaged: {said}", "restore a copy, or start with a new file")
        return
    yield Finding("integrity", OK, "SQLite finds nothing wrong")
    doubtful = _one(ledger, "SELECT ifnull(sum(length(ulids)), 0) / 16 FROM event_batches WHERE state = 0")
    yield _count("in doubt", doubtful, "events may have been delivered or not", "run their sources again")
    if ledger.is_current:
        yield _letters(*count_open(ledger))
        disabled = ledger.connection.execute("SELECT name, disabled FROM schedules WHERE disabled != ''").fetchall()
        for name, why in disabled:
            yield Finding("schedule", WARN, f"{name} ended: {why}", "mend it, then `cio-sync run NAME --once`")
    cut_off = _one(ledger, _CUT_OFF)
    yield _count("cut off", cut_off, "runs are under way, or were cut off", "run the same again: it goes on there")


_CUT_OFF = """
    SELECT count(*) FROM runs AS cut WHERE finished_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM runs AS later WHERE later.kind = cut.kind AND later.sync IS cut.sync
        AND later.sync_key IS cut.sync_key AND later.started_at > cut.started_at AND later.exit_code IN (0, 1)
    )"""  # a later run of the same that came to its end went on where they were cut off


def _letters(count: int, rows: int) -> Finding:
    said = f"were given up, {rows} of them rows that never became events" if rows else "were given up"
    mend = "mend the source of the rows, or leave them out with --where" if rows else ""
    send = "`retry all` sends them" if not rows else "`retry all` sends the others" if rows < count else ""
    return _count("dead letters", count, said, ", ".join(filter(None, ("`cio-sync failed` lists them", send, mend))))


def _one(ledger: Ledger, query: str) -> int:
    return int(ledger.connection.execute(query).fetchone()[0])


def _count(check: str, count: int, said: str, advice: str) -> Finding:
    return Finding(check, WARN, f"{count} {said}", advice) if count else Finding(check, OK, "none")


def _leases(ledger: Ledger, path: Path, site_id: str) -> Iterator[Finding]:
    """Those that are held now; a lease whose process is gone is free, whatever is in its file."""
    keys = {f"cohort {site_id} {name}": f"cohort {name}" for name in ledger.sync_names(site_id)}
    names = _digests({**keys, f"events {site_id}": "events"})
    held = []
    for file in sorted(path.parent.glob(f"{path.name}-lease-*")):
        with file.open("rb") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                process = handle.read(32).decode("ascii", "replace").strip()
                held.append(f"{names.get(file.name.rpartition('-')[2], 'another sync')} by process {process}")
    yield Finding("leases", OK, f"held: {', '.join(held)}" if held else "none is held")


def _digests(names: Mapping[str, str]) -> dict[str, str]:
    return {hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]: name for key, name in names.items()}


def _inbox(path: Path) -> Iterator[Finding]:
    if not path.exists():
        return
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            count, oldest = connection.execute("SELECT count(*), min(received_at) FROM messages").fetchone()
            dirty = connection.execute("SELECT count(*) FROM lists WHERE changed > delivered").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        yield Finding("inbox", WRONG, f"{path} can't be read: {error}", "restore a copy, or move it away")
        return
    age_s = time.time() - oldest if count else 0.0
    said = f"{count} messages wait, {dirty} lists are not delivered"
    late = age_s > OLD_S or (dirty and not count)
    advice = "is `cio-sync listen` running, and Customer.io reachable?" if late else ""
    yield Finding("inbox", WARN if late else OK, said, advice)


def _existing(folder: Path) -> Path:
    """The nearest folder that is there."""
    return next(one for one in (folder.resolve(), *folder.resolve().parents) if one.is_dir())
