"""What to say when a state file can't be used: a full disk is not a missing right, and loses nothing."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from sync.core.errors import LedgerError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def unusable(path: Path, error: Exception, *, what: str = "the state file") -> LedgerError:
    """The LedgerError for a file that SQLite or the system refused."""
    if is_full(error):
        return LedgerError(
            f"the disk is full: {what} {path} can't grow, so nothing more was sent; nothing was lost,"
            " for what was agreed before is kept as it was",
            hint="make room on that disk, then run it again: it goes on where it stopped",
        )
    why = (error.strerror if isinstance(error, OSError) else str(error)) or "the system refused"
    return LedgerError(
        f"{what} {path} can't be used: {why}; nothing more was sent",
        hint="make it writable for you, or name another file in CIO_SYNC_STATE",
    )


def is_full(error: Exception) -> bool:
    """Whether there was no room, on the disk or in somebody's share of it."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_FULL  # the low byte: a code may tell more in the others
