"""Membership as it is agreed, as it should be, and as it was seen: what to send, and what is true afterwards.

Works on one bucket of ids at a time, so that ten million never stand in memory together; a bucket is decided without
any other. All ids are bytes, in the spelling of `wire_segments.fold`.
"""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

Ids = frozenset[bytes]
NONE: Ids = frozenset()


class Known(NamedTuple):
    """What the ledger knows of a bucket. A kill leaves `joining` and `leaving` behind: those may or may not be in."""

    confirmed: Ids = NONE  # seen in the segment, or accepted when nothing is verified
    joining: Ids = NONE  # planned or sent, never seen
    leaving: Ids = NONE  # planned or sent, still among `confirmed` or `joining` of before
    absent: Ids = NONE  # sent, and seen that nobody has this identifier

    @property
    def sure(self) -> Ids:
        """In the segment, as far as anybody knows."""
        return self.confirmed - self.leaving if self.leaving else self.confirmed

    @property
    def ours(self) -> Ids:
        """Counted as members by the last run, whatever has begun since."""
        return self.confirmed | self.leaving if self.leaving else self.confirmed

    @property
    def agreed(self) -> Ids:
        """The cohort as it was last compared, without those whom the destination refused."""
        return self.sure | self.joining | self.absent

    @property
    def ever(self) -> Ids:
        """All that this engine may have put there. Nobody else is ever removed."""
        return self.confirmed | self.joining | self.leaving | self.absent


class Plan(NamedTuple):
    """`join` and `leave` are sorted, so that equal inputs give equal requests. `kept` are members who stay as they
    are; `losses` counts the members among `leave`; `waiting` are people of the cohort who did not exist last time."""

    join: list[bytes]
    leave: list[bytes]
    kept: int
    losses: int
    waiting: int


def diff(known: Known, cohort: Set[bytes], *, full: bool = False, retry_absent: bool = False) -> Plan:
    """What to send so that the segment equals the cohort.

    `full` sends the whole cohort again. `retry_absent` sends those nobody answered to last time; without it they are
    looked up after the sending, and sent only when somebody answers to them now.
    """
    strange = cohort - known.sure  # the only passes over everybody: this, and confirmed - cohort
    waiting = NONE if retry_absent or full else known.absent & strange
    join = cohort if full else strange - waiting
    losses = (known.confirmed - cohort) | (known.leaving - cohort)
    leave = losses | (known.joining - cohort)
    return Plan(sorted(join), sorted(leave), len(cohort) - len(strange), len(losses), len(waiting))


class Seen(NamedTuple):
    """What a run learnt about a bucket. `present` are members now, of whatever origin; `nowhere` are identifiers that
    nobody has; `refused` were in a call that the destination refused, `unsettled` in one that never got a final answer;
    `repaired` were sent again in this run."""

    present: Set[bytes]
    nowhere: Set[bytes] = NONE
    refused: Set[bytes] = NONE
    unsettled: Set[bytes] = NONE
    repaired: Set[bytes] = NONE


class Repair(NamedTuple):
    """`missing` should be members and are not; `stray` are members, were put there by us, and should not be."""

    missing: list[bytes]
    stray: list[bytes]


def repair(known: Known, cohort: Set[bytes], seen: Seen) -> Repair:
    """Where the segment still differs from the cohort, without what can't be mended in this run: people who do not
    exist, calls that were refused or never answered."""
    hopeless = seen.refused | seen.unsettled
    missing = cohort - seen.present - hopeless - seen.nowhere
    return Repair(sorted(missing), sorted(_strays(known, cohort, seen) - hopeless))


def _strays(known: Known, cohort: Set[bytes], seen: Seen) -> Ids:
    return (known.ever & seen.present) - cohort


class Drift(NamedTuple):
    """How a segment differs from what was agreed: `missing` should be members; `leftover` were put there by us and
    should be out; `strangers` were put there by somebody else. All sorted."""

    missing: list[bytes]
    leftover: list[bytes]
    strangers: list[bytes]


def drift(known: Known, cohort: Ids, present: Ids) -> Drift:
    """Compare a bucket as it was read back with the agreed cohort."""
    beside = present - cohort
    return Drift(sorted(cohort - present), sorted(beside & known.ever), sorted(beside - known.ever))


def observed(known: Known, cohort: Ids, present: Ids, nowhere: Ids, *, ours: bool) -> Known:
    """What to plan a repair from: the segment as it was read. Unless the segment is `ours`, members whom somebody else
    put there are left out, and so stay. Nobody who has an identifier of `nowhere` can join."""
    mine = present if ours else present & (cohort | known.ever)
    return Known(confirmed=mine, absent=nowhere & cohort)


class Settlement(NamedTuple):
    """What the ledger keeps of a bucket, and the counts for the report."""

    keep: Known
    already_members: int
    added: int
    not_found: int
    pending: int
    refused: Ids
    removed: int
    strangers: int  # members that somebody else put there; they are left alone


def settle(known: Known, cohort: Set[bytes], seen: Seen) -> Settlement:
    """Give every id of the cohort exactly one fate, and say who left."""
    members = cohort & seen.present
    absent = (cohort & seen.nowhere) - members
    refused = (cohort & seen.refused) - members - absent
    joining = cohort - members - absent - refused
    already = len((members & known.sure) - seen.repaired)
    leaving = _strays(known, cohort, seen)
    gone = (known.ours | (known.ever & seen.repaired)) - cohort - seen.present
    keep = Known(frozenset(members), frozenset(joining), leaving, frozenset(absent))
    strangers = len(seen.present - known.ever - cohort)
    return Settlement(
        keep, already, len(members) - already, len(absent), len(joining), frozenset(refused), len(gone), strangers
    )
