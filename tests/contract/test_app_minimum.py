"""App API over a real socket: what is answered in its documented shape, and holds nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fakeio.app_routes import ROUTES
from tests.contract import live as fixtures
from tests.contract.live import Live, Site

live, site = fixtures.live, fixtures.site

BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}
NOT_FOUND = {"errors": [{"detail": "not found", "status": "404"}]}
NO_RESOURCE = {"errors": [{"detail": "resource not found", "status": 404}]}
ULID = "01J8ZQ4T6W3M5N7P9R1S2T4V6X"


def ruled(site: Site) -> list[str | None]:
    return [rule for _, _, rule in site.outcomes()]


def test_the_table_says_which_routes_hold_nothing() -> None:
    rows = {(route.method, route.path): route for route in ROUTES}
    assert rows["GET", "/v1/assets"].minimum
    assert rows["POST", "/v1/live_notifications/start"].minimum
    assert rows["POST", "/v1/data_index/events"].minimum
    assert not rows["GET", "/v1/broadcasts/{broadcast_id}/actions/{action_id}"].minimum
    assert not rows["POST", "/v1/assets/files"].imitated


# ---- Design Studio and assets ----------------------------------------------------------------------------------------

PAGE = {"page": 1, "limit": 1000, "total": 0}
ANYWHERE = {"parent_folder_id": None, "direct_descendants_only": False}
RICH = {**ANYWHERE, "sort_by": "created", "sort_order": "asc",
        **dict.fromkeys(("created_before", "created_after", "updated_before", "updated_after"))}  # fmt: skip
LIBRARY: list[Any] = [
    pytest.param("/v1/design_studio/folders", ["folders"], RICH, id="folders"),
    pytest.param("/v1/design_studio/emails", ["emails", "folders"], RICH, id="emails"),
    pytest.param("/v1/design_studio/components", ["components", "folders"], RICH, id="components"),
    pytest.param("/v1/assets", ["assets"], ANYWHERE, id="assets"),
    pytest.param("/v1/assets/folders", ["folders"], ANYWHERE, id="folders of assets"),
]


@pytest.mark.parametrize(("path", "keys", "filters"), LIBRARY)
def test_a_library_is_empty(site: Site, path: str, keys: list[str], filters: dict[str, Any]) -> None:
    response = site.app.get(path)
    meta = {"pagination": PAGE, "filters": filters}
    assert (response.status_code, response.json()) == (200, {**{key: [] for key in keys}, "meta": meta})


def test_a_library_says_what_it_was_asked(site: Site) -> None:
    asked = "page=3&limit=20000&direct_descendants_only=true&sort_by=name&sort_order=desc&created_after=5"
    meta = site.app.get(f"/v1/design_studio/emails?{asked}").json()["meta"]
    assert meta["pagination"] == {"page": 3, "limit": 10_000, "total": 0}
    asked_for = {"direct_descendants_only": True, "sort_by": "name", "sort_order": "desc", "created_after": 5}
    assert meta["filters"] == {**RICH, **asked_for}
    assert site.app.get("/v1/assets?parent_folder_id=0").status_code == 200


@pytest.mark.parametrize("query", ["page=0", "limit=x", "sort_by=size", "sort_order=up", "created_before=then"])
def test_a_library_refuses_what_it_cannot_read(site: Site, query: str) -> None:
    response = site.app.get(f"/v1/design_studio/folders?{query}")
    assert (response.status_code, response.json(), ruled(site)) == (400, BAD_REQUEST, ["app.parameter"])


MISSING = [
    (method, path)
    for path in (
        "/v1/design_studio/folders/f", "/v1/design_studio/emails/e", "/v1/design_studio/emails/e/languages/fr",
        "/v1/design_studio/components/c", "/v1/assets/files/1", "/v1/assets/folders/1",
    )
    for method in ("GET", "PUT", "DELETE")
]  # fmt: skip
MISSING_TOO = [
    ("GET", "/v1/design_studio/emails/e/languages"), ("POST", "/v1/design_studio/emails/e/languages"),
    ("GET", "/v1/assets?parent_folder_id=5"), ("GET", "/v1/design_studio/emails?parent_folder_id=f"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), [*MISSING, *MISSING_TOO])
def test_nothing_of_a_library_exists(site: Site, method: str, path: str) -> None:
    response = site.app.request(method, path, json={"name": "x"})
    assert (response.status_code, response.json(), ruled(site)) == (404, NO_RESOURCE, ["app.not_found"])


# ---- descriptions of attributes and events ---------------------------------------------------------------------------

DESCRIBED: list[Any] = [
    pytest.param("attributes", {"attributes": [{"name": "plan", "description": "d" * 255, "privacy_level": 1}]},
                 id="an attribute"),
    pytest.param("attributes", {"attributes": [{"name": "plan"}] * 100}, id="a hundred attributes"),
    pytest.param("events", {"events": [{"name": "order"}]}, id="an event"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body"), DESCRIBED)
def test_a_description_is_taken_and_changes_nothing(site: Site, what: str, body: Any) -> None:
    site.identify("1", plan="pro")
    before = (site.people(), site.app.get("/v1/activities").json())
    response = site.app.post(f"/v1/data_index/{what}", json=body)
    assert (response.status_code, response.content, site.outcomes()) == (204, b"", [])
    assert (site.people(), site.app.get("/v1/activities").json()) == before


COUNTS = [
    pytest.param("attributes", [], "At least one attribute is required", id="no attributes"),
    pytest.param("events", [], "At least one event is required", id="no events"),
    pytest.param("attributes", [{"name": "x"}] * 101, "Can not update more than 100 attributes at once",
                 id="101 attributes"),
    pytest.param("events", [{"name": "x"}] * 101, "Can not update more than 100 events at once", id="101 events"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "rows", "text"), COUNTS)
def test_descriptions_come_in_hundreds(site: Site, what: str, rows: Any, text: str) -> None:
    response = site.app.post(f"/v1/data_index/{what}", json={what: rows})
    error = {"detail": text, "status": "422", "source": {"pointer": f"/data/attributes/{what}"}}
    assert (response.status_code, response.json(), ruled(site)) == (422, {"errors": [error]}, ["app.body"])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([], id="a list"),
        pytest.param({}, id="nothing"),
        pytest.param({"attributes": {"name": "x"}}, id="no list"),
        pytest.param({"attributes": ["x"]}, id="a text"),
        pytest.param({"attributes": [{"description": "x"}]}, id="no name"),
        pytest.param({"attributes": [{"name": "x", "description": "d" * 256}]}, id="too long a description"),
        pytest.param({"attributes": [{"name": "x", "privacy_level": 2}]}, id="an unknown level of privacy"),
        pytest.param({"attributes": [{"name": "x", "privacy_level": True}]}, id="privacy as truth"),
    ],
)
def test_a_description_is_refused(site: Site, body: Any) -> None:
    response = site.app.post("/v1/data_index/attributes", json=body)
    assert (response.status_code, response.json(), ruled(site)) == (400, BAD_REQUEST, ["app.body"])


# ---- live notifications ----------------------------------------------------------------------------------------------

START: dict[str, Any] = {
    "identifiers": {"id": "1"}, "notification_type": "com.example.order", "platform": "ios", "attributes": {"n": 1},
    "content_state": {"status": "packed"}, "push_payload": {"alert": {"title": "t", "body": "b"}},
}  # fmt: skip
LIVE = [
    pytest.param("/v1/live_notifications/start", START, id="a start"),
    pytest.param("/v1/live_notifications/start", {**START, "platform": None, "push_payload": None}, id="no alert"),
    pytest.param("/v1/live_notifications/update", {"instance_id": ULID, "content_state": {"n": 1}}, id="an update"),
    pytest.param("/v1/live_notifications/end", {"instance_id": ULID}, id="an end"),
]


@pytest.mark.parametrize(("path", "body"), LIVE)
def test_live_notifications_are_not_enabled(site: Site, path: str, body: Any) -> None:
    response = site.app.post(path, json=body)
    assert (response.status_code, response.json(), ruled(site)) == (404, NOT_FOUND, ["app.not_found"])


MALFORMED: list[Any] = [
    pytest.param("start", [], id="a list"),
    pytest.param("start", {**START, "identifiers": {}}, id="nobody"),
    pytest.param("start", {**START, "identifiers": {"id": "1", "email": "a@example.com"}}, id="two names"),
    pytest.param("start", {**START, "notification_type": ""}, id="no type"),
    pytest.param("start", {**START, "platform": "web"}, id="an unknown platform"),
    pytest.param("start", {**START, "attributes": {}}, id="no attributes"),
    pytest.param("start", {**START, "content_state": None}, id="no state"),
    pytest.param("start", {**START, "push_payload": None}, id="no alert on iOS"),
    pytest.param("start", {**START, "push_payload": {"alert": {"title": "t"}}}, id="an alert without a body"),
    pytest.param("start", {**START, "platform": None, "push_payload": []}, id="a payload that is a list"),
    pytest.param("update", {"instance_id": "1", "content_state": {"a": 1}}, id="no ULID"),
    pytest.param("update", {"instance_id": ULID}, id="nothing to update"),
    pytest.param("end", {"instance_id": ULID, "push_payload": {"alert": {}}}, id="an end with an empty alert"),
]


@pytest.mark.parametrize(("word", "body"), MALFORMED)
def test_a_malformed_live_notification_is_told_so(site: Site, word: str, body: Any) -> None:
    response = site.app.post(f"/v1/live_notifications/{word}", json=body)
    assert (response.status_code, response.json(), ruled(site)) == (400, BAD_REQUEST, ["app.body"])


@pytest.mark.parametrize(("instance", "status", "rule"), [(ULID, 404, "app.not_found"), ("1", 400, "app.parameter")])
def test_there_is_no_live_notification(site: Site, instance: str, status: int, rule: str) -> None:
    response = site.app.get(f"/v1/live_notifications/{instance}")
    assert (response.status_code, ruled(site)) == (status, [rule])


# ---- the subscription center -----------------------------------------------------------------------------------------


def test_there_are_no_channels(site: Site) -> None:
    assert site.app.get("/v1/subscription_channels").json() == {"channels": []}


@pytest.mark.parametrize("name", ["u1", "a%40example.com"])
def test_a_link_to_somebodys_preferences_is_made(site: Site, name: str) -> None:
    site.identify("u1", email="a@example.com")
    first, second = (site.app.get(f"/v1/subscription_center/{name}/token").json() for _ in range(2))
    assert re.fullmatch(r"[\w-]{40,}", first["token"])
    assert (first["url"], list(first)) == (f"{site.live.url}/u/i/{first['token']}/", ["token", "url"])
    assert first != second


@pytest.mark.parametrize(("host", "origin"), [("api", "https://track"), ("api-eu", "https://track-eu")])
def test_behind_a_real_host_the_page_is_where_pages_are(live: Live, host: str, origin: str) -> None:
    site = live.site(region="eu" if host == "api-eu" else "us", seed={"people": [{"id": "u1"}]})
    headers = {"host": f"{host}.customer.io"}
    made = site.app.get("/v1/subscription_center/u1/token", headers=headers).json()
    assert made["url"].startswith(f"{origin}.customer.io/u/i/")


@pytest.mark.parametrize(("identifiers", "name"), [("email_or_id", "nobody"), ("id", "a%40example.com")])
def test_nobody_has_no_link(live: Live, identifiers: str, name: str) -> None:
    person = {"id": "u1", "email": "a@example.com"}
    site = live.site(settings={"identifiers": identifiers}, seed={"people": [person]})
    response = site.app.get(f"/v1/subscription_center/{name}/token")
    assert (response.status_code, response.json(), ruled(site)) == (400, BAD_REQUEST, ["app.not_found"])


# ---- what hangs on a campaign or a newsletter ------------------------------------------------------------------------

BELOW = [
    ("GET", "/v1/campaigns/1/actions/2/language/fr"), ("PUT", "/v1/campaigns/1/actions/2/language/fr"),
    ("GET", "/v1/campaigns/1/actions/2/metrics"), ("GET", "/v1/campaigns/1/actions/2/metrics/links"),
    ("GET", "/v1/newsletters/1/contents/2"), ("PUT", "/v1/newsletters/1/contents/2"),
    ("GET", "/v1/newsletters/1/contents/2/metrics"), ("GET", "/v1/newsletters/1/contents/2/metrics/links"),
    ("GET", "/v1/newsletters/1/metrics/links"), ("POST", "/v1/newsletters/1/language"),
    ("GET", "/v1/newsletters/1/language/fr"), ("PUT", "/v1/newsletters/1/language/fr"),
    ("DELETE", "/v1/newsletters/1/language/fr"), ("GET", "/v1/newsletters/1/test_groups"),
    ("POST", "/v1/newsletters/1/test_groups"), ("POST", "/v1/newsletters/1/test_group/3/language"),
    ("GET", "/v1/newsletters/1/test_group/3/language/fr"), ("PUT", "/v1/newsletters/1/test_group/3/language/fr"),
    ("DELETE", "/v1/newsletters/1/test_group/3/language/fr"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), BELOW)
def test_there_is_nothing_below_what_there_is_not(site: Site, method: str, path: str) -> None:
    response = site.app.request(method, path)
    assert (response.status_code, response.json(), ruled(site)) == (404, NOT_FOUND, ["app.not_found"])
