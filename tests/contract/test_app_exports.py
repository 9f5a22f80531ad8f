"""App API over a real socket: exports from the filter to the file, on the workspace's clock."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from fakeio import Fake
from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

AT = int(NOW)
PEOPLE: list[dict[str, Any]] = [
    {"id": "1", "email": "ann@example.com", "cio_id": "aa01", "attributes": {"plan": "pro", "note": 'a,"b"'}},
    {"id": "2", "cio_id": "aa02", "attributes": {"plan": "free"}},
    {"email": "cyd@example.com", "cio_id": "aa03", "attributes": {"plan": "pro", "vip": True}},
]
PROS = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
TEMPLATES = [{"id": 3, "name": "A", "contents": [{"subject": "Hi"}]}, {"id": 4, "name": "B"}]
BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}
NOT_FOUND = {"errors": [{"detail": "not found", "status": "404"}]}


def world(live: Live, **settings: Any) -> Site:
    site = live.site(seed={"people": PEOPLE, "templates": TEMPLATES}, settings={"rate_limits": "off", **settings})
    site.stop_clock()
    return site


@pytest.fixture
def shop(live: Live) -> Site:
    """A workspace with three people, at a time that stands still."""
    return world(live)


def start(site: Site, filters: Any = PROS, **body: Any) -> httpx.Response:
    return site.app.post("/v1/exports/customers", json={"filters": filters, **body})


def link(site: Site, number: int = 1) -> str:
    url: str = site.app.get(f"/v1/exports/{number}/download").json()["url"]
    return url


def rows(site: Site, number: int = 1) -> list[list[str]]:
    return list(csv.reader(io.StringIO(plain.get(link(site, number)).text)))


@pytest.fixture(scope="module")
def secure() -> Iterator[Fake]:
    """A server with both listeners."""
    with Fake() as fake:
        yield fake


def linked(fake: Fake, client: httpx.Client) -> str:
    """The link to the first export of a workspace of its own, asked for by that client."""
    client.headers["authorization"] = f"Bearer {fake.new_workspace().app_api_key}"
    client.post("/v1/exports/customers", json={"filters": PROS}).raise_for_status()
    url: str = client.get("/v1/exports/1/download").json()["url"]
    return url


def test_no_exports_are_null_unless_by_switch(live: Live) -> None:
    none = world(live).app.get("/v1/exports")
    assert (none.status_code, none.content) == (200, b'{"exports":null}')
    assert world(live, export_empty_list="list").app.get("/v1/exports").json() == {"exports": []}


def test_an_export_of_people_goes_from_pending_to_done(live: Live) -> None:
    site = world(live, export_s=60)
    pending = {
        "id": 1, "deduplicate_id": f"1:{AT}", "type": "customers", "status": "pending", "failed": False, "total": 0,
        "downloads": 0, "description": "People by filter (created via the api)", "user_id": 0, "user_email": "",
        "created_at": AT, "updated_at": AT,
    }  # fmt: skip
    assert (start(site).status_code, start(site).json()["export"]["id"]) == (200, 2)
    assert site.app.get("/v1/exports/1").json() == {"export": pending}
    site.hosted.clock.advance(60)
    done = {**pending, "status": "done", "total": 2, "updated_at": AT + 60, "deduplicate_id": f"1:{AT + 60}"}
    assert site.app.get("/v1/exports/1").json() == {"export": done}
    assert [one["id"] for one in site.app.get("/v1/exports").json()["exports"]] == [1, 2]


def test_without_a_delay_an_export_is_answered_pending_and_done_when_asked_for(shop: Site) -> None:
    assert start(shop).json()["export"]["status"] == "pending"
    assert shop.app.get("/v1/exports/1").json()["export"]["status"] == "done"


def test_the_file_holds_a_row_a_person(shop: Site) -> None:
    start(shop, attributes=["plan", "note", "vip"])
    assert rows(shop) == [
        ["id", "email", "cio_id", "plan", "note", "vip"],
        ["1", "ann@example.com", "aa01", "pro", 'a,"b"', ""],
        ["", "cyd@example.com", "aa03", "pro", "", "true"],
    ]


def test_an_export_on_an_unknown_segment_is_empty(shop: Site) -> None:
    assert start(shop, {"or": [{"segment": {"id": 0}}]}).status_code == 200
    export = shop.app.get("/v1/exports/1").json()["export"]
    assert (export["status"], export["total"], rows(shop)) == ("done", 0, [["id", "email", "cio_id"]])


BAD_EXPORTS = [
    pytest.param("/v1/exports/customers", {"filter": PROS}, "app.filter", id="filter instead of filters"),
    pytest.param("/v1/exports/customers", {"filters": {}}, "app.filter", id="an empty filter"),
    pytest.param("/v1/exports/customers", {"filters": PROS, "attributes": "plan"}, "app.body", id="attributes as text"),
    pytest.param("/v1/exports/customers", [], "app.body", id="a list"),
    pytest.param("/v1/exports/deliveries", {}, "app.body", id="no origin"),
    pytest.param("/v1/exports/deliveries", {"campaign_id": 1, "action_id": 2}, "app.body", id="two origins"),
    pytest.param("/v1/exports/deliveries", {"campaign_id": "x"}, "app.body", id="an origin that is a word"),
    pytest.param("/v1/exports/deliveries", {"campaign_id": 1, "metric": "seen"}, "app.body", id="an unknown metric"),
    pytest.param("/v1/exports/deliveries", {"campaign_id": 1, "drafts": 1}, "app.body", id="drafts as 1"),
    pytest.param("/v1/exports/deliveries", b"{", "app.body", id="no JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "rule"), BAD_EXPORTS)
def test_an_export_is_refused(shop: Site, path: str, body: Any, rule: str) -> None:
    response = shop.app.post(path, **({"content": body} if isinstance(body, bytes) else {"json": body}))
    assert (response.status_code, response.json()) == (400, BAD_REQUEST)
    assert [told for _, _, told in shop.outcomes()] == [rule]
    assert shop.app.get("/v1/exports").json() == {"exports": None}


def send(site: Site, **body: Any) -> str:
    sent = {"transactional_message_id": 3, "to": "ann@example.com", "identifiers": {"id": "1"}, **body}
    delivery: str = site.app.post("/v1/send/email", json=sent).json()["delivery_id"]
    return delivery


DELIVERIES: list[Any] = [
    pytest.param({"transactional_message_id": 3}, [0, 2], id="of a template"),
    pytest.param({"transactional_message_id": 3, "start": AT + 1}, [2], id="since"),
    pytest.param({"transactional_message_id": 3, "end": AT}, [0], id="until"),
    pytest.param({"transactional_message_id": 3, "metric": "clicked"}, [], id="by a metric"),
    pytest.param({"transactional_message_id": 3, "drafts": True}, [3], id="drafts"),
    pytest.param({"transactional_message_id": 3, "template_id": 4}, [], id="of another template"),
    pytest.param({"newsletter_id": 3}, [], id="of a newsletter"),
]


@pytest.mark.parametrize(("body", "places"), DELIVERIES)
def test_an_export_of_deliveries_holds(shop: Site, body: Any, places: list[int]) -> None:
    made = [send(shop), send(shop, transactional_message_id=4)]
    shop.hosted.clock.advance(5)
    made += [send(shop), send(shop, queue_draft=True)]
    started = shop.app.post("/v1/exports/deliveries", json={**body, "attributes": ["plan"]}).json()["export"]
    assert started["description"] == "Full deliveries export (created via the api)"
    assert [row[0] for row in rows(shop)[1:]] == [made[place] for place in places]
    assert rows(shop)[0][-1] == "plan"


# ---- links -----------------------------------------------------------------------------------------------------------


def test_a_link_lives_for_fifteen_minutes_and_another_one_after(shop: Site) -> None:
    start(shop)
    first = link(shop)
    assert first.startswith(f"{shop.live.url}/v1/exports/1/files/")
    answer = plain.get(first)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    shop.hosted.clock.advance(15 * 60)
    assert plain.get(first).status_code == 403
    assert [told for _, _, told in shop.outcomes()] == ["app.export.link"]
    assert plain.get(link(shop)).status_code == 200
    assert shop.app.get("/v1/exports/1").json()["export"]["downloads"] == 2
    assert plain.get(first).status_code == 404


def test_a_link_is_of_one_export(shop: Site) -> None:
    start(shop)
    start(shop)
    assert plain.get(link(shop).replace("/1/files/", "/2/files/")).status_code == 404
    assert plain.get(f"{shop.live.url}/v1/exports/1/files/guessed").status_code == 404


def test_a_link_comes_only_when_all_is_done(live: Live) -> None:
    site = world(live, export_s=60)
    start(site)
    assert site.app.get("/v1/exports/1/download").json() == NOT_FOUND
    assert [told for _, _, told in site.outcomes()] == ["app.export.pending"]
    other = world(live, export_s=60, export_pending_download="400")
    start(other)
    assert other.app.get("/v1/exports/1/download").status_code == 400


def test_a_link_goes_by_either_name(live: Live) -> None:
    site = world(live, export_link_key="link")
    start(site)
    assert list(site.app.get("/v1/exports/1/download").json()) == ["link"]


@pytest.mark.parametrize(
    ("way", "host"),
    [
        pytest.param("url", None, id="plainly"),
        pytest.param("https_url", None, id="by TLS"),
        pytest.param("https_url", "api.customer.io", id="by TLS, as a real host"),
        pytest.param("url", "proxy.test:8080", id="through a proxy that keeps the host"),
    ],
)
def test_a_link_leads_back_the_way_that_the_request_came(secure: Fake, way: str, host: str | None) -> None:
    origin = getattr(secure, way)
    headers = {} if host is None else {"host": host}
    with httpx.Client(base_url=origin, verify=False, headers=headers) as client:
        expected = origin if host is None else f"{urlsplit(origin).scheme}://{host}"
        assert linked(secure, client).startswith(f"{expected}/v1/exports/1/files/")


@pytest.mark.parametrize("origin", ["http://fake.test", "https://api.customer.io", "http://127.0.0.1:9999"])
def test_in_process_a_link_is_to_where_the_client_thinks_it_is(secure: Fake, origin: str) -> None:
    with httpx.Client(transport=secure.transport, base_url=origin) as client:
        link = linked(secure, client)
        assert link.startswith(f"{origin}/v1/exports/1/files/")
        assert client.get(link).status_code == 200


def test_without_a_host_a_link_is_to_where_the_connection_ends(shop: Site) -> None:
    start(shop)
    asked = f"GET /v1/exports/1/download HTTP/1.0\r\nAuthorization: {shop.bearer}\r\n\r\n"
    answer = shop.live.ask(asked.encode("ascii"))
    assert f'{{"url":"{shop.live.url}/v1/exports/1/files/'.encode("ascii") in answer


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/exports/9", 404), ("/v1/exports/9/download", 404), ("/v1/exports/x", 400), ("/v1/exports/x/download", 400)],
)
def test_there_is_no_such_export(shop: Site, path: str, status: int) -> None:
    assert shop.app.get(path).status_code == status
