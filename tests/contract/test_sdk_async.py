"""`async-customerio`, unmodified: every call of its Track client, and what becomes of it.

A row is the call, the request that arrives and the facts that are others afterwards. Where the library itself goes
wrong (ids with a slash, device tokens escaped twice) the row shows what that costs. It speaks HTTPS only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from async_customerio import (
    Actions,
    AsyncCustomerIO,
    AsyncCustomerIOError,
    AsyncCustomerIORetryableError,
    TrackAPIV2,
)

from tests.contract import sdk_world as fixtures
from tests.contract.sdk_world import (
    ANN,
    BOB,
    GONE,
    NOW,
    Call,
    Facts,
    World,
    call,
    methods_of,
    only_calls,
    public_methods,
)

world = fixtures.world


class InTurn:
    """A strategy of trying again that a caller may plug in: a few times, without waiting."""

    async def execute(self, attempt: Callable[..., Awaitable[Any]], *args: Any, **named: Any) -> Any:
        for _ in range(2):
            try:
                return await attempt(*args, **named)
            except AsyncCustomerIORetryableError:
                continue
        return await attempt(*args, **named)


def track(world: World, one: Call, *, key: str | None = None, strategy: InTurn | None = None) -> Any:
    """Make a call of the Track API's client."""
    at = urlsplit(world.fake.https_url)
    keys = world.handle

    async def calling() -> Any:
        client = AsyncCustomerIO(
            keys.site_id, key or keys.track_api_key, host=at.hostname, port=at.port, retry_strategy=strategy
        )
        async with client:
            return await one.on(client)

    return asyncio.run(calling())


VIP = {"description": "people we know", "members": ["2"]}
ACME = {"object_type_id": "1", "object_id": "acme"}
TO_ACME = [{"identifiers": ACME, "relationship_attributes": {"role": "owner"}}]
V1 = [
    pytest.param(call("identify", "1", plan="free", born=datetime(2000, 1, 2, tzinfo=UTC)), "PUT /api/v1/customers/1",
                 {"person 1": {**ANN, "plan": "free", "born": 946_771_200}}, id="identify"),
    pytest.param(call("identify", "eve@example.com"), "PUT /api/v1/customers/eve%40example.com",
                 {"person eve@example.com": {"email": "eve@example.com"}}, id="identify: by email, nothing to set"),
    pytest.param(call("track", "1", "order", total=3), "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "event": "order", "data": {"total": 3}}}, id="track"),
    pytest.param(call("track_anonymous", "anon", "visit", ad="x"), "POST /api/v1/events",
                 {"event 1": {"of": "anonymous anon", "event": "visit", "data": {"ad": "x"}}}, id="track_anonymous"),
    pytest.param(call("track_anonymous", "", "invite", recipient="eve@example.com"), "POST /api/v1/events",
                 {"event 1": {"of": "anonymous None", "event": "invite", "data": {"recipient": "eve@example.com"}}},
                 id="track_anonymous: an invitation, of nobody"),
    pytest.param(call("pageview", "1", "/home", referrer="/"), "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "page": "/home", "data": {"referrer": "/"}}}, id="pageview"),
    pytest.param(call("backfill", "1", "order", 1_577_923_200, total=3), "POST /api/v1/customers/1/events",
                 {"event 1": {"of": "1", "event": "order", "data": {"total": 3}, "at": 1_577_923_200}}, id="backfill"),
    pytest.param(call("delete", "a1"), "DELETE /api/v1/customers/a1", {}, id="delete: nobody"),
    pytest.param(call("delete", "1"), "DELETE /api/v1/customers/1", {"person 1": GONE, "device tok:1 of 1": GONE},
                 id="delete"),
    pytest.param(call("add_device", "1", "tok:2", "android", last_used=NOW - 5, app="3.1"),
                 "PUT /api/v1/customers/1/devices",
                 {"device tok:2 of 1": {"platform": "android", "last_used": NOW - 5, "attributes": {"app": "3.1"}}},
                 id="add_device: its own attributes lie flat"),
    pytest.param(call("delete_device", "1", "tok:1"), "DELETE /api/v1/customers/1/devices/tok%253A1", {},
                 id="delete_device: a token escaped twice is another token"),
    pytest.param(call("suppress", "2"), "POST /api/v1/customers/2/suppress",
                 {"person 2": GONE, "blocked 2": True, "blocked bob@example.com": True, "blocked a1000002": True,
                  "segment vip": {**VIP, "members": []},
                  "object 1/acme": {"attributes": {"seats": 3}, "links": {}}},
                 id="suppress: a type of content, but none"),
    pytest.param(call("unsuppress", "9"), "POST /api/v1/customers/9/unsuppress", {"blocked 9": GONE}, id="unsuppress"),
    pytest.param(call("merge_customers", "id", "1", "email", "bob@example.com"), "POST /api/v1/merge_customers",
                 {"person 1": {**ANN, "city": "Ghent"}, "person 2": GONE, "segment vip": {**VIP, "members": ["1"]},
                  "object 1/acme": {"attributes": {"seats": 3}, "links": {"1": {}}}}, id="merge_customers"),
    pytest.param(call("add_to_segment", 7, [1, "nobody"]), "POST /api/v1/segments/7/add_customers",
                 {"segment vip": {**VIP, "members": ["2", "1"]}}, id="add_to_segment: ids"),
    pytest.param(call("add_to_segment", 7, ["ann@example.com"], id_type="email"),
                 "POST /api/v1/segments/7/add_customers?id_type=email",
                 {"segment vip": {**VIP, "members": ["2", "1"]}}, id="add_to_segment: emails"),
    pytest.param(call("add_to_segment", 99, ["1"]), "POST /api/v1/segments/99/add_customers", {},
                 id="add_to_segment: no such segment"),
    pytest.param(call("remove_from_segment", 7, ["2"], id_type="id"),
                 "POST /api/v1/segments/7/remove_customers?id_type=id",
                 {"segment vip": {**VIP, "members": []}}, id="remove_from_segment"),
    pytest.param(call("get_region"), "GET /api/v1/accounts/region", {}, id="get_region"),
    pytest.param(call("submit_form", "contact", email="ann@example.com", town="Bruges"),
                 "POST /api/v1/forms/contact/submit",
                 {"person 1": {**ANN, "town": "Bruges"},
                  "event 1": {"of": "1", "event": "form_submission", "data": {"form_id": "contact", "town": "Bruges"}}},
                 id="submit_form"),
    pytest.param(call("send_entity", {"id": 1}, "person", Actions.identify, plan="free"), "POST /api/v2/entity",
                 {"person 1": {**ANN, "plan": "free"}}, id="send_entity: an id that is a number"),
    pytest.param(call("send_batch", [{"type": "person", "action": "delete", "identifiers": {"id": "a/b c"}}]),
                 "POST /api/v2/batch", {"person a/b c": GONE}, id="send_batch"),
]  # fmt: skip
WITHOUT_A_KEY = [
    pytest.param(call("unsubscribe", "dlv1"), "POST /unsubscribe/dlv1",
                 {"person 1": {**ANN, "unsubscribed": True},
                  "delivery dlv1": {"metrics": {"unsubscribed": NOW}, "unsubscribed": True}},
                 id="unsubscribe"),
    pytest.param(call("report_metric", "dlv1", "clicked", href="https://example.com", timestamp=NOW - 9),
                 "POST /api/v1/metrics",
                 {"delivery dlv1": {"metrics": {"clicked": NOW - 9}, "unsubscribed": False}}, id="report_metric"),
    pytest.param(call("report_metric", "dlv2", "bounced"), "POST /api/v1/metrics", {},
                 id="report_metric: not one of that channel"),
    pytest.param(call("report_push_metric", "dlv2", "tok:1", "opened", timestamp=datetime(2026, 5, 1, tzinfo=UTC)),
                 "POST /api/v1/push/events",
                 {"delivery dlv2": {"metrics": {"opened": 1_777_593_600}, "unsubscribed": False}},
                 id="report_push_metric"),
]  # fmt: skip
V2 = [
    pytest.param(call("v2.identify_person", {"cio_id": "a1000002"}, city="Bruges"),
                 {"person 2": {**BOB, "city": "Bruges"}}, id="identify_person"),
    pytest.param(call("v2.delete_person", {"email": "ann@example.com"}),
                 {"person 1": GONE, "device tok:1 of 1": GONE}, id="delete_person"),
    pytest.param(call("v2.track_person_event", {"id": "1"}, "order", total=3),
                 {"event 1": {"of": "1", "event": "order", "data": {"total": 3}}}, id="track_person_event"),
    pytest.param(call("v2.person_pageview", {"id": "1"}, "/home"),
                 {"event 1": {"of": "1", "page": "/home", "data": {}}}, id="person_pageview"),
    pytest.param(call("v2.person_screen", {"id": "1"}, "Home"),
                 {"event 1": {"of": "1", "screen": "Home", "data": {}}}, id="person_screen"),
    pytest.param(call("v2.add_person_device", {"id": "1"}, "tok:2", "android", app="3.1"),
                 {"device tok:2 of 1": {"platform": "android", "last_used": NOW, "attributes": {"app": "3.1"}}},
                 id="add_person_device"),
    pytest.param(call("v2.delete_person_device", {"id": "1"}, "tok:1"), {"device tok:1 of 1": GONE},
                 id="delete_person_device"),
    pytest.param(call("v2.suppress_person", {"id": "new"}), {"blocked new": True}, id="suppress_person: nobody yet"),
    pytest.param(call("v2.unsuppress_person", {"id": "9"}), {"blocked 9": GONE}, id="unsuppress_person"),
    pytest.param(call("v2.merge_persons", {"id": "1"}, {"id": "a/b c"}), {"person a/b c": GONE}, id="merge_persons"),
    pytest.param(call("v2.add_person_relationships", {"id": "1"}, TO_ACME),
                 {"object 1/acme": {"attributes": {"seats": 3}, "links": {"2": {}, "1": {"role": "owner"}}}},
                 id="add_person_relationships"),
    pytest.param(call("v2.delete_person_relationships", {"id": "2"}, TO_ACME),
                 {"object 1/acme": {"attributes": {"seats": 3}, "links": {}}}, id="delete_person_relationships"),
    pytest.param(call("v2.identify_object", ACME, seats=None, name="Acme"),
                 {"object 1/acme": {"attributes": {"name": "Acme"}, "links": {"2": {}}}},
                 id="identify_object: null removes"),
    pytest.param(call("v2.identify_object", {"object_type_id": "1", "object_id": "new"}),
                 {"object 1/new": {"attributes": {}, "links": {}}}, id="identify_object: a new one"),
    pytest.param(call("v2.delete_object", ACME), {"object 1/acme": GONE}, id="delete_object"),
    pytest.param(call("v2.add_object_relationships", ACME, [{"identifiers": {"id": "1"}}]),
                 {"object 1/acme": {"attributes": {"seats": 3}, "links": {"2": {}, "1": {}}}},
                 id="add_object_relationships"),
    pytest.param(call("v2.delete_object_relationships", ACME, [{"identifiers": {"email": "bob@example.com"}}]),
                 {"object 1/acme": {"attributes": {"seats": 3}, "links": {}}}, id="delete_object_relationships"),
    pytest.param(call("v2.send_entity", {"type": "person", "action": "delete", "identifiers": {"id": "a/b c"}}),
                 {"person a/b c": GONE}, id="send_entity"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "asked", "changes"), V1)
def test_a_v1_call_arrives_and_changes(world: World, one: Call, asked: str, changes: Facts) -> None:
    track(world, one)
    assert world.asked() == [f"{asked} {204 if one.method == 'submit_form' else 200}"]
    assert world.changes() == changes


@pytest.mark.parametrize("key", [pytest.param(None, id="right key"), pytest.param("wrong", id="wrong key")])
@pytest.mark.parametrize(("one", "asked", "changes"), WITHOUT_A_KEY)
def test_a_call_about_a_delivery_needs_no_key(
    world: World, one: Call, asked: str, changes: Facts, key: str | None
) -> None:
    track(world, one, key=key)
    assert world.changes() == changes
    assert world.asked() == [f"{asked} 200"]


@pytest.mark.parametrize(("one", "changes"), V2)
def test_a_v2_call_arrives_and_changes(world: World, one: Call, changes: Facts) -> None:
    track(world, one)
    assert world.asked() == ["POST /api/v2/entity 200"]
    assert world.changes() == changes


@pytest.mark.parametrize("one", only_calls(V1, V2))
def test_a_call_with_a_wrong_key_changes_nothing(world: World, one: Call) -> None:
    with pytest.raises(AsyncCustomerIOError, match=r"^HTTP 401: (.|\n)*Unauthorized request"):
        track(world, one, key="wrong")
    assert world.changes() == {}


def test_the_region_says_where_and_which_workspace(world: World) -> None:
    answer = track(world, call("get_region"))
    assert (answer["url"], answer["region"]) == ("https://track.customer.io", "us")
    assert answer["environment_id"] == world.handle.id


REFUSED = [
    pytest.param(call("identify", "cio_!"), "invalid id", id="identify"),
    pytest.param(call("track", "1", ""), "name cannot be blank", id="track"),
    pytest.param(call("track_anonymous", "anon", ""), "name cannot be blank", id="track_anonymous"),
    pytest.param(call("pageview", "1", "n" * 101), "event name cannot be longer than 100 bytes", id="pageview"),
    pytest.param(call("backfill", "1", "", 1), "name cannot be blank", id="backfill"),
    pytest.param(call("add_device", "1", "tok", "windows"), "device platform must be ios or android", id="add_device"),
    pytest.param(call("remove_from_segment", "vip", ["1"]), "segment id must be a number",
                 id="remove_from_segment: a name for a number"),
    pytest.param(call("submit_form", "contact", town="Ghent"), "form data must contain an id or an email",
                 id="submit_form: nobody"),
    pytest.param(call("submit_form", "contact", id="1", seats=3), "form field 'seats' must be a string",
                 id="submit_form: a number"),
    pytest.param(call("v2.identify_person", {"id": "1", "email": "ann@example.com"}),
                 "identifiers must contain exactly one identifier", id="identify_person: two identifiers"),
    pytest.param(call("v2.identify_person", {"id": "1"}, note="x" * 1001),
                 "property value cannot be longer than 1000 bytes", id="identify_person: a long value"),
    pytest.param(call("v2.track_person_event", {"id": "1"}, " "), "name cannot be blank", id="track_person_event"),
    pytest.param(call("v2.add_person_device", {"id": "1"}, "tok", "windows"), "device platform must be ios or android",
                 id="add_person_device"),
    pytest.param(call("v2.merge_persons", {"id": "1"}, {"phone": "x"}), "secondary must contain an identifier",
                 id="merge_persons"),
    pytest.param(call("v2.identify_object", {"object_id": "x"}),
                 "identifiers must contain object_type_id and object_id, or cio_object_id", id="identify_object"),
    pytest.param(call("v2.track_object_event", ACME, "x"), "action is not one of type object",
                 id="track_object_event: objects have no events"),
    pytest.param(call("v2.add_person_relationships", {"id": "1"}, [{"identifiers": {}}]),
                 "cio_relationships.0.identifiers must contain object_type_id and object_id",
                 id="add_person_relationships"),
    pytest.param(call("v2.send_batch", []), "batch must contain at least one operation",
                 id="send_batch: nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "words"), REFUSED)
def test_a_refusal_comes_in_the_words_of_the_service(world: World, one: Call, words: str) -> None:
    with pytest.raises(AsyncCustomerIOError, match=r"^HTTP 400: ") as raised:
        track(world, one)
    assert words in str(raised.value)
    assert world.changes() == {}


def test_an_id_with_a_slash_reaches_no_route(world: World) -> None:
    with pytest.raises(AsyncCustomerIOError, match=r"^HTTP 404: "):
        track(world, call("identify", "a/b c", plan="pro"))
    assert world.asked() == ["PUT /api/v1/customers/a/b%20c 404"]
    assert world.changes() == {}


def test_a_batch_returns_what_was_not_taken(world: World) -> None:
    person = {"type": "person", "identifiers": {"id": "a/b c"}}
    answer = track(world, call("v2.send_batch", [{**person, "action": "event"}, {**person, "action": "delete"}]))
    (error,) = answer["errors"]
    assert (error["batch_index"], error["field"]) == (0, "name")
    assert world.changes() == {"person a/b c": GONE}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_weather_that_passes_is_told_apart(world: World, status: int) -> None:
    with world.handle.fault("status", status=status), pytest.raises(AsyncCustomerIORetryableError):
        track(world, call("identify", "1", plan="free"))
    assert world.changes() == {}


def test_a_strategy_of_trying_again_gets_through(world: World) -> None:
    with world.handle.fault("reset", times=1), world.handle.fault("status", status=503, times=1):
        track(world, call("identify", "1", plan="free"), strategy=InTurn())
    assert world.changes() == {"person 1": {**ANN, "plan": "free"}}
    assert len(world.handle.requests) == 3


def test_it_says_who_it_is(world: World) -> None:
    track(world, call("suppress", "nobody"))
    (request,) = world.handle.requests
    assert request.headers["user-agent"].startswith("async-customerio/2.")
    assert request.headers["content-type"] == "application/json"
    assert request.body in (None, "")


def test_every_method_of_the_client_is_in_a_table() -> None:
    parts = {"": AsyncCustomerIO, "v2.": TrackAPIV2}
    no_request = {"close", "send_request", "setup_base_url"}
    methods = {part + name for part, client in parts.items() for name in public_methods(client) - no_request}
    assert methods_of(V1, WITHOUT_A_KEY, V2, REFUSED) == methods
