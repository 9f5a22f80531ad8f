"""Pushes in any order, repeated at will, while the worker is killed and Customer.io is down: the segment is right.

The truth is a list of pushes, sorted by when they were computed. What a call of the other two protocols says holds for
the moment at which it arrives, which is later than all that was computed before.
"""

from __future__ import annotations

from collections.abc import Hashable

from hypothesis import strategies as st

from scenarios.invariants import batch_law, commutativity_of_receivers, final_membership, safety_during_faults
from scenarios.listening import Listener
from scenarios.machines.base import START_AT, Machine, begin, move
from scenarios.people import Some, pools, some_of
from scenarios.pushes import LIST, Push, calls, deliveries
from scenarios.runs import TurnedClock
from scenarios.truth import Person, Truth
from scenarios.weathers import Fault, weathers
from scenarios.world import Row

POOL = 4
SOME = some_of(POOL)
COHORT = "pushed"
LOOKED_AT_AGAIN_S = 4_000.0  # longer than any pause after a failure, and than the hour between two looks at everybody


class ReceiverMachine(Machine):
    """A receiver, its worker, and everything that was ever pushed, as (moment, place of arrival, push)."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = Truth()
        self.pushed: list[tuple[float, int, Push]] = []
        self.clock = TurnedClock(self.world, START_AT)
        self.listener = Listener(self.environment(), self.folder, self.clock, self.wire)
        self.stack.callback(self.listener.close)
        self.list_id = ""
        self.gone: Some = frozenset()

    @begin(pool=pools(POOL), known=SOME)
    def begins(self, pool: list[str], known: Some) -> None:
        self.pool = pool
        self._sign_up(known)

    @move(said=deliveries(POOL))
    def webhooks_arrive(self, said: tuple[list[Push], list[int]]) -> None:
        """In any order, each at least once. Nothing is sent until the worker works."""
        pushes, order = said
        began = self.clock.now()
        for place in order:
            status, _ = self._push(pushes[place], began)
            assert status == 200, f"a push was answered {status}"
        self.pushed += [(began + push.at, len(self.pushed) + n, push) for n, push in enumerate(pushes)]
        self.clock.set(began + 60)  # what is computed later is computed at a later time

    @move(call=calls(POOL))
    def a_call_arrives(self, call: Push) -> None:
        """A list call or a trait."""
        if call.protocol == LIST and not self.list_id:
            status, answer = self.listener.push("/lists", {"name": f"[Amplitude] {COHORT}: {COHORT}"})
            assert (status, answer["listId"]) == (200, answer["response"]["list_id"]), f"a list was made as {answer}"
            self.list_id = answer["listId"]
        status, _ = self._push(call, self.clock.now())
        assert status == 200, f"a call was answered {status}"
        self.pushed.append((self.clock.now(), len(self.pushed), call))
        self.clock.set(self.clock.now() + 60)

    @move(rounds=st.integers(0, 3), faults=weathers(), astray=st.integers(0, 2))
    def the_worker_is_killed(self, rounds: int, faults: list[Fault], astray: int = 0) -> None:
        """After some rounds in bad weather, in which runs may fail or be sent to another host; what is on disk goes
        on."""
        self.strike(faults)
        self.wire.astray = astray
        for _ in range(rounds):
            self.listener.work()
        self.listener.restart()
        self.world.calm()
        self.wire.astray = 0

    @move(come=SOME, go=SOME)
    def people_come_and_go(self, come: Some, go: Some) -> None:
        """Who was a member, went and came back is another person under an old id. A worker looks for who is new to it,
        not at its members, and so takes no notice: here nobody comes back."""
        self.gone |= go
        for person in self._ids(go):
            self.world.delete(id=person)
            self.truth.delete(id=person)
        self._sign_up(come - self.gone)

    @move()
    def a_calm_day(self) -> None:
        """A day later everything that waited is done, and the segment is what was computed last of everybody."""
        if self.pushed:
            for _ in range(2):  # a first look for what failed, and one at everybody
                self.clock.set(self.clock.now() + LOOKED_AT_AGAIN_S)
                self.listener.settle()
            self.truth.run_cohort(self._inside())
            members = self._members()
            commutativity_of_receivers({person.id for person in self.truth.segment}, {one.id for one in members})
            final_membership(members, self.truth.segment)

    def _inside(self) -> list[str]:
        """Who is in the cohort by the time of computation; of one moment, what arrived last counts."""
        inside: set[int] = set()
        for _, _, push in sorted(self.pushed, key=lambda one: one[:2]):
            inside = inside | set(push.who) if push.entered else inside - set(push.who)
        return self._ids(frozenset(inside))

    def _push(self, push: Push, began: float) -> tuple[int, object]:
        return self.listener.push(*push.encode(self.pool, COHORT, began, self.list_id))

    def _sign_up(self, some: Some) -> None:
        self.world.seed({"id": person} for person in self._ids(some))
        for person in self._ids(some):
            self.truth.create(person)

    def _ids(self, some: Some) -> list[str]:
        return [self.pool[who] for who in sorted(some)]

    def _members(self) -> set[Person]:
        return {person for row in self.world.segments() for person in self.world.members(row["id"])}

    def check_requests(self, rows: list[Row]) -> None:
        named = {self.pool[who] for _, _, push in self.pushed for who in push.who}
        sent = [row["body"]["ids"] for row in rows if row["path"].endswith("_customers")]
        batch_law(sent)
        safety_during_faults({one for ids in sent for one in ids}, {one.id or "" for one in self._members()}, named)

    def state(self) -> Hashable:
        return frozenset(self.truth.people), frozenset(self._inside()) if self.pushed else None
