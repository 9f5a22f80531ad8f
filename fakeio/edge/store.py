"""The data file of `serve --data`: SQLite, one process at a time, written in the order in which things happened.

Keeps bytes and knows nothing of what they mean: a row for each workspace with a snapshot of it, and a journal of what
was accepted since. A thread of its own commits whatever has come together meanwhile, so that requests in flight share
one sync of the disk; `settled` says when all that was put so far is safe.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

APPLICATION_ID = 0x66616B65  # "fake", in the header of the file: what `file` and SQLite know an owner by
SCHEMA_VERSION = 1
_SCHEMA = """
create table workspaces (id integer primary key, about blob not null, snapshot blob not null);
create table journal (number integer primary key, workspace integer not null, entry blob not null);
create index journal_of_workspace on journal (workspace);
create table ids (last integer not null);
insert into ids values (0);
"""
_CACHE_PAGES = 10_000  # of the write-ahead log, before it is folded into the file


class StoreError(Exception):
    """The data file can't be used; the message says why and what to do."""


class Stored(NamedTuple):
    """One workspace of the file: what is said about it, its snapshot, and what was accepted since, oldest first."""

    id: int
    about: bytes
    snapshot: bytes
    entries: Iterator[bytes]


class Store:
    """An open data file. `synced` False answers before things are on disk: a crash may lose the last moments."""

    def __init__(self, path: str, *, synced: bool = True) -> None:
        """Opens or creates the file, for this process alone; raises StoreError."""
        self.path = path
        self.synced = synced
        self.failure: str | None = None
        self.on_failure: Callable[[], None] = lambda: None
        self._db = _open(path, synced=synced)
        self._change = threading.Condition()
        self._jobs: list[tuple[str, tuple[object, ...]]] = []
        self._next: Future[bool] = Future()
        self._running: Future[bool] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="fakeio-store", daemon=True)

    # ---- before it starts --------------------------------------------------------------------------------------------

    def read(self) -> Iterator[Stored]:
        """Every workspace of the file, by id."""
        with _told(self.path):
            for id, about, snapshot in self._db.execute("select id, about, snapshot from workspaces order by id"):
                yield Stored(id, about, snapshot, self._entries(id))

    def _entries(self, workspace: int) -> Iterator[bytes]:
        asked = "select entry from journal where workspace = ? order by number"
        with _told(self.path):
            for (entry,) in self._db.execute(asked, (workspace,)):
                yield entry

    @property
    def last_id(self) -> int:
        """The largest id that any workspace of this file ever had."""
        with _told(self.path):
            found: int = self._db.execute("select last from ids").fetchone()[0]
        return found

    def start(self) -> None:
        """From now on, write."""
        self._thread.start()

    # ---- what is to be written ---------------------------------------------------------------------------------------

    def add_entry(self, workspace: int, entry: bytes) -> None:
        """One more thing that was accepted."""
        self._put(("insert into journal (workspace, entry) values (?, ?)", (workspace, entry)))

    def replace(self, workspace: int, about: bytes, snapshot: bytes) -> None:
        """The workspace as it is now; what was accepted before is part of it."""
        self._put(
            ("delete from journal where workspace = ?", (workspace,)),
            ("replace into workspaces values (?, ?, ?)", (workspace, about, snapshot)),
            ("update ids set last = max(last, ?)", (workspace,)),
        )

    def remove(self, workspace: int) -> None:
        """The workspace is gone."""
        self._put(
            ("delete from journal where workspace = ?", (workspace,)),
            ("delete from workspaces where id = ?", (workspace,)),
        )

    def _put(self, *jobs: tuple[str, tuple[object, ...]]) -> None:
        with self._change:
            self._jobs += jobs
            self._change.notify()

    def settled(self) -> Future[bool] | None:
        """None when whatever was put is on disk; else who will say that it is, or (False) that it can't be."""
        if not self.synced:
            return None
        with self._change:
            return self._next if self._jobs or self.failure else self._running

    def close(self) -> None:
        """Write what is left and let go of the file; twice is harmless."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._db.close()

    # ---- the thread that writes --------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._jobs and not self._closing:
                    self._change.wait()
                if not self._jobs or self.failure:
                    break
                jobs, self._jobs = self._jobs, []
                self._running, self._next = self._next, Future()
            running, failure = self._running, self._commit(jobs)
            with self._change:
                self.failure, self._running = failure, None
            running.set_result(failure is None)
            if failure is not None:
                self._give_up()
                break

    def _commit(self, jobs: list[tuple[str, tuple[object, ...]]]) -> str | None:
        """One transaction; what went wrong, if anything."""
        try:
            self._db.execute("begin immediate")
            for statement, values in jobs:
                self._db.execute(statement, values)
            self._db.execute("commit")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.execute("rollback")
            return f"the data file {self.path} can't be written: {error}"
        return None

    def _give_up(self) -> None:
        """Nothing can be kept any more: nobody gets an answer that says otherwise."""
        self._next.set_result(False)
        self.on_failure()


class _told:
    """Any error of SQLite as a StoreError."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise StoreError(f"the data file {self._path} is open in another process; stop that one first") from error
        if isinstance(error, sqlite3.Error):
            raise StoreError(f"{self._path} is no data file of fakeio ({error}); choose another with --data") from error


def _open(path: str, *, synced: bool) -> sqlite3.Connection:
    try:
        # made here, since SQLite would let others read it; it gives its log the same mode
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        why = f"the data file {path} can't be opened: {error.strerror}"
        raise StoreError(f"{why}; choose another with --data") from error
    with _told(path):
        db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            _claim(db, path, synced=synced)
        except BaseException:
            db.close()
            raise
    return db


def _claim(db: sqlite3.Connection, path: str, *, synced: bool) -> None:
    """Take the file for this process alone, and make sure that it is one of ours."""
    db.execute("pragma locking_mode = exclusive")
    db.execute("begin exclusive")
    owner, version = (db.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version"))
    tables = db.execute("select count(*) from sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and (owner or tables):
        raise StoreError(f"{path} is a database of something else; choose another file with --data")
    if version > SCHEMA_VERSION:
        raise StoreError(f"{path} was written by a newer fakeio (format {version}); use that one, or another file")
    db.execute("commit")
    db.execute("pragma journal_mode = wal")
    db.execute(f"pragma synchronous = {'full' if synced else 'off'}")
    db.execute(f"pragma wal_autocheckpoint = {_CACHE_PAGES}")
    if not tables:
        script = f"begin; pragma application_id = {APPLICATION_ID}; pragma user_version = {SCHEMA_VERSION}; {_SCHEMA}"
        db.executescript(f"{script} commit;")
    # the lock of a log is taken with the first write, not before
    db.execute("begin immediate")
    db.execute("commit")
