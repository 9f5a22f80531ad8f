"""All orders in which the requests of two or three writers can arrive, and the shortest one that ends differently.

Each writer's own requests keep their order; between writers any order may happen, as it does on a network. Every order
is played in a fresh workspace that begins the same, and the ends are compared. When two differ, requests are left out
for as long as a difference stays: what remains is the smallest conflict there is.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any, NamedTuple

from fakeio import Fake
from scenarios.world import World, new_world

Row = Mapping[str, Any]
SHAPE = 'a story is {"given": {…}, "writers": [[{"api", "method", "path", "body"?}, …], …]}'
MOST_REQUESTS = 9  # 1,680 orders of three writers with three each


class Write(NamedTuple):
    """One request of a writer. `api` is `track` or `app`, which decides the credentials; `path` is percent-encoded."""

    api: str
    method: str
    path: str
    body: Any = None

    def __str__(self) -> str:
        text = "" if self.body is None else f" {json.dumps(self.body, ensure_ascii=False)}"
        return f"{self.method} {self.path}{text}"


class Turn(NamedTuple):
    """A request in an order, and whose it is (from 0)."""

    writer: int
    write: Write


Order = tuple[Turn, ...]


class Conflict(NamedTuple):
    """Two orders of the same requests with different ends. `left` lets the writers speak one after the other, where
    such an order is among those that differ."""

    left: Order
    right: Order
    differences: tuple[str, ...]

    def tell(self) -> str:
        """In words: both orders and what differs, a line each."""
        lines = [f"{len(self.left)} requests end differently, depending on their order:"]
        for name, order in (("in this order", self.left), ("in this one", self.right)):
            lines += [f"  {name}:", *(f"    writer {turn.writer + 1}: {turn.write}" for turn in order)]
        return "\n".join([*lines, "  differs:", *(f"    {one}" for one in self.differences)])


def orders(writers: Sequence[Sequence[Write]]) -> Iterator[Order]:
    """Every order that keeps each writer's own; those with the fewest turns from writer to writer first."""
    return iter(sorted(_merges(tuple(tuple(one) for one in writers)), key=_changes))


def _merges(writers: tuple[tuple[Write, ...], ...]) -> Iterator[Order]:
    if not any(writers):
        yield ()
    for number, own in enumerate(writers):
        if own:
            rest = (*writers[:number], own[1:], *writers[number + 1 :])
            for order in _merges(rest):
                yield (Turn(number, own[0]), *order)


def _changes(order: Order) -> int:
    return sum(before.writer != after.writer for before, after in pairwise(order))


def explore(fake: Fake, given: Row, writers: Sequence[Sequence[Write]]) -> Conflict | None:
    """The smallest conflict between the writers, None when every order ends the same.

    `given` is a seed (people, segments, …). Raises ValueError for more requests than can be tried in all orders.
    """
    if sum(map(len, writers)) > MOST_REQUESTS:
        raise ValueError(f"more than {MOST_REQUESTS} requests have too many orders to try them all")
    if _conflict(fake, given, writers) is None:
        return None
    flat = [(number, at) for number, own in enumerate(writers) for at in range(len(own))]
    for size in range(2, len(flat) + 1):
        for kept in combinations(flat, size):
            fewer = [[own[at] for at in range(len(own)) if (number, at) in kept] for number, own in enumerate(writers)]
            if conflict := _conflict(fake, given, fewer):
                return conflict
    raise AssertionError("the whole differs and so does one of its parts: itself")


def _conflict(fake: Fake, given: Row, writers: Sequence[Sequence[Write]]) -> Conflict | None:
    first: tuple[Order, dict[str, str]] | None = None
    for order in orders(writers):
        end = play(fake, given, order)
        if first is None:
            first = order, end
        elif differences := compare(first[1], end):
            return Conflict(first[0], order, tuple(differences))
    return None


def play(fake: Fake, given: Row, order: Order) -> dict[str, str]:
    """The end of one order, as `picture` gives it."""
    with new_world(fake) as world:
        world.restore(given)
        for turn in order:
            send(world, turn.write)
        return picture(world)


def send(world: World, write: Write) -> int:
    """One request with the workspace's credentials; returns the status. Refusals are part of the story."""
    return world.write(write.method, write.path, write.body, {"Authorization": _authorization(world, write.api)})


def _authorization(world: World, api: str) -> str:
    keys = world.workspace
    if api == "app":
        return f"Bearer {keys['app_api_key']}"
    return "Basic " + b64encode(f"{keys['site_id']}:{keys['track_api_key']}".encode()).decode()


def picture(world: World) -> dict[str, str]:
    """What anybody could see, by what it is called: people, their attributes, memberships, events, who is blocked.

    Without what no order could keep equal: numbers given out, moments, and the order of events.
    """
    people = world.look("people")
    names = {row["cio_id"]: _name(row) for row in people}
    seen = {f"person {_name(row)}": json.dumps(row["attributes"], sort_keys=True) for row in people}
    seen |= {f"devices of {_name(row)}": _sorted(one["token"] for one in row["devices"]) for row in people}
    for segment in world.segments():
        members = world.look(f"segments/{segment['id']}/members", "members")
        seen[f"segment {segment['name']}"] = _sorted(names.get(row["cio_id"], "?") for row in members)
    events = world.look("events")
    seen["events"] = _sorted(f"{_owner(row, names)} {row['name']}" for row in events)
    seen["blocked"] = _sorted(world.blocked())
    return seen


def _owner(event: Row, names: Mapping[str, str]) -> str:
    person = event["person"]
    return "nobody" if person is None else names.get(person["cio_id"], "?")


def _name(row: Row) -> str:
    return " ".join(f"{key}={row[key]}" for key in ("id", "email") if row[key] is not None) or "(nameless)"


def _sorted(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"


def compare(left: Mapping[str, str], right: Mapping[str, str]) -> list[str]:
    """A line for everything that differs between two pictures."""
    return [
        f"{what}: {left.get(what, 'not there')} | {right.get(what, 'not there')}"
        for what in sorted({*left, *right})
        if left.get(what) != right.get(what)
    ]


def parse_story(document: Any) -> tuple[Row, list[list[Write]]]:
    """`{"given": {…}, "writers": [[{"api","method","path","body"?}…]…]}` as what `explore` takes. Raises ValueError."""
    try:
        writers = [[Write(one["api"], one["method"], one["path"], one.get("body")) for one in own]
                   for own in document["writers"]]  # fmt: skip
        given = document.get("given", {})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(SHAPE) from error
    if not 2 <= len(writers) <= 3:
        raise ValueError("two or three writers, each a list of requests")
    return given, writers
