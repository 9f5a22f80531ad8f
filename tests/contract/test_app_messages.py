"""App API over a real socket: what becomes of a message that was accepted, and limits of their own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract import shop as shops
from tests.contract.live import Live, Site
from tests.contract.shop import ANN, AT, WHOLE, message, rules, send, world

live, site, shop = fixtures.live, fixtures.site, shops.shop


# ---- when, and what stands in the way --------------------------------------------------------------------------------


def test_a_message_waits_for_its_time(shop: Site) -> None:
    response = send(shop, **WHOLE, send_at=AT + 3600)
    assert response.json()["send_at"] == AT + 3600
    assert message(shop, response)["metrics"] == {"created": AT}
    shop.hosted.clock.advance(7200)
    sent = {"created": AT, "attempted": AT + 3600, "sent": AT + 3600}
    assert message(shop, response)["metrics"] == sent


def test_a_time_gone_by_is_now(shop: Site) -> None:
    response = send(shop, **WHOLE, send_at=AT - 1)
    assert list(response.json()) == ["delivery_id", "queued_at"]
    assert "sent" in message(shop, response)["metrics"]


def test_a_draft_stays(shop: Site) -> None:
    asked = send(shop, **WHOLE, queue_draft=True)
    usual = send(shop, **{**WHOLE, "transactional_message_id": 9})
    shop.hosted.clock.advance(1)
    for response in (asked, usual):
        assert message(shop, response)["metrics"] == {"created": AT, "drafted": AT}
    drafts = shop.app.get("/v1/messages", params={"drafts": "true"}).json()["messages"]
    assert [one["id"] for one in drafts] == [usual.json()["delivery_id"], asked.json()["delivery_id"]]
    assert shop.app.get("/v1/messages").json() == {"messages": [], "next": ""}


OBSTACLES = [
    pytest.param("email", {"to": "Bounced@example.com"}, "dropped", "suppresses", id="a suppressed address"),
    pytest.param("email", {"identifiers": {"id": "2"}, "send_to_unsubscribed": False}, "undeliverable", "unsubscribed",
                 id="somebody unsubscribed"),
    pytest.param("push", {"transactional_message_id": 4}, "undeliverable", "device", id="nobody's device"),
    pytest.param("push", {"transactional_message_id": 4, "to": "t9"}, "undeliverable", "device", id="another device"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "more", "metric", "why"), OBSTACLES)
def test_a_message_that_does_not_get_there_says_why(
    shop: Site, channel: str, more: Any, metric: str, why: str
) -> None:
    shop.app.post("/v1/esp/suppression/bounces/bounced%40example.com")
    body = {**WHOLE, **more} if channel == "email" else {"identifiers": ANN, **more}
    made = message(shop, send(shop, channel, **body))
    assert made["metrics"] == {"created": AT, "attempted": AT, metric: AT}
    assert why in made["failure_message"]


def test_a_device_sent_along_is_the_persons_from_then_on(shop: Site) -> None:
    device = {"token": "t1", "platform": "ios"}
    made = message(shop, send(shop, "push", transactional_message_id=4, identifiers=ANN, custom_device=device))
    assert "sent" in made["metrics"]
    assert shop.app.get("/v1/customers/1/attributes").json()["customer"]["devices"][0]["id"] == "t1"


def test_somebody_unknown_gets_it_and_is_created_only_by_setting(live: Live) -> None:
    site = world(live)
    made = message(site, send(site, **{**WHOLE, "identifiers": {"id": "99"}}))
    assert (made["customer_id"], made["customer_identifiers"], "sent" in made["metrics"]) == (None, None, True)
    assert len(site.people()) == 2
    creating = world(live, send_creates_person=True)
    assert message(creating, send(creating, **{**WHOLE, "identifiers": {"id": "99"}}))["customer_id"] == "99"


def test_a_message_can_be_read_only_after_a_while_by_switch(live: Live) -> None:
    site = world(live, delivery_visible_s=2)
    delivery = send(site, **WHOLE).json()["delivery_id"]
    assert site.app.get(f"/v1/messages/{delivery}").status_code == 404
    assert site.app.get("/v1/messages").json()["messages"] == []
    site.hosted.clock.advance(2)
    assert site.app.get(f"/v1/messages/{delivery}").status_code == 200


def test_a_send_is_in_the_log_and_its_metrics_come_through_track(shop: Site) -> None:
    delivery = send(shop, **WHOLE).json()["delivery_id"]
    metric = {"delivery_id": delivery, "metric": "opened", "timestamp": AT + 5}
    assert plain.post(f"{shop.live.url}/api/v1/metrics", json=metric).status_code == 200
    found = shop.app.get(f"/v1/messages/{delivery}").json()["message"]
    assert found["metrics"] == {"created": AT, "attempted": AT, "sent": AT, "opened": AT + 5}
    assert found["deduplicate_id"] == f"{delivery}:{AT + 5}"
    logged = [line.type for line in shop.hosted.state.log.of(shop.cio_id("1"))]
    assert logged == ["attempted_email", "sent_email", "opened_email"]


# ---- limits of their own ---------------------------------------------------------------------------------------------


def test_sends_are_counted_apart_and_only_by_switch(live: Live) -> None:
    free = world(live, rate_limits="enforced")
    assert {send(free, **WHOLE).status_code for _ in range(12)} == {200}
    site = world(live, rate_limits="enforced", send_rate_limit=1)
    first, second = send(site, **WHOLE), send(site, **WHOLE)
    assert (first.status_code, second.status_code) == (200, 429)
    assert second.json() == {"meta": {"error": "rate limited to 1 requests per 1s"}}
    assert site.app.get("/v1/segments").status_code == 200


def test_the_101st_archived_message_of_a_day_is_refused_without_saying_when(live: Live) -> None:
    site = world(live, rate_limits="enforced", app_rate_limit=0)
    path = f"/v1/messages/{send(site, **WHOLE).json()['delivery_id']}/archived_message"
    assert {site.app.get(path).status_code for _ in range(100)} == {200}
    refused = site.app.get(path)
    assert (refused.status_code, "retry-after" in refused.headers) == (429, False)
    assert refused.json()["errors"][0]["status"] == "429"
    assert rules(site) == ["app.quota"]
    site.hosted.clock.advance(24 * 60 * 60)
    assert site.app.get(path).status_code == 200
