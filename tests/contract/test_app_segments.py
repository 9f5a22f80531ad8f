"""App API over a real socket: segments from creation to deletion, their members and the pages these come in."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

NOT_FOUND = {"errors": [{"detail": "not found", "status": "404"}]}
BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}


def create(site: Site, **segment: Any) -> httpx.Response:
    return site.app.post("/v1/segments", json={"segment": segment})


def add(site: Site, *ids: str, segment: int = 1) -> None:
    site.track.post(f"/api/v1/segments/{segment}/add_customers", json={"ids": ids})


def test_a_new_segment_is_manual_and_finished(site: Site) -> None:
    site.stop_clock()
    response = create(site, name="crm: churn risk", description="daily cohort")
    assert response.status_code == 200
    assert response.content == (
        b'{"segment":{"id":1,"deduplicate_id":"1:1780000000","name":"crm: churn risk","description":"daily cohort",'
        b'"state":"finished","progress":null,"type":"manual","tags":null,'
        b'"created_at":1780000000,"updated_at":1780000000}}'
    )
    assert site.app.get("/v1/segments/1").json() == response.json()
    assert site.app.get("/v1/segments").json() == {"segments": [response.json()["segment"]]}
    assert site.app.get("/v1/segments/1/customer_count").json() == {"segment_id": 1, "count": 0}
    assert site.outcomes() == []


def test_no_segments_are_an_empty_list(site: Site) -> None:
    assert site.app.get("/v1/segments?limit=5").json() == {"segments": []}


def test_a_body_cannot_ask_for_a_data_driven_segment(site: Site) -> None:
    made = create(site, name="A", type="dynamic", conditions={"and": []}, state="build").json()["segment"]
    assert (made["type"], made["state"], "conditions" in made) == ("manual", "finished", False)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"name":"A"}', id="no wrapper"),
        pytest.param(b'{"segment":{"description":"x"}}', id="no name"),
        pytest.param(b'{"segment":{"name":""}}', id="an empty name"),
        pytest.param(b'{"segment":{"name":5}}', id="a name that is no text"),
        pytest.param(b'{"segment":{"name":"A","description":[]}}', id="a description that is no text"),
        pytest.param(b'{"segment":[]}', id="a list"),
        pytest.param(b"[]", id="a list alone"),
        pytest.param(b"", id="no body"),
        pytest.param(b"{", id="half a body"),
    ],
)
def test_a_malformed_segment_is_refused(site: Site, body: bytes) -> None:
    response = site.app.post("/v1/segments", content=body)
    assert (response.status_code, response.json()) == (400, BAD_REQUEST)
    assert site.app.get("/v1/segments").json() == {"segments": []}


def test_names_may_repeat_unless_the_switch_refuses(live: Live) -> None:
    free, strict = live.site(), live.site(settings={"segment_name_duplicate": "400"})
    assert [create(free, name="A").json()["segment"]["id"] for _ in range(2)] == [1, 2]
    assert [create(strict, name="A").status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize("path", ["", "/customer_count", "/membership", "/used_by"])
@pytest.mark.parametrize(
    ("settings", "segment", "status"),
    [
        pytest.param({}, "999999", 404, id="an unknown id"),
        pytest.param({}, "abc", 404, id="no number"),
        pytest.param({"segment_id_malformed": "400"}, "abc", 400, id="no number, by switch"),
        pytest.param({}, "9" * 40, 404, id="a number far too large"),
        pytest.param({}, "%FF", 404, id="bytes that are no text"),
    ],
)
def test_a_segment_that_is_not_there(
    live: Live, path: str, settings: dict[str, str], segment: str, status: int
) -> None:
    site = live.site(settings=settings)
    response = site.app.get(f"/v1/segments/{segment}{path}")
    assert (response.status_code, response.json()) == (status, NOT_FOUND if status == 404 else BAD_REQUEST)
    assert [outcome for _, outcome, _ in site.outcomes()] == ["refused"]


def test_deleting_takes_the_membership_and_leaves_the_people(site: Site) -> None:
    site.identify("1")
    create(site, name="A")
    add(site, "1")
    gone = site.app.delete("/v1/segments/1")
    assert (gone.status_code, gone.content) == (204, b"")
    assert site.app.delete("/v1/segments/1").json() == NOT_FOUND
    assert site.app.get("/v1/customers/1/segments").json() == {"segments": []}
    assert site.people() == [{"id": "1"}]
    assert create(site, name="B").json()["segment"]["id"] == 2


@pytest.mark.parametrize(("switch", "status"), [("allow", 204), ("reject", 400)])
def test_a_segment_in_use_is_deleted_unless_the_switch_refuses(live: Live, switch: str, status: int) -> None:
    used = {"name": "vip", "used_by": {"campaigns": [4]}}
    site = live.site(settings={"delete_segment_in_use": switch}, seed={"segments": [used]})
    answer = site.app.delete("/v1/segments/1")
    error = {"detail": "unable to delete segment in use", "status": "400"}
    assert (answer.status_code, answer.content) == (204, b"") if status == 204 else answer.json() == {"errors": [error]}
    assert answer.status_code == status
    assert site.app.get("/v1/segments/1").status_code == (404 if status == 204 else 200)


def test_nothing_uses_a_segment_here(site: Site) -> None:
    create(site, name="A")
    nothing: dict[str, list[int]] = {"campaigns": [], "sent_newsletters": [], "draft_newsletters": []}
    assert site.app.get("/v1/segments/1/used_by").json() == {"segment_id": 1, "used_by": nothing}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("PUT", "/v1/segments/1", 405, id="there is no update"),
        pytest.param("PATCH", "/v1/segments", 405, id="nor of all"),
        pytest.param("GET", "/v1/segments/1/dependencies", 404, id="a path that never existed"),
        pytest.param("GET", "/v1/segments/1/", 404, id="a slash too many"),
        pytest.param("GET", "/v1/esp_suppression/bounces", 404, id="another path of cheat sheets"),
    ],
)
def test_what_is_no_operation(site: Site, method: str, path: str, status: int) -> None:
    response = site.app.request(method, path)
    assert (response.status_code, response.json()["errors"][0]["status"]) == (status, str(status))


# ---- members ---------------------------------------------------------------------------------------------------------


def test_members_come_with_every_identifier_they_have(site: Site) -> None:
    for identifier in ("u1", "b@example.com"):
        site.identify(identifier)
    site.identify("u3", email="c@example.com", phone="+14155552671")
    create(site, name="A")
    ids = [{"ids": ["u1", "u3"]}, {"ids": ["b@example.com"]}]
    site.track.post("/api/v1/segments/1/add_customers", json=ids[0])
    site.track.post("/api/v1/segments/1/add_customers?id_type=email", json=ids[1])
    assert site.app.get("/v1/segments/1/membership").json() == {
        "segment_id": 1,
        "ids": ["u1", "u3", ""],
        "identifiers": [
            {"id": "u1", "email": None, "cio_id": site.cio_id("u1")},
            {"id": "u3", "email": "c@example.com", "cio_id": site.cio_id("u3")},
            {"id": None, "email": "b@example.com", "cio_id": site.cio_id("b@example.com")},
        ],
        "next": "",
    }


def test_in_an_id_only_workspace_members_have_no_email_key(live: Live) -> None:
    site = live.site(settings={"identifiers": "id"})
    site.identify("u1", email="a@example.com")
    create(site, name="A")
    add(site, "u1")
    assert site.app.get("/v1/segments/1/membership").json()["identifiers"] == [
        {"id": "u1", "cio_id": site.cio_id("u1")}
    ]


def test_five_members_by_two_are_three_pages(live: Live) -> None:
    site = live.site(seed={"people": [{"id": f"u{n}"} for n in range(5)]})
    create(site, name="A")
    add(site, *(f"u{n}" for n in range(5)))
    first = site.app.get("/v1/segments/1/membership?limit=2").json()
    second = site.app.get("/v1/segments/1/membership", params={"limit": "2", "start": first["next"]}).json()
    third = site.app.get("/v1/segments/1/membership", params={"limit": "2", "start": second["next"]}).json()
    assert [page["ids"] for page in (first, second, third)] == [["u0", "u1"], ["u2", "u3"], ["u4"]]
    assert third["next"] == ""


def test_a_walk_sees_every_member_who_stays(live: Live) -> None:
    site = live.site(seed={"people": [{"id": f"u{n}"} for n in range(6)]})
    create(site, name="A")
    add(site, *(f"u{n}" for n in range(5)))
    first = site.app.get("/v1/segments/1/membership?limit=2").json()
    site.track.post("/api/v1/segments/1/remove_customers", json={"ids": ["u0", "u2"]})
    add(site, "u5")
    rest = site.app.get("/v1/segments/1/membership", params={"start": first["next"]}).json()
    assert (first["ids"], rest["ids"]) == (["u0", "u1"], ["u3", "u4", "u5"])


@pytest.mark.parametrize(
    ("query", "settings", "count"),
    [
        pytest.param("", {}, 1000, id="a thousand unless asked"),
        pytest.param("?limit=1500", {}, 1200, id="more when asked"),
        pytest.param("?limit=50000", {}, 1200, id="more than the most is the most"),
        pytest.param("?limit=50000", {"page_limit_over": "400"}, None, id="by switch, refused"),
        pytest.param("?limit=30000", {"page_limit_over": "400"}, 1200, id="exactly the most"),
        pytest.param("?sort=desc&order=desc&direction=desc", {}, 1000, id="undocumented parameters are ignored"),
        pytest.param("?limit=0", {}, None, id="none"),
        pytest.param("?limit=many", {}, None, id="no number"),
        pytest.param("?start=abc", {}, None, id="a garbled cursor"),
        pytest.param("?start=%FF%00", {}, None, id="a cursor of bytes"),
        pytest.param("?start=c2VnbWVudC05OjE=", {}, None, id="a cursor of another segment"),
    ],
)
def test_a_page_holds(live: Live, query: str, settings: dict[str, str], count: int | None) -> None:
    members = [{"id": f"u{n}"} for n in range(1200)]
    segment = {"name": "A", "members": [{"id": f"u{n}"} for n in range(1200)]}
    site = live.site(settings=settings, seed={"people": members, "segments": [segment]})
    response = site.app.get(f"/v1/segments/1/membership{query}")
    if count is None:
        assert (response.status_code, response.json()) == (400, BAD_REQUEST)
    else:
        assert (response.status_code, len(response.json()["ids"])) == (200, count)
        assert (response.json()["next"] == "") is (count == 1200)


def test_no_page_holds_more_than_thirty_thousand(live: Live) -> None:
    people = [{"id": f"u{n}"} for n in range(30_001)]
    site = live.site(seed={"people": people, "segments": [{"name": "A", "members": people}]})
    first = site.app.get("/v1/segments/1/membership?limit=50000").json()
    rest = site.app.get("/v1/segments/1/membership", params={"limit": 50_000, "start": first["next"]}).json()
    assert (len(first["ids"]), rest["ids"], rest["next"]) == (30_000, ["u30000"], "")


def test_a_deleted_person_is_no_member_any_more(site: Site) -> None:
    site.identify("1")
    site.identify("2")
    create(site, name="A")
    add(site, "1", "2")
    left = []
    for farewell in (lambda: None, lambda: site.track.delete("/api/v1/customers/1"),
                     lambda: site.track.post("/api/v1/customers/2/suppress")):  # fmt: skip
        farewell()
        count = site.app.get("/v1/segments/1/customer_count").json()["count"]
        left.append((count, site.app.get("/v1/segments/1/membership").json()["ids"]))
    assert left == [(2, ["1", "2"]), (1, ["2"]), (0, [])]


def test_a_data_driven_segment_shows_its_conditions(live: Live) -> None:
    conditions = {"and": [{"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}]}
    site = live.site(seed={"segments": [{"name": "auto", "type": "dynamic", "conditions": conditions}]})
    found = site.app.get("/v1/segments/1").json()["segment"]
    assert (found["type"], found["conditions"]) == ("dynamic", conditions)


def test_a_segment_changes_when_its_members_do(site: Site) -> None:
    site.stop_clock()
    site.identify("1")
    create(site, name="A")
    site.hosted.clock.advance(60)
    add(site, "1")
    assert site.app.get("/v1/segments/1").json()["segment"]["deduplicate_id"] == f"1:{int(NOW) + 60}"
