"""`async-customerio`, unmodified: every call of its App API client that reaches an imitated route, and its answer.

Messages are not in its world: those calls are held against the answers to what is not there.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from async_customerio import (
    AsyncAPIClient,
    AsyncCustomerIOError,
    SendEmailRequest,
    SendInAppRequest,
    SendInboxMessageRequest,
    SendPushRequest,
    SendSMSRequest,
    SendWhatsAppRequest,
)
from async_customerio.api.customers import Customers
from async_customerio.api.segments import Segments
from async_customerio.api.transactional import Transactional

from tests.contract import sdk_answers as answers
from tests.contract import sdk_world as fixtures
from tests.contract.sdk_world import GONE, Call, Facts, World, call, methods_of, only_calls, public_methods

world = fixtures.world


def app(world: World, one: Call, *, key: str | None = None) -> Any:
    """Make a call of the App API's client."""

    async def calling() -> Any:
        async with AsyncAPIClient(key or world.handle.app_api_key, url=world.fake.https_url) as client:
            return await one.on(client)

    return asyncio.run(calling())


NOBODY = {"identifiers": [], "ids": [], "next": ""}
IN_VIP = {"segment": {"id": 7}}
EVERYBODY = {"attribute": {"field": "cio_id", "operator": "exists"}}
CALLS = [
    pytest.param(call("customers.get_by_email", "ann@example.com"), "GET /v1/customers?email=ann%40example.com",
                 answers.ANN_FOUND, {}, id="get_by_email"),
    pytest.param(call("customers.get_by_email", "a+b@example.com"), "GET /v1/customers?email=a%2Bb%40example.com",
                 {"results": []}, {}, id="get_by_email: nobody"),
    pytest.param(call("customers.search", IN_VIP), "POST /v1/customers", answers.BOB_ON_A_PAGE, {},
                 id="search: in a segment"),
    pytest.param(call("customers.search", {"and": [IN_VIP, {"not": EVERYBODY}]}, limit=2), "POST /v1/customers?limit=2",
                 NOBODY, {}, id="search: nobody"),
    pytest.param(call("customers.get_attributes", "1"), "GET /v1/customers/1/attributes", answers.ANN_WHOLE, {},
                 id="get_attributes"),
    pytest.param(call("customers.get_attributes", "ann@example.com", id_type="email"),
                 "GET /v1/customers/ann%40example.com/attributes?id_type=email", answers.ANN_WHOLE, {},
                 id="get_attributes: by email"),
    pytest.param(call("customers.get_segments", "cio_a1000002", id_type="cio_id"),
                 "GET /v1/customers/cio_a1000002/segments?id_type=cio_id", answers.VIP_IN_BRIEF, {},
                 id="get_segments: by cio_id"),
    pytest.param(call("customers.get_by_ids", [1, "nobody"]), "POST /v1/customers/attributes", answers.ANN_AMONG_MANY,
                 {}, id="get_by_ids: a number for an id, and nobody"),
    pytest.param(call("customers.get_messages", "1", start_ts=1, limit=5),
                 "GET /v1/customers/1/messages?limit=5&start_ts=1", answers.MESSAGES_TO_ANN, {}, id="get_messages"),
    pytest.param(call("customers.get_activities", "1", type="event", name="order"),
                 "GET /v1/customers/1/activities?type=event&name=order", answers.NOTHING_HAPPENED, {},
                 id="get_activities"),
    pytest.param(call("customers.get_relationships", "2", limit=3), "GET /v1/customers/2/relationships?limit=3",
                 answers.BOB_OF_ACME, {}, id="get_relationships"),
    pytest.param(call("customers.get_subscription_preferences", "1", language="fr"),
                 "GET /v1/customers/1/subscription_preferences?language=fr", answers.ANN_PREFERS, {},
                 id="get_subscription_preferences"),
    pytest.param(call("segments.list"), "GET /v1/segments", {"segments": [answers.VIP]}, {}, id="list"),
    pytest.param(call("segments.get", 7), "GET /v1/segments/7", {"segment": answers.VIP}, {}, id="get"),
    pytest.param(call("segments.create", "new", description="folk"), "POST /v1/segments",
                 {"segment": answers.segment(8, "new", "folk")},
                 {"segment new": {"description": "folk", "members": []}}, id="create"),
    pytest.param(call("segments.create", "plain"), "POST /v1/segments", {"segment": answers.segment(8, "plain", "")},
                 {"segment plain": {"description": "", "members": []}}, id="create: no description"),
    pytest.param(call("segments.delete", 7), "DELETE /v1/segments/7", {}, {"segment vip": GONE}, id="delete"),
    pytest.param(call("segments.get_customer_count", 7), "GET /v1/segments/7/customer_count", answers.VIP_COUNT, {},
                 id="get_customer_count"),
    pytest.param(call("segments.get_membership", 7, limit=10), "GET /v1/segments/7/membership?limit=10",
                 answers.VIP_MEMBERS, {}, id="get_membership"),
    pytest.param(call("segments.get_used_by", 7), "GET /v1/segments/7/used_by", answers.VIP_USES, {}, id="get_used_by"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "asked", "answer", "changes"), CALLS)
def test_a_call_arrives_and_is_answered(world: World, one: Call, asked: str, answer: Any, changes: Facts) -> None:
    given = app(world, one)
    assert world.asked() == [f"{asked} {204 if one.method == 'segments.delete' else 200}"]
    assert world.told(given) == answer
    assert world.changes() == changes


@pytest.mark.parametrize("one", only_calls(CALLS))
def test_a_call_with_a_wrong_key_is_refused(world: World, one: Call) -> None:
    with pytest.raises(AsyncCustomerIOError) as raised:
        app(world, one, key="0" * 32)
    assert str(raised.value) == 'HTTP 401: {"errors":[{"detail":"unauthorized","status":"401"}]}'
    assert world.changes() == {}


def test_pages_are_walked_by_the_cursor_that_comes_along(world: World) -> None:
    found, cursor = [], None
    while cursor != "":
        page = app(world, call("customers.search", EVERYBODY, start=cursor, limit=2))
        found.append(page["ids"])
        cursor = page["next"]
    assert found == [["1", "2"], ["a/b c"]]


NOT_FOUND = (404, "not found")
REFUSED = [
    pytest.param(call("customers.search", {"segment": {"id": "x"}}), 422, "segment takes a whole number as id",
                 id="search: a filter that is none"),
    pytest.param(call("customers.search", IN_VIP, start="x"), 400, "bad request", id="search: a cursor that is none"),
    pytest.param(call("customers.get_attributes", "nobody"), *NOT_FOUND, id="get_attributes: nobody"),
    pytest.param(call("customers.get_attributes", "1", id_type="name"), 400, "bad request",
                 id="get_attributes: no such type of id"),
    pytest.param(call("customers.get_attributes", "a/b c"), *NOT_FOUND, id="get_attributes: an id with a slash"),
    pytest.param(call("customers.get_segments", "a1000001", id_type="cio_id"), *NOT_FOUND,
                 id="get_segments: a cio_id without its prefix"),
    pytest.param(call("customers.get_by_ids", ["1"] * 101), 400, "bad request", id="get_by_ids: more than a hundred"),
    pytest.param(call("customers.get_messages", "nobody"), *NOT_FOUND, id="get_messages: nobody"),
    pytest.param(call("customers.get_activities", "1", type="dropped_whatsapp"), 400, "bad request",
                 id="get_activities: no such type"),
    pytest.param(call("customers.get_relationships", "nobody"), *NOT_FOUND, id="get_relationships: nobody"),
    pytest.param(call("customers.get_subscription_preferences", "nobody"), *NOT_FOUND,
                 id="get_subscription_preferences: nobody"),
    pytest.param(call("segments.get", 8), *NOT_FOUND, id="get"),
    pytest.param(call("segments.create", ""), 400, "bad request", id="create: no name"),
    pytest.param(call("segments.delete", 8), *NOT_FOUND, id="delete"),
    pytest.param(call("segments.get_customer_count", 8), *NOT_FOUND, id="get_customer_count"),
    pytest.param(call("segments.get_membership", 8), *NOT_FOUND, id="get_membership"),
    pytest.param(call("segments.get_membership", 7, start="x"), 400, "bad request", id="get_membership: no cursor"),
    pytest.param(call("segments.get_used_by", 8), *NOT_FOUND, id="get_used_by"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "status", "detail"), REFUSED)
def test_a_refusal_says_why(world: World, one: Call, status: int, detail: str) -> None:
    with pytest.raises(AsyncCustomerIOError, match=rf"^HTTP {status}: ") as raised:
        app(world, one)
    assert f'"detail":"{detail}"' in str(raised.value)
    assert world.changes() == {}


TO_ANN: dict[str, Any] = {"to": "ann@example.com", "identifiers": {"id": "1"}, "transactional_message_id": 1}
ANN: dict[str, Any] = {"identifiers": {"id": "1"}, "transactional_message_id": 1}
NOT_THERE = [
    call("transactional.get", 1),
    call("transactional.list_variants", 1),
    call("transactional.update_content", 1, 1, body="x"),
    call("transactional.get_variant", 1, "en"),
    call("transactional.update_variant", 1, "en", body="x"),
    call("transactional.get_metrics", 1),
    call("transactional.get_link_metrics", 1),
    call("transactional.get_deliveries", 1),
]
SENDS = [
    call("send_email", SendEmailRequest(**TO_ANN)),
    call("send_push", SendPushRequest(**ANN)),
    call("send_sms", SendSMSRequest(**TO_ANN)),
    call("send_whatsapp", SendWhatsAppRequest(**TO_ANN)),
    call("send_inbox_message", SendInboxMessageRequest(**ANN)),
    call("send_in_app", SendInAppRequest(**ANN)),
]


@pytest.mark.parametrize("one", [pytest.param(one, id=one.method) for one in NOT_THERE])
def test_a_transactional_message_that_is_not_there_is_not_found(world: World, one: Call) -> None:
    with pytest.raises(AsyncCustomerIOError, match=r"^HTTP 404: "):
        app(world, one)
    assert world.rules() == ["app.not_found"]


@pytest.mark.parametrize("one", [pytest.param(one, id=one.method) for one in SENDS])
def test_a_send_of_a_message_that_is_not_there_is_refused_in_its_words(world: World, one: Call) -> None:
    with pytest.raises(AsyncCustomerIOError, match=r"^HTTP 400: "):
        app(world, one)
    assert world.rules()[0] in {"app.send.template", "app.send.field"}


def test_a_send_that_brings_its_own_text_is_accepted(world: World) -> None:
    text = {"subject": "s", "body": "b", "_from": "shop@example.com"}
    request = SendEmailRequest(to="ann@example.com", identifiers={"id": "1"}, **text)
    answer = app(world, call("send_email", request))
    assert sorted(answer) == ["delivery_id", "queued_at"]
    assert app(world, call("transactional.list")) == {"messages": []}


def test_every_method_of_the_client_is_in_a_table() -> None:
    parts = {"": AsyncAPIClient, "customers.": Customers, "segments.": Segments, "transactional.": Transactional}
    methods = {part + name for part, client in parts.items() for name in public_methods(client)}
    tabled = {one.method for one in (*NOT_THERE, *SENDS)} | {"transactional.list"}
    assert methods_of(CALLS) | tabled == methods - {"close", "send_request"}
