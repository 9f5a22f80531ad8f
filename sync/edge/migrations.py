"""The ledger's schema, as numbered steps: never edited after a release, applied in order, one transaction each.

`PRAGMA user_version` is the number of the last step applied, recorded in the transaction that made it.
"""

from __future__ import annotations

import contextlib

import sqlite_utils

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,              -- cohort | events
        sync TEXT,                       -- the name people use
        sync_key TEXT,
        started_at REAL NOT NULL,        -- Unix seconds
        finished_at REAL,                -- NULL: still running, or killed
        status TEXT,
        exit_code INTEGER,
        report BLOB                      -- the JSON of --json
    ) STRICT;
    CREATE TABLE syncs (
        sync_key TEXT PRIMARY KEY,       -- digest of (site id, name, id type)
        site_id TEXT NOT NULL,
        name TEXT NOT NULL,
        id_type TEXT NOT NULL,
        id_column TEXT NOT NULL,
        segment_id INTEGER,              -- NULL until the segment is known
        UNIQUE (site_id, name)           -- another id type replaces the sync, it makes no second one
    ) STRICT;
    CREATE TABLE members (
        sync_key TEXT NOT NULL,
        bucket INTEGER NOT NULL,         -- by hash of the id
        state TEXT NOT NULL,             -- confirmed | joining | leaving | absent
        n INTEGER NOT NULL,
        ids BLOB NOT NULL,               -- sorted, at most 3,000, parted by a byte that UTF-8 never uses
        PRIMARY KEY (sync_key, bucket, state, n)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE dead_letters (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        reason TEXT NOT NULL,
        field TEXT NOT NULL,
        message TEXT NOT NULL,
        item BLOB NOT NULL               -- JSON
    ) STRICT;
    CREATE INDEX dead_letters_of_run ON dead_letters (run_id);
    CREATE TABLE delivered (             -- many rows a bucket: appending is cheap, rewriting is not
        site_id TEXT NOT NULL,
        bucket INTEGER NOT NULL,         -- hour of the events' own time, counted from 1970
        ulids BLOB NOT NULL              -- 16 bytes each, sorted
    ) STRICT;
    CREATE INDEX delivered_in_bucket ON delivered (site_id, bucket);
    CREATE TABLE event_batches (
        run_id TEXT NOT NULL,
        n INTEGER NOT NULL,
        site_id TEXT NOT NULL,
        state INTEGER NOT NULL,          -- 0: perhaps delivered | 1: delivered, not yet in its buckets
        ulids BLOB NOT NULL,             -- 16 bytes each, in the order of the batch
        PRIMARY KEY (run_id, n)
    ) STRICT;
    """,
    """
    CREATE TABLE amplitude_requests (    -- what the month's quota of cohort requests was spent on
        project TEXT NOT NULL,           -- digest of the origin and the API key
        month TEXT NOT NULL,             -- 2026-07, UTC
        spent INTEGER NOT NULL,
        PRIMARY KEY (project, month)
    ) STRICT;
    CREATE TABLE amplitude_jobs (        -- computations that were asked for and not yet read
        project TEXT NOT NULL,
        wanted TEXT NOT NULL,            -- the path of the request: cohort and properties
        request_id TEXT NOT NULL,
        requested_at REAL NOT NULL,      -- Unix seconds
        PRIMARY KEY (project, wanted)
    ) STRICT;
    CREATE TABLE amplitude_snapshots (   -- the computation that a sync's agreed membership stands for
        sync_key TEXT PRIMARY KEY,
        project TEXT NOT NULL,
        cohort_id TEXT NOT NULL,
        last_computed INTEGER NOT NULL,  -- Unix seconds
        facts BLOB NOT NULL              -- the counts of its rows, JSON
    ) STRICT;
    CREATE TABLE export_cursors (
        site_id TEXT NOT NULL,
        project TEXT NOT NULL,
        next_hour INTEGER NOT NULL,      -- hours since 1970, UTC: the first that was not yet read
        PRIMARY KEY (site_id, project)
    ) STRICT;
    """,
    """
    -- the run that made it good, or gave it up again; NULL: open
    ALTER TABLE dead_letters ADD COLUMN settled_by TEXT;
    CREATE INDEX dead_letters_open ON dead_letters (id) WHERE settled_by IS NULL;
    """,
    """
    CREATE TABLE event_names (           -- events that runs were asked for by name
        site_id TEXT NOT NULL,
        name TEXT NOT NULL,
        silent_runs INTEGER NOT NULL,    -- runs since it last came
        PRIMARY KEY (site_id, name)
    ) STRICT;
    """,
    """
    CREATE TABLE schedules (             -- of the syncs of a configuration
        name TEXT PRIMARY KEY,
        digest TEXT NOT NULL,            -- of its tables: an edited sync starts anew
        first_at REAL NOT NULL,          -- Unix seconds; fixes its slots
        done INTEGER,                    -- the last slot whose run ended; NULL: none
        disabled TEXT NOT NULL           -- why it is not run any more; empty: it is
    ) STRICT;
    """,
    """
    CREATE TABLE sent_attributes (       -- what people's attributes were last set to
        site_id TEXT NOT NULL,
        person BLOB NOT NULL,            -- digest of the identifier and its kind
        at_ms INTEGER NOT NULL,          -- Unix milliseconds: the time of the newest row that was sent
        digests BLOB NOT NULL,           -- 8 bytes of a name and 8 of its value (zeros: removed), 300 times
        PRIMARY KEY (site_id, person)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    -- members.bucket may be that of a finer bucket, 64 and above: an engine that knows only the coarse ones would find
    -- nobody in those, and must not open the file
    CREATE INDEX runs_of_sync ON runs (sync_key, kind, sync, run_id);
    """,
)
LATEST = len(STEPS)


def applied(db: sqlite_utils.Database) -> int:
    """How many steps this file has seen; more than LATEST means that a newer version wrote it."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def apply(db: sqlite_utils.Database) -> None:
    """Run the steps that are missing. A crash in a step leaves the file as it was before that step; of several
    processes that open an old file, each finds what the others have done."""
    while applied(db) < LATEST:
        with contextlib.ExitStack() as undo:
            db.conn.execute("BEGIN IMMEDIATE")
            undo.callback(db.conn.rollback)  # does nothing after the commit
            for number in range(applied(db), LATEST)[:1]:
                for statement in _statements(STEPS[number]):
                    db.conn.execute(statement)
                db.conn.execute(f"PRAGMA user_version = {number + 1}")
            db.conn.execute("COMMIT")


def _statements(script: str) -> list[str]:
    # executescript would commit first, and with it break the transaction
    return [part for part in script.split(";\n") if part.strip()]
