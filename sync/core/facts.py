"""What a source says, before anything is compared with what we know."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from sync.core.budgets import PERSON_ID

_NUL, _VISIBLE = b"\0", b"!"  # the latter is the byte after the space


class SnapshotFacts(msgspec.Struct, frozen=True):
    """The counts of one whole cohort, as read. `kept` rows gave an identifier, repeated ones included; `skipped`
    gives the others by reason. A source that can't be read to its end raises SnapshotIncomplete or SourceError and
    never gets here: half a cohort would remove people."""

    kept: int
    skipped: dict[str, int]

    @property
    def source_rows(self) -> int:
        return self.kept + sum(self.skipped.values())


class Fit(NamedTuple):
    """Those that can be a person's identifier, and how many of the others there were of each kind. A blank one names
    nobody, one that is too long is nobody's and cut would be somebody else's, one with a NUL is broken: all as in an
    event."""

    ids: list[bytes]
    blank: int
    too_long: int
    broken: int


def fit_ids(ids: list[bytes]) -> Fit:
    """Tell identifiers from what can be none."""
    # an empty or blank one sorts before all that begin with a character one can see: three quick looks at them all
    if not ids or (min(ids) >= _VISIBLE and max(map(len, ids)) <= PERSON_ID.most and _NUL not in b"".join(ids)):
        return Fit(ids, 0, 0, 0)
    named = [one for one in ids if one and not one.isspace()]
    whole = [one for one in named if _NUL not in one]
    fit = [one for one in whole if len(one) <= PERSON_ID.most]
    return Fit(fit, len(ids) - len(named), len(whole) - len(fit), len(named) - len(whole))
