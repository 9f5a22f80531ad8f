"""Refusals by rule: what is sent, which answer comes back, and the rule that the tape gives for it."""

from __future__ import annotations

from typing import Any

import pytest

from fakeio.core.deliveries import Delivery
from fakeio.core.limits import EVENT_DATA, V2_BATCH
from tests.contract import live as fixtures
from tests.contract.live import Live, Site

live, site = fixtures.live, fixtures.site

EVENTS = "/api/v1/customers/7/events"
DEVICES = "/api/v1/customers/7/devices"
ENTITY, BATCH = "/api/v2/entity", "/api/v2/batch"


def person(**fields: Any) -> dict[str, Any]:
    return {"type": "person", "action": "identify", "identifiers": {"id": "7"}, **fields}


TRACK = [
    pytest.param("POST", EVENTS, {"name": "buy", "data": []}, "track.event.data.not_object", id="data that is a list"),
    pytest.param("POST", EVENTS, {"name": "buy", "data": None}, "track.event.data.not_object", id="data that is null"),
    pytest.param("POST", EVENTS, {"name": "buy", "timestamp": "noon"}, "track.event.timestamp", id="a word as time"),
    pytest.param(
        "POST", EVENTS, {"name": "buy", "data": {"x": "y" * EVENT_DATA.strict}}, "track.event.data", id="too much data"
    ),
    pytest.param("PUT", DEVICES, {"device": {"platform": "ios"}}, "track.device", id="a device without a token"),
    pytest.param("PUT", DEVICES, {"device": {"id": "t", "platform": "fax"}}, "track.device", id="a fax"),
    pytest.param("PUT", "/api/v1/customers/7", [], "track.body", id="a body that is a list"),
    pytest.param("PUT", "/api/v1/customers/%ff", {}, "track.path", id="a path that is no UTF-8"),
    pytest.param("POST", "/unsubscribe/dlv", {"unsubscribe": "yes"}, "track.unsubscribe", id="an unsubscribe of yes"),
    pytest.param(
        "POST", "/api/v1/merge_customers", {"primary": {"id": "1"}}, "track.person.id.missing", id="half a merge"
    ),
    pytest.param("POST", ENTITY, person(identifiers={}), "track.person.id.missing", id="nobody"),
    pytest.param("POST", ENTITY, person(type="robot"), "track.v2.type", id="a type nobody knows"),
    pytest.param("POST", ENTITY, person(identifiers={"phone": "+41"}), "track.identifiers.disabled", id="a phone"),
    pytest.param("POST", BATCH, {"batch": []}, "track.v2.empty", id="an empty batch"),
    pytest.param("POST", BATCH, {"batch": ["x" * V2_BATCH.lenient]}, "track.v2.batch", id="too large a batch"),
]  # fmt: skip
APP = [
    pytest.param("POST", "/v1/segments", {"name": "vip"}, 400, "app.body", id="a segment without its wrapper"),
    pytest.param("POST", "/v1/customers", [], 400, "app.body", id="a search that is a list"),
    pytest.param("GET", "/v1/customers", None, 400, "app.parameter", id="a lookup of no address"),
    pytest.param(
        "GET", "/v1/customers/7/attributes?id_type=fax", None, 400, "app.id_type", id="an id_type nobody knows"
    ),
]


def rules(site: Site) -> list[str | None]:
    return [rule for _, _, rule in site.outcomes()]


@pytest.mark.parametrize(("method", "path", "document", "rule"), TRACK)
def test_track_refuses_by_rule(site: Site, method: str, path: str, document: Any, rule: str) -> None:
    assert site.track.request(method, path, json=document).status_code == 400
    assert rules(site) == [rule]
    assert site.people() == []


@pytest.mark.parametrize(("method", "path", "document", "status", "rule"), APP)
def test_the_app_api_refuses_by_rule(
    site: Site, method: str, path: str, document: Any, status: int, rule: str
) -> None:
    assert site.app.request(method, path, json=document).status_code == status
    assert rules(site) == [rule]


def test_a_metric_of_another_channel_is_dropped(site: Site) -> None:
    site.identify("7")
    site.hosted.state.deliveries.add(Delivery("sms1", "sms", site.cio_id("7"), 5))
    assert site.track.post("/api/v1/metrics", json={"delivery_id": "sms1", "metric": "spammed"}).status_code == 200
    assert rules(site) == ["delivery.metric"]


@pytest.mark.parametrize(("switch", "status"), [("400", 400), ("200", 200)])
def test_an_empty_batch_by_switch(live: Live, switch: str, status: int) -> None:
    site = live.site(settings={"batch_empty": switch})
    assert site.track.post(BATCH, json={"batch": []}).status_code == status


@pytest.mark.parametrize(("switch", "status"), [("allow", 204), ("reject", 400)])
def test_deleting_a_segment_in_use_by_switch(live: Live, switch: str, status: int) -> None:
    used = {"name": "vip", "used_by": {"campaigns": [4]}}
    site = live.site(settings={"delete_segment_in_use": switch}, seed={"segments": [used]})
    assert site.app.get("/v1/segments/1/used_by").json()["used_by"]["campaigns"] == [4]
    answer = site.app.delete("/v1/segments/1")
    assert answer.status_code == status
    assert rules(site) == ([None] if status == 204 else ["app.segment.in_use"])
