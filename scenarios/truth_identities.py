"""Who is who, as it ought to be, in dicts and lists: identify, re-label, merge, suppress, anonymous events.

Knows neither engine nor fake. Ids are told by their letters, emails whatever their case. Source: Identifying people;
Merge people; Anonymous events; Delete and suppress people.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

MONTH_S, GRACE_S = 30 * 86_400, 300
Known = dict[str, Any]  # id, email, attributes, events


class Identities:
    """A workspace's people, the oldest first. `now` is the time, in Unix seconds, for whoever turns the clock."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.people: list[Known] = []
        self.blocked: list[set[str]] = []
        self.anonymous: list[tuple[str, str, float]] = []  # whose, what, when it came
        self.claims: dict[str, tuple[Known, float]] = {}

    def of(self, kind: str, value: str | None) -> Known | None:
        return next((one for one in self.people if value and _same(one[kind], value)), None)

    def is_blocked(self, *values: str | None) -> bool:
        return any(_key(value) in some for value in values if value for some in self.blocked)

    def identify(self, id: str, email: str | None, attributes: dict[str, Any], anonymous_id: str | None = None) -> None:
        """By id, perhaps with an email and an anonymous id."""
        if self.is_blocked(id, email):
            return
        named, mailed = self.of("id", id), self.of("email", email)
        person = named or mailed or self._new(id, email)
        if named and mailed and named is not mailed and not named["email"] and not mailed["id"]:
            person = min(named, mailed, key=self.people.index)
            self._absorb(person, mailed if person is named else named)
        if not mailed or mailed is person:
            person["email"] = person["email"] or email
        person["id"] = person["id"] or id
        person["attributes"].update(attributes)
        if anonymous_id:
            self._claim(person, anonymous_id)

    def relabel(self, old: str, id: str) -> None:
        """A new id for somebody, named by the one identifier that never changes."""
        person = self.of("id", old)
        if person and not self.of("id", id) and not self.is_blocked(id):
            person["id"] = id

    def merge(self, primary: str, secondary: str) -> None:
        one, other = self.of("id", primary), self.of("id", secondary)
        if one and other and one is not other:
            self._absorb(one, other)

    def delete(self, id: str) -> None:
        self.people = [one for one in self.people if one["id"] != id]

    def suppress(self, id: str) -> None:
        if not self.is_blocked(id):
            person = self.of("id", id) or {"email": None}
            self.blocked.append({_key(value) for value in (id, person["email"]) if value})
            self.delete(id)

    def unsuppress(self, id: str) -> None:
        self.blocked = [some for some in self.blocked if _key(id) not in some]

    def track(self, id: str, name: str) -> None:
        """An event, which makes the person it names."""
        if not self.is_blocked(id):
            (self.of("id", id) or self._new(id, None))["events"][name] += 1

    def track_anonymous(self, anonymous_id: str, name: str) -> None:
        """Kept for a month for whoever turns out to be meant; who just did, gets it at once."""
        person, at = self.claims.get(anonymous_id, ({}, -GRACE_S - 1.0))
        if self.now - at <= GRACE_S and any(person is one for one in self.people):
            person["events"][name] += 1
        elif anonymous_id not in self.claims:
            self.anonymous.append((anonymous_id, name, self.now))

    def _claim(self, person: Known, anonymous_id: str) -> None:
        if anonymous_id not in self.claims:
            self.claims[anonymous_id] = person, self.now
            mine = [name for whose, name, at in self.anonymous if whose == anonymous_id and self.now - at < MONTH_S]
            person["events"].update(mine)

    def _new(self, id: str, email: str | None) -> Known:
        self.people.append({"id": id, "email": email, "attributes": {}, "events": Counter()})
        return self.people[-1]

    def _absorb(self, person: Known, other: Known) -> None:
        person["attributes"] = {**other["attributes"], **person["attributes"]}
        person["events"] += other["events"]
        self.people = [one for one in self.people if one is not other]
        person["id"], person["email"] = person["id"] or other["id"], person["email"] or other["email"]


def _key(value: str) -> str:
    return value.lower() if "@" in value else value


def _same(held: str | None, value: str) -> bool:
    return held is not None and _key(held) == _key(value)
