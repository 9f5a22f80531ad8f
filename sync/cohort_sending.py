"""Puts a plan on the wire and looks what became of it: calls of at most 1,000 ids, then the membership read back.

Decides nothing about the plan (`core/diff.py`) and nothing about retries (`core/sending.py`). What happened to each id
is gathered in spools, since there may be millions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import msgspec

from sync.core.budgets import SEARCH_PAGE, SEGMENT_IDS
from sync.core.delivery import ABOUT_CONTENT, HOPELESS
from sync.core.diff import Ids, Seen
from sync.core.errors import Refused
from sync.core.sending import Fate, FateKind, Reply, Request
from sync.core.verdicts import complaint, is_answer
from sync.core.wire_segments import People, change_members, ids_of, membership_page, parse_people, search_people
from sync.destination import Destination, expect
from sync.edge.console import Advance
from sync.edge.ledger import DeadLetter
from sync.edge.membership import Spool, in_calls
from sync.segments import is_gone, segment_gone

MOST_UNSETTLED = 3  # calls in a row without a final answer: the destination is down, the rest would only wait too
JOIN, LEAVE = "add", "remove"


class Spools:
    """What a run learnt, id by id. A context manager; leaving it frees the disk."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.accepted = self._new()
        self.unsettled = self._new()
        self.repaired = self._new()
        self.nowhere = self._new()
        self.present = self._new()
        self.refused: dict[str, Spool] = {}

    def _new(self) -> Spool:
        return self._stack.enter_context(Spool())

    def refuse(self, reason: str, ids: list[bytes]) -> None:
        if reason not in self.refused:
            self.refused[reason] = self._new()
        self.refused[reason].add(ids)

    def forget_present(self) -> None:
        """Make room for another reading."""
        self.present.close()
        self.present = self._new()

    def seen(self, number: int) -> Seen:
        """All that was learnt about one bucket."""
        refused = (one for spool in self.refused.values() for one in spool.bucket(number))
        return Seen(
            frozenset(self.present.bucket(number)),
            frozenset(self.nowhere.bucket(number)),
            frozenset(refused),
            frozenset(self.unsettled.bucket(number)),
            frozenset(self.repaired.bucket(number)),
        )

    def __enter__(self) -> Spools:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class Target(NamedTuple):
    """Which segment, and by which kind of identifier its members are named."""

    segment_id: int
    id_type: str


class Caller:
    """Sends add and remove calls for one segment and remembers what each id met."""

    def __init__(self, destination: Destination, target: Target, spools: Spools, run_id: str) -> None:
        self.letters: list[DeadLetter] = []
        self._destination = destination
        self._segment_id, self._id_type = target
        self._spools = spools
        self._run_id = run_id
        self._unsettled_in_a_row = 0
        self._refused = self._accepted = 0  # requests that refused one id, and that were accepted

    def change(self, verb: str, ids: Iterable[bytes], advance: Advance) -> None:
        """Send `ids`, in order. Raises Unauthorised and SegmentUnusable at once; what has no final answer, or was not
        sent because nothing answers any more, is unsettled."""
        for call in in_calls(ids, SEGMENT_IDS.most):
            self._deliver(verb, call)
            advance(len(call))

    def _deliver(self, verb: str, call: list[bytes]) -> None:
        """One call; where it is refused for what is in it, its halves, until each guilty id stands alone."""
        todo = [call]
        while todo:
            part = todo.pop()
            if self._unsettled_in_a_row >= MOST_UNSETTLED:
                self._spools.unsettled.add(part)
                continue
            fate = self._send(verb, part)
            if len(part) > 1 and self._is_divisible(fate):
                middle = len(part) // 2
                todo += (part[middle:], part[:middle])
            else:
                self._settle(part, fate)

    def _is_divisible(self, fate: Fate) -> bool:
        """Not where every id so far was refused: then it is not about the ids."""
        hopeless = self._refused >= HOPELESS and not self._accepted
        about_ids = fate.kind is FateKind.REFUSED and fate.reply is not None and fate.reply.status in ABOUT_CONTENT
        return about_ids and not hopeless

    def _send(self, verb: str, call: list[bytes]) -> Fate:
        request = change_members(self._segment_id, verb, self._id_type, call)
        return self._destination.driver.send(request, is_answer)

    def _settle(self, call: list[bytes], fate: Fate) -> None:
        if is_gone(fate):
            raise segment_gone(self._segment_id)
        self._unsettled_in_a_row = 0 if fate.settled else self._unsettled_in_a_row + 1
        if fate.kind is FateKind.UNAUTHORISED:
            expect(fate, "changing the segment's members", "track")
        elif fate.kind in (FateKind.ACCEPTED, FateKind.PARTIAL):
            self._accepted += 1
            self._spools.accepted.add(call)
        elif fate.reply is not None and fate.kind is FateKind.REFUSED:
            self._refused += 1
            self._refuse(call, fate.reply)
        else:
            self._spools.unsettled.add(call)

    def _refuse(self, call: list[bytes], reply: Reply) -> None:
        why = complaint(reply)
        self._spools.refuse(why.reason, call)
        for one in call:
            item = msgspec.Raw(msgspec.json.encode({self._id_type: one.decode()}))
            self.letters.append(DeadLetter(self._run_id, "cohort", why.reason, why.field, why.message, item))


# -- reading back -----------------------------------------------------------------------------------------------------
PageRequest = Callable[[str], Request]  # from a cursor, empty for the first page


def read_members(destination: Destination, segment_id: int, id_type: str, into: Spool) -> None:
    """Every member of the segment, page by page. Raises SegmentUnusable when the segment is gone, and the SendError
    that fits when it can't be read to the end."""
    for people in _pages(destination, segment_id, lambda start: membership_page(segment_id, start)):
        into.add(ids_of(people, id_type))


def find_people(
    destination: Destination, segment_id: int, id_type: str, ids: Iterable[bytes], *, members_only: bool
) -> Iterator[tuple[Ids, Ids]]:
    """For every 1,000 of `ids`: those that somebody has (with `members_only`: a member of the segment), and those that
    nobody has."""
    within = segment_id if members_only else None
    for call in in_calls(ids, SEARCH_PAGE.most):
        pages = _pages(destination, segment_id, partial(search_people, id_type, call, within))
        found = frozenset(one for people in pages for one in ids_of(people, id_type)) & frozenset(call)
        yield found, frozenset(call) - found


def _pages(destination: Destination, segment_id: int, request: PageRequest) -> Iterator[People]:
    start: str | None = ""
    seen: set[str] = set()
    while start is not None:
        seen.add(start)
        page = request(start)
        fate = destination.driver.send(page, lambda reply: parse_people(reply) is not None)
        if is_gone(fate):
            raise segment_gone(segment_id)
        people = parse_people(expect(fate, "reading members back", "app", named=bool(page.body)))
        if people is None:
            raise Refused("reading members back: the answer can't be understood")
        yield people
        start = people.next or None
        if start in seen:
            raise Refused("reading members back: a page names an earlier one as the next, so the list has no end")
