"""Lists of the App API read page by page while people join, leave, come and go: who stays is told exactly once.

A walk is one reader on its way through a list; several are under way at a time, and each has its own page size. The
truth of a walk is who was there all the time, and who was there at any time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from scenarios.invariants import exactly_once_visibility, final_membership, safety_during_faults
from scenarios.machines.base import Machine, begin, move
from scenarios.people import Some, pools, some_of
from scenarios.truth import Truth

POOL = 8
SOME = some_of(POOL)
MEMBERS, EVERYBODY = "members", "everybody"
SIZES = st.sampled_from((1, 2, 3, 5, POOL))


@dataclass(slots=True)
class Walk:
    """A reader: what it reads, a page of how many, where it stands, and what the truth says of its time."""

    what: str
    size: int
    start: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    stayed: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)


class PagingMachine(Machine):
    """People, one segment, and the walks that are under way."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = Truth()
        self.members: set[str] = set()
        self.walks: list[Walk] = []

    @begin(pool=pools(POOL), known=SOME, members=SOME)
    def begins(self, pool: list[str], known: Some, members: Some) -> None:
        self.pool = pool
        self.segment = self.world.app("POST", "/v1/segments", {"segment": {"name": "walked"}})["segment"]["id"]
        self._sign_up(known)
        self._join(known & members)

    @move(what=st.sampled_from((MEMBERS, EVERYBODY)), size=SIZES)
    def a_walk_begins(self, what: str, size: int) -> None:
        there = self._there(what)
        self.walks.append(Walk(what, size, stayed=set(there), ever=set(there)))
        self._step(self.walks[-1])

    @precondition(lambda self: self.walks)
    @move(number=st.integers(0, 9))
    def a_walk_goes_on(self, number: int) -> None:
        self._step(self.walks[number % len(self.walks)])

    @move(come=SOME, go=SOME)
    def people_come_and_go(self, come: Some, go: Some) -> None:
        for who in sorted(go):
            self.world.delete(id=self.pool[who])
            self.truth.delete(id=self.pool[who])
            self.members.discard(self.pool[who])
        self._note()  # who comes back at once is somebody else all the same
        self._sign_up(come)
        self._note()

    @move(join=SOME, leave=SOME)
    def members_join_and_leave(self, join: Some, leave: Some) -> None:
        self._join(join)
        self._call("remove", leave)
        self.members -= {self.pool[who] for who in leave}
        self._note()

    @move()
    def every_walk_ends(self) -> None:
        for walk in [*self.walks]:
            while walk in self.walks:
                self._step(walk)

    def _step(self, walk: Walk) -> None:
        """One page; after the last the walk is over, and it has seen everybody who stayed, once."""
        page = self._page(walk)
        ids = [row["id"] for row in page["identifiers"]]
        assert len(ids) <= walk.size, f"a page of {len(ids)}; {walk.size} were asked for"
        walk.seen.update(ids)
        walk.start = page["next"] or ""
        stayed = Counter({one: times for one, times in walk.seen.items() if one in walk.stayed})
        exactly_once_visibility(stayed, Counter(dict.fromkeys(stayed, 1)))  # who went and came back may be told again
        if not walk.start:
            self.walks.remove(walk)
            safety_during_faults((), walk.seen, walk.ever)
            final_membership(walk.stayed & set(walk.seen), walk.stayed)

    def _page(self, walk: Walk) -> Any:
        query = f"limit={walk.size}" + (f"&start={quote(walk.start, safe='')}" if walk.start else "")
        if walk.what == MEMBERS:
            return self.world.app("GET", f"/v1/segments/{self.segment}/membership?{query}")
        everybody = {"filter": {"attribute": {"field": "id", "operator": "exists"}}}
        return self.world.app("POST", f"/v1/customers?{query}", everybody)

    def _there(self, what: str) -> set[str]:
        return {person.id or "" for person in self.truth.people} if what == EVERYBODY else self.members

    def _note(self) -> None:
        """What has just changed, for every walk that is under way."""
        for walk in self.walks:
            there = self._there(walk.what)
            walk.stayed &= there
            walk.ever |= there

    def _sign_up(self, some: Some) -> None:
        self.world.seed({"id": self.pool[who]} for who in sorted(some))
        for who in some:
            self.truth.create(self.pool[who])

    def _join(self, some: Some) -> None:
        self._call("add", some)
        self.members |= {self.pool[who] for who in some} & self._there(EVERYBODY)

    def _call(self, verb: str, some: Some) -> None:
        if some:
            ids = [self.pool[who] for who in sorted(some)]
            self.world.track("POST", f"/api/v1/segments/{self.segment}/{verb}_customers", {"ids": ids})

    def check_world(self) -> None:
        final_membership({person.id for person in self.world.members(self.segment)}, self.members)

    def state(self) -> Hashable:
        return frozenset(self.truth.people), frozenset(self.members), len(self.walks)
