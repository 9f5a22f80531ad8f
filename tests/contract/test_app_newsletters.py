"""App API over a real socket: newsletters from their draft to what came of them, and the segments that they use."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live = fixtures.live

AT = int(NOW)
BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}
NOT_FOUND = {"errors": [{"detail": "not found", "status": "404"}]}
OURS = {"segment": {"id": 1}}
PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
EMAIL: dict[str, Any] = {"name": "Weekly", "type": "email", "recipients": OURS, "subject": "News", "body": "<p>b</p>"}
PEOPLE: list[dict[str, Any]] = [
    {"id": "1", "email": "ann@example.com", "attributes": {"plan": "pro", "phone": "+41790000001"}},
    {"id": "2", "email": "bob@example.com", "attributes": {"plan": "free"}},
    {"id": "3", "email": "cyd@example.com", "attributes": {"plan": "pro", "unsubscribed": True}},
]


@pytest.fixture
def shop(live: Live) -> Site:
    """Three people, of whom the first two are in segment 1; a time that stands still."""
    segment = {"name": "ours", "members": [{"id": "1"}, {"id": "2"}]}
    site = live.site(seed={"people": PEOPLE, "segments": [segment], "topics": [{"name": "News"}]})
    site.stop_clock()
    return site


def create(site: Site, **changes: Any) -> httpx.Response:
    return site.app.post("/v1/newsletters", json={**EMAIL, **changes})


def reached(site: Site, newsletter: int = 1) -> list[str]:
    """To whom it was sent."""
    found = site.app.get(f"/v1/newsletters/{newsletter}/messages", params={"metric": "sent"}).json()["messages"]
    return [message["customer_id"] for message in reversed(found)]


def ruled(site: Site) -> list[str | None]:
    return [rule for _, _, rule in site.outcomes()]


def test_a_draft_lives_and_dies(shop: Site) -> None:
    made = create(shop, subscription_topic_id=1)
    shown = {
        "id": 1, "deduplicate_id": f"1:{AT}", "type": "email", "content_ids": [1], "name": "Weekly", "created": AT,
        "updated": AT, "recipient_segment_ids": [1], "tags": None, "subscription_topic_id": 1,
    }  # fmt: skip
    assert (made.status_code, made.json()) == (200, {"newsletter": shown})
    assert shop.app.get("/v1/newsletters/1").json() == {"newsletter": shown}
    assert shop.app.get("/v1/newsletters").json() == {"newsletters": [shown], "next": ""}
    assert reached(shop) == []
    gone = shop.app.delete("/v1/newsletters/1")
    assert (gone.status_code, gone.content) == (204, b"")
    assert shop.app.delete("/v1/newsletters/1").json() == NOT_FOUND
    assert create(shop).json()["newsletter"]["id"] == 2


AUDIENCES: list[Any] = [
    pytest.param({}, ["1", "2"], id="a segment"),
    pytest.param({"recipients": PRO}, ["1"], id="an attribute, less who unsubscribed"),
    pytest.param({"recipients": {"attribute": {**PRO["attribute"], "inverse": True}}}, ["2"], id="not an attribute"),
    pytest.param({"recipients": {"and": [{"attribute": {"field": "plan", "operator": "exists", "inverse": True}}]}}, [],
                 id="no attribute"),
    pytest.param({"recipients": {"and": [{**OURS, "attribute": {**PRO["attribute"], "inverse": True}}]}}, ["2"],
                 id="several keys in one node, one of them inverse"),
    pytest.param({"type": "twilio", "subject": None}, ["1"], id="SMS, to those with a phone"),
    pytest.param({"type": "in_app", "body_json": "{}"}, ["1", "2"], id="in_app"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "ids"), AUDIENCES)
def test_one_that_is_sent_now_reaches(shop: Site, changes: Any, ids: list[str]) -> None:
    assert create(shop, send_now=True, **changes).status_code == 200
    assert reached(shop) == ids
    assert shop.app.get("/v1/newsletters/1").json()["newsletter"]["sent_at"] == AT


def test_who_left_a_topic_gets_nothing_about_it(shop: Site) -> None:
    shop.identify("1", cio_subscription_preferences={"topics": {"topic_1": False}})
    create(shop, send_now=True, subscription_topic_id=1)
    assert reached(shop) == ["2"]


def test_a_message_says_where_it_comes_from(shop: Site) -> None:
    create(shop, send_now=True, recipients=PRO, **{"from": "us@example.com"})
    first = shop.app.get("/v1/messages", params={"newsletter_id": 1, "metric": "sent"}).json()["messages"][0]
    assert (first["newsletter_id"], first["campaign_id"], first["subject"]) == (1, None, "News")
    assert (first["recipient"], first["type"]) == ("ann@example.com", "email")
    assert shop.app.get("/v1/messages", params={"newsletter_id": 2}).json()["messages"] == []
    archived = shop.app.get(f"/v1/messages/{first['id']}/archived_message").json()["archived_message"]
    assert (archived["body"], archived["from"]) == ("<p>b</p>", "us@example.com")
    shop.app.post("/v1/exports/deliveries", json={"newsletter_id": 1, "metric": "sent"})
    assert shop.app.get("/v1/exports/1").json()["export"]["total"] == 1


def test_it_waits_for_its_time_and_is_sent_once(shop: Site) -> None:
    create(shop, scheduled_at=AT + 3600)
    shop.hosted.clock.advance(3599)
    assert reached(shop) == []
    shop.hosted.clock.advance(1)
    assert reached(shop) == ["1", "2"]
    again = shop.app.post("/v1/newsletters/1/send")
    assert (again.status_code, ruled(shop)) == (422, ["app.body"])
    assert shop.app.post("/v1/newsletters/1/schedule", json={"scheduled_at": AT + 9999}).status_code == 422
    assert reached(shop) == ["1", "2"]


def test_a_draft_is_scheduled_anew_and_sent(shop: Site) -> None:
    create(shop)
    for later in (100, 200):
        answer = shop.app.post("/v1/newsletters/1/schedule", json={"scheduled_at": AT + later})
        assert (answer.status_code, list(answer.json())) == (200, ["newsletter"])
    shop.hosted.clock.advance(150)
    assert reached(shop) == [], "the first time was replaced"
    assert shop.app.post("/v1/newsletters/1/send").status_code == 200
    assert reached(shop) == ["1", "2"]
    shop.hosted.clock.advance(100)
    assert reached(shop) == ["1", "2"]


def test_one_that_is_deleted_in_time_is_never_sent(shop: Site) -> None:
    create(shop, scheduled_at=AT + 10)
    shop.app.delete("/v1/newsletters/1")
    shop.hosted.clock.advance(20)
    assert shop.app.get("/v1/messages").json()["messages"] == []


REFUSED: list[Any] = [
    pytest.param({"name": ""}, 400, "name", id="no name"),
    pytest.param({"name": "n" * 191}, 400, "name", id="too long a name"),
    pytest.param({"recipients": None}, 400, "recipients", id="no recipients"),
    pytest.param({"subject": 5}, 400, "subject", id="a number for a text"),
    pytest.param({"scheduled_at": "soon"}, 400, "scheduled_at", id="a word for a time"),
    pytest.param({"subscription_topic_id": True}, 400, "subscription_topic_id", id="truth for a topic"),
    pytest.param({"send_now": 1}, 400, "send_now", id="a flag of 1"),
    pytest.param({"type": "fax"}, 422, "type", id="an unknown channel"),
    pytest.param({"subject": ""}, 422, "subject", id="an email without a subject"),
    pytest.param({"type": "push", "subject": "", "body": ""}, 422, "body", id="a push without a text"),
    pytest.param({"type": "webhook"}, 422, "request_method", id="a webhook without a method"),
    pytest.param({"type": "inbox"}, 422, "body_json", id="a message for the inbox without its JSON"),
    pytest.param({"recipients": {}}, 422, "recipients", id="an empty filter"),
    pytest.param({"recipients": {"not": [OURS]}}, 422, "recipients", id="a bad filter"),
    pytest.param({"from": "a@example.com", "from_id": 1}, 422, "from", id="two senders"),
    pytest.param({"send_now": True, "scheduled_at": AT + 9}, 422, "scheduled_at", id="now and later"),
    pytest.param({"scheduled_at": AT}, 422, "scheduled_at", id="a time that is over"),
]


@pytest.mark.parametrize(("changes", "status", "field"), REFUSED)
def test_a_newsletter_is_refused(shop: Site, changes: Any, status: int, field: str) -> None:
    response = create(shop, **changes)
    [error] = response.json()["errors"]
    assert (response.status_code, error["status"], ruled(shop)) == (status, str(status), ["app.body"])
    [(_, refused)] = shop.last().operations
    assert getattr(refused, "field", None) == field
    assert shop.app.get("/v1/newsletters").json() == {"newsletters": [], "next": ""}


@pytest.mark.parametrize("body", [b"", b"[]", b"{"])
def test_a_body_that_is_none_is_malformed(shop: Site, body: bytes) -> None:
    assert shop.app.post("/v1/newsletters", content=body).json() == BAD_REQUEST
    create(shop)
    assert shop.app.post("/v1/newsletters/1/schedule", content=body).json() == BAD_REQUEST
    assert shop.app.post("/v1/newsletters/1/schedule", json={"scheduled_at": AT}).status_code == 422


@pytest.mark.parametrize(("order", "ids"), [("asc", [[1, 2], [3]]), ("desc", [[3, 2], [1]])])
def test_newsletters_come_in_pages_either_way(shop: Site, order: str, ids: list[list[int]]) -> None:
    for _ in range(3):
        create(shop)
    first = shop.app.get("/v1/newsletters", params={"limit": 2, "sort": order}).json()
    rest = shop.app.get("/v1/newsletters", params={"limit": 2, "sort": order, "start": first["next"]}).json()
    assert [[one["id"] for one in page["newsletters"]] for page in (first, rest)] == ids
    assert rest["next"] == ""
    assert shop.app.get("/v1/newsletters?sort=up").json() == BAD_REQUEST
    assert shop.app.get("/v1/newsletters?start=x").json() == BAD_REQUEST


def test_it_tells_what_came_of_it(shop: Site) -> None:
    create(shop, send_now=True)
    shop.hosted.clock.advance(1)
    series = shop.app.get("/v1/newsletters/1/metrics", params={"period": "days", "steps": 2}).json()["metric"]["series"]
    assert series["sent"] == [0, 2]
    assert shop.app.get("/v1/newsletters/1/metrics/links").json() == {"links": []}


def test_drafts_and_what_was_sent_use_their_segments(shop: Site) -> None:
    create(shop)
    create(shop, send_now=True)
    create(shop, recipients=PRO)
    used = shop.app.get("/v1/segments/1/used_by").json()["used_by"]
    assert used == {"campaigns": [], "sent_newsletters": [2], "draft_newsletters": [1]}


def test_a_newsletter_is_seeded(live: Live) -> None:
    rows = [{"id": 7, "name": "A", "recipients": {"segment": {"id": 1}}, "sent_at": 5}]
    site = live.site(seed={"segments": [{"name": "ours"}], "newsletters": rows})
    assert site.app.get("/v1/segments/1/used_by").json()["used_by"]["sent_newsletters"] == [7]


def copied(control: httpx.Client, site: Site, way: str) -> Any:
    """Another workspace of the same state, as the control API tells of it."""
    here = "/_fakeio/workspaces"
    if way == "fork":
        return control.post(f"{here}/{site.hosted.id}/fork").raise_for_status().json()
    made = control.post(here, json={}).json()
    taken = control.get(f"{here}/{site.hosted.id}/snapshot").raise_for_status().json()
    control.put(f"{here}/{made['id']}/snapshot", json=taken).raise_for_status()
    assert control.get(f"{here}/{made['id']}/snapshot").json() == taken
    return made


@pytest.mark.parametrize("way", ["snapshot", "fork"])
def test_one_that_waits_goes_along_into_another_workspace(live: Live, shop: Site, way: str) -> None:
    create(shop, scheduled_at=AT + 60)
    create(shop)
    shop.app.delete("/v1/newsletters/2")
    with httpx.Client(base_url=live.url, timeout=30, verify=False) as control:
        made = copied(control, shop, way)
        control.put(f"/_fakeio/workspaces/{made['id']}/clock", json={"now": AT + 60}).raise_for_status()
        control.headers["authorization"] = f"Bearer {made['app_api_key']}"
        [newsletter] = control.get("/v1/newsletters").json()["newsletters"]
        assert (newsletter["id"], newsletter["sent_at"]) == (1, AT + 60)
        sent = control.get("/v1/newsletters/1/messages?metric=sent").json()["messages"]
        assert [message["customer_id"] for message in sent] == ["2", "1"]
        assert control.post("/v1/newsletters", json=EMAIL).json()["newsletter"]["id"] == 3, "2 was used before"
    assert reached(shop) == []


NOTHING = [
    ("GET", "/v1/newsletters/1"), ("DELETE", "/v1/newsletters/1"), ("POST", "/v1/newsletters/1/schedule"),
    ("POST", "/v1/newsletters/1/send"), ("GET", "/v1/newsletters/1/contents"), ("GET", "/v1/newsletters/1/metrics"),
    ("GET", "/v1/newsletters/1/metrics/links"), ("GET", "/v1/newsletters/1/messages"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), NOTHING)
def test_there_is_nothing_of_a_newsletter_that_is_not(shop: Site, method: str, path: str) -> None:
    response = shop.app.request(method, path, json={"scheduled_at": AT + 9})
    assert (response.status_code, response.json(), ruled(shop)) == (404, NOT_FOUND, ["app.not_found"])


def test_a_seed_may_schedule(live: Live) -> None:
    row = {"name": "A", "recipients": {"attribute": {"field": "id", "operator": "exists"}}, "subject": "s", "body": "b"}
    then = 4_000_000_000  # a seed is planted by the real clock
    rows = [{**row, "scheduled_at": then}, row, {**row, "scheduled_at": 7, "sent_at": 8}]
    site = live.site(seed={"people": PEOPLE[:1], "newsletters": rows})
    site.hosted.clock.set(then)
    shown = site.app.get("/v1/newsletters").json()["newsletters"]
    assert [one.get("sent_at") for one in shown] == [then, None, 8]
    assert (reached(site, 1), reached(site, 2), reached(site, 3)) == (["1"], [], [])


VARIANTS = [
    ("GET", "/v1/newsletters/1/contents"), ("PUT", "/v1/newsletters/1/contents/1"),
    ("POST", "/v1/newsletters/1/language"), ("GET", "/v1/newsletters/1/test_groups"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), VARIANTS)
def test_variants_of_one_that_exists_are_not_imitated_and_say_so(shop: Site, method: str, path: str) -> None:
    create(shop)
    response = shop.app.request(method, path, json={})
    assert (response.status_code, response.json(), ruled(shop)) == (404, NOT_FOUND, ["route.not_imitated"])


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/send"), ("GET", "/contents")])
def test_a_number_is_a_number(shop: Site, method: str, rest: str) -> None:
    assert shop.app.request(method, f"/v1/newsletters/x{rest}").json() == BAD_REQUEST
