"""What can stop a run, sorted by what the operator does next; every class is one sentence and one exit code.

    SyncError
      ConfigError          2    fix settings or flags; nothing was sent
        LedgerError        2    the state file can't be used
          LedgerTooNew     2    written by a newer version
          CheckpointMoved  2    another run advanced the state underneath this one
      SourceError          3    the input can't be trusted; nothing was planned
        SnapshotIncomplete 3    a cohort that is not whole would remove people
      SendError            4    the destination stopped the run
        Unauthorised       4    credentials refused
        SegmentUnusable    4    the segment is gone, somebody else's, or not a manual one
        Refused            4    a request the run can't do without was refused for good
        Throttled          1    told to slow down until the patience ran out; nothing applied
        InDoubt            1    no answer, although it may have been applied
        Unreachable        1    nothing answered; nothing applied
      GuardStop            5    a guard found the plan suspicious; nothing was sent
      LeaseHeld            5    another process runs this sync
      Interrupted        130    stopped by a signal; run again to go on

A message says what happened and never holds a secret or a person; `hint` is the next thing to type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with each of the names, where it stands as a word, replaced by what is said for it."""
    known = "|".join(map(re.escape, names))
    return re.sub(rf"(?<!\w)(?:{known})(?!\w)", lambda found: names[found[0]], text) if names else text


class SyncError(Exception):
    """Base of everything the engine raises on purpose."""

    code: ClassVar[str] = "sync_error"
    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reason = code or self.code

    def call(self, names: Mapping[str, str]) -> None:
        """Speak of things by the names that they have in a configuration."""
        self.message, self.hint = renamed(self.message, names), renamed(self.hint, names)

    def as_dict(self) -> dict[str, str]:
        """The `error` object of a report."""
        return {"code": self.reason, "message": self.message, "hint": self.hint}


class ConfigError(SyncError):
    """Settings, flags or the environment are wrong; nothing was sent."""

    code = "configuration"
    exit_code = 2


class LedgerError(ConfigError):
    """The state file can't be opened, read or written."""

    code = "ledger"


class LedgerTooNew(LedgerError):
    """The state file was written by a newer version of the engine."""

    code = "ledger_too_new"


class CheckpointMoved(LedgerError):
    """Another run moved the state while this one held it."""

    code = "checkpoint_moved"


class SourceError(SyncError):
    """The source failed or can't be read; nothing was sent."""

    code = "source_failed"
    exit_code = 3


class SnapshotIncomplete(SourceError):
    """The cohort came back in part, so the missing people would be removed; nothing was planned."""

    code = "snapshot_incomplete"


class SendError(SyncError):
    """The destination ended the run."""

    code = "destination_failed"
    exit_code = 4


class Unauthorised(SendError):
    """The destination refused the credentials."""

    code = "credentials_refused"


class SegmentUnusable(SendError):
    """The segment is gone, belongs to somebody else, or takes no members from outside."""

    code = "segment_unusable"


class Refused(SendError):
    """The destination refused, for good, a request that the run can't do without."""

    code = "request_refused"


class Throttled(SendError):
    """The destination kept saying `slow down`; nothing was applied."""

    code = "throttled"
    exit_code = 1


class InDoubt(SendError):
    """No usable answer came, although the request may have been applied."""

    code = "in_doubt"
    exit_code = 1


class Unreachable(SendError):
    """The destination did not answer; nothing was applied."""

    code = "unreachable"
    exit_code = 1


class GuardStop(SyncError):
    """A guard found the plan suspicious; nothing was sent."""

    code = "guard"
    exit_code = 5


class LeaseHeld(SyncError):
    """Another process is running the same sync."""

    code = "lease_held"
    exit_code = 5


class Interrupted(SyncError):
    """A signal stopped the run; the ledger knows how far it came."""

    code = "interrupted"
    exit_code = 130
