"""Requests in the shape in which clients send them that are not run here: Ruby's, Go's, Segment's and RudderStack's.

A row is the request and the facts that are others afterwards. Source: Track API > where the SDKs differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract import sdk_world as fixtures
from tests.contract.sdk_world import ANN, BOB, GONE, NOW, Facts, World

world = fixtures.world

TYPED = {"content-type": "application/json"}
UNTYPED: dict[str, str] = {}
V2 = "POST /api/v2/entity"
ONE = {"type": "person", "identifiers": {"id": "1"}}
ACCEPTED = [
    pytest.param("POST /api/v1/customers/a%2Fb%20c/suppress", UNTYPED, None,
                 {"person a/b c": GONE, "blocked a/b c": True, "blocked a1000003": True},
                 id="Ruby: suppress with no body and no type"),
    pytest.param("DELETE /api/v1/customers/a%2Fb%20c", UNTYPED, None, {"person a/b c": GONE},
                 id="Ruby and Go: delete with no body"),
    pytest.param("PUT /api/v1/customers/cio_a1000002", TYPED, {"cio_id": "a1000002", "city": "Bruges"},
                 {"person 2": {**BOB, "city": "Bruges"}}, id="Ruby: the cio_id stays in the body"),
    pytest.param("PUT /api/v1/customers/5", TYPED, {"id": 5, "plan": "pro"}, {"person 5": {"id": "5", "plan": "pro"}},
                 id="Ruby: the id stays in the body, a number"),
    pytest.param("POST /api/v1/customers/1/events", TYPED,
                 {"name": "order", "data": {"timestamp": NOW - 9, "n": 1}, "timestamp": NOW - 9},
                 {"event 1": {"of": "1", "event": "order", "data": {"timestamp": NOW - 9, "n": 1}, "at": NOW - 9}},
                 id="Ruby: a moment that stands in the data too"),
    pytest.param("POST /push/events", TYPED,
                 {"delivery_id": "dlv2", "event": "opened", "device_id": "tok:1", "timestamp": NOW - 9},
                 {"delivery dlv2": {"metrics": {"opened": NOW - 9}, "unsubscribed": False}},
                 id="Ruby: a push metric at the root of the host"),
    pytest.param("PUT /api/v1/customers/1/devices", TYPED,
                 {"device": {"id": "tok:2", "platform": "ios", "last_used": "1606511962", "attributes": None}},
                 {"device tok:2 of 1": {"platform": "ios", "last_used": 1_606_511_962}},
                 id="Go: last used as text, attributes null"),
    pytest.param("PUT /api/v1/customers/a+b&c=d:e@f$g", TYPED, {"plan": "pro"},
                 {"person a+b&c=d:e@f$g": {"id": "a+b&c=d:e@f$g", "plan": "pro"}}, id="Go: signs that it leaves"),
    pytest.param(V2, TYPED, {**ONE, "action": "identify", "attributes": {"anonymous_id": "anon", "plan": "free"}},
                 {"person 1": {**ANN, "plan": "free", "anonymous_id": "anon"}},
                 id="Segment: an anonymous id among the attributes"),
    pytest.param(V2, TYPED, {**ONE, "action": "page", "name": "/home", "id": "not-a-ulid", "timestamp": NOW},
                 {"event 1": {"of": "1", "page": "/home", "data": {}}}, id="Segment: an id of a message"),
    pytest.param(V2, TYPED, {"type": "person", "action": "event", "identifiers": {"anonymous_id": "anon"},
                             "name": "visit", "attributes": {}},
                 {"event 1": {"of": "anonymous anon", "event": "visit", "data": {}}},
                 id="Segment and RudderStack: an event of an anonymous id"),
    pytest.param("POST /api/v1/metrics", TYPED,
                 {"delivery_id": "dlv1", "metric": "clicked", "timestamp": NOW,
                  "metadata": {"action_name": "open", "action_value": "x"}},
                 {"delivery dlv1": {"metrics": {"clicked": NOW}, "unsubscribed": False}},
                 id="Segment: a metric with more about the click"),
    pytest.param("PUT /api/v1/customers/1/devices", TYPED,
                 {"device": {"id": "tok:2", "platform": "android", "last_used": NOW, "app": "3.1"}},
                 {"device tok:2 of 1": {"platform": "android", "last_used": NOW, "attributes": {"app": "3.1"}}},
                 id="RudderStack: attributes of a device lie flat"),
    pytest.param(V2, TYPED, {**ONE, "action": "identify", "attributes": {"_timestamp": NOW, "plan": "free"}},
                 {"person 1": {**ANN, "plan": "free"}}, id="RudderStack: the moment among the attributes"),
    pytest.param("POST /api/v1/customers/1/events", TYPED,
                 {"name": "Viewed Home Screen", "type": "event", "data": {}},
                 {"event 1": {"of": "1", "event": "Viewed Home Screen", "data": {}}}, id="RudderStack: a screen"),
    pytest.param("POST /api/v1/segments/7/add_customers", TYPED, {"ids": [1, 2, 3]},
                 {"segment vip": {"description": "people we know", "members": ["2", "1"]}}, id="numbers for ids"),
]  # fmt: skip


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    keys = (world.handle.site_id, world.handle.track_api_key)
    with httpx.Client(base_url=world.fake.url, auth=keys, verify=False, trust_env=False) as client:
        yield client


def ask(client: httpx.Client, line: str, headers: dict[str, str], body: Any) -> httpx.Response:
    """One request as its line says, with these headers alone."""
    method, path = line.split(" ")
    content = None if body is None else httpx.Request("POST", client.base_url, json=body).content
    return client.request(method, path, headers=headers, content=content)


@pytest.mark.parametrize(("line", "headers", "body", "changes"), ACCEPTED)
def test_a_request_in_another_clients_shape_is_understood(
    world: World, client: httpx.Client, line: str, headers: dict[str, str], body: Any, changes: Facts
) -> None:
    answer = ask(client, line, headers, body)
    assert (answer.status_code, answer.text) == (200, "{}\n")
    assert world.asked() == [f"{line} 200"]
    assert world.changes() == changes


def test_go_without_data_is_refused(world: World, client: httpx.Client) -> None:
    answer = ask(client, "POST /api/v1/customers/1/events", TYPED, {"name": "order", "data": None})
    assert (answer.status_code, answer.json()) == (400, {"meta": {"error": "event data must be a hash"}})
    assert world.changes() == {}


def test_an_unescaped_id_with_a_slash_erases_nobody(world: World, client: httpx.Client) -> None:
    """As Segment sends an erasure: it escapes nothing, so the request ends at no route."""
    assert ask(client, "DELETE /api/v1/customers/a/b%20c", TYPED, None).status_code == 404
    assert world.changes() == {}
