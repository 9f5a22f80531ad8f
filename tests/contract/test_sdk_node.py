"""`customerio-node`, unmodified: every call of its TrackClient, and what becomes of it.

A row is the call, the request that arrives and the facts that are others afterwards.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import node_sdk
from tests.contract import sdk_world as fixtures
from tests.contract.node_sdk import NodeSdk, SdkError
from tests.contract.sdk_world import ANN, BOB, GONE, NOW, ULID, Call, Facts, World, call, methods_of, only_calls

world, node = fixtures.world, node_sdk.node

VIP = {"description": "people we know", "members": ["2"]}
ACME = {"object_type_id": "1", "object_id": "acme"}
ANN_IS = {"type": "person", "identifiers": {"id": "1"}}
CALLS = [
    pytest.param(call("identify", "1", {"plan": "free", "tags": ["x", {"y": 1.5}]}), "PUT /api/v1/customers/1",
                 {"person 1": {**ANN, "plan": "free", "tags": ["x", {"y": 1.5}]}}, id="identify"),
    pytest.param(call("identify", "new"), "PUT /api/v1/customers/new", {"person new": {"id": "new"}},
                 id="identify: nothing to set"),
    pytest.param(call("identify", 5, {}), "PUT /api/v1/customers/5", {"person 5": {"id": "5"}},
                 id="identify: an id that is a number"),
    pytest.param(call("identify", "a/b c", {"plan": "free"}), "PUT /api/v1/customers/a%2Fb%20c",
                 {"person a/b c": {"id": "a/b c", "plan": "free"}}, id="identify: an id that needs escaping"),
    pytest.param(call("identify", "%&*/test.#@!~"), "PUT /api/v1/customers/%25%26*%2Ftest.%23%40!~",
                 {"person %&*/test.#@!~": {"id": "%&*/test.#@!~"}}, id="identify: an id of signs"),
    pytest.param(call("identify", "cio_a1000002", {"id": "22"}), "PUT /api/v1/customers/cio_a1000002",
                 {"person 2": GONE, "person 22": {**BOB, "id": "22"}, "segment vip": {**VIP, "members": ["22"]},
                  "object 1/acme": {"attributes": {"seats": 3}, "links": {"22": {}}}},
                 id="identify: a new id, by cio_id"),
    pytest.param(call("identify", "1", {"cio_relationships": {"action": "add_relationships", "relationships": [
                     {"identifiers": ACME, "relationship_attributes": {"role": "owner"}}]}}),
                 "PUT /api/v1/customers/1",
                 {"object 1/acme": {"attributes": {"seats": 3}, "links": {"2": {}, "1": {"role": "owner"}}}},
                 id="identify: with a relationship"),
    pytest.param(call("destroy", "a/b c"), "DELETE /api/v1/customers/a%2Fb%20c", {"person a/b c": GONE}, id="destroy"),
    pytest.param(call("suppress", "a/b c"), "POST /api/v1/customers/a%2Fb%20c/suppress",
                 {"person a/b c": GONE, "blocked a/b c": True, "blocked a1000003": True}, id="suppress"),
    pytest.param(call("unsuppress", "9"), "POST /api/v1/customers/9/unsuppress", {"blocked 9": GONE}, id="unsuppress"),
    pytest.param(call("track", "1", {"name": "order", "data": {"total": 3.5}, "id": ULID, "timestamp": NOW - 9}),
                 "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "event": "order", "data": {"total": 3.5}, "at": NOW - 9}}, id="track"),
    pytest.param(call("track", "1", {"name": "Home", "type": "screen"}), "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "screen": "Home", "data": {}}}, id="track: a screen, without data"),
    pytest.param(call("trackAnonymous", "anon", {"name": "visit", "data": {"ad": "x"}}), "POST /api/v1/events",
                 {"event 1": {"of": "anonymous anon", "event": "visit", "data": {"ad": "x"}}}, id="trackAnonymous"),
    pytest.param(call("trackAnonymous", "", {"name": "invite", "data": {"recipient": "eve@example.com"}}),
                 "POST /api/v1/events",
                 {"event 1": {"of": "anonymous None", "event": "invite", "data": {"recipient": "eve@example.com"}}},
                 id="trackAnonymous: an invitation, of nobody"),
    pytest.param(call("trackPageView", "1", "/home"), "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "page": "/home", "data": {}}}, id="trackPageView"),
    pytest.param(call("addDevice", "1", "tok:2", "ios", {"last_used": 0, "app_version": "3.1"}),
                 "PUT /api/v1/customers/1/devices",
                 {"device tok:2 of 1": {"platform": "ios", "last_used": 0, "attributes": {"app_version": "3.1"}}},
                 id="addDevice: last used at the beginning of time"),
    pytest.param(call("addDevice", "1", "tok:2", "android"), "PUT /api/v1/customers/1/devices",
                 {"device tok:2 of 1": {"platform": "android", "last_used": NOW}}, id="addDevice: just now"),
    pytest.param(call("deleteDevice", "1", "tok:1"), "DELETE /api/v1/customers/1/devices/tok%3A1",
                 {"device tok:1 of 1": GONE}, id="deleteDevice"),
    pytest.param(call("batch", [{**ANN_IS, "action": "identify", "attributes": {"plan": "free"}},
                                {**ANN_IS, "action": "event", "name": "order"},
                                {"type": "object", "action": "delete", "identifiers": ACME}]), "POST /api/v2/batch",
                 {"person 1": {**ANN, "plan": "free"}, "event 1": {"of": "1", "event": "order", "data": {}},
                  "object 1/acme": GONE}, id="batch"),
    pytest.param(call("entity", {**ANN_IS, "action": "add_device", "device": {"token": "tok:2", "platform": "ios"}}),
                 "POST /api/v2/entity", {"device tok:2 of 1": {"platform": "ios", "last_used": NOW}}, id="entity"),
    pytest.param(call("entity", {"type": "delivery", "action": "event", "name": "opened", "identifiers": {"id": "dlv2"},
                                 "attributes": {"device_token": "tok:1"}}), "POST /api/v2/entity",
                 {"delivery dlv2": {"metrics": {"opened": NOW}, "unsubscribed": False}}, id="entity: of a delivery"),
    pytest.param(call("mergeCustomers", "id", "1", "email", "bob@example.com"), "POST /api/v1/merge_customers",
                 {"person 1": {**ANN, "city": "Ghent"}, "person 2": GONE, "segment vip": {**VIP, "members": ["1"]},
                  "object 1/acme": {"attributes": {"seats": 3}, "links": {"1": {}}}}, id="mergeCustomers"),
    pytest.param(call("getAccountRegion"), "GET /api/v1/accounts/region", {}, id="getAccountRegion"),
    pytest.param(call("addCustomersToSegment", 7, ["1", "nobody"]), "POST /api/v1/segments/7/add_customers",
                 {"segment vip": {**VIP, "members": ["2", "1"]}}, id="addCustomersToSegment"),
    pytest.param(call("addCustomersToSegment", 7, ["a1000001"], "cio_id"),
                 "POST /api/v1/segments/7/add_customers?id_type=cio_id",
                 {"segment vip": {**VIP, "members": ["2", "1"]}}, id="addCustomersToSegment: by cio_id"),
    pytest.param(call("removeCustomersFromSegment", 7, ["bob@example.com"], "email"),
                 "POST /api/v1/segments/7/remove_customers?id_type=email", {"segment vip": {**VIP, "members": []}},
                 id="removeCustomersFromSegment"),
    pytest.param(call("submitForm", "contact us", {"id": "1", "town": "Bruges"}),
                 "POST /api/v1/forms/contact%20us/submit",
                 {"person 1": {**ANN, "town": "Bruges"},
                  "event 1": {"of": "1", "event": "form_submission",
                              "data": {"form_id": "contact us", "town": "Bruges"}}}, id="submitForm"),
]  # fmt: skip
WITHOUT_A_KEY = [
    pytest.param(call("trackPush", {"delivery_id": "dlv2", "event": "delivered", "device_id": "tok:1"}),
                 "POST /api/v1/push/events", {"delivery dlv2": {"metrics": {"delivered": NOW}, "unsubscribed": False}},
                 id="trackPush"),
    pytest.param(call("reportMetric", {"delivery_id": "dlv1", "metric": "clicked", "timestamp": NOW - 9}),
                 "POST /api/v1/metrics", {"delivery dlv1": {"metrics": {"clicked": NOW - 9}, "unsubscribed": False}},
                 id="reportMetric"),
    pytest.param(call("unsubscribe", "dlv1"), "POST /unsubscribe/dlv1",
                 {"person 1": {**ANN, "unsubscribed": True},
                  "delivery dlv1": {"metrics": {"unsubscribed": NOW}, "unsubscribed": True}},
                 id="unsubscribe"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "asked", "changes"), CALLS)
def test_a_call_arrives_and_changes(world: World, node: NodeSdk, one: Call, asked: str, changes: Facts) -> None:
    node.track(world, one)
    assert world.asked() == [f"{asked} {204 if one.method == 'submitForm' else 200}"]
    assert world.changes() == changes


@pytest.mark.parametrize("key", [pytest.param(None, id="right key"), pytest.param("wrong", id="wrong key")])
@pytest.mark.parametrize(("one", "asked", "changes"), WITHOUT_A_KEY)
def test_a_call_about_a_delivery_needs_no_key(
    world: World, node: NodeSdk, one: Call, asked: str, changes: Facts, key: str | None
) -> None:
    assert node.track(world, one, key=key) == {}
    assert world.asked() == [f"{asked} 200"]
    assert world.changes() == changes


@pytest.mark.parametrize("one", only_calls(CALLS))
def test_a_call_with_a_wrong_key_changes_nothing(world: World, node: NodeSdk, one: Call) -> None:
    with pytest.raises(SdkError, match=r"^Unauthorized request$") as raised:
        node.track(world, one, key="wrong")
    assert (raised.value.name, raised.value.status) == ("CustomerIORequestError", 401)
    assert world.changes() == {}


def test_the_region_says_where_and_which_workspace(world: World, node: NodeSdk) -> None:
    answer = node.track(world, call("getAccountRegion"))
    assert (answer["url"], answer["region"]) == ("https://track.customer.io", "us")
    assert answer["environment_id"] == world.handle.id


LONG = "x" * 1001
UNKNOWN = "Unknown error"  # all that this client makes of an error of v2
REFUSED = [
    pytest.param(call("identify", "1", {"n" * 151: "x", "note": LONG}),
                 "2 errors:\n  - attribute name cannot be longer than 150 bytes\n"
                 "  - value for attribute 'note' cannot be longer than 1000 bytes", id="identify: two limits at once"),
    pytest.param(call("identify", "cio_!"), "1 error:\n  - invalid id", id="identify: a cio_id that can be none"),
    pytest.param(call("track", "1", {"name": "order", "data": None}), "event data must be a hash",
                 id="track: data is null"),
    pytest.param(call("track", "1", {"name": "n" * 101}), "event name cannot be longer than 100 bytes",
                 id="track: a long name"),
    pytest.param(call("trackAnonymous", "anon", {"name": "visit", "data": "x"}), "event data must be a hash",
                 id="trackAnonymous: data is text"),
    pytest.param(call("trackPageView", "1", "n" * 101), "event name cannot be longer than 100 bytes",
                 id="trackPageView: a long path"),
    pytest.param(call("addDevice", "1", "tok", "windows"), "1 error:\n  - device platform must be ios or android",
                 id="addDevice: no such platform"),
    pytest.param(call("batch", [{}] * 200_000), UNKNOWN, id="batch: more than 500 KB"),
    pytest.param(call("entity", {**ANN_IS, "action": "fly"}), UNKNOWN, id="entity: no such action"),
    pytest.param(call("entity", {**ANN_IS, "action": "identify", "attributes": {"note": LONG}}), UNKNOWN,
                 id="entity: a long value"),
    pytest.param(call("addCustomersToSegment", 7, [str(n) for n in range(1001)]),
                 "1 error:\n  - ids cannot contain more than 1000 values", id="addCustomersToSegment: 1001 ids"),
    pytest.param(call("removeCustomersFromSegment", "vip", ["1"]), "1 error:\n  - segment id must be a number",
                 id="removeCustomersFromSegment: a name for a number"),
    pytest.param(call("submitForm", "contact", {"town": "Ghent"}),
                 "1 error:\n  - form data must contain an id or an email", id="submitForm: nobody"),
    pytest.param(call("submitForm", "contact", {"id": "1", "seats": 3}),
                 "1 error:\n  - form field 'seats' must be a string", id="submitForm: a number"),
    pytest.param(call("reportMetric", {"delivery_id": "dlv1"}), "1 error:\n  - metric is required",
                 id="reportMetric: no metric"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "words"), REFUSED)
def test_a_refusal_comes_in_the_words_of_the_service(world: World, node: NodeSdk, one: Call, words: str) -> None:
    with pytest.raises(SdkError) as raised:
        node.track(world, one)
    assert (raised.value.name, raised.value.status, str(raised.value)) == ("CustomerIORequestError", 400, words)
    assert world.changes() == {}


def test_a_batch_returns_what_was_not_taken(world: World, node: NodeSdk) -> None:
    operations = [{**ANN_IS, "action": "event"}, {**ANN_IS, "action": "delete"}]
    answer = node.track(world, call("batch", operations))
    (error,) = answer["errors"]
    assert (error["batch_index"], error["field"]) == (0, "name")
    assert world.changes() == {"person 1": GONE, "device tok:1 of 1": GONE}


@pytest.mark.parametrize(
    "fault",
    [
        *[pytest.param({"kind": "status", "status": status}, id=str(status)) for status in (408, 429, 500, 502, 503)],
        pytest.param({"kind": "reset"}, id="reset"),
        pytest.param({"kind": "lose_reply"}, id="lost reply"),
    ],
)
def test_it_gets_through_weather_and_says_that_it_tried_before(
    world: World, node: NodeSdk, fault: dict[str, Any]
) -> None:
    with world.handle.fault(times=2, **fault):
        node.track(world, call("identify", "1", {"plan": "free"}))
    assert [one.headers.get("x-retry-count") for one in world.handle.requests] == [None, "1", "2"]
    assert world.changes() == {"person 1": {**ANN, "plan": "free"}}


def test_it_works_over_https_too(world: World) -> None:
    with node_sdk.running(NODE_EXTRA_CA_CERTS=world.fake.ca_file) as trusting:
        trusting.track(world, call("identify", "1", {"plan": "free"}), origin=world.fake.https_url)
    with node_sdk.running() as distrustful, pytest.raises(SdkError, match="fetch failed"):
        distrustful.track(world, call("identify", "1", {"plan": "pro"}), origin=world.fake.https_url)
    assert world.changes() == {"person 1": {**ANN, "plan": "free"}}


def test_it_says_who_it_is(world: World, node: NodeSdk) -> None:
    node.track(world, call("suppress", "nobody"))
    node.track(world, call("destroy", "nobody"))
    posted, deleted = world.handle.requests
    assert posted.headers["user-agent"] == f"Customer.io Node Client/{node_sdk.VERSION}"
    assert (posted.body, deleted.body) == ({}, None)


def test_every_method_of_the_client_is_in_a_table(node: NodeSdk) -> None:
    assert methods_of(CALLS, WITHOUT_A_KEY) == node.methods("TrackClient")
