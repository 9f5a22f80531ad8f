"""App API over a real socket: what holds for all of its operations at once, by header or by switch."""

from __future__ import annotations

from typing import Any

import pytest

from fakeio.app_routes import ROUTES
from fakeio.core.settings import CATALOGUE
from fakeio.edge.app_api.strictness import ANY_KEYS, KEYS
from fakeio.edge.routing import APP
from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract.live import Live, Site

live, site = fixtures.live, fixtures.site

PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}


# ---- strict bodies ---------------------------------------------------------------------------------------------------

BODIES = [
    pytest.param("/v1/segments", {"segment": {"name": "A"}}, {"segment": {"name": "A", "color": 1}}, "segment.color",
                 id="segment, inside"),
    pytest.param("/v1/segments", {"segment": {"name": "A"}}, {"segment": {"name": "A"}, "x": 1}, "x", id="segment"),
    pytest.param("/v1/segments", {"segment": {"name": "A"}}, {"segment": {"name": "A"}, "segment.name": "B"},
                 "segment.name", id="a key with a dot is no path"),
    pytest.param("/v1/customers", {"filter": PRO}, {"filter": PRO, "sort": "id"}, "sort", id="search"),
    pytest.param("/v1/customers/attributes", {"ids": []}, {"ids": [], "id_type": "email"}, "id_type", id="profiles"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "known", "more", "key"), BODIES)
def test_unknown_keys_are_ignored_unless_the_request_is_strict(
    site: Site, path: str, known: Any, more: Any, key: str
) -> None:
    assert site.app.post(path, json=more).status_code == 200
    strict = {"X-Validate": "strict"}
    assert site.app.post(path, json=known, headers=strict).status_code == 200
    refused = site.app.post(path, json=more, headers=strict)
    error = {"detail": f'unknown field "{key}"', "status": "400"}
    assert (refused.status_code, refused.json()) == (400, {"errors": [error]})
    assert [outcome[1:] for outcome in site.outcomes()] == [("refused", "app.unknown_key")]


def test_a_strict_send_is_refused_in_the_words_of_sends(site: Site) -> None:
    body = {"to": "a@example.com", "subject": "s", "body": "b", "from": "c@example.com", "priority": 1}
    refused = site.app.post("/v1/send/email", json=body, headers={"X-Validate": "strict"})
    assert (refused.status_code, refused.json()) == (400, {"meta": {"error": 'unknown field "priority"'}})
    assert site.app.post("/v1/send/email", json=body).status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"ids":5}'])
def test_a_strict_request_without_an_object_is_refused_as_ever(site: Site, body: bytes) -> None:
    asked = [site.app.post("/v1/customers/attributes", content=body, headers=headers)
             for headers in ({}, {"X-Validate": "strict"})]  # fmt: skip
    assert {(answer.status_code, answer.content) for answer in asked} == {
        (400, b'{"errors":[{"detail":"bad request","status":"400"}]}')
    }


def test_the_keys_of_every_imitated_body_are_known() -> None:
    with_body = {route.operation for route in ROUTES
                 if route.imitated and not route.minimum and route.api == APP and route.method in ("POST", "PUT")}
    assert with_body - KEYS.keys() - ANY_KEYS == set()


# ---- what a key may do -----------------------------------------------------------------------------------------------

EMAIL = {"to": "a@example.com", "subject": "s", "body": "b", "from": "c@example.com"}
SCOPES: list[tuple[str, str, Any, set[str]]] = [
    ("GET", "/v1/segments", None, {"all", "read", "no_people"}),
    ("POST", "/v1/segments", {"segment": {"name": "A"}}, {"all", "no_people"}),
    ("GET", "/v1/customers?email=x", None, {"all", "read"}),
    ("POST", "/v1/customers", {"filter": PRO}, {"all", "read"}),
    ("POST", "/v1/customers/attributes", {"ids": []}, {"all", "read"}),
    ("GET", "/v1/activities", None, {"all", "read"}),
    ("GET", "/v1/subscription_center/1/token", None, {"all", "read"}),
    ("POST", "/v1/send/email", EMAIL, {"all", "send", "no_people"}),
]


@pytest.mark.parametrize("scope", ["all", "read", "send", "no_people"])
def test_a_key_is_forbidden_what_it_was_not_made_for(live: Live, scope: str) -> None:
    site = live.site(settings={"app_key_scope": scope}, seed={"people": [{"id": "1"}]})
    for method, path, body, scopes in SCOPES:
        response = site.app.request(method, path, json=body)
        assert response.status_code == (200 if scope in scopes else 403), path
        if scope not in scopes:
            sends = path.startswith("/v1/send/")
            usual = {"errors": [{"detail": "forbidden", "status": "403"}]}
            assert response.json() == ({"meta": {"error": "forbidden"}} if sends else usual)
            assert [outcome[1:] for outcome in site.outcomes()] == [("refused", "app.scope")]


def test_a_stranger_is_unauthorized_whatever_the_scope(live: Live) -> None:
    site = live.site(settings={"app_key_scope": "send"})
    assert plain.get(f"{live.url}/v1/segments").status_code == 401
    assert site.identify("1").status_code == 200


# ---- references ------------------------------------------------------------------------------------------------------


def test_errors_end_with_a_reference_to_the_tape_by_switch(live: Live) -> None:
    site = live.site(settings={"error_reference": "on", "rate_limits": "enforced", "app_rate_limit": 4})
    site.stop_clock()
    asked = [("GET", "/v1/segments/9", "not found"), ("POST", "/v1/segments", "bad request"),
             ("PUT", "/v1/segments", "method not allowed"), ("GET", "/v1/segments", "rate limited to")]  # fmt: skip
    site.app.get("/v1/segments")
    site.app.get("/v1/segments")
    for method, path, detail in asked:
        [error] = site.app.request(method, path).json()["errors"]
        assert error["detail"].startswith(detail)
        assert error["detail"].endswith(f" (reference {site.last().n:06x})")
        assert error["detail"].count("reference") == 1
    assert site.app.get("/v1/workspaces").status_code == 200


def test_a_pointer_stays_beside_its_reference(live: Live) -> None:
    site = live.site(settings={"error_reference": "on"})
    [error] = site.app.post("/v1/customers", json={"filter": {"nor": []}}).json()["errors"]
    assert error["source"] == {"pointer": "/filter/nor"}
    assert error["detail"].endswith("(reference 000001)")


def test_sends_and_track_have_no_references(live: Live) -> None:
    site = live.site(settings={"error_reference": "on"})
    assert site.app.post("/v1/send/email", json={}).json()["meta"]["error"].startswith("Missing required field")
    assert "reference" not in site.track.post("/api/v1/customers/1/events", json={}).text


# ---- empty lists -----------------------------------------------------------------------------------------------------

LISTS: list[tuple[str, str, Any, list[str]]] = [
    ("GET", "/v1/segments", None, ["segments"]),
    ("GET", "/v1/activities", None, ["activities"]),
    ("POST", "/v1/customers/attributes", {"ids": []}, ["customers"]),
    ("POST", "/v1/customers", {"filter": PRO}, ["identifiers", "ids"]),
]


@pytest.mark.parametrize(("switch", "empty"), [("list", []), ("null", None)])
def test_empty_lists_are_lists_or_null(live: Live, switch: str, empty: Any) -> None:
    site = live.site(settings={"empty_lists": switch})
    for method, path, body, keys in LISTS:
        answer = site.app.request(method, path, json=body).json()
        assert {key: answer[key] for key in keys} == dict.fromkeys(keys, empty)
    assert site.app.get("/v1/customers?email=x").json() == {"results": []}
    site.app.post("/v1/segments", json={"segment": {"name": "A"}})
    assert len(site.app.get("/v1/segments").json()["segments"]) == 1


# ---- Pipelines -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", CATALOGUE["pipelines_limits"].choices)
def test_a_switch_of_pipelines_can_be_set_and_decides_nothing_while_its_calls_are_unknown(
    live: Live, size: str
) -> None:
    site = live.site(settings={"pipelines_limits": size})
    key = (site.hosted.credentials.pipelines_write_key, "")
    answer = plain.post(f"{live.url}/v1/identify", auth=key, json={"userId": "1"})
    assert (answer.status_code, answer.json()) == (404, {"errors": [{"detail": "not found", "status": "404"}]})
    assert site.hosted.state.settings.pipelines_limits == size
