"""The vendor's Python client, unmodified: every call it makes to a route that is imitated, and what becomes of it.

A row is the call, the request that arrives and the facts that are others afterwards. The client speaks HTTPS only.
What a process of its own adds (certificates on disk, `--tls`) is in tests/integration/test_official_client.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import customerio
import pytest
from customerio import APIClient, CustomerIO, CustomerIOException

from tests.contract import sdk_world as fixtures
from tests.contract.sdk_world import ANN, BOB, GONE, NOW, ULID, Call, Facts, World, call, methods_of, public_methods

world = fixtures.world


@pytest.fixture
def track(world: World) -> Iterator[CustomerIO]:
    at = urlsplit(world.fake.https_url)
    keys = world.handle
    with CustomerIO(keys.site_id, keys.track_api_key, host=at.hostname, port=at.port) as client:
        yield client


@pytest.fixture
def app(world: World) -> Iterator[APIClient]:
    with APIClient(world.handle.app_api_key, url=world.fake.https_url) as client:
        yield client


PERSON = {"type": "person", "identifiers": {"id": "1"}}
CALLS = [
    pytest.param(call("identify", id="1", plan="free", seats=3), "PUT /api/v1/customers/1",
                 {"person 1": {**ANN, "plan": "free", "seats": 3}}, id="identify: attributes are set, others stay"),
    pytest.param(call("identify", id=5, email="eve@example.com"), "PUT /api/v1/customers/5",
                 {"person 5": {"id": "5", "email": "eve@example.com"}}, id="identify: somebody new, by a number"),
    pytest.param(call("identify", id="a/b c", when=datetime(2026, 5, 1, 12, tzinfo=UTC), tags=["x", float("nan")]),
                 "PUT /api/v1/customers/a%2Fb%20c",
                 {"person a/b c": {"id": "a/b c", "when": 1_777_636_800, "tags": ["x", None]}},
                 id="identify: an id that needs escaping, a moment and a NaN"),
    pytest.param(call("identify", id="cio_a1000002", city="Bruges", email="b2@example.com"),
                 "PUT /api/v1/customers/cio_a1000002",
                 {"person 2": {**BOB, "email": "b2@example.com", "city": "Bruges"}},
                 id="identify: a new email by cio_id"),
    pytest.param(call("identify", id="9", plan="pro"), "PUT /api/v1/customers/9", {},
                 id="identify: somebody suppressed"),
    pytest.param(call("track", "1", "order", {"total": 3.5}), "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "event": "order", "data": {"total": 3.5}}}, id="track: an event"),
    pytest.param(call("track", "new", "order", id=ULID, timestamp=NOW - 60), "POST /api/v1/customers/new/events",
                 {"person new": {"id": "new"},
                  "event 1": {"of": "new", "event": "order", "data": {}, "at": NOW - 60}},
                 id="track: earlier, of somebody new"),
    pytest.param(call("track", "1", "order", timestamp="some day"), "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "event": "order", "data": {}}}, id="track: a moment that is none is left out"),
    pytest.param(call("track_anonymous", "anon", "visit", {"from": "ad"}), "POST /api/v1/events",
                 {"event 1": {"of": "anonymous anon", "event": "visit", "data": {"from": "ad"}}},
                 id="track_anonymous: of an anonymous id"),
    pytest.param(call("track_anonymous", 17, "visit"), "POST /api/v1/events",
                 {"event 1": {"of": "anonymous 17", "event": "visit", "data": {}}},
                 id="track_anonymous: the anonymous id is a number"),
    pytest.param(call("track_anonymous", "", "invite", {"recipient": "eve@example.com"}), "POST /api/v1/events",
                 {"event 1": {"of": "anonymous None", "event": "invite", "data": {"recipient": "eve@example.com"}}},
                 id="track_anonymous: an invitation, of nobody"),
    pytest.param(call("pageview", "1", "/home", referrer="/"), "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "page": "/home", "data": {"referrer": "/"}}}, id="pageview"),
    pytest.param(call("backfill", "1", "order", datetime(2020, 1, 2, tzinfo=UTC), total=3),
                 "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "event": "order", "data": {"total": 3}, "at": 1_577_923_200}}, id="backfill"),
    pytest.param(call("delete", "2"), "DELETE /api/v1/customers/2",
                 {"person 2": GONE, "segment vip": {"description": "people we know", "members": []},
                  "object 1/acme": {"attributes": {"seats": 3}, "links": {}}}, id="delete: with all that is theirs"),
    pytest.param(call("delete", "nobody"), "DELETE /api/v1/customers/nobody", {}, id="delete: nobody"),
    pytest.param(call("add_device", "1", "tok:2", "android", last_used=NOW - 5, app="3.1"),
                 "PUT /api/v1/customers/1/devices",
                 {"device tok:2 of 1": {"platform": "android", "last_used": NOW - 5, "attributes": {"app": "3.1"}}},
                 id="add_device: its own attributes lie flat"),
    pytest.param(call("add_device", "2", "tok:1", "ios"), "PUT /api/v1/customers/2/devices",
                 {"device tok:1 of 1": GONE, "device tok:1 of 2": {"platform": "ios", "last_used": NOW}},
                 id="add_device: a token moves to whom it is used by"),
    pytest.param(call("delete_device", "1", "tok:1"), "DELETE /api/v1/customers/1/devices/tok%3A1",
                 {"device tok:1 of 1": GONE}, id="delete_device"),
    pytest.param(call("suppress", "1"), "POST /api/v1/customers/1/suppress",
                 {"person 1": GONE, "device tok:1 of 1": GONE,
                  "blocked 1": True, "blocked ann@example.com": True, "blocked a1000001": True},
                 id="suppress: with every identifier"),
    pytest.param(call("unsuppress", "9"), "POST /api/v1/customers/9/unsuppress", {"blocked 9": GONE}, id="unsuppress"),
    pytest.param(call("merge_customers", "email", "ann@example.com", "cio_id", "a1000002"),
                 "POST /api/v1/merge_customers",
                 {"person 1": {**ANN, "city": "Ghent"}, "person 2": GONE,
                  "segment vip": {"description": "people we know", "members": ["1"]},
                  "object 1/acme": {"attributes": {"seats": 3}, "links": {"1": {}}}},
                 id="merge_customers: the second into the first"),
    pytest.param(call("batch", [{**PERSON, "action": "identify", "attributes": {"plan": "free"}},
                                {**PERSON, "action": "event", "name": "order", "attributes": {"n": 1}}]),
                 "POST /api/v2/batch",
                 {"person 1": {**ANN, "plan": "free"}, "event 1": {"of": "1", "event": "order", "data": {"n": 1}}},
                 id="batch: in order"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "asked", "changes"), CALLS)
def test_a_call_arrives_and_changes(world: World, track: CustomerIO, one: Call, asked: str, changes: Facts) -> None:
    answer = one.on(track)
    assert (answer.status_code, answer.text) == (200, "{}\n")
    assert world.asked() == [f"{asked} 200"]
    assert world.changes() == changes


@pytest.mark.parametrize(("one", "asked", "changes"), CALLS)
def test_a_call_with_a_wrong_key_changes_nothing(
    world: World, track: CustomerIO, one: Call, asked: str, changes: Facts
) -> None:
    track.api_key = "wrong"
    with pytest.raises(CustomerIOException, match=r"^401: (.|\n)*\"error\": \"Unauthorized request\""):
        one.on(track)
    assert world.asked() == [f"{asked} 401"]
    assert world.changes() == {}


LONG = "x" * 1001
REFUSED = [
    pytest.param(call("identify", id="1", **{"n" * 151: "x"}, note=LONG),
                 ["attribute name cannot be longer than 150 bytes",
                  "value for attribute 'note' cannot be longer than 1000 bytes"], id="identify: two limits at once"),
    pytest.param(call("identify", id="cio_!"), ["invalid id"], id="identify: a cio_id that can be none"),
    pytest.param(call("track", "1", ""), ["name cannot be blank"], id="track: no name"),
    pytest.param(call("track", "1", "n" * 101), ["event name cannot be longer than 100 bytes"],
                 id="track: a long name"),
    pytest.param(call("track_anonymous", "anon", " "), ["name cannot be blank"], id="track_anonymous: a blank name"),
    pytest.param(call("pageview", "1", "/", note="x" * 100_001), ["event data cannot be longer than 100000 bytes"],
                 id="pageview: too much data"),
    pytest.param(call("backfill", "1", "", 1), ["name cannot be blank"], id="backfill: no name"),
    pytest.param(call("add_device", "1", "tok", "windows"), ["device platform must be ios or android"],
                 id="add_device: no such platform"),
    pytest.param(call("merge_customers", "id", "1", "id", ["2"]), ["secondary"], id="merge_customers: an id in a list"),
    pytest.param(call("batch", [{"type": "person"}] * 30_000), ["batch cannot be longer than"],
                 id="batch: more than 500 KB"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "words"), REFUSED)
def test_a_refusal_comes_in_the_words_of_the_service(
    world: World, track: CustomerIO, one: Call, words: list[str]
) -> None:
    with pytest.raises(CustomerIOException, match=r"^400: ") as raised:
        one.on(track)
    assert [word for word in words if word not in str(raised.value)] == []
    assert world.changes() == {}


def test_a_batch_says_which_items_it_did_not_take(world: World, track: CustomerIO) -> None:
    answer = track.batch([{**PERSON, "action": "event"}, {**PERSON, "action": "delete"}])
    assert answer.status_code == 207
    (error,) = answer.json()["errors"]
    assert (error["batch_index"], error["field"]) == (0, "name")
    assert set(world.changes()) == {"person 1", "device tok:1 of 1"}


def test_an_event_sent_twice_under_one_id_counts_once(world: World, track: CustomerIO) -> None:
    for _ in range(2):
        track.track("1", "order", id=ULID)
    assert [(event.event_id, event.name) for event in world.handle.events()] == [(ULID, "order")]
    assert world.rules() == ["event.duplicate"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_it_tries_again_after(world: World, track: CustomerIO, status: int) -> None:
    with world.handle.fault("status", status=status, times=2):
        track.identify(id="1", plan="free")
    assert [asked[-3:] for asked in world.asked()] == [str(status), str(status), "200"]
    assert world.changes() == {"person 1": {**ANN, "plan": "free"}}


def test_it_takes_a_success_that_is_no_json(world: World, track: CustomerIO) -> None:
    with world.handle.fault("status", status=200, body="<html>", times=1):
        track.identify("1", plan="free")
    assert [request.status for request in world.handle.requests] == [200]


def test_a_429_reaches_the_caller_at_once(world: World, track: CustomerIO) -> None:
    with world.handle.fault("status", status=429), pytest.raises(CustomerIOException, match=r"^429: "):
        track.identify(id="1", plan="free")
    assert world.asked() == ["PUT /api/v1/customers/1 429"]
    assert world.changes() == {}


def test_a_reply_that_is_lost_makes_it_apply_an_event_twice(world: World, track: CustomerIO) -> None:
    with world.handle.fault("lose_reply", times=1):
        track.track("1", "order")
    assert [event.name for event in world.handle.events()] == ["order", "order"]


def test_it_says_who_it_is(world: World, track: CustomerIO) -> None:
    track.suppress("nobody")
    (request,) = world.handle.requests
    assert request.headers["user-agent"].startswith("Customer.io Python Client/3.")
    assert request.body == {}


# ---- the App API -----------------------------------------------------------------------------------------------------

TO_ANN = {"to": "ann@example.com", "identifiers": {"id": "1"}, "transactional_message_id": 1}
SENDS = [
    pytest.param(call("send_email", customerio.SendEmailRequest(**TO_ANN)), id="send_email"),
    pytest.param(call("send_push", customerio.SendPushRequest(**TO_ANN)), id="send_push"),
    pytest.param(call("send_sms", customerio.SendSMSRequest(**TO_ANN)), id="send_sms"),
    pytest.param(call("send_whatsapp", customerio.SendWhatsAppRequest(**TO_ANN)), id="send_whatsapp"),
    pytest.param(call("send_inbox_message", {"identifiers": {"id": "1"}}), id="send_inbox_message"),
    pytest.param(call("send_in_app", {"identifiers": {"id": "1"}}), id="send_in_app"),
]  # fmt: skip


@pytest.mark.parametrize("one", SENDS)
def test_a_send_of_a_message_that_is_not_there_is_refused_in_its_words(
    world: World, app: APIClient, one: Call
) -> None:
    with pytest.raises(CustomerIOException, match=r"^400: "):
        one.on(app)
    assert world.rules()[0] in {"app.send.template", "app.send.field"}
    assert world.changes() == {}


def test_a_send_that_brings_its_own_text_is_accepted(world: World, app: APIClient) -> None:
    text = {"to": "ann@example.com", "identifiers": {"id": "1"}, "subject": "s", "body": "b", "_from": "a@example.com"}
    answer = app.send_email(customerio.SendEmailRequest(**text))
    assert sorted(answer) == ["delivery_id", "queued_at"]


@pytest.mark.parametrize("one", SENDS)
def test_the_app_api_asks_for_a_key_first(world: World, app: APIClient, one: Call) -> None:
    app.key = "wrong"
    with pytest.raises(CustomerIOException, match=r"^401: (.|\n)*nauthorized"):
        one.on(app)


# ---- completeness ----------------------------------------------------------------------------------------------------

NO_REQUEST = {
    "close", "send_request", "setup_base_url", "is_valid_id_type", "get_customer_query_string",
    "get_event_query_string", "get_events_query_string", "get_device_query_string",
}  # fmt: skip


@pytest.mark.parametrize(
    ("client", "tables"),
    [pytest.param(CustomerIO, [CALLS], id="Track API"), pytest.param(APIClient, [SENDS], id="App API")],
)
def test_every_method_of_the_client_is_in_a_table(client: type[Any], tables: list[list[Any]]) -> None:
    assert methods_of(*tables) == public_methods(client) - NO_REQUEST
