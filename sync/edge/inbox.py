"""What was pushed, on disk before anybody is answered: messages in order, lists of cohorts, who is in each.

A file of its own beside the ledger, so that a long step of a run never keeps a sender waiting. A message is applied in
the transaction that takes it off; the ids of messages stay, so that a repeated one is known.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from sync.core.pushes import ListName, Members
from sync.edge.disk import unusable
from sync.edge.ledger import make_private

COHORTS, EVENTS = "cohorts", "events"
BUSY_S = 30.0
SEEN_S = 30 * 86400.0  # how long a message's id is remembered; repetitions come within minutes
FORGET_EVERY_S = 3600.0
AHEAD_S = 86400.0  # no cohort is computed so far ahead of now: such a time would silence all that come after it
MOST_IDS = 5_000  # in one step of applying: whoever pushes meanwhile waits for no more than that
MOST_BYTES = 16 * 1024 * 1024  # of events that are delivered together
NEVER = -math.inf  # older than any push
Spelling = Callable[[str], str]  # one for all that name the same person
Place = tuple[str, str]  # of somebody in a list
FIRST: Place = ("", "")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,                  -- cohorts | events
    body BLOB NOT NULL,                  -- JSON: Members; or one export row a line
    received_at REAL NOT NULL            -- Unix seconds
) STRICT;
CREATE TABLE IF NOT EXISTS seen (
    message_id TEXT PRIMARY KEY,
    received_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lists (
    list_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,                  -- as it was first called
    cohort_id TEXT NOT NULL,
    changed INTEGER NOT NULL DEFAULT 0,  -- counts what was applied to it
    delivered INTEGER NOT NULL DEFAULT 0 -- `changed` as of the last run that delivered it
) STRICT;
CREATE TABLE IF NOT EXISTS pushed (
    list_id TEXT NOT NULL,
    who TEXT NOT NULL,                   -- in one spelling
    at REAL NOT NULL,                    -- when that was computed
    inside INTEGER NOT NULL,
    PRIMARY KEY (list_id, who)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS arrivals (
    one INTEGER PRIMARY KEY,
    at REAL NOT NULL                     -- the latest at which a message came that has no time of its own
) STRICT;
"""
_SAY = (
    "INSERT INTO pushed (list_id, who, at, inside) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
    " SET at = excluded.at, inside = excluded.inside WHERE excluded.at >= pushed.at"
)


class ListRow(msgspec.Struct, frozen=True):
    """One cohort that is pushed. It is dirty while `changed` is above `delivered`."""

    list_id: str
    name: str
    cohort_id: str
    changed: int
    delivered: int


class Applied(msgspec.Struct, frozen=True):
    """What taking messages off came to: how many, and how many people two of them contradicted each other about, for
    one moment (the one that arrived last won)."""

    messages: int = 0
    contradictions: int = 0


class Inbox:
    """An open inbox; any thread may use it. A context manager."""

    def __init__(self, path: Path) -> None:
        """Create or open the file at `path`. Raises LedgerError when it can't be used."""
        self._path = path
        self._lock = threading.RLock()
        self._forgot_at = -math.inf
        try:
            make_private(path)
            self._connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
            try:
                for pragma in ("journal_mode = WAL", "synchronous = FULL"):
                    self._connection.execute(f"PRAGMA {pragma}").fetchone()
                self._connection.executescript(_SCHEMA)
            except BaseException:
                self._connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise unusable(path, error, what="the inbox") from error

    @contextlib.contextmanager
    def _atomic(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on disk when it returns."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    # -- receiving ----------------------------------------------------------------------------------------------------
    def put_members(self, pushes: list[Members], now: float) -> int:
        """Keep cohort messages; returns how many of them were new."""
        with self._atomic() as connection:
            fresh = [one for one in pushes if self._is_new(connection, one.message_id, now)]
            for one in fresh:
                self._name(connection, one.cohort)
                at = self._arrival(connection, now) if one.at is None or one.at > now + AHEAD_S else one.at
                connection.executemany(
                    "INSERT INTO messages (kind, body, received_at) VALUES (?, ?, ?)",
                    (
                        (COHORTS, msgspec.json.encode(one._replace(at=at, ids=one.ids[first : first + MOST_IDS])), now)
                        for first in range(0, len(one.ids), MOST_IDS)
                    ),
                )
        return len(fresh)

    def _arrival(self, connection: sqlite3.Connection, now: float) -> float:
        """When a message without a time of its own counts as computed: never before one that came before it, although
        the clock was put back."""
        connection.execute("INSERT INTO arrivals VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = max(at, ?1)", (now,))
        at: float = connection.execute("SELECT at FROM arrivals").fetchone()[0]
        return at

    def put_events(self, lines: list[bytes], now: float) -> None:
        """Keep streamed events, each one line. Repetitions are found later, by the events' own ids."""
        with self._atomic() as connection:
            connection.executemany(
                "INSERT INTO messages (kind, body, received_at) VALUES (?, ?, ?)",
                ((EVENTS, line, now) for line in lines),
            )

    def put_list(self, cohort: ListName) -> str:
        """The list of a cohort, made when it is new; returns its id."""
        with self._atomic() as connection:
            self._name(connection, cohort)
        return cohort.list_id

    def _name(self, connection: sqlite3.Connection, cohort: ListName) -> None:
        connection.execute(
            "INSERT OR IGNORE INTO lists (list_id, name, cohort_id) VALUES (?, ?, ?)",
            (cohort.list_id, cohort.name, cohort.cohort_id),
        )

    def _is_new(self, connection: sqlite3.Connection, message_id: str | None, now: float) -> bool:
        if message_id is None:
            return True
        if abs(now - self._forgot_at) > FORGET_EVERY_S:  # reads all of them
            connection.execute("DELETE FROM seen WHERE received_at < ?", (now - SEEN_S,))
            self._forgot_at = now
        return connection.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (message_id, now)).rowcount == 1

    # -- applying -----------------------------------------------------------------------------------------------------
    def apply_members(self, most: int = 1000, spelling: Spelling = str) -> Applied:
        """Take the oldest cohort messages off and apply them, in one step: at least one, and about MOST_IDS people.

        A person's newest computation wins; for one moment, the message that arrived last does. Whom `spelling` writes
        alike is one person.
        """
        with self._atomic() as connection:
            oldest = self._oldest(connection, most)
            contradictions = 0
            for n, push in oldest:
                spelt = push._replace(ids=tuple(dict.fromkeys(map(spelling, push.ids))))
                contradictions += self._apply(connection, spelt)
                connection.execute("DELETE FROM messages WHERE n = ?", (n,))
        return Applied(len(oldest), contradictions)

    def _oldest(self, connection: sqlite3.Connection, most: int) -> list[tuple[int, Members]]:
        taken: list[tuple[int, Members]] = []
        people = 0
        rows = connection.execute("SELECT n, body FROM messages WHERE kind = ? ORDER BY n LIMIT ?", (COHORTS, most))
        for n, body in rows:
            push = msgspec.json.decode(body, type=Members)
            people += len(push.ids)
            if taken and people > MOST_IDS:
                break
            taken.append((n, push))
        return taken

    def _apply(self, connection: sqlite3.Connection, push: Members) -> int:
        list_id = push.cohort.list_id
        opposite = "SELECT 1 FROM pushed WHERE list_id = ? AND who = ? AND at = ? AND inside != ?"
        contradictions = sum(
            1 for who in push.ids if connection.execute(opposite, (list_id, who, push.at, push.entered)).fetchone()
        )
        connection.executemany(_SAY, ((list_id, who, push.at, push.entered) for who in push.ids))
        connection.execute("UPDATE lists SET changed = changed + 1 WHERE list_id = ?", (list_id,))
        return contradictions

    def respell(self, spelling: Spelling, after: Place = FIRST) -> Place | None:
        """Put some thousand people into one spelling whom an earlier choice of identifiers may have kept in another;
        returns behind whom to go on, None at the end."""
        with self._atomic() as connection:
            rows = connection.execute(
                "SELECT list_id, who, at, inside FROM pushed WHERE (list_id, who) > (?, ?)"
                " ORDER BY list_id, who LIMIT ?",
                (*after, MOST_IDS),
            ).fetchall()
            others = [row for row in rows if spelling(row[1]) != row[1]]
            connection.executemany("DELETE FROM pushed WHERE list_id = ? AND who = ?", (row[:2] for row in others))
            connection.executemany(_SAY, ((one, spelling(who), at, inside) for one, who, at, inside in others))
        return rows[-1][:2] if rows else None

    def keep_unsaid(self, list_id: str, people: Iterable[str]) -> list[str]:
        """Let those be in a list of whom no push ever spoke, until one does; returns them."""
        said = "SELECT 1 FROM pushed WHERE list_id = ? AND who = ?"
        with self._atomic() as connection:
            unsaid = [who for who in people if connection.execute(said, (list_id, who)).fetchone() is None]
            connection.executemany(_SAY, ((list_id, who, NEVER, True) for who in unsaid))
        return unsaid

    # -- delivering ---------------------------------------------------------------------------------------------------
    def find_list(self, list_id: str) -> ListRow | None:
        rows = self._lists("WHERE list_id = ?", list_id)
        return rows[0] if rows else None

    def lists(self) -> list[ListRow]:
        """Every list, in the order of their names."""
        return self._lists("ORDER BY name, list_id")

    def dirty(self) -> list[ListRow]:
        """The lists that changed since they were last delivered, in the order of their names."""
        return self._lists("WHERE changed > delivered ORDER BY name, list_id")

    def _lists(self, where: str, *values: object) -> list[ListRow]:
        with self._lock:
            columns = ", ".join(ListRow.__struct_fields__)
            rows = self._connection.execute(f"SELECT {columns} FROM lists {where}", values).fetchall()
        return [ListRow(*row) for row in rows]

    def is_alone(self, row: ListRow) -> bool:
        """Whether no older list has the same name; a sync is known by its name alone."""
        with self._lock:
            return not self._connection.execute(
                "SELECT 1 FROM lists WHERE name = ? AND rowid < (SELECT rowid FROM lists WHERE list_id = ?)",
                (row.name, row.list_id),
            ).fetchone()

    def inside(self, list_id: str) -> Iterator[list[str]]:
        """Who is in a list now, some thousands at a time."""
        after = ""
        while True:
            with self._lock:
                rows = self._connection.execute(
                    "SELECT who FROM pushed WHERE list_id = ? AND who > ? AND inside ORDER BY who LIMIT 5000",
                    (list_id, after),
                ).fetchall()
            if not rows:
                return
            yield [who for (who,) in rows]
            after = rows[-1][0]

    def mark_delivered(self, row: ListRow) -> None:
        """The segment equals the list as it was when `row` was read."""
        with self._atomic() as connection:
            connection.execute(
                "UPDATE lists SET delivered = max(delivered, ?) WHERE list_id = ?", (row.changed, row.list_id)
            )

    def events(self, most: int) -> list[tuple[int, bytes]]:
        """The oldest streamed events, with their numbers: at least one where there is one, and about MOST_BYTES."""
        taken: list[tuple[int, bytes]] = []
        size = 0
        with self._lock:
            rows = self._connection.execute(
                "SELECT n, body FROM messages WHERE kind = ? ORDER BY n LIMIT ?", (EVENTS, most)
            )
            for n, body in rows:
                size += len(body)
                if taken and size > MOST_BYTES:
                    break
                taken.append((n, body))
        return taken

    def drop_events(self, until: int) -> None:
        """Everything up to that number has its fate in the ledger."""
        with self._atomic() as connection:
            connection.execute("DELETE FROM messages WHERE kind = ? AND n <= ?", (EVENTS, until))

    def waiting(self) -> dict[str, int]:
        """How many messages of each kind are kept and not yet taken off."""
        with self._lock:
            rows = self._connection.execute("SELECT kind, count(*) FROM messages GROUP BY kind").fetchall()
        return {COHORTS: 0, EVENTS: 0} | dict(rows)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
