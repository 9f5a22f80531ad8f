"""App API over a real socket: objects, suppressed addresses, and what is answered with an empty list."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

AT = int(NOW)
OBJECTS: list[dict[str, Any]] = [
    {"object_type_id": "1", "object_id": "acme", "attributes": {"plan": "pro", "seats": 5},
     "relationships": [{"id": "1", "attributes": {"role": "owner"}}, {"id": "2"}]},
    {"object_type_id": "1", "object_id": "beta", "attributes": {"plan": "free"}},
    {"object_type_id": "1", "object_id": "core", "attributes": {"plan": "pro"}},
    {"object_type_id": "2", "object_id": "acme"},
]  # fmt: skip


@pytest.fixture
def firm(live: Live) -> Site:
    """A workspace with a few companies and two people."""
    return live.site(seed={"people": [{"id": "1"}, {"id": "2", "email": "b@x.io"}], "objects": OBJECTS})


# ---- objects ---------------------------------------------------------------------------------------------------------


def test_types_of_objects_have_text_ids(site: Site) -> None:
    company = {
        "id": "1", "name": "Companies", "singular_name": "Company", "slug": "companies", "singular_slug": "company",
        "icon": "cube", "enabled": True,
    }  # fmt: skip
    assert site.app.get("/v1/object_types").json() == {"types": [company]}


def search(site: Site, filter: Any, query: str = "", **body: Any) -> httpx.Response:
    return site.app.post(f"/v1/objects{query}", json={"object_type_id": "1", "filter": filter, **body})


def leaf(field: str, operator: str = "exists", **more: Any) -> dict[str, Any]:
    return {"object_attribute": {"field": field, "operator": operator, "type_id": "1", **more}}


FILTERS = [
    pytest.param(leaf("plan", "eq", value="pro"), ["acme", "core"], id="eq"),
    pytest.param(leaf("seats", "eq", value=5), ["acme"], id="a number, compared as text"),
    pytest.param(leaf("seats"), ["acme"], id="exists"),
    pytest.param(leaf("object_id", "eq", value="beta"), ["beta"], id="by id"),
    pytest.param({"not": leaf("plan", "eq", value="pro")}, ["beta"], id="not"),
    pytest.param({"and": [leaf("plan", "eq", value="pro"), leaf("seats")]}, ["acme"], id="and"),
    pytest.param({"or": [leaf("plan", "eq", value="free"), leaf("seats")]}, ["acme", "beta"], id="or"),
    pytest.param(leaf("plan", type_id="2"), [], id="a leaf about another type"),
]


@pytest.mark.parametrize(("wanted", "ids"), FILTERS)
def test_a_filter_finds(firm: Site, wanted: Any, ids: list[str]) -> None:
    response = search(firm, wanted)
    assert (response.status_code, response.json()["ids"], response.json()["next"]) == (200, ids, "")
    assert [one["object_id"] for one in response.json()["identifiers"]] == ids


BAD_FILTERS = [
    pytest.param({}, id="nothing"), pytest.param([], id="a list"), pytest.param({"and": {}}, id="and of an object"),
    pytest.param({"plan": "pro"}, id="a bare attribute"), pytest.param(leaf("plan", "gt", value=1), id="gt"),
    pytest.param(leaf("plan", "eq"), id="eq without a value"), pytest.param({"object_attribute": {}}, id="no field"),
    pytest.param({"object_attribute": {"field": "a", "operator": "exists"}}, id="no type"),
    pytest.param({"and": [leaf("a")], "or": []}, id="two keys at the top"),
    pytest.param({"and": [{}]}, id="an empty condition"),
]  # fmt: skip


@pytest.mark.parametrize("wanted", BAD_FILTERS)
def test_a_bad_filter_of_objects_is_refused(firm: Site, wanted: Any) -> None:
    response = search(firm, wanted)
    assert response.status_code == 422
    assert response.json()["errors"][0]["source"]["pointer"].startswith("/filter")
    assert [told for _, _, told in firm.outcomes()] == ["app.filter"]


def test_a_bomb_of_a_filter_is_refused(firm: Site) -> None:
    wanted: Any = leaf("a")
    for _ in range(40):
        wanted = {"not": wanted}
    assert search(firm, wanted).status_code == 422


def test_a_search_of_objects_names_a_type_and_comes_in_pages(firm: Site) -> None:
    assert search(firm, leaf("plan"), object_type_id=None).status_code == 400
    assert firm.app.post("/v1/objects", content=b"").status_code == 400
    first = search(firm, leaf("plan"), "?limit=2").json()
    assert first["ids"] == ["acme", "beta"]
    assert search(firm, leaf("plan"), f"?limit=2&start={first['next']}").json()["ids"] == ["core"]


def test_an_object_is_shown_by_either_name(firm: Site) -> None:
    response = firm.app.get("/v1/objects/1/acme/attributes")
    shown = response.json()["object"]
    assert shown["attributes"] == {"plan": "pro", "seats": "5"}
    assert (list(shown["timestamps"]), shown["object_type_disabled"]) == (["plan", "seats"], False)
    cio_object_id = shown["identifiers"]["cio_object_id"]
    assert firm.app.get(f"/v1/objects/1/{cio_object_id}/attributes?id_type=cio_object_id").json() == response.json()


def test_the_people_of_an_object_come_in_pages(firm: Site) -> None:
    path = "/v1/objects/1/acme/relationships"
    first = firm.app.get(path, params={"limit": 1}).json()
    [owner] = first["cio_relationships"]
    assert (owner["identifiers"]["id"], owner["attributes"]) == ("1", {"role": "owner"})
    second = firm.app.get(path, params={"limit": 1, "start": first["next"]}).json()
    assert ([one["identifiers"]["id"] for one in second["cio_relationships"]], second["next"]) == (["2"], "")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/objects/1/none/attributes", 404), ("/v1/objects/1/none/relationships", 404),
        ("/v1/objects/9/acme/attributes", 404), ("/v1/objects/1/acme/attributes?id_type=name", 400),
        ("/v1/objects/1/acme/relationships?limit=x", 400),
    ],
)  # fmt: skip
def test_there_is_nothing_of_an_object_that_is_not(firm: Site, path: str, status: int) -> None:
    assert firm.app.get(path).status_code == status


def test_a_workspace_counts_its_objects_and_messages(firm: Site) -> None:
    text = {"to": "a@b.cd", "subject": "s", "body": "b", "from": "c@d.ef", "identifiers": {"id": "1"}}
    firm.app.post("/v1/send/email", json=text)
    firm.app.get("/v1/segments")
    [counts] = firm.app.get("/v1/workspaces").json()["workspaces"]
    assert (counts["messages_sent"], counts["object_types"], counts["objects"], counts["people"]) == (1, 2, 4, 2)


# ---- addresses that the mail provider suppresses ---------------------------------------------------------------------


def test_an_address_is_suppressed_and_freed(site: Site) -> None:
    site.stop_clock()
    row = {"created": AT, "email": "X@ex.com", "reason": "Uploaded manually via api.customer.io", "status": "550"}
    added = site.app.post("/v1/esp/suppression/spam_reports/X%40ex.com")
    assert (added.status_code, added.json()) == (200, {})
    assert site.app.get("/v1/esp/search_suppression/x%40ex.com").json() == {"category": "spam", "suppressions": [row]}
    assert site.app.get("/v1/esp/suppression/spam_reports").json() == {"category": "spam", "suppressions": [row]}
    assert site.app.get("/v1/esp/suppression/bounces").json() == {"category": "bounces", "suppressions": []}
    site.app.post("/v1/esp/suppression/spam_reports/x%40ex.com")
    assert site.outcomes() == [("suppress_address", "ignored", "address.unchanged")]
    assert site.app.delete("/v1/esp/suppression/spam_reports/x%40EX.com").status_code == 204
    assert site.app.delete("/v1/esp/suppression/spam_reports/x%40ex.com").status_code == 204
    assert site.outcomes() == [("unsuppress_address", "ignored", "address.unchanged")]
    assert site.app.get("/v1/esp/search_suppression/x%40ex.com").json()["suppressions"] == []


def emails(response: httpx.Response) -> list[str]:
    return [row["email"] for row in response.json()["suppressions"]]


def test_a_list_comes_by_offset_and_a_domain_by_cursor(site: Site) -> None:
    names = ["a@x.io", "b@y.io", "c@x.io", "d@x.io"]
    for name in names:
        site.app.post(f"/v1/esp/suppression/blocks/{name}")
    path, domain = "/v1/esp/suppression/blocks", "/v1/esp/domains/X.io/suppression/blocks"
    assert emails(site.app.get(path, params={"limit": 2, "offset": 1})) == ["b@y.io", "c@x.io"]
    assert emails(site.app.get(path, params={"domain": "y.io"})) == ["b@y.io"]
    assert site.app.get(path, params={"offset": "-1"}).status_code == 400
    first = site.app.get(domain, params={"limit": 2})
    assert emails(first) == ["a@x.io", "c@x.io"]
    last = site.app.get(domain, params={"limit": 2, "start": first.json()["next"]})
    assert (emails(last), last.json()["next"]) == (["d@x.io"], "")
    one = site.app.get(domain, params={"email": "C@x.io"})
    assert (emails(one), "next" in one.json()) == (["c@x.io"], False)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/esp/suppression/typos"), ("POST", "/v1/esp/suppression/typos/a"),
        ("DELETE", "/v1/esp/suppression/typos/a"), ("GET", "/v1/esp/domains/x.io/suppression/typos"),
        ("GET", "/v1/esp_suppression/bounces"),
    ],
)  # fmt: skip
def test_there_is_no_such_list(site: Site, method: str, path: str) -> None:
    assert site.app.request(method, path).status_code == 404


# ---- the least that is true ------------------------------------------------------------------------------------------


def test_addresses_of_senders_need_no_key(live: Live) -> None:
    response = plain.get(f"{live.url}/v1/info/ip_addresses")
    assert (response.status_code, response.json()) == (200, {"ip_addresses": ["192.0.2.10", "192.0.2.11"]})


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/v1/campaigns", {"campaigns": []}),
        ("/v1/sender_identities", {"sender_identities": [], "next": ""}),
    ],
)  # fmt: skip
def test_a_list_of_what_there_is_not_is_empty(site: Site, path: str, answer: Any) -> None:
    assert site.app.get(path).json() == answer


NOTHING = [
    ("GET", "/v1/campaigns/1"), ("GET", "/v1/campaigns/1/actions"), ("GET", "/v1/campaigns/1/actions/2"),
    ("PUT", "/v1/campaigns/1/actions/2"), ("GET", "/v1/campaigns/1/metrics"), ("GET", "/v1/campaigns/1/metrics/links"),
    ("GET", "/v1/campaigns/1/journey_metrics"), ("GET", "/v1/campaigns/1/messages"),
    ("GET", "/v1/sender_identities/1"),
    ("GET", "/v1/sender_identities/1/used_by"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), NOTHING)
def test_what_there_is_not_is_not_found(site: Site, method: str, path: str) -> None:
    response = site.app.request(method, path)
    assert (response.status_code, response.json()) == (404, {"errors": [{"detail": "not found", "status": "404"}]})
    assert [told for _, _, told in site.outcomes()] == ["app.not_found"]
