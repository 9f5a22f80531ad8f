"""Strategies for the history of a workspace: what any client of the Track API may ask, and time that passes in between.

Few people and few names, so that the same ones meet again: somebody is merged who was suppressed, an event comes before
its person, a segment loses whom it never had. `play` lets a history happen in a workspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from scenarios.attributes import attributes
from scenarios.interleaving import Write, send
from scenarios.steps import steps
from scenarios.world import World

SEGMENT_ID = 1  # of the manual segment that `GIVEN` has
GIVEN: dict[str, Any] = {"segments": [{"id": SEGMENT_ID, "name": "vip", "type": "manual"}]}
START_AT = 1_780_000_000.0
_NAMES = ("order", "Order", "page viewed")
_TOKENS = ("t1", "t2")
_ANONYMOUS = ("anon-1", "anon-2")


class Pause(NamedTuple):
    """So much time passes."""

    seconds: float


Step = Write | Pause


def histories(pool: Sequence[str], *, most: int = 12) -> st.SearchStrategy[list[Step]]:
    """Up to `most` steps in the lives of the people of these ids, and of some whom only their emails name."""
    return st.lists(st.one_of(writes(pool), steps().map(Pause)), min_size=1, max_size=most)


def writes(pool: Sequence[str]) -> st.SearchStrategy[Write]:
    """One request: to the entity API, which names its identifiers, or about segments."""
    who, devices = _people(pool), st.sampled_from(_TOKENS).map(_device)
    times = st.none() | st.integers(int(START_AT) - 86_400, int(START_AT) + 86_400)
    return st.one_of(
        st.builds(_entity, st.just("identify"), who, st.builds(lambda some: {"attributes": some}, attributes())),
        st.builds(_entity, st.just("event"), who, st.builds(_event, st.sampled_from(_NAMES), times)),
        st.builds(_entity, st.sampled_from(("delete", "suppress", "unsuppress")), who, st.just({})),
        st.builds(_entity, st.sampled_from(("add_device", "delete_device")), who, devices),
        st.builds(_merge, who, who),
        st.builds(_anonymous, st.sampled_from(_ANONYMOUS), st.sampled_from(_NAMES), times),
        st.builds(_becomes_known, who, st.sampled_from(_ANONYMOUS)),
        st.builds(_change, st.sampled_from(("add", "remove")), st.lists(st.sampled_from(pool), min_size=1, max_size=3)),
    )


def _people(pool: Sequence[str]) -> st.SearchStrategy[dict[str, str]]:
    ids = st.sampled_from(pool).map(lambda one: {"id": one})
    emails = st.sampled_from(("ann@example.com", "Ann@example.com", "bob@example.com")).map(lambda one: {"email": one})
    return st.one_of(ids, ids, emails)


def _entity(action: str, who: dict[str, str], more: dict[str, Any]) -> Write:
    return Write("track", "POST", "/api/v2/entity", {"type": "person", "identifiers": who, "action": action, **more})


def _event(name: str, at: int | None) -> dict[str, Any]:
    return {"name": name, "attributes": {"n": 1}, **({} if at is None else {"timestamp": at})}


def _device(token: str) -> dict[str, Any]:
    return {"device": {"token": token, "platform": "ios"}}


def _merge(primary: dict[str, str], secondary: dict[str, str]) -> Write:
    merged = {"type": "person", "action": "merge", "primary": primary, "secondary": secondary}
    return Write("track", "POST", "/api/v2/entity", merged)


def _anonymous(anonymous_id: str, name: str, at: int | None) -> Write:
    event = {"anonymous_id": anonymous_id, "name": name, **({} if at is None else {"timestamp": at})}
    return Write("track", "POST", "/api/v1/events", event)


def _becomes_known(who: dict[str, str], anonymous_id: str) -> Write:
    return _entity("identify", who, {"attributes": {"anonymous_id": anonymous_id}})


def _change(verb: str, ids: list[str]) -> Write:
    return Write("track", "POST", f"/api/v1/segments/{SEGMENT_ID}/{verb}_customers", {"ids": ids})


def play(world: World, history: Sequence[Step]) -> list[int]:
    """Let it happen, on a clock that begins at START_AT; returns the status of each request."""
    world.restore(GIVEN)
    now, statuses = START_AT, list[int]()
    world.set_clock(now)
    for step in history:
        if isinstance(step, Pause):
            now += step.seconds
            world.set_clock(now)
        else:
            statuses.append(send(world, step))
    return statuses
