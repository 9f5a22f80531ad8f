"""The engine's memory: one SQLite file that survives a kill between any two lines.

Opens it safely (mode 0600, write-ahead log, every commit on disk), keeps runs, dead letters and leases. Membership is
in `membership.py`, events in `event_ledger.py`; both write through `connection` inside `atomic`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import sqlite_utils

from sync.core.errors import LeaseHeld, LedgerTooNew
from sync.edge import migrations
from sync.edge.disk import unusable

BUSY_S = 120.0  # a step over a very large cohort of another sync takes its time
LEASE_WAIT_S = 5.0
KEPT_LETTERS_S = 30 * 86_400.0  # dead letters, once they are settled
KEPT_RUNS = 10_000  # of each sync: one that runs once a second would fill the disk


class DeadLetter(msgspec.Struct, frozen=True):
    """One item that will not be sent again by itself. `item` is JSON and may hold identifiers."""

    run_id: str
    kind: str
    reason: str
    field: str
    message: str
    item: msgspec.Raw


class RunRow(msgspec.Struct, frozen=True):
    """One run as remembered; times are Unix seconds, `finished_at` is None while it runs or after a kill."""

    run_id: str
    kind: str
    sync: str | None
    started_at: float
    finished_at: float | None
    status: str | None
    exit_code: int | None
    report: bytes | None


class SyncRow(msgspec.Struct, frozen=True):
    """A cohort sync as remembered. `segment_id` is None until the segment is known."""

    sync_key: str
    id_type: str
    id_column: str
    segment_id: int | None


class Ledger:
    """An open ledger. Use as a context manager; one instance a process, any thread may read, one may write."""

    def __init__(self, path: Path, db: sqlite_utils.Database) -> None:
        self.path = path
        self._db = db

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Create or open the file at `path`, with every migration applied.

        Raises LedgerError when it can't be used, LedgerTooNew when a newer version wrote it. A file that is refused
        is left as it was.
        """
        try:
            make_private(path)
            connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
            try:
                return cls(path, _prepared(connection, path))
            except BaseException:
                connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise unusable(path, error) from error

    @classmethod
    def peek(cls, path: Path) -> Ledger | None:
        """Open the file for reading only, for a dry run; None when there is none. Raises as `open` does.

        Where no log lies beside it, the file is whole and nobody has it open: taken as immutable, it gets none.
        """
        if not path.exists():
            return None
        how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
        try:
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, timeout=BUSY_S)
            try:
                return cls(path, _known_schema(sqlite_utils.Database(connection), path))
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise unusable(path, error) from error

    @property
    def is_current(self) -> bool:
        """False for a file of an older version that was opened for reading only: newer tables are missing."""
        return migrations.applied(self._db) == migrations.LATEST

    @property
    def connection(self) -> sqlite3.Connection:
        return self._db.conn

    @contextlib.contextmanager
    def atomic(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on disk when it returns. Nested use joins the outer step.

        Takes the write lock at once: a step that reads before it writes would otherwise fail when another process
        wrote in between.
        """
        connection = self.connection
        if connection.in_transaction:
            with self._db.atomic():
                yield connection
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            with contextlib.ExitStack() as undo:
                undo.callback(connection.rollback)  # does nothing after the commit
                yield connection
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise unusable(self.path, error) from error

    @contextlib.contextmanager
    def lease(self, key: str, *, wait_s: float = LEASE_WAIT_S) -> Iterator[None]:
        """Hold the one right to run the sync `key`; raises LeaseHeld when another run keeps it for `wait_s` longer.

        The kernel holds the lock, so it ends with its process, however that ends. The file beside the ledger stays:
        removing it would let two processes lock two files of one name.
        """
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        path = self.path.with_name(f"{self.path.name}-lease-{name}")
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unusable(path, error) from error
        try:
            _lock(handle, time.monotonic() + wait_s)
            with contextlib.suppress(OSError):  # on a full disk the lock holds without its holder's number
                os.truncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
            yield
        finally:
            os.close(handle)

    # -- syncs ---------------------------------------------------------------------------------------------------------
    def sync(self, site_id: str, name: str) -> SyncRow | None:
        """What is known of the sync called `name` to that destination."""
        row = self.connection.execute(
            "SELECT sync_key, id_type, id_column, segment_id FROM syncs WHERE site_id = ? AND name = ?", (site_id, name)
        ).fetchone()
        return None if row is None else SyncRow(*row)

    def store_sync(self, site_id: str, name: str, row: SyncRow) -> None:
        """Remember a sync, in place of what was known of it."""
        with self.atomic() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO syncs (sync_key, site_id, name, id_type, id_column, segment_id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (row.sync_key, site_id, name, row.id_type, row.id_column, row.segment_id),
            )

    def sync_names(self, site_id: str) -> list[str]:
        """The names of all syncs to that destination, sorted."""
        rows = self.connection.execute("SELECT name FROM syncs WHERE site_id = ? ORDER BY name", (site_id,))
        return [name for (name,) in rows]

    def others_filling(self, site_id: str, segment_id: int, name: str) -> list[str]:
        """The names of the syncs but `name` whose segment that is, sorted."""
        rows = self.connection.execute(
            "SELECT name FROM syncs WHERE site_id = ? AND segment_id = ? AND name != ? ORDER BY name",
            (site_id, segment_id, name),
        )
        return [other for (other,) in rows]

    # -- runs ---------------------------------------------------------------------------------------------------------
    def start_run(self, run_id: str, kind: str, sync: str | None, sync_key: str | None) -> None:
        with self.atomic() as connection:
            connection.execute(
                "INSERT INTO runs (run_id, kind, sync, sync_key, started_at) VALUES (?, ?, ?, ?, ?)",
                (run_id, kind, sync, sync_key, time.time()),
            )

    def finish_run(self, run_id: str, status: str, exit_code: int, report: bytes) -> None:
        """Remember how it ended, and forget the oldest runs of the same sync where there are very many; those that left
        a dead letter stay as long as it does, and those that were cut off too."""
        with self.atomic() as connection:
            connection.execute(
                "UPDATE runs SET finished_at = ?, status = ?, exit_code = ?, report = ? WHERE run_id = ?",
                (time.time(), status, exit_code, report, run_id),
            )
            connection.execute(
                "DELETE FROM runs WHERE run_id IN (SELECT old.run_id FROM runs AS new, runs AS old"
                " WHERE new.run_id = ?1 AND old.sync_key IS new.sync_key AND old.kind = new.kind"
                " AND old.sync IS new.sync ORDER BY old.run_id DESC LIMIT -1 OFFSET ?2) AND finished_at IS NOT NULL"
                " AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE dead_letters.run_id = runs.run_id)",
                (run_id, KEPT_RUNS),
            )

    def runs(self, sync: str | None = None, limit: int = 100) -> list[RunRow]:
        """The latest runs first; of one sync when its name is given."""
        columns = ", ".join(RunRow.__struct_fields__)
        rows = self.connection.execute(
            f"SELECT {columns} FROM runs WHERE ?1 IS NULL OR sync = ?1 ORDER BY started_at DESC, run_id DESC LIMIT ?2",
            (sync, limit),
        )
        return [RunRow(*row) for row in rows]

    def run(self, run_id: str) -> RunRow | None:
        columns = ", ".join(RunRow.__struct_fields__)
        row = self.connection.execute(f"SELECT {columns} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        return None if row is None else RunRow(*row)

    # -- dead letters -------------------------------------------------------------------------------------------------
    def add_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Keep items that were given up; call it inside the step that settles them."""
        with self.atomic() as connection:
            connection.executemany(
                "INSERT INTO dead_letters (run_id, kind, reason, field, message, item) VALUES (?, ?, ?, ?, ?, ?)",
                ((x.run_id, x.kind, x.reason, x.field, x.message, bytes(x.item)) for x in letters),
            )

    def settle_cohort_letters(self, sync_key: str, run_id: str) -> None:
        """Close what earlier runs of this sync gave up: run `run_id` has given everybody a new fate. Old letters that
        are closed are forgotten."""
        with self.atomic() as connection:
            connection.execute(
                "UPDATE dead_letters SET settled_by = ?1 WHERE settled_by IS NULL AND run_id != ?1"
                " AND run_id IN (SELECT run_id FROM runs WHERE sync_key = ?2 AND kind != 'events')",
                (run_id, sync_key),
            )
            connection.execute(
                "DELETE FROM dead_letters WHERE settled_by IS NOT NULL AND run_id IN"
                " (SELECT run_id FROM runs WHERE sync_key = ? AND kind != 'events' AND started_at < ?)",
                (sync_key, time.time() - KEPT_LETTERS_S),
            )

    def dead_letters(self, run_id: str | None = None, *, only_open: bool = False) -> Iterator[DeadLetter]:
        """In the order they were given up; of one run when its id is given."""
        rows = self.connection.execute(
            "SELECT run_id, kind, reason, field, message, item FROM dead_letters"
            " WHERE (?1 IS NULL OR run_id = ?1) AND NOT (?2 AND settled_by IS NOT NULL) ORDER BY id",
            (run_id, only_open),
        )
        for run, kind, reason, field, message, item in rows:
            yield DeadLetter(run, kind, reason, field, message, msgspec.Raw(item))

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        with contextlib.suppress(sqlite3.Error):  # another process reads just now: its close will fold it
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def make_private(path: Path) -> None:
    """Create the file before SQLite does, so that nobody else could read it for even a moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(handle).st_mode & 0o077:
            os.fchmod(handle, 0o600)
    finally:
        os.close(handle)


def _prepared(connection: sqlite3.Connection, path: Path) -> sqlite_utils.Database:
    db = _known_schema(sqlite_utils.Database(connection), path)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY", "wal_autocheckpoint = 10000"):
        connection.execute(f"PRAGMA {pragma}").fetchone()
    migrations.apply(db)
    return db


def _known_schema(db: sqlite_utils.Database, path: Path) -> sqlite_utils.Database:
    if migrations.applied(db) > migrations.LATEST:
        raise LedgerTooNew(
            f"the state file {path} was written by a newer version (its schema is {migrations.applied(db)}, this"
            f" version knows {migrations.LATEST}); nothing was sent",
            hint="upgrade cio-sync, or name another file in CIO_SYNC_STATE",
        )
    return db


def _lock(handle: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
                raise LeaseHeld(
                    f"another run of this sync is under way (process {holder}); nothing was sent",
                    hint="wait until it has ended, then run again",
                ) from None
            time.sleep(0.05)
