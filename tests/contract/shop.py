"""A workspace with a message on every channel, for the tests of sends and of what becomes of them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.live import NOW, Live, Site

AT = int(NOW)
TEMPLATES = [
    {"id": 3, "name": "Receipt", "type": "email", "trigger_name": "Receipt",
     "contents": [{"id": 1, "subject": "Thanks", "body": "<p>Paid</p>", "from": "shop@example.com"},
                  {"id": 2, "language": "fr", "subject": "Merci", "body": "<p>Fini</p>", "from": "shop@example.com"}]},
    {"id": 4, "name": "Ping", "type": "push"}, {"id": 5, "name": "Code", "type": "sms"},
    {"id": 6, "name": "Chat", "type": "whatsapp"}, {"id": 7, "name": "Banner", "type": "in_app"},
    {"id": 8, "name": "Letter", "type": "inbox_message"},
    {"id": 9, "name": "Quiet", "type": "email", "send_to_unsubscribed": False, "queue_drafts": True},
]  # fmt: skip
PEOPLE = [{"id": "1", "email": "ann@example.com"}, {"id": "2", "attributes": {"unsubscribed": True}}]
EMAIL = "/v1/send/email"
ANN = {"id": "1"}
WHOLE: dict[str, Any] = {"transactional_message_id": 3, "to": "ann@example.com", "identifiers": ANN}
BARE: dict[str, Any] = {"to": "ann@example.com", "identifiers": ANN, "body": "b", "subject": "s", "from": "a@b.cd"}


def world(live: Live, **settings: Any) -> Site:
    site = live.site(seed={"templates": TEMPLATES, "people": PEOPLE}, settings={"rate_limits": "off", **settings})
    site.stop_clock()
    return site


@pytest.fixture
def shop(live: Live) -> Site:
    """A workspace with a message on every channel, at a time that stands still."""
    return world(live)


def send(site: Site, channel: str = "email", **body: Any) -> httpx.Response:
    return site.app.post(f"/v1/send/{channel}", json=body)


def message(site: Site, response: httpx.Response) -> dict[str, Any]:
    """The delivery that a send came to."""
    found: dict[str, Any] = site.app.get(f"/v1/messages/{response.json()['delivery_id']}").json()["message"]
    return found


def rules(site: Site) -> list[str | None]:
    return [rule for _, _, rule in site.outcomes()]
