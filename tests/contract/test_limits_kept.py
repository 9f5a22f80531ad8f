"""Every published limit holds in the fake: what is at it passes, what is one over does not.

One probe a rule says, through the API, whether the fake takes something of that size. Sizes are counted by the probe
itself from what it sends, never by the fake's own helpers; the figures come from the published rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from fakeio import Fake
from fakeio.core.limits import LIMITS, Limit
from fakeio.testing import WorkspaceHandle
from tests.contract import handling

fake = handling.fake

PUBLISHED = {row.rule: row for row in LIMITS}


class World:
    """A fresh workspace of an in-process fake, and how to call it."""

    def __init__(self, fake: Fake) -> None:
        self.space: WorkspaceHandle = fake.new_workspace(seed={"broadcasts": [{"id": 1, "name": "Sale"}]})
        self._http = httpx.Client(transport=fake.transport, base_url="https://fake.example")

    def track(self, method: str, path: str, body: Any) -> bool:
        """Whether a Track call is answered 200; `body` is bytes, or becomes JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        auth = (self.space.site_id, self.space.track_api_key)
        return self._http.request(method, path, content=content, auth=auth).status_code == 200

    def app(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """The answer to an App call."""
        headers = {"Authorization": f"Bearer {self.space.app_api_key}"}
        return self._http.request(method, path, json=body, headers=headers)

    def shown(self, what: str) -> list[dict[str, Any]]:
        """`activities`, `objects` or the like, as the control API shows them."""
        answer = self._http.get(f"http://127.0.0.1/_fakeio/workspaces/{self.space.id}/{what}").json()
        found: list[dict[str, Any]] = answer[what]
        return found

    def close(self) -> None:
        """Lets go of the client."""
        self._http.close()


@pytest.fixture
def world(fake: Fake) -> Iterator[World]:
    """A world of one's own."""
    made = World(fake)
    yield made
    made.close()
    made.space.raise_first_error()


def person_id(world: World, size: int) -> bool:
    return world.track("PUT", f"/api/v1/customers/{'x' * size}", {})


def attribute_name(world: World, size: int) -> bool:
    return world.track("PUT", "/api/v1/customers/1", {"x" * size: 1})


def attribute_value(world: World, size: int) -> bool:
    return world.track("PUT", "/api/v1/customers/1", {"a": "x" * size})


def attributes(world: World, size: int) -> bool:
    return world.track("PUT", "/api/v1/customers/1", {f"a{n}": n for n in range(size)})


def event_name(world: World, size: int) -> bool:
    return world.track("POST", "/api/v1/customers/1/events", {"name": "x" * size})


def event_data(world: World, size: int) -> bool:
    data = b'{"a":"%s"}' % (b"x" * (size - len(b'{"a":""}')))
    return world.track("POST", "/api/v1/customers/1/events", b'{"name":"order","data":%s}' % data)


def event_item(size: int) -> bytes:
    """One v2 operation of exactly that many bytes."""
    item = b'{"type":"person","action":"event","identifiers":{"id":"1"},"name":"order","attributes":{"a":"%s"}}'
    return item % (b"x" * (size - len(item) + len(b"%s")))


def v2_item(world: World, size: int) -> bool:
    return world.track("POST", "/api/v2/batch", b'{"batch":[%s]}' % event_item(size))


def v2_batch(world: World, size: int) -> bool:
    count = 25
    room = size - len(b'{"batch":[]}') - (count - 1)
    items = [event_item(room // count) for _ in range(count - 1)]
    items.append(event_item(room - sum(map(len, items))))
    body = b'{"batch":[%s]}' % b",".join(items)
    assert len(body) == size
    return world.track("POST", "/api/v2/batch", body)


def object_id(world: World, size: int) -> bool:
    named = {"object_type_id": "1", "object_id": "é" * (size // 2) + "x" * (size % 2)}
    return world.track("POST", "/api/v2/entity", {"type": "object", "action": "identify", "identifiers": named})


def _object_with(world: World, attributes: dict[str, Any], at_once: int) -> bool:
    """Whether an object takes all of these, a few in each call."""
    named = {"object_type_id": "1", "object_id": "acme"}
    names = list(attributes)
    for start in range(0, len(names), at_once):
        part = {name: attributes[name] for name in names[start : start + at_once]}
        body = {"type": "object", "action": "identify", "identifiers": named, "attributes": part}
        assert world.track("POST", "/api/v2/entity", body), "the answer does not tell"
    (found,) = world.shown("objects")
    return bool(found["attributes"] == attributes)


def object_attributes(world: World, size: int) -> bool:
    return _object_with(world, {f"a{n}": n for n in range(size)}, 100)


def object_size(world: World, size: int) -> bool:
    def measured() -> int:
        return len(json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode())

    whole: dict[str, Any] = {}
    while size - measured() > PUBLISHED["track.attribute.value"].strict:
        whole[f"a{len(whole)}"] = "é" * 450
    whole["z"] = "x" * (size - measured() - len(',"z":""'))
    assert measured() == size
    return _object_with(world, whole, 25)


def segment_ids(world: World, size: int) -> bool:
    segment = world.space.add_segment("vip")
    return world.track("POST", f"/api/v1/segments/{segment.id}/add_customers", {"ids": [str(n) for n in range(size)]})


def app_rate(world: World, size: int) -> bool:
    world.space.update_settings(rate_limits="enforced")
    world.space.clock.use("manual")
    return {world.app("GET", "/v1/segments").status_code for _ in range(size)} == {200}


def membership_page(world: World, size: int) -> bool:
    segment = world.space.add_segment("vip")
    ids = [str(n) for n in range(size)]
    world.space.add_people({"id": each} for each in ids)
    for start in range(0, size, 1_000):
        world.track("POST", f"/api/v1/segments/{segment.id}/add_customers", {"ids": ids[start : start + 1_000]})
    return len(world.app("GET", f"/v1/segments/{segment.id}/membership?limit={size}").json()["ids"]) == size


def search_page(world: World, size: int) -> bool:
    world.space.add_people({"id": str(n), "attributes": {"plan": "pro"}} for n in range(size))
    wanted = {"filter": {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}}
    return len(world.app("POST", f"/v1/customers?limit={size}", wanted).json()["identifiers"]) == size


def profiles(world: World, size: int) -> bool:
    ids = [str(n) for n in range(size)]
    return world.app("POST", "/v1/customers/attributes", {"ids": ids}).status_code == 200


def activities_page(world: World, size: int) -> bool:
    for n in range(size):
        world.track("PUT", f"/api/v1/customers/{n}", {})
    return len(world.app("GET", f"/v1/activities?limit={size}").json()["activities"]) == size


def activity_retention(world: World, size: int) -> bool:
    world.space.clock.use("manual")
    world.track("PUT", "/api/v1/customers/1", {})
    world.space.clock.advance(seconds=size)
    return len(world.app("GET", "/v1/activities").json()["activities"]) == 1


def anonymous_retention(world: World, size: int) -> bool:
    world.space.clock.use("manual")
    world.track("POST", "/api/v1/events", {"name": "visit", "anonymous_id": "browser"})
    world.space.clock.advance(seconds=size)
    world.track("PUT", "/api/v1/customers/1", {"anonymous_id": "browser"})
    return len(world.space.events(person="1")) == 1


def anonymous_grace(world: World, size: int) -> bool:
    world.space.clock.use("manual")
    world.track("PUT", "/api/v1/customers/1", {"anonymous_id": "browser"})
    world.space.clock.advance(seconds=size)
    world.track("POST", "/api/v1/events", {"name": "visit", "anonymous_id": "browser"})
    return len(world.space.events(person="1")) == 1


def send(world: World, **body: Any) -> bool:
    whole = {"to": "a@example.com", "subject": "s", "body": "b", "from": "shop@example.com", **body}
    return world.app("POST", "/v1/send/email", whole).status_code == 200


def send_recipients(world: World, size: int) -> bool:
    return send(world, to=",".join(f"p{n}@example.com" for n in range(size)))


def attachments(world: World, size: int) -> bool:
    return send(world, attachments={"a.bin": "A" * (size // 4 * 4) + "\n" * (size % 4)})


def trigger_people(world: World, size: int) -> bool:
    body = {"ids": [str(n) for n in range(size)], "id_ignore_missing": True}
    return world.app("POST", "/v1/campaigns/1/triggers", body).status_code == 200


def snippet_name(world: World, size: int) -> bool:
    return world.app("POST", "/v1/snippets", {"name": "x" * size, "value": "v"}).status_code == 200


def snippet_value(world: World, size: int) -> bool:
    return world.app("POST", "/v1/snippets", {"name": "n", "value": "x" * size}).status_code == 200


def trigger_window(world: World, size: int) -> bool:
    world.space.clock.set(1_780_000_000)
    world.track("POST", "/api/v1/customers/1/events", {"name": "order", "timestamp": 1_780_000_000 - size})
    (event,) = [line for line in world.shown("activities") if line["type"] == "event"]
    return event["can_trigger_campaigns"] is True


PROBES: dict[str, Callable[[World, int], bool]] = {
    "track.person.id": person_id,
    "track.object.id": object_id,
    "track.object.attributes": object_attributes,
    "track.object.attributes.total": object_size,
    "track.event.trigger_window": trigger_window,
    "track.attribute.name": attribute_name,
    "track.attribute.value": attribute_value,
    "track.attributes": attributes,
    "track.event.name": event_name,
    "track.event.data": event_data,
    "track.v2.item": v2_item,
    "track.v2.batch": v2_batch,
    "track.segment.ids": segment_ids,
    "app.rate": app_rate,
    "app.segment.membership.page": membership_page,
    "app.customers.search.page": search_page,
    "app.send.recipients": send_recipients,
    "app.send.attachment.total": attachments,
    "app.broadcast.list": trigger_people,
    "app.snippet.name": snippet_name,
    "app.snippet.value": snippet_value,
    "app.customers.attributes.ids": profiles,
    "app.activities.page": activities_page,
    "app.activities.retention": activity_retention,
    "track.anonymous.retention": anonymous_retention,
    "track.anonymous.grace": anonymous_grace,
}
UNSEEN = {
    "track.rate": "the vendor does not enforce it strictly; a switch does",
}


def test_every_published_limit_has_a_probe_or_a_reason() -> None:
    assert sorted([*PROBES, *UNSEEN]) == sorted(PUBLISHED)


def sizes(row: Limit, largest: int) -> list[object]:
    """Under, at and over, each with whether it should pass."""
    return [
        pytest.param(row.rule, size, passes, id=f"{row.rule} {word}")
        for word, size, passes in (
            ("one under", largest - 1, True), ("at", largest, True), ("one over", largest + 1, False),
        )
    ]  # fmt: skip


KINDEST = [case for rule in PROBES for case in sizes(PUBLISHED[rule], PUBLISHED[rule].lenient)]
HARSHEST = [
    case
    for rule in PROBES
    if PUBLISHED[rule].strict != PUBLISHED[rule].lenient
    for case in sizes(PUBLISHED[rule], PUBLISHED[rule].strict)
]


@pytest.mark.parametrize(("rule", "size", "passes"), KINDEST)
def test_the_kindest_reading_holds(rule: str, size: int, passes: bool, world: World) -> None:
    assert PROBES[rule](world, size) is passes


@pytest.mark.parametrize(("rule", "size", "passes"), HARSHEST)
def test_the_harshest_reading_holds_when_asked_for(rule: str, size: int, passes: bool, world: World) -> None:
    world.space.update_settings(limits_reading="strict")
    assert PROBES[rule](world, size) is passes
