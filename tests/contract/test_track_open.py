"""Calls without credentials over a real socket (metrics, push events, unsubscribe links), and forms."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fakeio.core.deliveries import Delivery
from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract.live import Live, Site

live, site = fixtures.live, fixtures.site

JSON = {"content-type": "application/json"}


@pytest.fixture
def delivery(site: Site) -> Delivery:
    site.identify("7", email="a@example.com")
    made = Delivery(f"dlv{site.hosted.id}==", "push", site.cio_id("7"), 5)
    site.hosted.state.deliveries.add(made)
    return made


def post(live: Live, path: str, document: Any, **headers: str) -> httpx.Response:
    return plain.post(f"{live.url}{path}", json=document, headers=headers)


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/api/v1/metrics", {"metric": "opened", "recipient": "token", "timestamp": 9}),
        ("/api/v1/push/events", {"event": "opened", "device_id": "token", "timestamp": 9}),
        ("/push/events", {"event": "opened", "device_id": "token", "timestamp": 9}),
    ],
)
def test_a_metric_needs_no_credentials_and_lands_where_its_delivery_is(
    live: Live, site: Site, delivery: Delivery, path: str, document: dict[str, Any]
) -> None:
    answer = post(live, path, {"delivery_id": delivery.id, **document})
    assert (answer.status_code, answer.content) == (200, b"{}\n")
    assert delivery.metrics == {"opened": 9}
    assert site.outcomes() == [("report_metric", "applied", None)]


@pytest.mark.parametrize(
    ("document", "status"),
    [
        pytest.param({"delivery_id": "nobody", "metric": "opened"}, 200, id="an unknown delivery is dropped"),
        pytest.param({"metric": "opened"}, 400, id="no delivery"),
        pytest.param({"delivery_id": "x"}, 400, id="no metric"),
        pytest.param([], 400, id="no object"),
    ],
)
def test_a_metric_of_nothing(live: Live, document: Any, status: int) -> None:
    assert post(live, "/api/v1/metrics", document).status_code == status


def test_a_push_event_may_say_nothing_at_all(live: Live) -> None:
    assert post(live, "/api/v1/push/events", {}).status_code == 200


def test_a_v2_delivery_event_is_a_push_metric(site: Site, delivery: Delivery) -> None:
    document = {
        "type": "delivery", "action": "event", "identifiers": {"id": delivery.id}, "name": "delivered",
        "timestamp": 9, "attributes": {"device_token": "token"},
    }  # fmt: skip
    assert site.track.post("/api/v2/entity", json=document).status_code == 200
    assert delivery.metrics == {"delivered": 9}
    for field, broken in (("name", "clicked"), ("attributes", {}), ("identifiers", {})):
        assert site.track.post("/api/v2/entity", json={**document, field: broken}).status_code == 400


def test_an_unsubscribe_link_unsubscribes(live: Live, site: Site, delivery: Delivery) -> None:
    path = f"/unsubscribe/{delivery.id}"
    assert post(live, path, {"unsubscribe": True}).content == b"{}\n"
    assert site.hosted.state.people.by_email("a@example.com")[0].unsubscribed is True
    assert delivery.unsubscribed is True


@pytest.mark.parametrize(
    ("delivery_id", "body", "headers"),
    [
        pytest.param("dlv", b'{"unsubscribe":true}', {}, id="no content type"),
        pytest.param("dlv", b'{"unsubscribe":true}', {"content-type": "text/plain"}, id="another content type"),
        pytest.param("d%20v", b'{"unsubscribe":true}', JSON, id="no delivery id"),
        pytest.param("dlv", b'{"unsubscribe":"yes"}', JSON, id="neither true nor false"),
        pytest.param("dlv", b"{", JSON, id="no JSON"),
    ],
)
def test_an_unsubscribe_that_is_refused(live: Live, delivery_id: str, body: bytes, headers: dict[str, str]) -> None:
    assert plain.post(f"{live.url}/unsubscribe/{delivery_id}", content=body, headers=headers).status_code == 400


def submit(site: Site, data: Any) -> httpx.Response:
    return site.track.post("/api/v1/forms/f1/submit", json={"data": data})


def test_a_form_is_answered_with_nothing_and_sets_attributes(site: Site) -> None:
    answer = submit(site, {"email": "a@example.com", "plan": "pro"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert site.people() == [{"email": "a@example.com", "plan": "pro"}]
    assert [name for _, _, name, _ in site.events()] == ["form_submission"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"email_address": "a@example.com"}, id="no identifier"),
        pytest.param({"id": "1", "email": "a@example.com"}, id="two identifiers"),
        pytest.param({"id": "1", "age": 5}, id="a number"),
        pytest.param(None, id="no data"),
    ],
)
def test_a_form_is_connected_even_when_its_submission_is_refused(site: Site, data: Any) -> None:
    answer = submit(site, data)
    assert answer.status_code == 400
    assert isinstance(answer.json()["meta"]["errors"], list)
    assert set(site.hosted.state.forms) == {"f1"}
    assert site.people() == []


def test_a_form_needs_credentials(live: Live) -> None:
    assert post(live, "/api/v1/forms/f1/submit", {"data": {"id": "1"}}).status_code == 401
