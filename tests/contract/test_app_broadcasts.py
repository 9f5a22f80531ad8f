"""App API over a real socket: triggering broadcasts in every form, the errors of a list, and what can be read after."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

AT = int(NOW)
TRIGGERS = "/v1/campaigns/2/triggers"
PEOPLE = [
    {"id": "1", "email": "ann@example.com", "attributes": {"plan": "pro"}},
    {"id": "2", "email": "bob@example.com"},
    {"id": "3", "email": "cyd@example.com", "attributes": {"unsubscribed": True, "plan": "pro"}},
    {"id": "4"},
]
BROADCASTS: list[dict[str, Any]] = [
    {"id": 2, "name": "Sale", "created_at": 5, "updated_at": 6,
     "actions": [{"id": 9, "type": "email", "subject": "Sale!", "body": "b", "from": "a@example.com"}]},
    {"id": 3, "name": "Pros", "recipients": {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}},
     "actions": [{"type": "push"}], "tags": ["x"]},
]  # fmt: skip


def world(live: Live, **settings: Any) -> Site:
    settings = {"rate_limits": "off", **settings}
    site = live.site(seed={"broadcasts": BROADCASTS, "people": PEOPLE, "segments": [{"name": "A", "members": ["2"]}]},
                     settings=settings)  # fmt: skip
    site.stop_clock()
    return site


@pytest.fixture
def shop(live: Live) -> Site:
    """A workspace with two broadcasts and four people, at a time that stands still."""
    return world(live)


def trigger(site: Site, broadcast: int = 2, **body: Any) -> httpx.Response:
    return site.app.post(f"/v1/campaigns/{broadcast}/triggers", json=body)


def reached(site: Site, broadcast: int = 2) -> list[str]:
    """The ids of those who got one, in the order of sending."""
    messages = site.app.get(f"/v1/broadcasts/{broadcast}/messages").json()["messages"]
    return [message["customer_id"] for message in reversed(messages)]


def errors(site: Site, number: int = 1) -> list[str]:
    lines: list[str] = site.app.get(f"/v1/campaigns/2/triggers/{number}/errors").json()["errors"]
    return lines


def data_file(folder: Path, content: bytes) -> str:
    path = folder / "people.jsonl"
    path.write_bytes(content)
    return path.as_uri()


FORMS = [
    pytest.param({}, ["1", "2", "3", "4"], id="its own audience: everybody"),
    pytest.param({"data": {"code": "X"}}, ["1", "2", "3", "4"], id="data alone"),
    pytest.param({"recipients": {"segment": {"id": 1}}}, ["2"], id="a filter"),
    pytest.param({"recipients": {"segment": {"id": 99}}}, [], id="a filter that nobody matches"),
    pytest.param({"ids": ["2", "1"]}, ["2", "1"], id="ids"),
    pytest.param({"emails": ["BOB@example.com"]}, ["2"], id="emails in any case"),
    pytest.param({"per_user_data": [{"id": "1", "data": {"a": 1}}, {"email": "bob@example.com"}]}, ["1", "2"],
                 id="per-user data"),
    pytest.param({"ids": ["1", "nope"], "id_ignore_missing": True}, ["1"], id="missing ids forgiven"),
    pytest.param({"emails": ["no@example.com"], "email_ignore_missing": True}, [], id="missing emails forgiven"),
    pytest.param({"ids": ["1"], "unheard_of": 1}, ["1"], id="an unknown key"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "ids"), FORMS)
def test_a_trigger_reaches(shop: Site, body: Any, ids: list[str]) -> None:
    response = shop.app.post("/v1/campaigns/2/triggers", json=body)
    assert (response.status_code, response.json()) == (200, {"id": 1})
    assert reached(shop) == ids
    assert len(shop.people()) == 4, "nobody is created"


def test_no_body_at_all_is_its_own_audience_and_a_filter_of_its_own_is_kept(shop: Site) -> None:
    assert shop.app.post("/v1/campaigns/3/triggers").json() == {"id": 1}
    assert reached(shop, 3) == ["1", "3"]


def test_triggers_count_per_broadcast(shop: Site) -> None:
    assert [trigger(shop).json()["id"] for _ in range(2)] == [1, 2]
    assert trigger(shop, 3).json() == {"id": 1}


def test_each_delivery_says_where_it_comes_from_and_carries_its_data(shop: Site) -> None:
    trigger(shop, data={"code": "X", "n": 1}, per_user_data=[{"id": "1", "data": {"n": 2}}])
    [made] = shop.app.get("/v1/broadcasts/2/messages").json()["messages"]
    assert (made["campaign_id"], made["broadcast_id"], made["action_id"], made["type"]) == (2, 2, 9, "email")
    assert (made["recipient"], made["subject"]) == ("ann@example.com", "Sale!")
    [kept] = shop.hosted.state.deliveries
    assert kept.message["message_data"] == {"code": "X", "n": 2}


def test_who_unsubscribed_or_has_no_address_gets_nothing(shop: Site) -> None:
    trigger(shop)
    found = shop.app.get("/v1/broadcasts/2/messages", params={"metric": "undeliverable"}).json()["messages"]
    assert [(one["customer_id"], one["failure_message"]) for one in found] == [
        ("4", "the person has no address of this kind"), ("3", "the person is unsubscribed"),
    ]  # fmt: skip


REFUSED = [
    pytest.param({"recipients": {}}, "empty recipients filter is not valid", "recipients", "app.broadcast.audience",
                 id="an empty filter"),
    pytest.param({"recipients": {"plan": "pro"}}, "a condition is one of and, or, not, segment, attribute",
                 "recipients", "app.filter", id="a bad filter"),
    pytest.param({"ids": ["1"], "emails": ["a@b.cd"]},
                 "only one of recipients, emails, ids, per_user_data, data_file_url is allowed", "ids",
                 "app.broadcast.audience", id="two audiences"),
    pytest.param({"ids": ["1"], "email_ignore_missing": True}, "email_ignore_missing is not allowed with ids",
                 "email_ignore_missing", "app.broadcast.audience", id="a flag of another form"),
    pytest.param({"id_ignore_missing": True}, "id_ignore_missing is not allowed with the default audience",
                 "id_ignore_missing", "app.broadcast.audience", id="a flag of no form"),
    pytest.param({"ids": "1"}, "ids must be a list", "ids", "app.broadcast.audience", id="ids that are text"),
    pytest.param({"data": []}, "data must be an object", "data", "app.broadcast.audience", id="data that is a list"),
    pytest.param({"ids": ["1"] * 10_001}, "ids cannot have more than 10000 entries", "ids", "app.broadcast.list",
                 id="10001 ids"),
    pytest.param({"per_user_data": [{"id": "1"}] * 10_001}, "per_user_data cannot have more than 10000 entries",
                 "per_user_data", "app.broadcast.list", id="10001 people with data"),
    pytest.param({"data_file_url": 5}, "data_file_url must be a URL", "data_file_url", "app.broadcast.audience",
                 id="a file that is a number"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "text", "field", "rule"), REFUSED)
def test_a_trigger_is_refused(shop: Site, body: Any, text: str, field: str, rule: str) -> None:
    response = trigger(shop, **body)
    [error] = response.json()["errors"]
    assert (response.status_code, error["status"], error["detail"]) == (422, "422", text)
    if field != "ids" or rule != "app.broadcast.audience":
        assert error["source"] == {"pointer": f"/data/attributes/{field}"}
    assert [told for _, _, told in shop.outcomes()] == [rule]
    assert shop.app.get("/v1/broadcasts/2/triggers").json() == {"triggers": []}


def test_an_unknown_broadcast_is_named(shop: Site) -> None:
    response = trigger(shop, 1)
    error = {"detail": "broadcast with id 1 does not exist", "status": "404"}
    assert (response.status_code, response.json()) == (404, {"errors": [error]})
    assert shop.app.post("/v1/campaigns/sale/triggers").status_code == 400
    assert shop.app.post(TRIGGERS, content=b"{").status_code == 400


BAD_LISTS = [
    pytest.param({"ids": ["1", "nope"]}, ["line 2: no profile has this id: nope"], id="a missing id"),
    pytest.param({"emails": ["no@example.com"]}, ["line 1: no profile has this email: no@example.com"],
                 id="a missing email"),
    pytest.param({"per_user_data": [{"data": {}}, 5, {"id": "1", "email": "ann@example.com"}]},
                 [f"line {n}: an entry names its person by id or email" for n in (1, 2, 3)], id="entries of nobody"),
    pytest.param({"per_user_data": [{"id": "9"}], "email_ignore_missing": True},
                 ["line 1: no profile has this id: 9"], id="the wrong kind forgiven"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "lines"), BAD_LISTS)
def test_a_list_with_errors_makes_a_trigger_that_sends_nothing(shop: Site, body: Any, lines: list[str]) -> None:
    response = trigger(shop, **body)
    detail = (
        "Errors were found while processing per user data (ids, emails or json data). "
        "More detail available from the errors endpoint for trigger 1"
    )
    source = {"pointer": "/data/attributes/per_user_data"}
    assert response.status_code == 422
    assert response.json() == {"errors": [{"detail": detail, "status": "422", "source": source}]}
    assert [rule for _, _, rule in shop.outcomes()] == ["app.broadcast.people"]
    assert errors(shop) == lines
    assert reached(shop) == []


def test_an_address_of_several_is_an_error_unless_each_is_to_get_one(live: Live) -> None:
    twice = [{"id": "1", "email": "ann@example.com"}, {"id": "2", "email": "ann@example.com"}]
    site = live.site(settings={"identifiers": "id"}, seed={"broadcasts": BROADCASTS, "people": twice})
    assert trigger(site, emails=["ann@example.com"]).status_code == 422
    assert errors(site) == ["line 1: several profiles have this email: ann@example.com"]
    assert trigger(site, emails=["ann@example.com"], email_add_duplicates=True).json() == {"id": 2}
    assert reached(site) == ["1", "2"]


def test_errors_come_in_pages_by_offset(shop: Site) -> None:
    trigger(shop, ids=[f"x{n}" for n in range(5)])
    path = "/v1/campaigns/2/triggers/1/errors"
    first = shop.app.get(path, params={"limit": 2}).json()
    assert (len(first["errors"]), first["next"]) == (2, 2)
    assert shop.app.get(path, params={"limit": 3, "start": 2}).json()["next"] == 0
    assert shop.app.get(path, params={"start": "x"}).status_code == 400


# ---- a file by URL ---------------------------------------------------------------------------------------------------

LINES = b'{"id":"1","data":{"a":1}}\n\n{"email":"bob@example.com"}\n'


def test_a_file_of_json_lines_is_a_list(shop: Site, tmp_path: Path) -> None:
    assert trigger(shop, data_file_url=data_file(tmp_path, LINES)).json() == {"id": 1}
    assert reached(shop) == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b'{"id":"1"}\n{"id":\n', "line 2: not JSON", id="a broken line"),
        pytest.param(b'{"id":"9"}', "line 1: no profile has this id: 9", id="nobody"),
        pytest.param(gzip.compress(LINES), "line 1: not JSON", id="gzip that does not say so"),
    ],
)
def test_a_bad_file_is_told_line_by_line(shop: Site, tmp_path: Path, content: bytes, line: str) -> None:
    assert trigger(shop, data_file_url=data_file(tmp_path, content)).status_code == 422
    assert errors(shop)[0] == line


def test_a_file_from_elsewhere_is_not_fetched(shop: Site, tmp_path: Path) -> None:
    assert trigger(shop, data_file_url="https://example.com/people.jsonl").status_code == 422
    assert "fetch_from" in errors(shop)[0]
    assert trigger(shop, data_file_url=(tmp_path / "none").as_uri()).status_code == 422
    assert errors(shop, 2) == ["The file could not be fetched."]


# ---- time ------------------------------------------------------------------------------------------------------------


def test_two_triggers_within_ten_seconds_are_one_too_many(live: Live) -> None:
    site = world(live, rate_limits="enforced")
    assert trigger(site).status_code == 200
    site.hosted.clock.advance(4)
    refused = trigger(site)
    [error] = refused.json()["errors"]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "6")
    assert error["detail"].startswith("rate limited to 1 requests per 10s (reference ")
    site.hosted.clock.advance(6)
    assert trigger(site).status_code == 200


def test_a_trigger_is_processed_after_a_while_by_switch(live: Live) -> None:
    site = world(live, broadcast_s=60)
    trigger(site, ids=["1"])
    path = "/v1/campaigns/2/triggers/1"
    assert site.app.get(path).json() == {"id": 1, "broadcast_id": 2, "created_at": AT}
    assert reached(site) == []
    site.hosted.clock.advance(60)
    done = {"id": 1, "broadcast_id": 2, "created_at": AT, "processed_at": AT + 60}
    assert site.app.get(path).json() == done
    assert reached(site) == ["1"]
    assert site.app.get("/v1/broadcasts/2/triggers").json() == {"triggers": [done]}


# ---- reading ---------------------------------------------------------------------------------------------------------


def test_broadcasts_are_listed_and_shown(shop: Site) -> None:
    sale = {
        "id": 2, "deduplicate_id": "2:6", "name": "Sale", "type": "triggered_broadcast", "created": 5, "updated": 6,
        "active": True, "state": "running", "actions": [{"id": 9, "type": "email"}], "first_started": 0, "tags": None,
    }  # fmt: skip
    assert shop.app.get("/v1/broadcasts").json()["broadcasts"][0] == sale
    assert shop.app.get("/v1/broadcasts/2").json() == {"broadcast": sale}
    [action] = shop.app.get("/v1/broadcasts/2/actions").json()["actions"]
    assert (action["id"], action["broadcast_id"], action["subject"]) == (9, 2, "Sale!")
    assert shop.app.get("/v1/broadcasts/2/metrics/links").json() == {"links": []}


def test_metrics_count_deliveries_by_period(shop: Site) -> None:
    trigger(shop, ids=["1", "2"])
    shop.app.get("/v1/segments")
    shop.hosted.clock.advance(24 * 60 * 60)
    path = "/v1/broadcasts/2/metrics"
    series = shop.app.get(path, params={"period": "days", "steps": 3}).json()["metric"]["series"]
    assert (series["sent"], series["clicked"]) == ([0, 2, 0], [0, 0, 0])
    lengths = {p: len(shop.app.get(path, params={"period": p}).json()["metric"]["series"]["sent"])
               for p in ("hours", "days", "weeks", "months")}  # fmt: skip
    assert lengths == {"hours": 24, "days": 45, "weeks": 12, "months": 121}
    assert shop.app.get(path, params={"period": "years"}).status_code == 400
    assert shop.app.get(path, params={"steps": "0"}).status_code == 400


@pytest.mark.parametrize("path", ["", "/triggers", "/messages", "/metrics", "/metrics/links", "/actions"])
def test_there_is_nothing_of_a_broadcast_that_is_not(shop: Site, path: str) -> None:
    assert shop.app.get(f"/v1/broadcasts/99{path}").status_code == 404
    assert shop.app.get(f"/v1/broadcasts/sale{path}").status_code == 400


def test_there_is_nothing_of_a_trigger_that_was_not(shop: Site) -> None:
    assert shop.app.get("/v1/campaigns/2/triggers/1").status_code == 404
    assert shop.app.get("/v1/campaigns/2/triggers/1/errors").status_code == 404
    assert shop.app.get("/v1/campaigns/9/triggers/1").status_code == 404
    assert shop.app.get("/v1/campaigns/2/triggers/x").status_code == 400
