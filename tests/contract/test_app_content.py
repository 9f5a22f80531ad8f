"""App API over a real socket: collections, snippets, topics, templates, reporting webhooks, from making to deleting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

AT = int(NOW)
NOT_FOUND = {"errors": [{"detail": "not found", "status": "404"}]}
BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}


@pytest.fixture
def still(site: Site) -> Site:
    """A workspace whose time stands still."""
    site.stop_clock()
    return site


# ---- collections -----------------------------------------------------------------------------------------------------

SHOPS = [{"city": "Bern", "open": True}, {"city": "Basel", "phone": "1"}]
SHOWN = {
    "id": 1, "name": "Shops", "bytes": 58, "rows": 2, "schema": ["city", "open", "phone"], "created_at": AT,
    "updated_at": AT,
}  # fmt: skip


def test_a_collection_lives_and_dies(still: Site) -> None:
    made = still.app.post("/v1/collections", json={"name": "Shops", "data": SHOPS})
    assert (made.status_code, made.json()) == (200, {"collection": SHOWN})
    assert still.app.get("/v1/collections").json() == {"collections": [SHOWN]}
    assert still.app.get("/v1/collections/1").json() == {"collection": SHOWN}
    assert still.app.get("/v1/collections/1/content").json() == SHOPS
    still.hosted.clock.advance(5)
    renamed = still.app.put("/v1/collections/1", json={"name": "Stores"}).json()["collection"]
    assert renamed == {**SHOWN, "name": "Stores", "updated_at": AT + 5}
    replaced = still.app.put("/v1/collections/1/content", json=[{"a": 1}]).json()["collection"]
    assert (replaced["rows"], replaced["schema"], replaced["name"]) == (1, ["a"], "Stores")
    assert still.app.put("/v1/collections/1", json={"data": []}).json()["collection"]["rows"] == 0
    assert still.app.delete("/v1/collections/1").status_code == 204
    assert still.app.delete("/v1/collections/1").status_code == 404
    assert still.app.get("/v1/collections").json() == {"collections": []}


FILES = [
    pytest.param("rows.csv", b"\xef\xbb\xbfcity,open\nBern,true\n", [{"city": "Bern", "open": "true"}], id="CSV"),
    pytest.param("rows.json", b'[{"city":"Bern","open":true}]', [{"city": "Bern", "open": True}], id="JSON"),
    pytest.param("rows", b'[{"city":"Bern"}]', [{"city": "Bern"}], id="JSON without an extension"),
]


@pytest.mark.parametrize(("name", "content", "rows"), FILES)
def test_a_collection_comes_from_a_file(still: Site, tmp_path: Path, name: str, content: bytes, rows: Any) -> None:
    (tmp_path / name).write_bytes(content)
    made = still.app.post("/v1/collections", json={"name": "Shops", "url": (tmp_path / name).as_uri()})
    assert made.status_code == 200
    assert still.app.get("/v1/collections/1/content").json() == rows


BAD_COLLECTIONS = [
    pytest.param("POST", "/v1/collections", {"data": []}, 400, id="no name"),
    pytest.param("POST", "/v1/collections", {"name": "a"}, 400, id="no rows"),
    pytest.param("POST", "/v1/collections", {"name": "a", "data": [], "url": "file:///a"}, 400, id="two sources"),
    pytest.param("POST", "/v1/collections", {"name": "a", "data": [1]}, 400, id="rows that are numbers"),
    pytest.param("POST", "/v1/collections", {"name": "a", "data": None}, 400, id="rows that are null"),
    pytest.param("POST", "/v1/collections", {"name": "a", "url": 5}, 400, id="a url that is a number"),
    pytest.param("POST", "/v1/collections", {"name": "a", "url": "https://example.com/a"}, 400, id="a far url"),
    pytest.param("POST", "/v1/collections", [], 400, id="a list"),
    pytest.param("PUT", "/v1/collections/1", {"name": ""}, 400, id="an empty name"),
    pytest.param("PUT", "/v1/collections/1/content", {}, 400, id="content that is an object"),
    pytest.param("PUT", "/v1/collections/9", {"name": "a"}, 404, id="changing what is not"),
    pytest.param("PUT", "/v1/collections/9/content", [], 404, id="filling what is not"),
    pytest.param("GET", "/v1/collections/9", None, 404, id="reading what is not"),
    pytest.param("GET", "/v1/collections/9/content", None, 404, id="reading the rows of what is not"),
    pytest.param("GET", "/v1/collections/a", None, 400, id="a word for a number"),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), BAD_COLLECTIONS)
def test_a_collection_is_refused(still: Site, method: str, path: str, body: Any, status: int) -> None:
    still.app.post("/v1/collections", json={"name": "Shops", "data": SHOPS})
    response = still.app.request(method, path, json=body)
    assert (response.status_code, response.json()) == (status, NOT_FOUND if status == 404 else BAD_REQUEST)
    assert still.app.get("/v1/collections").json() == {"collections": [SHOWN]}


# ---- snippets --------------------------------------------------------------------------------------------------------


def save(site: Site, method: str = "POST", **snippet: Any) -> httpx.Response:
    return site.app.request(method, "/v1/snippets", json=snippet)


def test_a_snippet_lives_and_dies(still: Site) -> None:
    made = save(still, name="  sign ", value=" Yours ")
    shown = {"name": "sign", "value": "Yours", "updated_at": AT}
    assert (made.status_code, made.json()) == (200, {"snippet": shown})
    assert save(still, "PUT", name="sign", value="Best").json()["snippet"]["value"] == "Best"
    assert save(still, "PUT", name="new one", value="x").status_code == 200
    assert [one["name"] for one in still.app.get("/v1/snippets").json()["snippets"]] == ["sign", "new one"]
    assert still.app.delete("/v1/snippets/new%20one").status_code == 204
    assert still.app.delete("/v1/snippets/new%20one").json() == NOT_FOUND


LIQUID = "Snippets cannot contain Liquid code referencing other snippets."
BAD_SNIPPETS = [
    pytest.param({"value": "x"}, "name cannot be blank", "/name", "app.snippet", id="no name"),
    pytest.param({"name": "  ", "value": "x"}, "name cannot be blank", "/name", "app.snippet", id="a blank name"),
    pytest.param({"name": "n" * 151, "value": "x"}, "name cannot exceed 150 characters", "/name", "app.snippet.name",
                 id="too long a name"),
    pytest.param({"name": "taken", "value": "x"}, "A snippet with that name already exists", "/name", "app.snippet",
                 id="a name that is taken"),
    pytest.param({"name": "a", "value": " "}, "value cannot be blank", "/value", "app.snippet", id="a blank value"),
    pytest.param({"name": "a", "value": "x" * 16_001}, "value cannot exceed 16000 characters", "/value",
                 "app.snippet.value", id="too long a value"),
    pytest.param({"name": "a", "value": "{{ snippets.taken }}"}, LIQUID, "/value", "app.snippet", id="another inside"),
    pytest.param({"name": "a", "value": '{{snippets["taken"]}}'}, LIQUID, "/value", "app.snippet",
                 id="another inside, quoted"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "text", "pointer", "rule"), BAD_SNIPPETS)
def test_a_snippet_is_refused(still: Site, body: Any, text: str, pointer: str, rule: str) -> None:
    save(still, name="taken", value="x")
    response = save(still, **body)
    error = {"detail": text, "status": "422", "source": {"pointer": pointer}}
    assert (response.status_code, response.json()) == (422, {"errors": [error]})
    assert [told for _, _, told in still.outcomes()] == [rule]


def test_a_snippet_that_is_no_text_is_malformed(still: Site) -> None:
    assert save(still, name=5, value="x").json() == BAD_REQUEST
    assert still.app.post("/v1/snippets", content=b"[").json() == BAD_REQUEST


def test_a_snippet_in_use_is_kept(live: Live) -> None:
    contents = [{"body": "{{ snippets.sign }}"}]
    site = live.site(seed={"snippets": [{"name": "sign", "value": "x"}, {"name": "sig", "value": "x"}],
                           "templates": [{"name": "A", "contents": contents}]})  # fmt: skip
    refused = site.app.delete("/v1/snippets/sign")
    error = {"detail": "unable to delete snippet in use", "status": "400"}
    assert (refused.status_code, refused.json()) == (400, {"errors": [error]})
    assert [told for _, _, told in site.outcomes()] == ["app.snippet.in_use"]
    assert site.app.delete("/v1/snippets/sig").status_code == 204


# ---- topics ----------------------------------------------------------------------------------------------------------


def test_topics_are_seeded(live: Live) -> None:
    site = live.site(seed={"topics": [{"name": "News"}, {"name": "Offers", "subscribed_by_default": False}]})
    news = {"id": 1, "identifier": "topic_1", "name": "News", "description": "", "subscribed_by_default": True}
    offers = {"id": 2, "identifier": "topic_2", "name": "Offers", "description": "", "subscribed_by_default": False}
    assert site.app.get("/v1/subscription_topics").json() == {"topics": [news, offers]}


# ---- templates -------------------------------------------------------------------------------------------------------

TEMPLATE = {
    "id": 3, "name": "Receipt", "trigger_name": "receipt", "created_at": 5, "updated_at": 6,
    "contents": [{"subject": "Thanks", "body": "b", "from": "a@b.cd"}, {"language": "fr", "subject": "Merci"}],
}  # fmt: skip


@pytest.fixture
def shop(live: Live) -> Site:
    """A workspace with one template in two languages."""
    site = live.site(seed={"templates": [TEMPLATE]})
    site.stop_clock()
    return site


def test_a_template_is_shown(shop: Site) -> None:
    shown = {
        "id": 3, "name": "Receipt", "description": "", "send_to_unsubscribed": True, "link_tracking": True,
        "open_tracking": True, "hide_message_body": False, "queue_drafts": False, "trigger_name": "receipt",
        "created_at": 5, "updated_at": 6,
    }  # fmt: skip
    assert shop.app.get("/v1/transactional").json() == {"messages": [shown]}
    assert shop.app.get("/v1/transactional/3").json() == {"message": shown}
    contents = shop.app.get("/v1/transactional/3/contents").json()["contents"]
    assert [(one["id"], one["language"], one["subject"]) for one in contents] == [(1, "", "Thanks"), (2, "fr", "Merci")]
    assert shop.app.get("/v1/transactional/3/language/fr").json()["content"]["subject"] == "Merci"
    assert shop.app.get("/v1/transactional/3/language/de").json() == NOT_FOUND


def test_a_template_is_edited_by_content_and_by_language(shop: Site) -> None:
    changed = shop.app.put("/v1/transactional/3/content/1", json={"subject": "Ta", "from": "c@d.ef"}).json()["content"]
    assert (changed["subject"], changed["from"], changed["body"]) == ("Ta", "c@d.ef", "b")
    french = shop.app.put("/v1/transactional/3/language/fr", json={"body": "B", "fake_bcc": True}).json()["content"]
    assert (french["id"], french["subject"], french["body"], french["fake_bcc"]) == (2, "Merci", "B", True)
    german = shop.app.put("/v1/transactional/3/language/de", json={"subject": "Danke"}).json()["content"]
    assert (german["id"], german["language"]) == (3, "de")
    body = {"transactional_message_id": 3, "to": "x@y.zz", "identifiers": {"id": "1"}, "language": "de"}
    sent = shop.app.post("/v1/send/email", json=body).json()["delivery_id"]
    assert shop.app.get(f"/v1/messages/{sent}").json()["message"]["subject"] == "Danke"


def test_a_template_tells_what_came_of_it(shop: Site) -> None:
    body = {"transactional_message_id": 3, "to": "x@y.zz", "identifiers": {"id": "1"}}
    sent = shop.app.post("/v1/send/email", json=body).json()["delivery_id"]
    [message] = shop.app.get("/v1/transactional/3/messages").json()["messages"]
    assert message["id"] == sent
    metric = shop.app.get("/v1/transactional/3/metrics?period=days&steps=2").json()["metric"]
    assert metric["series"]["sent"] == [0, 1]
    assert shop.app.get("/v1/transactional/3/metrics/links").json() == {"links": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/transactional/9", 404), ("GET", "/v1/transactional/x", 400),
        ("GET", "/v1/transactional/9/contents", 404), ("GET", "/v1/transactional/9/messages", 404),
        ("GET", "/v1/transactional/9/metrics", 404), ("GET", "/v1/transactional/x/metrics/links", 400),
        ("PUT", "/v1/transactional/9/language/fr", 404), ("PUT", "/v1/transactional/3/content/9", 404),
        ("PUT", "/v1/transactional/3/content/x", 400), ("PUT", "/v1/transactional/x/content/1", 400),
    ],
)  # fmt: skip
def test_there_is_nothing_of_a_template_that_is_not(shop: Site, method: str, path: str, status: int) -> None:
    assert shop.app.request(method, path, json={} if method == "PUT" else None).status_code == status


@pytest.mark.parametrize("body", [{"subject": 5}, {"fake_bcc": "yes"}, []])
def test_a_content_is_text(shop: Site, body: Any) -> None:
    assert shop.app.put("/v1/transactional/3/content/1", json=body).json() == BAD_REQUEST


# ---- reporting webhooks ----------------------------------------------------------------------------------------------

HOOK: dict[str, Any] = {"name": "Ours", "endpoint": "https://example.com/in", "events": ["email_sent", "sms_replied"]}


def test_a_webhook_lives_and_dies(still: Site) -> None:
    made = still.app.post("/v1/reporting_webhooks", json={**HOOK, "with_content": True})
    shown = {
        "id": 1, "type": "webhook", **HOOK, "disabled": False, "full_resolution": False, "with_content": True,
    }  # fmt: skip
    assert (made.status_code, made.json()) == (200, shown)
    assert still.app.get("/v1/reporting_webhooks").json() == {"reporting_webhooks": [shown]}
    assert still.app.get("/v1/reporting_webhooks/1").json() == shown
    changed = still.app.put("/v1/reporting_webhooks/1", json={**HOOK, "disabled": True}).json()
    assert changed == {**shown, "disabled": True, "with_content": False}
    assert still.app.delete("/v1/reporting_webhooks/1").status_code == 204
    assert still.app.delete("/v1/reporting_webhooks/1").json() == NOT_FOUND
    assert still.app.post("/v1/reporting_webhooks", json=HOOK).json()["id"] == 2


BAD_HOOKS = [
    pytest.param({"name": ""}, id="no name"), pytest.param({"endpoint": "example.com"}, id="no URL"),
    pytest.param({"endpoint": "http://[x"}, id="a broken URL"), pytest.param({"events": []}, id="no events"),
    pytest.param({"events": ["email_read"]}, id="an unknown event"), pytest.param({"disabled": 1}, id="a flag of 1"),
    pytest.param({"events": "email_sent"}, id="events that are text"),
]  # fmt: skip


@pytest.mark.parametrize("change", BAD_HOOKS)
def test_a_webhook_is_refused(still: Site, change: Any) -> None:
    response = still.app.post("/v1/reporting_webhooks", json={**HOOK, **change})
    assert (response.status_code, response.json()) == (400, BAD_REQUEST)
    assert [told for _, _, told in still.outcomes()] == ["app.body"]


def test_there_is_nothing_of_a_webhook_that_is_not(still: Site) -> None:
    assert still.app.get("/v1/reporting_webhooks/9").json() == NOT_FOUND
    assert still.app.put("/v1/reporting_webhooks/9", json=HOOK).json() == NOT_FOUND
    assert still.app.put("/v1/reporting_webhooks/x", json=HOOK).json() == BAD_REQUEST
