"""One pass that makes one segment equal to one cohort: plan, send, look, mend, settle. A bucket of ids at a time.

Every step leaves the ledger in a state from which the next run ends in the same place. Which segment, whose guards and
what is told about it is for `run_cohort.py`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from sync.cohort_sending import JOIN, LEAVE, Caller, Spools, Target, find_people, read_members
from sync.core.diff import Ids, Known, Plan, diff, repair, settle
from sync.destination import Destination
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.membership import COARSE, JOINING, LEAVING, Members, Spool
from sync.edge.scale import Changes, compared

MEMBERSHIP, SEARCH, NOTHING = VERIFY = ("membership", "search", "none")
# Waits before mending, in first backoffs: what was accepted may need a moment until it can be read.
PAUSES = (0, 2, 4, 8)

_CIO, _AFTER_CIO = b"cio_", b"cio`"

Resolve = Callable[[int, Known, Ids], Known]
AS_STORED: Resolve | None = None


@dataclass(slots=True)
class Totals:
    """A plan in numbers: `members` were confirmed before, `losses` of them would leave, `kept` stay untouched."""

    in_cohort: int = 0
    join: int = 0
    leave: int = 0
    kept: int = 0
    losses: int = 0
    waiting: int = 0
    members: int = 0
    prefixed: int = 0  # joining ids that start with cio_, which elsewhere marks another kind of identifier

    @classmethod
    def of_same(cls, count: int) -> Totals:
        """Of so many who are confirmed, in the cohort, and nothing else."""
        return cls(in_cohort=count, kept=count, members=count)

    def add(self, known: Known, cohort: Ids, plan: Plan) -> None:
        self.in_cohort += len(cohort)
        self.join += len(plan.join)
        self.leave += len(plan.leave)
        self.kept += plan.kept
        self.losses += plan.losses
        self.waiting += plan.waiting
        self.members += len(known.ours)
        self.prefixed += bisect_left(plan.join, _AFTER_CIO) - bisect_left(plan.join, _CIO)


@dataclass(slots=True)
class Sums:
    """What became of everybody, in numbers; see diff.Settlement. `staying` should have left and did not."""

    already_members: int = 0
    added: int = 0
    not_found: int = 0
    pending: int = 0
    removed: int = 0
    staying: int = 0
    strangers: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class CohortPass:
    """`cohort` holds the ids that should be members; `members` is what the ledger agreed on for the same id type."""

    def __init__(self, cohort: Spool, members: Members | None) -> None:
        """`members` None: nothing is known and nothing will be written (a dry run before the first run)."""
        self._cohort = cohort
        self._members = members

    def ids(self, number: int) -> Ids:
        """One bucket of the cohort."""
        return frozenset(self._cohort.bucket(number))

    def known(self, number: int) -> Known:
        return Known() if self._members is None else self._members.bucket(number)

    def plan(self, resolve: Resolve | None, *, full: bool, retry_absent: bool, write: bool) -> Totals:
        """Compare, and with `write` record what is about to be sent, inside the caller's transaction.

        `resolve` gives what is known of a bucket from its number, what the ledger has and the cohort's ids: it is
        where a segment that was found, adopted or made anew replaces the ledger's memory. AS_STORED: nothing does.
        """
        members = self._members if resolve is AS_STORED and not full else None
        with compared(self._cohort, members) as changes:
            totals = Totals.of_same(changes.same if changes is not None else 0)
            for number in self._numbers(write=write):
                cohort, stored = self._sides(number, changes)
                known = stored if resolve is None else resolve(number, stored, cohort)
                plan = diff(known, cohort, full=full, retry_absent=retry_absent)
                totals.add(known, cohort, plan)
                if write and self._members is not None:
                    planned = known._replace(joining=frozenset(plan.join), leaving=frozenset(plan.leave))
                    self._members.write_changes(number, stored, planned)
        return totals

    def _numbers(self, *, write: bool) -> range:
        if self._members is None:
            return COARSE
        return self._members.fit(self._cohort.count) if write else self._members.numbers

    def _sides(self, number: int, changes: Changes | None) -> tuple[Ids, Known]:
        """A bucket of the cohort and what is known of it, without those who are known to stay as they are."""
        if changes is None or self._members is None:
            return self.ids(number), self.known(number)
        return changes.sides(number, self._members.bucket(number, confirmed=False))


class Tools(NamedTuple):
    """What a performer works with."""

    ledger: Ledger
    destination: Destination
    console: Console
    spools: Spools
    run_id: str


class Performer:
    """Carries out a plan that is in the ledger."""

    def __init__(self, work: CohortPass, members: Members, target: Target, tools: Tools, *, verify: str) -> None:
        self._work = work
        self._members = members
        self._target = target
        self._ledger, self._destination, self._console, self._spools, self._run_id = tools
        self._verify = verify
        self._caller = Caller(self._destination, target, self._spools, self._run_id)

    def send(self, totals: Totals) -> None:
        """Removals first: where one person is named by two ids, the one that should be in wins."""
        self._change(LEAVE, self._members.ids(LEAVING), totals.leave)
        self._change(JOIN, self._members.ids(JOINING), totals.join)

    def _change(self, verb: str, ids: Iterator[bytes], count: int) -> None:
        if count:
            with self._console.progress(f"{verb} members", count, "people") as advance:
                self._caller.change(verb, ids, advance)

    # -- looking and mending ------------------------------------------------------------------------------------------
    def verify(self) -> None:
        """Look who is a member, and send again what should have worked, until it did or patience ends."""
        for pause in PAUSES:
            self._look()
            if self._verify == NOTHING:
                return
            with Spool() as missing, Spool() as stray:
                self._compare(missing, stray)
                if missing.count + stray.count == 0:
                    return
                self._destination.driver.linger(pause, "what was accepted can't be seen yet")
                self._mend(missing, stray)
        self._look()

    def _look(self) -> None:
        self._spools.forget_present()
        present = self._spools.present
        if self._verify == MEMBERSHIP:
            read_members(self._destination, *self._target, present)
            return
        for number in self._members.numbers:
            present.add(self._presumed(number, self._members.bucket(number)))
        if self._verify == SEARCH:
            touched = chain(self._members.ids(JOINING), self._members.ids(LEAVING))
            for found, _ in find_people(self._destination, *self._target, touched, members_only=True):
                present.add(found)

    def _presumed(self, number: int, known: Known) -> Ids:
        """Members without looking: those nobody touched; and with no verifying, what was accepted is done."""
        if self._verify == SEARCH:
            return known.sure - known.joining
        seen = self._spools.seen(number)
        accepted = frozenset(self._spools.accepted.bucket(number))
        return known.sure | (accepted - known.leaving) | (known.leaving & (seen.refused | seen.unsettled))

    def _compare(self, missing: Spool, stray: Spool) -> None:
        """Fill in who has to be sent again; who does not exist goes to `nowhere` and is not."""
        with Spool() as suspects:
            for number in self._members.numbers:
                found = repair(self._members.bucket(number), self._work.ids(number), self._spools.seen(number))
                suspects.add(found.missing)
                stray.add(found.stray)
            ids = (one for number in COARSE for one in suspects.bucket(number))
            for there, nowhere in find_people(self._destination, *self._target, ids, members_only=False):
                missing.add(sorted(there))
                self._spools.nowhere.add(sorted(nowhere))

    def _mend(self, missing: Spool, stray: Spool) -> None:
        """Write down, then send, what turned out to differ: drift by hand, people who came back, lost writes."""
        with self._ledger.atomic():
            for number in self._members.numbers:
                known = self._members.bucket(number)
                again, away = frozenset(missing.bucket(number)), frozenset(stray.bucket(number))
                after = known._replace(joining=known.joining | again, leaving=(known.leaving | away) - again)
                self._members.write_changes(number, known, after)
        self._spools.repaired.add(list(_all(missing)))
        self._spools.repaired.add(list(_all(stray)))
        self._change(LEAVE, _all(stray), stray.count)
        self._change(JOIN, _all(missing), missing.count)

    # -- the end ------------------------------------------------------------------------------------------------------
    def settle(self, *, everybody: bool = True) -> Sums:
        """Write what is true now, in one step, and count it. `everybody` False: those whom earlier runs gave up were
        not in this cohort, so their dead letters stay open."""
        sums = Sums()
        with self._ledger.atomic():
            for number in self._members.numbers:
                known, cohort = self._members.bucket(number), self._work.ids(number)
                end = settle(known, cohort, self._spools.seen(number))
                self._members.write_changes(number, known, end.keep)
                sums.already_members += end.already_members
                sums.added += end.added
                sums.not_found += end.not_found
                sums.pending += end.pending
                sums.removed += end.removed
                sums.staying += len(end.keep.leaving)
                sums.strangers += end.strangers
                sums.refused.update(self._by_reason(number, end.refused))
            if everybody:
                self._ledger.settle_cohort_letters(self._members.key, self._run_id)
            self._ledger.add_dead_letters(self._caller.letters)
        return sums

    def abandon(self) -> Counter[str]:
        """The run stops here: keep the dead letters; the plan stays in the ledger as it is. Returns, by reason, those
        of the cohort whom a call was refused for and who were no members before."""
        self._ledger.add_dead_letters(self._caller.letters)
        counts: Counter[str] = Counter()
        for number in self._members.numbers:
            counts.update(self._by_reason(number, self._work.ids(number) - self._members.bucket(number).sure))
        return counts

    def _by_reason(self, number: int, ids: Ids) -> dict[str, int]:
        counts = {reason: len(ids.intersection(spool.bucket(number))) for reason, spool in self._spools.refused.items()}
        return {reason: count for reason, count in counts.items() if count}


def _all(spool: Spool) -> Iterator[bytes]:
    for number in COARSE:
        yield from sorted(spool.bucket(number))
