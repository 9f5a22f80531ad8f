"""App API over a real socket: finding people by email and by filter, reading a profile, and the limits of a page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

NOT_FOUND = {"errors": [{"detail": "not found", "status": "404"}]}
BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}


# ---- by email --------------------------------------------------------------------------------------------------------


def test_nobody_with_an_email_is_an_empty_list(site: Site) -> None:
    response = site.app.get("/v1/customers?email=nobody%40example.com")
    assert (response.status_code, response.content) == (200, b'{"results":[]}')


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("email=a%2Bb%40example.com", True, id="escaped"),
        pytest.param("email=A%2BB%40EXAMPLE.com", True, id="in another case"),
        pytest.param("email=a+b%40example.com", False, id="a raw plus is a space"),
        pytest.param("limit=5&email=a%2Bb%40example.com", True, id="among other parameters"),
    ],
)
def test_an_email_is_found(site: Site, query: str, found: bool) -> None:
    site.identify("a+b@example.com")
    row = {"email": "a+b@example.com", "id": None, "cio_id": site.cio_id("a+b@example.com")}
    response = site.app.get(f"/v1/customers?{query}")
    assert (response.status_code, response.json()) == (200, {"results": [row] if found else []})


def test_people_may_share_an_email_that_identifies_nobody(live: Live) -> None:
    site = live.site(settings={"identifiers": "id"})
    site.identify("1", email="a@example.com")
    site.identify("2", email="A@example.com")
    rows = site.app.get("/v1/customers?email=a%40example.com").json()["results"]
    assert [(row["id"], row["email"]) for row in rows] == [("1", "a@example.com"), ("2", "A@example.com")]


@pytest.mark.parametrize("query", [pytest.param("", id="left out"), pytest.param("?email=", id="empty")])
def test_the_email_is_needed(site: Site, query: str) -> None:
    response = site.app.get(f"/v1/customers{query}")
    assert (response.status_code, response.json()) == (400, BAD_REQUEST)


# ---- by filter -------------------------------------------------------------------------------------------------------

PEOPLE = [
    {"id": "1", "email": "a@example.com", "attributes": {"plan": "pro", "age": 42, "vip": True}},
    {"id": "2", "attributes": {"plan": "free"}},
    {"email": "c@example.com", "attributes": {"plan": "pro"}},
]


@pytest.fixture(scope="module")
def crowd(live: Live) -> Site:
    """Three people; segment 1 holds the first two."""
    segment = {"name": "A", "members": [{"id": "1"}, {"id": "2"}]}
    return live.site(seed={"people": PEOPLE, "segments": [segment]})


def attribute(field: str, operator: str, *value: Any) -> dict[str, Any]:
    condition = {"field": field, "operator": operator}
    return {"attribute": condition | ({"value": value[0]} if value else {})}


PRO = attribute("plan", "eq", "pro")
EVERYBODY = ["1", "2", ""]
FILTERS = [
    pytest.param(PRO, ["1", ""], id="an attribute"),
    pytest.param(attribute("age", "eq", 42), ["1"], id="a number against a number"),
    pytest.param(attribute("age", "eq", "42"), ["1"], id="a number against its text"),
    pytest.param(attribute("vip", "eq", True), ["1"], id="a truth value"),
    pytest.param(attribute("cio_id", "exists"), EVERYBODY, id="everybody has a cio_id"),
    pytest.param(attribute("email", "exists"), ["1", ""], id="those with an email"),
    pytest.param(attribute("id", "eq", "2"), ["2"], id="an id"),
    pytest.param(attribute("email", "eq", "C@example.com"), [""], id="an email in another case"),
    pytest.param({"segment": {"id": 1}}, ["1", "2"], id="a segment"),
    pytest.param({"segment": {"id": 0}}, [], id="an unknown segment is nobody, not an error"),
    pytest.param({"not": PRO}, ["2"], id="not"),
    pytest.param({"and": [PRO, {"segment": {"id": 1}}]}, ["1"], id="and"),
    pytest.param({"or": [attribute("id", "eq", "2"), PRO]}, EVERYBODY, id="or"),
    pytest.param({"and": [{"segment": {"id": 1}, "not": PRO}]}, ["2"], id="several keys in one node mean and"),
    pytest.param({"or": [attribute("id", "eq", str(n)) for n in range(1000)]}, ["1", "2"], id="a thousand terms"),
]


@pytest.mark.parametrize(("wanted", "ids"), FILTERS)
def test_a_filter_finds(crowd: Site, wanted: dict[str, Any], ids: list[str]) -> None:
    response = crowd.app.post("/v1/customers?limit=1000", json={"filter": wanted})
    assert (response.status_code, response.json()["ids"]) == (200, ids)


def test_a_match_has_every_identifier(crowd: Site) -> None:
    assert crowd.app.post("/v1/customers", json={"filter": PRO}).json() == {
        "identifiers": [
            {"cio_id": crowd.cio_id("1"), "id": "1", "email": "a@example.com"},
            {"cio_id": crowd.cio_id("c@example.com"), "id": None, "email": "c@example.com"},
        ],
        "ids": ["1", ""],
        "next": "",
    }


BAD_FILTERS = [
    pytest.param(attribute("age", "gt", 4), "/filter/attribute/operator", id="an unknown operator"),
    pytest.param(attribute("plan", "eq"), "/filter/attribute/value", id="eq without a value"),
    pytest.param({"not": [PRO]}, "/filter/not", id="not with a list"),
    pytest.param({"and": PRO}, "/filter/and", id="and without a list"),
    pytest.param({"and": [PRO], "or": [PRO]}, "/filter", id="two keys at the top"),
    pytest.param({"nor": [PRO]}, "/filter/nor", id="an unknown key"),
    pytest.param({"segment": {"id": "1"}}, "/filter/segment/id", id="a segment id in quotes"),
]


@pytest.mark.parametrize(("wanted", "pointer"), BAD_FILTERS)
def test_a_filter_that_breaks_the_grammar(live: Live, crowd: Site, wanted: dict[str, Any], pointer: str) -> None:
    response = crowd.app.post("/v1/customers", json={"filter": wanted})
    [error] = response.json()["errors"]
    assert (response.status_code, error["status"], error["source"]) == (422, "422", {"pointer": pointer})


def test_by_switch_such_a_filter_is_a_bad_request(live: Live) -> None:
    site = live.site(settings={"bad_filter_status": "400"})
    assert site.app.post("/v1/customers", json={"filter": {"nor": []}}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="no filter"),
        pytest.param(b'{"filter":{}}', id="an empty filter"),
        pytest.param(b'{"filter":[]}', id="a list"),
        pytest.param(b"[]", id="a list alone"),
        pytest.param(b"", id="no body"),
        pytest.param(b'{"filter":' + b'{"not":' * 5000 + b"{}" + b"}" * 5001, id="a bomb of brackets"),
    ],
)
def test_a_search_needs_a_filter(crowd: Site, body: bytes) -> None:
    response = crowd.app.post("/v1/customers", content=body)
    assert (response.status_code, response.json()) == (400, BAD_REQUEST)


@pytest.mark.parametrize(
    ("query", "sizes"),
    [
        pytest.param({}, [50] * 24, id="fifty unless asked"),
        pytest.param({"limit": "500"}, [500, 500, 200], id="more when asked"),
        pytest.param({"limit": "5000"}, [1000, 200], id="more than the most is the most"),
    ],
)
def test_pages_of_a_search(live: Live, query: dict[str, str], sizes: list[int]) -> None:
    site = live.site(seed={"people": [{"id": f"u{n}"} for n in range(1200)]})
    everybody, start = {"filter": attribute("cio_id", "exists")}, ""
    found: list[list[str]] = []
    while not found or start:
        page = site.app.post("/v1/customers", params=query | ({"start": start} if start else {}), json=everybody).json()
        found.append(page["ids"])
        start = page["next"]
    assert [len(page) for page in found] == sizes
    assert [one for page in found for one in page] == [f"u{n}" for n in range(1200)]


# ---- one profile -----------------------------------------------------------------------------------------------------


def test_a_profile_shows_every_attribute_as_text(site: Site) -> None:
    site.stop_clock()
    site.identify("u1", email="a@example.com", plan="pro", created_at=1489014595, revenue=42, rate=0.5, vip=True)
    site.hosted.clock.advance(10)
    site.identify("u1", plan="basic", nested={"b": [1, "é"]})
    device = {"id": "tok", "platform": "ios", "last_used": 5, "attributes": {"push_enabled": "true", "n": 7}}
    site.track.put("/api/v1/customers/u1/devices", json={"device": device})
    cio_id, first, later = site.cio_id("u1"), int(NOW), int(NOW) + 10
    assert site.app.get("/v1/customers/u1/attributes").json() == {
        "customer": {
            "id": "u1",
            "identifiers": {"id": "u1", "email": "a@example.com", "cio_id": cio_id},
            "attributes": {
                "id": "u1", "email": "a@example.com", "cio_id": cio_id, "plan": "basic", "created_at": "1489014595",
                "revenue": "42", "rate": "0.5", "vip": "true", "nested": '{"b":[1,"é"]}',
            },
            "timestamps": {
                "id": first, "email": first, "cio_id": first, "plan": later, "created_at": first, "revenue": first,
                "rate": first, "vip": first, "nested": later,
            },
            "unsubscribed": False,
            "devices": [
                {"id": "tok", "platform": "ios", "last_used": 5,
                 "attributes": {"_last_status": "", "push_enabled": "true", "n": "7"}},
            ],
        }
    }  # fmt: skip


def test_topic_preferences_are_text_too_and_come_computed(site: Site) -> None:
    site.identify("u1", cio_subscription_preferences={"topics": {"topic_7": False}})
    customer = site.app.get("/v1/customers/u1/attributes").json()["customer"]
    text = '{"topics":{"topic_7":false}}'
    assert customer["attributes"]["cio_subscription_preferences"] == text
    assert customer["attributes"]["_cio_subscription_preferences_computed"] == text
    assert customer["timestamps"]["_cio_subscription_preferences_computed"] == 0


LOOKUPS = [
    pytest.param({}, "u1", "", 200, id="an id"),
    pytest.param({}, "a%40example.com", "", 404, id="an email is an id unless said"),
    pytest.param({}, "a%40example.com", "?id_type=email", 200, id="an email, said"),
    pytest.param({}, "A%40EXAMPLE.COM", "?id_type=email", 200, id="an email in another case"),
    pytest.param({}, "cio_a3000001", "?id_type=cio_id", 200, id="a cio_id with its prefix"),
    pytest.param({}, "a3000001", "?id_type=cio_id", 404, id="a cio_id without its prefix"),
    pytest.param({}, "cio_", "?id_type=cio_id", 404, id="a prefix alone"),
    pytest.param({}, "u1", "?id_type=email", 404, id="the wrong type looks like nobody"),
    pytest.param({}, "u1", "?id_type=name", 400, id="an unknown type"),
    pytest.param({}, "%2B14155552671", "?id_type=phone", 400, id="a phone where phones identify nobody"),
    pytest.param({"phone_identifier": True}, "%2B14155552671", "?id_type=phone", 200, id="a phone where they do"),
    pytest.param({"identifiers": "id"}, "a%40example.com", "?id_type=email", 400, id="an email, where ids alone do"),
    pytest.param({}, "%FF", "", 404, id="bytes that are no text"),
]


ABOUT_A_PERSON = ["attributes", "segments", "activities", "messages", "relationships", "subscription_preferences"]


@pytest.mark.parametrize("what", ABOUT_A_PERSON)
@pytest.mark.parametrize(("settings", "identifier", "query", "status"), LOOKUPS)
def test_a_person_is_looked_up_by(
    live: Live, settings: dict[str, Any], identifier: str, query: str, status: int, what: str
) -> None:
    one = {"id": "u1", "email": "a@example.com", "attributes": {"phone": "+14155552671"}}
    site = live.site(settings=settings, seed={"people": [one]})
    response = site.app.get(f"/v1/customers/{identifier}/{what}{query}")
    assert response.status_code == status
    assert status == 200 or response.json() == (NOT_FOUND if status == 404 else BAD_REQUEST)


@pytest.mark.parametrize("what", ABOUT_A_PERSON)
def test_a_bare_cio_id_without_a_type_names_a_person_only_where_messages_are_asked_for(live: Live, what: str) -> None:
    site = live.site(seed={"people": [{"id": "u1"}]})
    cio_id = site.cio_id("u1")
    asked = [site.app.get(f"/v1/customers/{cio_id}/{what}{query}").status_code for query in ("", "?id_type=cio_id")]
    assert asked == [200 if what == "messages" else 404, 404]


def test_an_id_comes_before_a_bare_cio_id(live: Live) -> None:
    site = live.site(seed={"people": [{"id": "u1", "email": "a@example.com"}]})
    assert site.identify(site.cio_id("u1")).status_code == 200
    message = {"to": "a@example.com", "identifiers": {"id": "u1"}, "subject": "s", "body": "b", "from": "c@example.com"}
    assert site.app.post("/v1/send/email", json=message).status_code == 200
    assert site.app.get(f"/v1/customers/{site.cio_id('u1')}/messages").json()["messages"] == []


def test_the_segments_of_a_person_have_three_keys(live: Live) -> None:
    segments = [{"name": "A", "description": "daily", "members": [{"id": "1"}]},
                {"name": "B", "type": "dynamic", "members": [{"id": "1"}]}, {"name": "C"}]  # fmt: skip
    site = live.site(seed={"people": [{"id": "1"}, {"id": "2"}], "segments": segments})
    assert site.app.get("/v1/customers/1/segments").json() == {
        "segments": [{"id": 1, "name": "A", "description": "daily"}, {"id": 2, "name": "B", "description": ""}]
    }
    assert site.app.get("/v1/customers/2/segments").json() == {"segments": []}


def test_what_is_written_can_be_read_at_once_or_after_the_delay(live: Live) -> None:
    site = live.site(settings={"propagation_delay_s": 5})
    site.stop_clock()
    assert site.identify("u1", plan="pro").content == b"{}\n"
    written = site.last()
    assert written.operations[0][1] is None
    assert site.app.get("/v1/customers/u1/attributes").status_code == 404
    site.hosted.clock.advance(5)
    assert site.app.get("/v1/customers/u1/attributes").json()["customer"]["attributes"]["plan"] == "pro"
    assert written.operations[0][1] is not None


def test_a_membership_is_listed_after_the_delay_or_a_flush(live: Live) -> None:
    site = live.site(seed={"people": [{"id": "1"}], "segments": [{"name": "A"}]}, settings={"propagation_delay_s": 5})
    site.stop_clock()
    for change, flush in (("add_customers", False), ("remove_customers", True), ("add_customers", True)):
        before = site.app.get("/v1/customers/1/segments").json()
        assert site.track.post(f"/api/v1/segments/1/{change}", json={"ids": ["1"]}).status_code == 200
        assert site.app.get("/v1/customers/1/segments").json() == before
        if flush:
            site.hosted.state.flush(NOW)
        else:
            site.hosted.clock.advance(5)
        listed = site.app.get("/v1/customers/1/segments").json()["segments"]
        assert [segment["name"] for segment in listed] == (["A"] if change == "add_customers" else [])
