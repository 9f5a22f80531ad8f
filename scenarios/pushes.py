"""Strategies for what Amplitude pushes: cohort webhooks with ids and times of their own, list calls, traits.

A `Push` says who entered or left a cohort and when that was computed; `encode` makes the path and the body of one of
the three protocols of it. Only a webhook says when: the other two hold for the moment at which they arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

WEBHOOK, LIST, TRAITS = "webhook", "list", "traits"
PROTOCOLS = (WEBHOOK, LIST, TRAITS)
ID_KEYS = ("userIds", "user_ids", "ids", "items", "identifiers")


class Push(NamedTuple):
    """Some people, by number, entered (or left) a cohort at `at`, in seconds after the beginning of the world."""

    who: tuple[int, ...]
    entered: bool
    at: int = 0
    protocol: str = WEBHOOK

    def encode(self, pool: Sequence[str], cohort: str, began_at: float, list_id: str = "") -> tuple[str, Any]:
        """The path and the JSON body. A repeated push is the same message, with the same id."""
        ids = [pool[number] for number in self.who]
        verb = "enter" if self.entered else "exit"
        if self.protocol == LIST:
            key = ID_KEYS[self.at % len(ID_KEYS)]
            return f"/lists/{list_id}/{'add' if self.entered else 'remove'}", {key: ids}
        if self.protocol == TRAITS:
            trait = f"[Amplitude] {cohort}: {cohort}"
            return "/traits", {"batch": [{"userId": one, "traits": {trait: self.entered}} for one in ids]}
        return "/cohorts", {
            "cohort_name": cohort, "cohort_id": cohort, "in_cohort": self.entered,
            "computed_time": str(int(began_at) + self.at), "users": [{"user_id": one} for one in ids],
            "message_id": f"{cohort}-{'-'.join(map(str, self.who))}::{verb}::{self.at}",
        }  # fmt: skip


def webhooks(people: int) -> st.SearchStrategy[list[Push]]:
    """A sequence of cohort webhooks of so many people, one computation after the other, each entering or leaving."""
    some = st.lists(st.integers(0, people - 1), min_size=1, max_size=people, unique=True).map(tuple)
    return st.lists(st.tuples(some, st.booleans()), min_size=1, max_size=5).map(
        lambda said: [Push(who, entered, at) for at, (who, entered) in enumerate(said, start=1)]
    )


def arrivals(pushes: int) -> st.SearchStrategy[list[int]]:
    """The places of so many pushes in the order in which they arrive: every one, some of them again and again."""
    every = st.permutations(range(pushes))
    again = st.lists(st.integers(0, pushes - 1), max_size=pushes)
    return st.tuples(every, again).flatmap(lambda both: st.permutations([*both[0], *both[1]]))


def deliveries(people: int) -> st.SearchStrategy[tuple[list[Push], list[int]]]:
    """Webhooks, and the order in which they arrive."""
    return webhooks(people).flatmap(lambda said: st.tuples(st.just(said), arrivals(len(said))))


def calls(people: int) -> st.SearchStrategy[Push]:
    """A list call or a trait, which hold for the moment at which they arrive."""
    some = st.lists(st.integers(0, people - 1), min_size=1, max_size=people, unique=True).map(tuple)
    return st.builds(Push, some, st.booleans(), st.integers(0, 4), st.sampled_from((LIST, TRAITS)))
