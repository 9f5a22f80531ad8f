"""Who is who after any sequence of identifying, re-labelling, merging, suppressing and anonymous events.

The fake is asked through its public API and compared with a truth of its own, person by person: identifiers, attributes
and events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from scenarios.invariants import exactly_once_visibility, final_membership, round_trip
from scenarios.machines.base import START_AT, Machine, begin, move
from scenarios.people import emails, pools
from scenarios.truth_identities import Identities
from scenarios.verdicts import looks_like_email

POOL = 4
WHO = st.integers(0, POOL - 1)
MAIL = st.none() | st.integers(0, 2)
STRANGER = st.sampled_from(("anonymous-1", "anonymous-2", "anonymous-3"))
VALUES = st.fixed_dictionaries({}, optional={"plan": st.sampled_from(("free", "pro")), "seats": st.integers(1, 3)})
#: Around the five minutes in which a late event still counts, and the thirty days that an anonymous one is kept.
PAUSES_S = st.sampled_from((1.0, 299.0, 301.0, 29 * 86_400.0, 31 * 86_400.0))
#: What a v1 path would take for something other than an id is nobody's here.
IDS = pools(POOL).filter(lambda pool: not any(one.startswith("cio_") or looks_like_email(one) for one in pool))


class IdentityMachine(Machine):
    """People known by number, each with an id; emails are nobody's until somebody is identified with them."""

    def __init__(self) -> None:
        super().__init__()
        self.truth = Identities(START_AT)

    @begin(pool=IDS, mails=st.lists(emails(), min_size=3, max_size=3, unique_by=str.lower))
    def begins(self, pool: list[str], mails: list[str]) -> None:
        self.pool, self.mails = pool, mails

    @move(who=WHO, mail=MAIL, attributes=VALUES, stranger=st.none() | STRANGER, upper=st.booleans())
    def identify(
        self, who: int, mail: int | None, attributes: dict[str, Any], stranger: str | None, upper: bool  # noqa: FBT001 - Hypothesis names it
    ) -> None:  # fmt: skip
        """Perhaps with an email, in any letters, and perhaps as who was a stranger until then."""
        email = None if mail is None else self.mails[mail].upper() if upper else self.mails[mail]
        given = {"email": email, "anonymous_id": stranger}
        body = {**attributes, **{key: value for key, value in given.items() if value is not None}}
        self._track("PUT", who, "", body)
        self.truth.identify(self.pool[who], email, attributes, stranger)

    @move(who=WHO, new=WHO)
    def relabel(self, who: int, new: int) -> None:
        """Through the cio_id, which is the only way to change an id."""
        person = next((one for one in self.world.look("people") if one["id"] == self.pool[who]), None)
        if person is not None:
            entity = {"type": "person", "action": "identify", "identifiers": {"cio_id": person["cio_id"]}}
            self.world.track("POST", "/api/v2/entity", {**entity, "attributes": {"id": self.pool[new]}})
            self.truth.relabel(self.pool[who], self.pool[new])

    @move(primary=WHO, secondary=WHO)
    def merge(self, primary: int, secondary: int) -> None:
        """Nobody says who gets what comes late for somebody who was merged, so that time is let go by first."""
        self._pass(301.0)
        body = {"primary": {"id": self.pool[primary]}, "secondary": {"id": self.pool[secondary]}}
        if primary != secondary:
            self.world.track("POST", "/api/v1/merge_customers", body)
            self.truth.merge(self.pool[primary], self.pool[secondary])

    @move(who=WHO)
    def delete(self, who: int) -> None:
        self._track("DELETE", who, "")
        self.truth.delete(self.pool[who])

    @move(who=WHO)
    def suppress(self, who: int) -> None:
        self._track("POST", who, "/suppress")
        self.truth.suppress(self.pool[who])

    @move(who=WHO)
    def unsuppress(self, who: int) -> None:
        self._track("POST", who, "/unsuppress")
        self.truth.unsuppress(self.pool[who])

    @move(who=WHO, name=st.sampled_from(("bought", "looked")))
    def track(self, who: int, name: str) -> None:
        self._track("POST", who, "/events", {"name": name})
        self.truth.track(self.pool[who], name)

    @move(stranger=STRANGER, name=st.sampled_from(("came", "went")))
    def a_stranger_does_something(self, stranger: str, name: str) -> None:
        self.world.track("POST", "/api/v1/events", {"name": name, "anonymous_id": stranger})
        self.truth.track_anonymous(stranger, name)

    @move(seconds=PAUSES_S)
    def time_passes(self, seconds: float) -> None:
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        self.truth.now += seconds
        self.world.set_clock(self.truth.now)

    def _track(self, method: str, who: int, end: str, body: Any = None) -> None:
        self.world.track(method, f"/api/v1/customers/{quote(self.pool[who], safe='')}{end}", body)

    def check_world(self) -> None:
        """Person by person: who they are, what is known of them, what they did."""
        there = {_named(one): one for one in self.world.look("people")}
        ought = {_named(one): one for one in self.truth.people}
        final_membership(set(there), set(ought))
        for who, person in ought.items():
            kept = {name: there[who]["attributes"].get(name) for name in ("plan", "seats")}
            round_trip({name: person["attributes"].get(name) for name in kept}, kept)
        owned = [(*_named(row["person"]), row["name"]) for row in self.world.look("events") if row["person"]]
        did = Counter(one for one in owned if one[:2] != (None, None))  # who is gone owns what came late for them
        exactly_once_visibility(did, Counter({
            (*who, name): times for who, person in ought.items() for name, times in person["events"].items()
        }))  # fmt: skip

    def state(self) -> Hashable:
        people = frozenset((*_named(one), tuple(sorted(one["events"].items()))) for one in self.truth.people)
        return people, len(self.truth.blocked), frozenset(self.truth.claims)


def _named(person: Any) -> tuple[str | None, str | None]:
    return person["id"], person["email"].lower() if person["email"] else None
