"""The same said in both dialects of the Track API, to two workspaces: they end equal, and what was said comes back.

v1 names a person in the path and guesses by its shape what it is; v2 says so. Every move is made in both.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from scenarios.attributes import any_attributes, attributes
from scenarios.events import NAMES, properties
from scenarios.invariants import final_membership, isolation, round_trip
from scenarios.machines.base import START_AT, Machine, begin, move
from scenarios.people import Some, pools, some_of
from scenarios.verdicts import looks_like_email
from scenarios.world import Row, World

POOL = 3
SOME = some_of(POOL)
WHO = st.integers(0, POOL - 1)
#: An id that begins like a cio_id is one to a v1 path, whatever it is to v2.
IDS = pools(POOL).filter(lambda pool: not any(one.startswith("cio_") for one in pool))
PLATFORMS = ("ios", "android")


class DialectMachine(Machine):
    """Two workspaces: `world` is spoken to in v1, `other` in v2. `said` is what ought to be known of each person."""

    def __init__(self) -> None:
        super().__init__()
        self.other = self.open_world()
        self.said: dict[str, dict[str, Any]] = {}
        self.blocked: set[str] = set()
        self.full: set[str] = set()  # who may have as many attributes as anybody can, so that no more are kept

    @begin(pool=IDS)
    def begins(self, pool: list[str]) -> None:
        self.pool = pool

    @move(who=WHO, attributes=attributes())
    def identify(self, who: int, attributes: dict[str, Any]) -> None:
        """Somebody is made or changed; every value comes back as it was said."""
        accepted = self._both(who, "PUT", "", attributes, "identify", {"attributes": attributes})
        assert accepted, "what is within every limit was refused"
        if not {self.pool[who], self._key(who)} & (self.blocked | self.full):
            self.said.setdefault(self._key(who), {}).update(attributes)

    @move(who=WHO, attributes=any_attributes())
    def identify_too_much(self, who: int, attributes: dict[str, Any]) -> None:
        """Perhaps over a limit: both refuse it, or both keep the same of it."""
        self._both(who, "PUT", "", attributes, "identify", {"attributes": attributes})
        self.said.pop(self._key(who), None)  # what is left of it is for the tables of limits
        self.full.add(self._key(who))

    @move(who=WHO, name=st.sampled_from(NAMES), data=properties(), seconds=st.integers(0, 10**6))
    def track(self, who: int, name: str, data: dict[str, Any], seconds: int) -> None:
        """Something happens to somebody, who may be nobody yet."""
        at = int(START_AT) - seconds
        v1 = {"name": name, "data": data, "timestamp": at}
        v2 = {"name": name, "attributes": data, "timestamp": at}
        self._both(who, "POST", "/events", v1, "event", v2)

    @move(who=WHO, token=st.sampled_from(("t1", "t/2")), platform=st.sampled_from(PLATFORMS))
    def add_device(self, who: int, token: str, platform: str) -> None:
        last = int(START_AT)
        v1 = {"device": {"id": token, "platform": platform, "last_used": last}}
        v2 = {"device": {"token": token, "platform": platform, "last_used": last}}
        self._both(who, "PUT", "/devices", v1, "add_device", v2)

    @move(who=WHO)
    def delete(self, who: int) -> None:
        self._both(who, "DELETE", "", None, "delete", {})
        self._forget(who)

    @move(who=WHO)
    def suppress(self, who: int) -> None:
        """Gone, and nothing more is kept of them."""
        self._both(who, "POST", "/suppress", None, "suppress", {})
        self._forget(who)
        self.blocked.add(self.pool[who])

    @move(some=SOME)
    def unsuppress(self, some: Some) -> None:
        for who in sorted(some):
            self._both(who, "POST", "/unsuppress", None, "unsuppress", {})
            self.blocked.discard(self.pool[who])

    def _both(self, who: int, method: str, end: str, v1: Any, action: str, v2: Mapping[str, Any]) -> bool:
        """Say it in v1 to the one and in v2 to the other; True when both accept."""
        identifiers = {"email" if looks_like_email(self.pool[who]) else "id": self.pool[who]}
        path = f"/api/v1/customers/{quote(self.pool[who], safe='')}{end}"
        entity = {"type": "person", "action": action, "identifiers": identifiers, **v2}
        answers = self.world.try_track(method, path, v1), self.other.try_track("POST", "/api/v2/entity", entity)
        accepted = [status < 300 for status in answers]
        assert accepted[0] == accepted[1], f"{action} was answered {answers[0]} in v1 and {answers[1]} in v2"
        return accepted[0]

    def _forget(self, who: int) -> None:
        self.said.pop(self._key(who), None)
        self.full.discard(self._key(who))

    def _key(self, who: int) -> str:
        return self.pool[who].lower() if looks_like_email(self.pool[who]) else self.pool[who]

    def check_world(self) -> None:
        """Equal workspaces, and everything that was said of a person known of them."""
        isolation(_state(self.world), _state(self.other))
        for world in (self.world, self.other):
            known = {one["id"] or (one["email"] or "").lower(): one["attributes"] for one in world.look("people")}
            final_membership(set(self.said) & set(known), set(self.said))
            for who, said in self.said.items():
                round_trip(said, {name: known[who].get(name) for name in said})

    def state(self) -> Hashable:
        return repr(sorted(self.said.items())), frozenset(self.blocked)


def _state(world: World) -> dict[str, Any]:
    """All that both must have in common: everything but the ids that Customer.io gives."""
    people = [
        {key: one[key] for key in ("id", "email", "attributes")} | {"devices": [*map(_device, one["devices"])]}
        for one in world.look("people")
    ]
    events = [(one["name"], one["data"], one["timestamp"], *_named(one["person"])) for one in world.look("events")]
    return {"people": people, "events": events, "blocked": world.blocked()}


def _device(row: Row) -> tuple[Any, Any]:
    return row.get("token") or row.get("id"), row["platform"]


def _named(person: Row | None) -> tuple[Any, Any]:
    return (person["id"], person["email"]) if person else (None, None)
