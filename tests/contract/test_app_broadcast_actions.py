"""App API over a real socket: the messages of a broadcast, one by one: read, changed, counted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live = fixtures.live

AT = int(NOW)
BAD_REQUEST = {"errors": [{"detail": "bad request", "status": "400"}]}
NOT_FOUND = {"errors": [{"detail": "not found", "status": "404"}]}
ACTIONS = [{"id": 9, "name": "First", "subject": "Sale!", "body": "b", "from": "shop@example.com"}, {"id": 10}]
ONE = "/v1/broadcasts/2/actions/9"
SHOWN = {
    "id": 9, "broadcast_id": 2, "deduplicate_id": "9:5", "name": "First", "type": "email", "created": 4, "updated": 5,
    "subject": "Sale!", "body": "b", "from": "shop@example.com",
}  # fmt: skip


@pytest.fixture
def shop(live: Live) -> Site:
    """One broadcast of two messages, somebody to send them to, and a clock that stands still."""
    broadcast = {"id": 2, "name": "B", "created_at": 4, "updated_at": 5, "actions": ACTIONS}
    site = live.site(seed={"broadcasts": [broadcast], "people": [{"id": "1", "email": "ann@example.com"}]})
    site.stop_clock()
    return site


def sent(site: Site) -> list[str]:
    """The subjects of what was sent, oldest first, after another trigger."""
    site.app.post("/v1/campaigns/2/triggers", json={"ids": ["1"]}).raise_for_status()
    found = site.app.get("/v1/broadcasts/2/messages").json()["messages"]
    return [message["subject"] for message in reversed(found)]


def test_a_message_is_shown_alone_as_in_the_list(shop: Site) -> None:
    assert shop.app.get(ONE).json() == {"action": SHOWN}
    assert shop.app.get("/v1/broadcasts/2/actions").json()["actions"][0] == SHOWN


CHANGES: list[Any] = [
    pytest.param({"subject": "Bargain!"}, {"subject": "Bargain!"}, id="a subject"),
    pytest.param({"body": "", "from": "us@example.com"}, {"body": "", "from": "us@example.com"}, id="two texts"),
    pytest.param({"colour": "red", "subject": None}, {}, id="nothing that is known"),
]


@pytest.mark.parametrize(("body", "changes"), CHANGES)
def test_a_message_is_changed(shop: Site, body: Any, changes: dict[str, str]) -> None:
    answer = shop.app.put(ONE, json=body)
    changed = {**SHOWN, **changes, "updated": AT, "deduplicate_id": f"9:{AT}"}
    assert (answer.status_code, answer.json()) == (200, {"action": changed})
    assert shop.app.get(ONE).json() == {"action": changed}
    assert shop.app.get("/v1/broadcasts/2/actions/10").json()["action"]["subject"] == ""


def test_what_was_sent_before_stays_as_it_was(shop: Site) -> None:
    sent(shop)
    shop.app.put(ONE, json={"subject": "Bargain!"})
    assert sent(shop) == ["Sale!", "Bargain!"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"subject":5}', b'{"from":["a"]}'])
def test_a_change_that_is_none_is_refused(shop: Site, body: bytes) -> None:
    answer = shop.app.put(ONE, content=body)
    assert (answer.status_code, answer.json()) == (400, BAD_REQUEST)
    assert [rule for _, _, rule in shop.outcomes()] == ["app.body"]
    assert shop.app.get(ONE).json() == {"action": SHOWN}


def test_metrics_are_of_one_message(shop: Site) -> None:
    sent(shop)
    counted = [
        shop.app.get(f"/v1/broadcasts/2/actions/{action}/metrics", params={"period": "days", "steps": 2}).json()
        for action in (9, 10)
    ]
    assert [one["metric"]["series"]["sent"] for one in counted] == [[0, 1], [0, 0]]
    assert shop.app.get(f"{ONE}/metrics/links").json() == {"links": []}


NOTHING = [
    ("GET", "/v1/broadcasts/2/actions/11"), ("PUT", "/v1/broadcasts/2/actions/11"),
    ("GET", "/v1/broadcasts/2/actions/11/metrics"), ("GET", "/v1/broadcasts/2/actions/11/metrics/links"),
    ("GET", "/v1/broadcasts/2/actions/11/language/fr"), ("PUT", "/v1/broadcasts/2/actions/11/language/fr"),
]  # fmt: skip


@pytest.mark.parametrize("action", ["2/actions/11", "3/actions/9", "9/actions/2"])
@pytest.mark.parametrize(("method", "path"), NOTHING)
def test_there_is_no_such_message(shop: Site, method: str, path: str, action: str) -> None:
    answer = shop.app.request(method, path.replace("2/actions/11", action), json={"subject": "x"})
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
    assert [rule for _, _, rule in shop.outcomes()] == ["app.not_found"]


@pytest.mark.parametrize("action", ["x/actions/9", "2/actions/x"])
@pytest.mark.parametrize(("method", "path"), NOTHING)
def test_a_number_is_a_number(shop: Site, method: str, path: str, action: str) -> None:
    answer = shop.app.request(method, path.replace("2/actions/11", action), json={"subject": "x"})
    assert (answer.status_code, answer.json()) == (400, BAD_REQUEST)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_message_has_no_other_language(shop: Site, method: str) -> None:
    answer = shop.app.request(method, f"{ONE}/language/fr", json={"subject": "x"})
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)
