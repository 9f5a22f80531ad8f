"""What ought to be true, in dicts and sets: who exists, who is in the segment, which events are there.

The third judge: it knows neither engine nor fake and shares no line with them. Whoever compares feeds it the same
files and the same moves as the world got.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from scenarios.verdicts import cohort_fate, event_fate, looks_like_email, own_properties, seconds


class Person(NamedTuple):
    """Somebody at Customer.io; the email in lower case."""

    id: str | None = None
    email: str | None = None


class Happened(NamedTuple):
    """An event as Customer.io should hold it; `properties` is its own part of the data, as canonical JSON."""

    person: Person
    name: str
    at: int
    properties: str


class Truth:
    """A workspace as it ought to be. A cohort's values are ids; an event's person is known by shape."""

    def __init__(self) -> None:
        self.people: set[Person] = set()
        self.blocked: set[str] = set()
        self.segment: set[Person] = set()
        self.by_hand: set[Person] = set()  # of the segment's members, those whom somebody put there and no cohort names
        self.events: Counter[Happened] = Counter()
        self._seen: set[tuple[str, str]] = set()

    def create(self, id: str | None = None, email: str | None = None) -> None:
        """Somebody signs up at Customer.io, unless blocked."""
        person = Person(id, email.lower() if email else None)
        if not self.blocked & set(person):
            self.people.add(person)

    def delete(self, id: str | None = None, email: str | None = None) -> None:
        """Gone, with memberships and events; nothing is blocked."""
        self.people -= self._named(id, email)
        self.segment &= self.people
        self.by_hand &= self.people
        self.events = Counter({event: n for event, n in self.events.items() if event.person in self.people})

    def suppress(self, id: str | None = None, email: str | None = None) -> None:
        """Gone as well, and every identifier blocked."""
        keys = {key for person in self._named(id, email) for key in person}
        self.blocked |= {key for key in (*keys, id, email and email.lower()) if key}
        self.delete(id, email)

    def _named(self, id: str | None, email: str | None) -> set[Person]:
        wanted = {("id", id), ("email", email.lower() if email else None)} - {("id", None), ("email", None)}
        return {person for person in self.people if wanted & set(person._asdict().items())}

    def run_cohort(self, values: Iterable[str]) -> Counter[str]:
        """The segment becomes cohort ∩ people, beside whoever was put there by hand. Returns how many rows came to
        what."""
        rows = list(values)
        fates = Counter(cohort_fate(value) for value in rows)
        cohort = {value for value in rows if cohort_fate(value) == "cohort"}
        inside = self._people_of(cohort)
        self.by_hand -= inside
        self.segment = inside | self.by_hand
        named, members = fates.pop("cohort", 0), len(inside)
        return fates + Counter(collapsed=named - len(cohort), member=members, not_found=len(cohort) - members)

    def edit_by_hand(self, put_in: Iterable[str], taken_out: Iterable[str], cohort: Iterable[str]) -> None:
        """Somebody puts people into the segment, then takes some out; `cohort` is what it was last filled from."""
        put, out = self._people_of(put_in), self._people_of(taken_out)
        self.segment = (self.segment | put) - out
        self.by_hand = (self.by_hand | (put - self._people_of(cohort))) - out

    def drift(self, cohort: Iterable[str]) -> dict[str, int]:
        """How the segment differs from the cohort that it was last filled from, in the words of `reconcile`."""
        missing = self._people_of(cohort) - self.segment
        return {"missing": len(missing), "leftover": 0, "strangers": len(self.by_hand)}

    def repair(self, cohort: Iterable[str]) -> None:
        """The segment becomes that cohort again, as far as its people exist, and nothing else."""
        self.by_hand = set()
        self.segment = self._people_of(cohort)

    def _people_of(self, ids: Iterable[str]) -> set[Person]:
        wanted = set(ids)
        return {person for person in self.people if person.id in wanted}

    def take_event(self, row: Any) -> str:
        """One row of an export, in any order, any number of times. Returns what becomes of it."""
        fate = event_fate(row)
        if fate != "delivered":
            return fate
        key = (row["device_id"], row["$insert_id"] or row["uuid"])
        if key in self._seen:
            return "duplicate"
        self._seen.add(key)
        owner = self._owner(row["user_id"])
        if self.blocked & set(owner):
            return "ignored"
        self.people.add(owner)  # an event creates the person it names
        at = seconds(row["event_time"]) or 0
        self.events[Happened(owner, row["event_type"].strip(), at, own_properties(row["event_properties"]))] += 1
        return fate

    def _owner(self, value: str) -> Person:
        if looks_like_email(value):
            named = Person(email=value.lower())
            return next((person for person in self.people if person.email == named.email), named)
        return next((person for person in self.people if person.id == value), Person(id=value))
