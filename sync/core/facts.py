"""What a source says, before anything is compared with what we know."""

from __future__ import annotations

import msgspec


class SnapshotFacts(msgspec.Struct, frozen=True):
    """The counts of one whole cohort, as read. `kept` rows gave an identifier, repeated ones included; `skipped`
    gives the others by reason. A source that can't be read to its end raises SnapshotIncomplete or SourceError and
    never gets here: half a cohort would remove people."""

    kept: int
    skipped: dict[str, int]

    @property
    def source_rows(self) -> int:
        return self.kept + sum(self.skipped.values())
