"""App API over a real socket: the log of a workspace and of one person, what its lines look like, and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakeio.core.forking import fork
from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

NOT_FOUND = {"errors": [{"detail": "not found", "status": "404"}]}
BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}
DAY_S = 86_400


def lines(site: Site, **asked: Any) -> list[dict[str, Any]]:
    """One page of the workspace's log."""
    found: list[dict[str, Any]] = site.app.get("/v1/activities", params={"limit": 100, **asked}).json()["activities"]
    return found


def types(site: Site, **asked: Any) -> list[str]:
    return [line["type"] for line in lines(site, **asked)]


def record(site: Site, name: str, of: str = "1", **more: Any) -> None:
    assert site.track.post(f"/api/v1/customers/{of}/events", json={"name": name, **more}).status_code == 200


@pytest.fixture
def told(site: Site) -> Site:
    """A workspace in which a few things have happened, a minute apart, to two people and to nobody."""
    site.stop_clock()
    site.identify("1", email="a@example.com", plan="free")
    site.hosted.clock.advance(60)
    site.identify("1", plan="pro", city="Ghent")
    site.hosted.clock.advance(60)
    record(site, "order", data={"total": 3}, timestamp=int(NOW) - 5)
    site.hosted.clock.advance(60)
    record(site, "https://example.com/home", type="page")
    site.hosted.clock.advance(60)
    site.track.post("/api/v1/events", json={"name": "visit", "anonymous_id": "anon"})
    site.hosted.clock.advance(60)
    site.identify("2")
    return site


# ---- what a line shows -----------------------------------------------------------------------------------------------


def test_the_newest_comes_first_with_everything_about_it(told: Site) -> None:
    one = {"id": "1", "email": "a@example.com", "cio_id": told.cio_id("1")}
    two = {"id": "2", "email": None, "cio_id": told.cio_id("2")}
    answer = told.app.get("/v1/activities").json()
    ids = [line.pop("id") for line in answer["activities"]]
    assert answer == {
        "activities": [
            {"type": "profile_create", "timestamp": int(NOW) + 300, "customer_id": "2", "customer_identifiers": two,
             "data": {}},
            {"type": "event", "timestamp": int(NOW) + 240, "customer_id": None, "customer_identifiers": None,
             "name": "visit", "data": {}},
            {"type": "page", "timestamp": int(NOW) + 180, "customer_id": "1", "customer_identifiers": one,
             "url": "https://example.com/home", "data": {}},
            {"type": "event", "timestamp": int(NOW) - 5, "customer_id": "1", "customer_identifiers": one,
             "name": "order", "data": {"total": 3}},
            {"type": "attribute_change", "timestamp": int(NOW) + 60, "customer_id": "1", "customer_identifiers": one,
             "data": {"plan": {"from": "free", "to": "pro"}, "city": {"from": "", "to": "Ghent"}}},
            {"type": "profile_create", "timestamp": int(NOW), "customer_id": "1", "customer_identifiers": one,
             "data": {}},
        ],
        "next": "",
    }  # fmt: skip
    assert ids == sorted(ids, reverse=True)
    assert {len(each) for each in ids} == {26}


def test_a_person_is_told_the_same_about_it(told: Site) -> None:
    mine = told.app.get("/v1/customers/1/activities").json()
    assert mine == {"activities": [line for line in lines(told) if line["customer_id"] == "1"], "next": ""}
    assert told.app.get("/v1/customers/2/activities").json() == {"activities": lines(told)[:1], "next": ""}


DELIVERIES = [
    pytest.param({"type": "email"}, "opened_email", "email", id="email"),
    pytest.param({"type": "sms"}, "clicked_twilio", "phone", id="SMS go by their carrier"),
    pytest.param({"type": "whatsapp"}, "delivered_whatsapp", "phone", id="whatsapp"),
    pytest.param({"type": "push", "recipient": "tok1"}, "opened_push", "ios", id="a push to one device"),
    pytest.param({"type": "push"}, "delivered_push", "android", id="a push to the newest device"),
]


@pytest.mark.parametrize(("delivery", "type_", "medium"), DELIVERIES)
def test_the_fate_of_a_message_names_the_message(live: Live, delivery: Any, type_: str, medium: str) -> None:
    devices = [{"token": "tok1", "platform": "ios", "last_used": 1},
               {"token": "tok2", "platform": "android", "last_used": 2}]  # fmt: skip
    made = f"dlv_{type_}"  # one server knows every delivery by its id alone
    seed = {"people": [{"id": "1", "devices": devices}], "deliveries": [{"id": made, "person": "1", **delivery}]}
    site = live.site(seed=seed)
    metric = {"delivery_id": made, "metric": type_.partition("_")[0], "timestamp": 7}
    assert site.track.post("/api/v1/metrics", json=metric).status_code == 200
    [line] = lines(site)
    happened = {"delivered": None, "opened": None, metric["metric"]: 7}
    assert {name: line[name] for name in ("type", "customer_id", "delivery_id", "delivery_type")} == {
        "type": type_, "customer_id": "1", "delivery_id": made, "delivery_type": medium,
    }  # fmt: skip
    assert {name: line["data"][name] for name in ("delivery_id", "delivered", "opened")} == {
        "delivery_id": made, "delivered": happened["delivered"], "opened": happened["opened"],
    }  # fmt: skip


def test_what_happens_without_a_published_word_is_not_listed(live: Live) -> None:
    site = live.site(seed={"people": [{"id": "1"}], "deliveries": [{"id": "d", "type": "whatsapp", "person": "1"}]})
    site.track.post("/api/v1/metrics", json={"delivery_id": "d", "metric": "opened"})
    assert site.outcomes() == [("report_metric", "applied", None)]
    assert lines(site) == []


# ---- which lines -----------------------------------------------------------------------------------------------------

ASKED = [
    pytest.param({"type": "event"}, ["event", "event"], id="a type"),
    pytest.param({"type": "event", "name": "order"}, ["event"], id="an event of a name"),
    pytest.param({"name": "order"}, ["event"], id="a name alone"),
    pytest.param({"type": "attribute_change", "name": "plan"}, ["attribute_change"], id="changes of an attribute"),
    pytest.param({"name": "city"}, ["attribute_change"], id="the change of one attribute"),
    pytest.param({"type": "page", "name": "order"}, [], id="no page of that name"),
    pytest.param({"customer_id": "2"}, ["profile_create"], id="of a person"),
    pytest.param({"customer_id": "a@example.com", "id_type": "email", "type": "page"}, ["page"], id="by email"),
    pytest.param({"customer_id": "nobody"}, [], id="of nobody"),
    pytest.param({"customer_id": "a3000001", "id_type": "cio_id"}, [], id="a cio_id without its prefix"),
    pytest.param({"type": "_o:1:create"}, [], id="a type of objects"),
    pytest.param({"type": "dropped_whatasapp"}, [], id="the word that is published misspelt"),
    pytest.param({"unheard": "of"}, types, id="an unknown parameter"),
]


@pytest.mark.parametrize(("asked", "found"), ASKED)
def test_lines_are_found_by(told: Site, asked: dict[str, str], found: Any) -> None:
    assert types(told, **asked) == (found(told) if callable(found) else found)


def test_those_of_a_person_are_found_by_type_and_name_too(told: Site) -> None:
    answer = told.app.get("/v1/customers/a%40example.com/activities?id_type=email&type=event&name=order").json()
    assert [line["name"] for line in answer["activities"]] == ["order"]


BAD = [
    pytest.param("deleted=maybe", id="deleted is neither true nor false"),
    pytest.param("start=xyz", id="no cursor"),
    pytest.param("limit=0", id="an empty page"),
    pytest.param("limit=ten", id="a size in words"),
    pytest.param("customer_id=1&id_type=name", id="an unknown id_type"),
    pytest.param("customer_id=1&id_type=phone", id="a phone where phones identify nobody"),
    pytest.param("type=dropped_whatsapp", id="a type that is not published"),
    pytest.param("type=entered_segment", id="a type that there never was"),
]


@pytest.mark.parametrize("query", BAD)
def test_a_bad_question_is_refused(told: Site, query: str) -> None:
    response = told.app.get(f"/v1/activities?{query}")
    assert (response.status_code, response.json()) == (400, BAD_REQUEST)


def test_by_switch_a_type_that_is_not_published_has_no_lines(live: Live) -> None:
    site = live.site(settings={"activity_type_unknown": "empty"})
    site.identify("1")
    assert site.app.get("/v1/activities?type=dropped_whatsapp").json() == {"activities": [], "next": ""}
    assert site.app.get("/v1/customers/1/activities?type=dropped_whatsapp").json() == {"activities": [], "next": ""}


def test_nobody_has_no_activities(told: Site) -> None:
    response = told.app.get("/v1/customers/nobody/activities")
    assert (response.status_code, response.json()) == (404, NOT_FOUND)


# ---- people who are gone ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("farewell", "named"), [
    pytest.param("delete", {"id": "1", "email": "a@example.com"}, id="deleted"),
    pytest.param("suppress", {"id": None, "email": None}, id="suppressed, and so forgotten"),
])
def test_somebody_deleted_is_left_out_unless_asked_for(
    told: Site, farewell: str, named: dict[str, str | None]
) -> None:
    gone = {**named, "cio_id": told.cio_id("1")}
    if farewell == "delete":
        told.track.delete("/api/v1/customers/1")
    else:
        told.track.post("/api/v1/customers/1/suppress")
    assert types(told) == types(told, deleted="false") == ["profile_create", "event"]
    everything = lines(told, deleted="true")
    assert [line["type"] for line in everything] == [
        "profile_delete", "profile_create", "event", "attribute_change", "profile_create",
    ]  # fmt: skip
    theirs = [line for line in everything if line["customer_identifiers"] == gone]
    assert [line["customer_id"] for line in theirs] == [named["id"]] * 3
    assert types(told, customer_id="1") == []
    by_name: list[dict[str, str]] = [{"customer_id": "1"}, {"customer_id": "A@example.com", "id_type": "email"}]
    by_cio_id = {"customer_id": f"cio_{gone['cio_id']}", "id_type": "cio_id"}
    assert [len(types(told, deleted="true", **asked)) for asked in by_name] == [3 if named["id"] else 0] * 2
    assert len(types(told, deleted="true", **by_cio_id)) == 3
    assert told.app.get("/v1/customers/1/activities").status_code == 404


def test_what_is_left_of_somebody_suppressed_has_no_value_of_theirs(told: Site) -> None:
    told.track.put("/api/v1/customers/1/devices", json={"device": {"id": "token-1", "platform": "ios"}})
    message = {"to": "a@example.com", "identifiers": {"id": "1"}, "subject": "s", "body": "b", "from": "c@example.com"}
    delivery_id = told.app.post("/v1/send/email", json=message).json()["delivery_id"]
    told.track.post("/api/v1/customers/1/suppress")
    left = lines(told, deleted="true", customer_id="cio_a3000001", id_type="cio_id")
    assert [(line["type"], line["data"].get("delivery_id")) for line in left] == [
        ("profile_delete", None), ("sent_email", delivery_id), ("attempted_email", delivery_id),
        ("device_change", None), ("attribute_change", None), ("profile_create", None),
    ]  # fmt: skip
    told_of = json.dumps(left)
    assert [text for text in ("Ghent", "pro", "token-1", "a@example.com") if f'"{text}"' in told_of] == []


def test_a_fork_forgets_nobody_that_the_other_suppresses(told: Site) -> None:
    kept = fork(told.hosted.state, id=99, name="fork")
    told.track.post("/api/v1/customers/1/suppress")
    assert [line.info for line in kept.log.of("a3000001") if line.type == "attribute_change"] == [
        {"plan": {"from": "free", "to": "pro"}, "city": {"from": "", "to": "Ghent"}}
    ]


def test_who_comes_back_under_an_old_id_is_another_person(told: Site) -> None:
    told.track.delete("/api/v1/customers/1")
    told.identify("1")
    assert types(told, customer_id="1") == ["profile_create"]
    assert types(told, customer_id="1", deleted="true", type="profile_create") == ["profile_create"] * 2


# ---- pages and age ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/activities", "/v1/customers/1/activities"])
@pytest.mark.parametrize(
    ("asked", "sizes"),
    [
        pytest.param({}, [10] * 25 + [1], id="ten unless asked"),
        pytest.param({"limit": "90"}, [90, 90, 71], id="more when asked"),
        pytest.param({"limit": "1000"}, [100, 100, 51], id="more than the most is the most"),
    ],
)
def test_pages_of_activities(live: Live, path: str, asked: dict[str, str], sizes: list[int]) -> None:
    site = live.site()
    site.identify("1")
    items = [{"type": "person", "action": "event", "identifiers": {"id": "1"}, "name": f"e{n}"} for n in range(250)]
    site.track.post("/api/v2/batch", json={"batch": items})
    pages: list[list[dict[str, Any]]] = []
    start = ""
    while not pages or start:
        page = site.app.get(path, params=asked | ({"start": start} if start else {})).json()
        pages.append(page["activities"])
        start = page["next"]
    assert [len(page) for page in pages] == sizes
    names = [line.get("name") for page in pages for line in page]
    assert names == [*(f"e{n}" for n in reversed(range(250))), None]


def test_a_limit_above_the_most_is_refused_by_switch(live: Live) -> None:
    site = live.site(settings={"page_limit_over": "400"})
    assert site.app.get("/v1/activities?limit=101").status_code == 400
    assert site.app.get("/v1/activities?limit=100").status_code == 200


def test_after_thirty_days_a_line_cannot_be_read(told: Site) -> None:
    told.hosted.clock.set(NOW + 30 * DAY_S)
    assert len(types(told)) == 6
    told.hosted.clock.advance(61)
    assert types(told, type="attribute_change") == []
    assert len(types(told)) == 4
    told.hosted.clock.advance(DAY_S)
    assert types(told) == []
    assert told.app.get("/v1/customers/1/activities").json() == {"activities": [], "next": ""}
