"""The laws of every paged list of the App API: whatever the page size and whoever comes and goes, no row is lost.

Whoever is there during the whole walk is met exactly once, nobody is met twice, and everybody who is met was there at
some time. A key that has left never comes back, as it would be another row then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.contract import live as fixtures
from tests.contract.live import Live, Site

live = fixtures.live

EVERYBODY = {"filter": {"attribute": {"field": "cio_id", "operator": "exists"}}}
Page = tuple[list[str], str]


class Paged(NamedTuple):
    """A list: how a key enters it and leaves it, and how one page of it is read."""

    enter: Callable[[Site, str], Any]
    leave: Callable[[Site, str], Any]
    page: Callable[[Site, str], Page]
    newest_first: bool = False


def get(site: Site, path: str, rows: str, key: Callable[[Any], str], query: str) -> Page:
    answer = site.app.get(f"{path}?{query}").raise_for_status().json()
    return [key(row) for row in answer[rows]], answer["next"]


def entity(site: Site, kind: str, key: str) -> None:
    """Link the first person to an object, or end that."""
    link = {"identifiers": {"object_type_id": "1", "object_id": key}}
    body = {"type": "person", "action": kind, "identifiers": {"id": "1"}, "cio_relationships": [link]}
    assert site.track.post("/api/v2/entity", json=body).status_code == 200


def join(site: Site, key: str) -> None:
    if not len(site.hosted.state.segments):
        site.app.post("/v1/segments", json={"segment": {"name": "A"}})
    site.identify(key)
    assert site.track.post("/api/v1/segments/1/add_customers", json={"ids": [key]}).status_code == 200


def search(site: Site, query: str) -> Page:
    answer = site.app.post(f"/v1/customers?{query}", json=EVERYBODY).raise_for_status().json()
    return answer["ids"], answer["next"]


def send(site: Site, key: str) -> None:
    """An email to the first person, at an address that tells the message apart."""
    site.identify("1")
    own = {"subject": "s", "body": "b", "from": "c@example.com"}
    body = {"to": f"{key}@example.com", "identifiers": {"id": "1"}, **own}
    assert site.app.post("/v1/send/email", json=body).status_code == 200


def stay(site: Site, key: str) -> None:
    """What was sent stays sent: leaving is for other lists."""


def delete(site: Site, key: str) -> None:
    assert site.track.delete(f"/api/v1/customers/{key}").status_code == 200


def thing(site: Site, key: str) -> None:
    """An object, and somebody linked to another one: two lists grow."""
    body = {"type": "object", "action": "identify", "identifiers": {"object_type_id": "1", "object_id": key}}
    assert site.track.post("/api/v2/entity", json=body).status_code == 200


def unmake(site: Site, key: str) -> None:
    body = {"type": "object", "action": "delete", "identifiers": {"object_type_id": "1", "object_id": key}}
    assert site.track.post("/api/v2/entity", json=body).status_code == 200


def things(site: Site, query: str) -> Page:
    leaf = {"object_attribute": {"field": "object_id", "operator": "exists", "type_id": "1"}}
    asked = site.app.post(f"/v1/objects?{query}", json={"object_type_id": "1", "filter": leaf})
    answer = asked.raise_for_status().json()
    return answer["ids"], answer["next"]


def person_of_a_thing(site: Site, kind: str, key: str) -> None:
    thing(site, "one")
    link = {"identifiers": {"object_type_id": "1", "object_id": "one"}}
    body = {"type": "person", "action": kind, "identifiers": {"id": key}, "cio_relationships": [link]}
    assert site.track.post("/api/v2/entity", json=body).status_code == 200


def suppressed(site: Site, method: str, key: str) -> None:
    path = f"/v1/esp/suppression/bounces/{key}%40example.com"
    assert site.app.request(method, path).status_code in (200, 204)


LISTS = {
    "members of a segment": Paged(
        enter=join,
        leave=lambda site, key: site.track.post("/api/v1/segments/1/remove_customers", json={"ids": [key]}),
        page=lambda site, query: get(site, "/v1/segments/1/membership", "identifiers", lambda row: row["id"], query),
    ),
    "members of a segment who are deleted": Paged(
        enter=join,
        leave=delete,
        page=lambda site, query: get(site, "/v1/segments/1/membership", "identifiers", lambda row: row["id"], query),
    ),
    "people": Paged(enter=lambda site, key: site.identify(key), leave=delete, page=search),
    "activities": Paged(
        enter=lambda site, key: site.identify(key),
        leave=delete,
        page=lambda site, query: get(site, "/v1/activities", "activities", lambda row: row["customer_id"], query),
        newest_first=True,
    ),
    "relationships of a person": Paged(
        enter=lambda site, key: entity(site, "add_relationships", key),
        leave=lambda site, key: entity(site, "delete_relationships", key),
        page=lambda site, query: get(
            site, "/v1/customers/1/relationships", "cio_relationships",
            lambda row: row["identifiers"]["object_id"], query,
        ),
    ),
    "objects": Paged(enter=thing, leave=unmake, page=things),
    "people of an object": Paged(
        enter=lambda site, key: person_of_a_thing(site, "add_relationships", key),
        leave=lambda site, key: person_of_a_thing(site, "delete_relationships", key),
        page=lambda site, query: get(
            site, "/v1/objects/1/one/relationships", "cio_relationships", lambda row: row["identifiers"]["id"], query
        ),
    ),
    "suppressed addresses of a domain": Paged(
        enter=lambda site, key: suppressed(site, "POST", key),
        leave=lambda site, key: suppressed(site, "DELETE", key),
        page=lambda site, query: get(
            site, "/v1/esp/domains/example.com/suppression/bounces", "suppressions",
            lambda row: row["email"].partition("@")[0], query,
        ),
    ),
    "messages": Paged(
        enter=send,
        leave=stay,
        page=lambda site, query: get(
            site, "/v1/messages", "messages", lambda row: row["recipient"].partition("@")[0], query
        ),
        newest_first=True,
    ),
    "messages to a person": Paged(
        enter=send,
        leave=stay,
        page=lambda site, query: get(
            site, "/v1/customers/1/messages", "messages", lambda row: row["recipient"].partition("@")[0], query
        ),
        newest_first=True,
    ),
}  # fmt: skip


class Walk:
    """A walk through a list that changes between its pages."""

    def __init__(self, site: Site, paged: Paged, size: int, count: int) -> None:
        self.site = site
        self.paged = paged
        self.size = size
        self.met: list[str] = []
        self.present = [f"k{n}" for n in range(count)]
        for key in self.present:
            paged.enter(site, key)
        self.stayed = list(self.present)
        self.entered = set(self.present)

    def through(self, changes: list[list[int]]) -> None:
        """Page by page to the end; after each page somebody enters (-1) or the one at that place leaves."""
        start, left = "", list(changes)
        while len(self.met) <= len(self.entered):  # more would be somebody met twice, and maybe a walk without an end
            keys, start = self.paged.page(self.site, f"limit={self.size}&start={start}")
            assert len(keys) <= self.size
            self.met += keys
            if not start:
                return
            assert len(keys) == self.size
            for change in left.pop(0) if left else ():
                self._change(change)

    def _change(self, place: int) -> None:
        if place < 0 or not self.present:
            key = f"k{len(self.entered)}"
            self.paged.enter(self.site, key)
            self.present.append(key)
            self.entered.add(key)
        elif self.paged.leave is not stay:
            key = self.present.pop(place % len(self.present))
            self.paged.leave(self.site, key)
            self.stayed = [one for one in self.stayed if one != key]


@pytest.mark.parametrize("name", LISTS)
@settings(max_examples=20, deadline=None)
@example(size=2, count=6, changes=[[2]])  # somebody ahead leaves: places are no offsets
@given(
    size=st.integers(1, 9),
    count=st.integers(1, 12),
    changes=st.lists(st.lists(st.integers(-1, 12), max_size=4), max_size=5),
)
def test_a_walk_meets_whoever_stays_exactly_once(
    live: Live, name: str, size: int, count: int, changes: list[list[int]]
) -> None:
    walk = Walk(live.site(), LISTS[name], size, count)
    walk.through(changes)
    assert len(walk.met) == len(set(walk.met))
    assert set(walk.met) <= walk.entered
    of_stayers = [key for key in walk.met if key in walk.stayed]
    assert of_stayers == (walk.stayed[::-1] if LISTS[name].newest_first else walk.stayed)
