"""App API over a real socket: many profiles at once, and what one person is connected to or subscribed to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}
PEOPLE = [
    {"id": "1", "email": "a@example.com", "cio_id": "a1000001", "attributes": {"age": 42, "vip": True}},
    {"id": "2", "cio_id": "a1000002"},
    {"email": "c@example.com", "cio_id": "a1000003"},
]


def ask(site: Site, ids: Any, **query: str) -> Any:
    return site.app.post("/v1/customers/attributes", params=query, json={"ids": ids})


# ---- many profiles ---------------------------------------------------------------------------------------------------

FOUND = [
    pytest.param({}, ["1", "nobody"], ["1"], id="whoever is unknown is left out"),
    pytest.param({}, ["2", "1"], ["2", "1"], id="in the order asked for"),
    pytest.param({}, ["1", "1"], ["1"], id="nobody twice"),
    pytest.param({}, ["a@example.com"], [], id="an email is an id unless said"),
    pytest.param({"id_type": "email"}, ["C@example.com", "a@example.com"], ["", "1"], id="emails, in another case"),
    pytest.param({"id_type": "cio_id"}, ["cio_a1000002", "a1000001"], ["2"], id="cio_ids need their prefix"),
    pytest.param({}, [], [], id="nobody asked for"),
    pytest.param({}, [str(n) for n in range(100)], ["1", "2"], id="a hundred"),
]


@pytest.mark.parametrize(("query", "ids", "found"), FOUND)
def test_profiles_are_read_together(live: Live, query: dict[str, str], ids: list[str], found: list[str]) -> None:
    site = live.site(seed={"people": PEOPLE})
    response = ask(site, ids, **query)
    assert (response.status_code, [one["id"] for one in response.json()["customers"]]) == (200, found)


@pytest.mark.parametrize("shape", ["flat", "wrapped"])
def test_each_is_the_profile_that_is_read_alone(live: Live, shape: str) -> None:
    site = live.site(seed={"people": PEOPLE}, settings={"customers_attributes_shape": shape})
    alone = [site.app.get(f"/v1/customers/{one}/attributes").json() for one in ("1", "2")]
    together = ask(site, ["1", "2"]).json()
    assert together == {"customers": alone if shape == "wrapped" else [one["customer"] for one in alone]}
    assert alone[0]["customer"]["attributes"]["age"] == "42"


BAD = [
    pytest.param({"ids": [str(n) for n in range(101)]}, "", "app.customers.attributes.ids", id="one too many"),
    pytest.param({"ids": ["1", 2]}, "", "app.body", id="a number among the ids"),
    pytest.param({"ids": "1"}, "", "app.body", id="no list"),
    pytest.param([], "", "app.body", id="a list alone"),
    pytest.param({"ids": ["1"]}, "?id_type=name", "app.id_type", id="an unknown id_type"),
    pytest.param({"ids": ["1"]}, "?id_type=phone", "app.id_type", id="a phone where phones identify nobody"),
]


@pytest.mark.parametrize(("body", "query", "rule"), BAD)
def test_a_bad_question_is_refused(site: Site, body: Any, query: str, rule: str) -> None:
    response = site.app.post(f"/v1/customers/attributes{query}", json=body)
    assert (response.status_code, response.json()) == (400, BAD_REQUEST)
    assert site.outcomes() == [("get_attributes_of_many", "refused", rule)]


@pytest.mark.parametrize("body", [{"ids": []}, {}])
@pytest.mark.parametrize(("switch", "status"), [("200", 200), ("400", 400)])
def test_naming_nobody_is_answered_with_nobody_or_refused(live: Live, body: Any, switch: str, status: int) -> None:
    site = live.site(settings={"attributes_ids_empty": switch})
    response = site.app.post("/v1/customers/attributes", json=body)
    assert (response.status_code, response.json()) == (status, {"customers": []} if status == 200 else BAD_REQUEST)


# ---- relationships ---------------------------------------------------------------------------------------------------


def relate(site: Site, person: str, thing: str, **attributes: Any) -> None:
    link = {"identifiers": {"object_type_id": "1", "object_id": thing}, "relationship_attributes": attributes}
    body = {"type": "person", "action": "add_relationships", "identifiers": {"id": person}, "cio_relationships": [link]}
    assert site.track.post("/api/v2/entity", json=body).status_code == 200


def test_the_objects_of_a_person_come_with_what_the_link_says(site: Site) -> None:
    site.stop_clock()
    relate(site, "1", "acme", role="boss", since=2020)
    relate(site, "2", "other")
    relate(site, "1", "globex")
    assert site.app.get("/v1/customers/1/relationships").json() == {
        "cio_relationships": [
            {"object_type_id": "1", "identifiers": {"object_id": "acme", "cio_object_id": "ob000001"},
             "attributes": {"role": "boss", "since": "2020"}, "timestamps": {"role": int(NOW), "since": int(NOW)}},
            {"object_type_id": "1", "identifiers": {"object_id": "globex", "cio_object_id": "ob000003"},
             "attributes": {}, "timestamps": {}},
        ],
        "next": "",
    }  # fmt: skip
    site.identify("3")
    assert site.app.get("/v1/customers/3/relationships").json() == {"cio_relationships": [], "next": ""}


def test_relationships_come_in_pages(site: Site) -> None:
    for n in range(5):
        relate(site, "1", f"o{n}")
    pages: list[list[str]] = []
    start = ""
    while not pages or start:
        page = site.app.get("/v1/customers/1/relationships", params={"limit": "2", "start": start}).json()
        pages.append([one["identifiers"]["object_id"] for one in page["cio_relationships"]])
        start = page["next"]
    assert pages == [["o0", "o1"], ["o2", "o3"], ["o4"]]


# ---- messages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def posted(live: Live) -> Site:
    """Two messages to the first person and one to the second; ids are those of this workspace alone."""
    site = live.site()
    rows = [{"id": f"{name}{site.hosted.id}", "type": "email", "person": whose, "created_at": int(NOW) + at}
            for at, (name, whose) in enumerate((("x", "1"), ("y", "2"), ("z", "1")))]  # fmt: skip
    return live.site(seed={"people": [{"id": "1"}, {"id": "2"}], "deliveries": rows})


def test_the_messages_of_a_person_are_those_of_the_workspace_that_went_there(posted: Site) -> None:
    everything = posted.app.get("/v1/messages").json()["messages"]
    mine = posted.app.get("/v1/customers/1/messages").json()
    assert [one["id"][0] for one in mine["messages"]] == ["z", "x"]
    assert mine == {"messages": [one for one in everything if one["customer_id"] == "1"], "next": ""}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({"start_ts": int(NOW) + 1}, "z", id="from a time on"),
        pytest.param({"end_ts": int(NOW) + 1}, "x", id="up to a time"),
        pytest.param({"limit": 1}, "z", id="a page of one"),
        pytest.param({"metric": "opened"}, "", id="with a metric that nothing has"),
    ],
)
def test_messages_of_a_person_are_found_by(posted: Site, query: dict[str, Any], found: str) -> None:
    answer = posted.app.get("/v1/customers/1/messages", params=query).json()
    assert "".join(one["id"][0] for one in answer["messages"]) == found
    assert bool(answer["next"]) is ("limit" in query)


# ---- preferences -----------------------------------------------------------------------------------------------------

TOPICS = [
    {"id": 6, "name": "News", "description": "weekly"},
    {"id": 7, "name": "Offers", "subscribed_by_default": False},
    {"id": 8, "name": "Alerts"},
]


def test_a_person_has_the_topics_default_until_something_is_said(live: Live) -> None:
    site = live.site(seed={"topics": TOPICS})
    site.identify("1", email="a@example.com")
    said = {"topics": {"topic_6": False, "topic_7": "true"}}
    site.identify("2", unsubscribed=True, cio_subscription_preferences=said)
    one = {"id": "1", "email": "a@example.com", "cio_id": site.cio_id("1")}
    assert site.app.get("/v1/customers/1/subscription_preferences?language=fr").json() == {
        "customer": {
            "id": "1",
            "identifiers": one,
            "unsubscribed": False,
            "topics": [
                {"id": "6", "name": "News", "description": "weekly", "subscribed": True},
                {"id": "7", "name": "Offers", "description": "", "subscribed": False},
                {"id": "8", "name": "Alerts", "description": "", "subscribed": True},
            ],
            "header": "",
            "subheader": "",
        }
    }
    two = site.app.get("/v1/customers/2/subscription_preferences").json()["customer"]
    assert (two["unsubscribed"], [topic["subscribed"] for topic in two["topics"]]) == (True, [False, True, True])


def test_a_profile_computes_the_preferences_of_every_topic(live: Live) -> None:
    site = live.site(seed={"topics": TOPICS})
    site.identify("1")
    site.identify("2", cio_subscription_preferences={"topics": {"topic_7": True, "topic_9": False}})
    computed = "_cio_subscription_preferences_computed"
    shown = {one["id"]: one for one in ask(site, ["1", "2"]).json()["customers"]}
    assert shown["1"]["attributes"][computed] == '{"topics":{"topic_6":true,"topic_7":false,"topic_8":true}}'
    assert shown["2"]["attributes"][computed] == (
        '{"topics":{"topic_6":true,"topic_7":true,"topic_8":true,"topic_9":false}}'
    )
    assert shown["1"]["timestamps"][computed] == 0
    assert "cio_subscription_preferences" not in shown["1"]["attributes"]
