"""App API over a real socket: transactional sends on six channels, and every way to be refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract import shop as shops
from tests.contract.live import Live, Site
from tests.contract.shop import ANN, AT, BARE, EMAIL, TEMPLATES, WHOLE, message, rules, send, world

live, site, shop = fixtures.live, fixtures.site, shops.shop


CHANNELS = [
    pytest.param("/v1/send/email", WHOLE, "email", id="email"),
    pytest.param("/v1/send/email", BARE, "email", id="email without a template"),
    pytest.param("/v1/send/push", {"transactional_message_id": "4", "identifiers": ANN}, "push", id="push"),
    pytest.param(
        "/v1/send/sms", {"transactional_message_id": 5, "identifiers": ANN, "to": "+41790000000"}, "twilio", id="sms"
    ),
    pytest.param(
        "/v1/send/sms", {"transactional_message_id": 5, "identifiers": ANN, "to": "{{customer.phone}}"}, "twilio",
        id="sms to a Liquid number",
    ),
    pytest.param("/v1/send/whatsapp", {"transactional_message_id": 6, "identifiers": ANN}, "whatsapp", id="whatsapp"),
    pytest.param("/v1/send/in_app", {"transactional_message_id": 7, "identifiers": ANN}, "in_app", id="in_app"),
    pytest.param("/v1/send/inbox_message", {"transactional_message_id": 8, "identifiers": ANN}, "in_app", id="inbox"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "shown_type"), CHANNELS)
def test_a_send_is_accepted_and_becomes_a_delivery(shop: Site, path: str, body: Any, shown_type: str) -> None:
    response = shop.app.post(path, json=body)
    assert (response.status_code, list(response.json())) == (200, ["delivery_id", "queued_at"])
    assert response.json()["queued_at"] == AT
    assert response.json()["delivery_id"].endswith("==")
    made = message(shop, response)
    assert (made["type"], made["customer_id"], made["metrics"]["attempted"]) == (shown_type, "1", AT)


def test_a_delivery_is_shown_whole(shop: Site) -> None:
    response = send(shop, **WHOLE)
    delivery = response.json()["delivery_id"]
    assert message(shop, response) == {
        "id": delivery, "deduplicate_id": f"{delivery}:{AT}", "type": "email", "customer_id": "1",
        "customer_identifiers": {"id": "1", "email": "ann@example.com", "cio_id": shop.cio_id("1")},
        "recipient": "ann@example.com", "subject": "Thanks", "created": AT,
        "metrics": {"created": AT, "attempted": AT, "sent": AT}, "failure_message": None, "forgotten": False,
        "campaign_id": None, "action_id": None, "parent_action_id": None, "broadcast_id": None, "newsletter_id": None,
        "content_id": 1, "trigger_event_id": None, "msg_template_id": 3,
    }  # fmt: skip


def test_a_send_is_not_idempotent(shop: Site) -> None:
    assert send(shop, **WHOLE).json()["delivery_id"] != send(shop, **WHOLE).json()["delivery_id"]


NAMES = [
    pytest.param(3, id="an id"), pytest.param("3", id="an id as text"), pytest.param("rEcEiPt", id="a trigger name"),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_named_by(shop: Site, name: int | str) -> None:
    assert message(shop, send(shop, **{**WHOLE, "transactional_message_id": name}))["msg_template_id"] == 3


def test_a_language_chooses_the_content_and_the_body_overrides_it(shop: Site) -> None:
    french = message(shop, send(shop, **WHOLE, language="fr"))
    assert (french["subject"], french["content_id"]) == ("Merci", 2)
    assert message(shop, send(shop, **WHOLE, language="xx", subject="Mine"))["subject"] == "Mine"


def test_the_archive_holds_what_was_sent_unless_it_was_not_to_be_kept(shop: Site) -> None:
    kept = send(shop, **WHOLE, reply_to="re@example.com", bcc="x@example.com", preheader="Hi").json()["delivery_id"]
    response = shop.app.get(f"/v1/messages/{kept}/archived_message")
    assert response.json() == {
        "archived_message": {
            "id": kept, "body": "<p>Paid</p>", "from": "shop@example.com", "reply_to": "re@example.com",
            "recipient": "ann@example.com", "subject": "Thanks", "cc": "", "bcc": "x@example.com", "fake_bcc": False,
            "preheader_text": "Hi", "url": "", "request_method": "", "headers": "", "forgotten": False,
        }
    }  # fmt: skip
    gone = send(shop, **WHOLE, disable_message_retention=True).json()["delivery_id"]
    archived = shop.app.get(f"/v1/messages/{gone}/archived_message").json()["archived_message"]
    assert (archived["body"], archived["forgotten"]) == ("", True)


# ---- who may, and in whose name --------------------------------------------------------------------------------------


def service(site: Site, workspace: object = None, path: str = EMAIL) -> httpx.Response:
    headers = {"authorization": f"Bearer {site.hosted.credentials.service_token}"}
    if workspace is not None:
        headers["x-workspace-id"] = str(workspace)
    return plain.post(f"{site.live.url}{path}", json=WHOLE, headers=headers)


def test_a_service_account_names_a_workspace_of_its_account(live: Live, shop: Site) -> None:
    nowhere = service(shop)
    assert (nowhere.status_code, nowhere.json()) == (400, {"meta": {"error": "workspace_id is required"}})
    assert rules(shop) == ["app.send.workspace"]
    assert service(shop, shop.hosted.id).status_code == 200
    stranger = live.site()
    for wrong in (stranger.hosted.id, "one", 999_999):
        refused = service(shop, wrong)
        assert (refused.status_code, refused.json()) == (401, {"meta": {"error": "Unauthorized"}})


def test_a_service_account_sends_for_another_workspace_of_its_account(live: Live) -> None:
    first, second = (live.site(account="acme", seed={"templates": TEMPLATES}) for _ in range(2))
    assert service(first, second.hosted.id).status_code == 200
    assert (len(first.hosted.state.deliveries), len(second.hosted.state.deliveries)) == (0, 1)


def test_a_service_account_is_good_for_nothing_else(shop: Site) -> None:
    headers = {"authorization": f"Bearer {shop.hosted.credentials.service_token}", "x-workspace-id": "1"}
    assert plain.get(f"{shop.live.url}/v1/segments", headers=headers).status_code == 401


ACCOUNTS = [
    pytest.param({"sending": "owner_unconfirmed"}, "email", "Account owner\u2019s email address is not confirmed.",
                 id="owner"),
    pytest.param({"sending": "account_unapproved"}, "email", "Account is not yet approved for sending.", id="account"),
    pytest.param({"sending": "do_not_send"}, "email", "Workspace is set to \u201cDo Not Send.\u201d", id="workspace"),
    pytest.param({"push_enabled": False}, "push", "Push messaging is not enabled for your workspace.", id="push"),
    pytest.param({"sms_enabled": False}, "sms", "SMS messaging is not enabled for your workspace.", id="sms"),
    pytest.param(
        {"in_app_authorized": False}, "in_app",
        "Account is not authorized for transactional messaging. Contact win@customer.io for support.", id="in_app",
    ),
    pytest.param(
        {"in_app_authorized": False}, "inbox_message",
        "Account is not authorized for transactional messaging. Contact win@customer.io for support.", id="inbox",
    ),
]  # fmt: skip
IDS = {"email": 3, "push": 4, "sms": 5, "whatsapp": 6, "in_app": 7, "inbox_message": 8}


@pytest.mark.parametrize(("settings", "channel", "text"), ACCOUNTS)
def test_an_account_that_may_not_send_is_told(live: Live, settings: Any, channel: str, text: str) -> None:
    site = world(live, **settings)
    response = send(site, channel, transactional_message_id=IDS[channel], identifiers=ANN, to="+41790000000")
    assert (response.status_code, response.json()) == (403, {"meta": {"error": text}})
    assert rules(site) == ["app.send.account"]
    assert len(site.hosted.state.deliveries) == 0


def test_an_address_of_a_domain_nobody_verified_sends_nothing(live: Live) -> None:
    site = world(live, sender_domains="unverified")
    for body in (WHOLE, BARE):
        response = send(site, **body)
        text = '"from" address domain has not been verified.'
        assert (response.status_code, response.json()) == (400, {"meta": {"error": text}})
    assert rules(site) == ["app.send.sender"]


# ---- what is wrong with a request ------------------------------------------------------------------------------------

JSON_TEXT = "Request entity must be JSON encoded and not exceed 2048 KB."
NOT_FOUND = '"transactional_message_id" not found.'
E164 = "Invalid phone number format. Phone numbers must be in E.164 format."


def missing(name: str) -> str:
    return f'Missing required field: "{name}"'


def attached(name: str, content: str) -> dict[str, Any]:
    return {**WHOLE, "attachments": {name: content}}


def encoded(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


REFUSED = [
    pytest.param("email", b"{", 400, JSON_TEXT, "app.send.body", id="no JSON"),
    pytest.param("email", [], 400, JSON_TEXT, "app.send.body", id="a list"),
    pytest.param("email", {**WHOLE, "body": "x" * 2_097_152}, 400, JSON_TEXT, "app.send.body", id="over 2048 KB"),
    pytest.param("email", {}, 400, missing("to"), "app.send.field", id="nothing at all"),
    pytest.param("email", {**WHOLE, "to": None}, 400, missing("to"), "app.send.field", id="no recipient"),
    pytest.param("email", {"to": "a@b.cd"}, 400, missing("transactional_message_id"), "app.send.field",
                 id="neither a template nor a text"),
    pytest.param("email", {**BARE, "body": ""}, 400, missing("body"), "app.send.field", id="no body"),
    pytest.param("email", {**BARE, "subject": None}, 400, missing("subject"), "app.send.field", id="no subject"),
    pytest.param("email", {**BARE, "from": None}, 400, missing("from"), "app.send.field", id="no sender"),
    pytest.param("push", {"identifiers": ANN}, 400, missing("transactional_message_id"), "app.send.field",
                 id="push without a template"),
    pytest.param("in_app", {"transactional_message_id": 7}, 400, missing("identifiers"), "app.send.field",
                 id="in_app to nobody"),
    pytest.param("sms", {"transactional_message_id": 5, "identifiers": ANN}, 400, missing("to"), "app.send.field",
                 id="sms to no number"),
    pytest.param("sms", {"transactional_message_id": 5, "identifiers": ANN, "to": "0790000000"}, 400, E164,
                 "app.send.field", id="sms to no E.164 number"),
    pytest.param("email", {**WHOLE, "transactional_message_id": 99}, 400, NOT_FOUND, "app.send.template",
                 id="an unknown template"),
    pytest.param("email", {**WHOLE, "transactional_message_id": "nope"}, 400, NOT_FOUND, "app.send.template",
                 id="an unknown name"),
    pytest.param("push", {"transactional_message_id": 3, "identifiers": ANN}, 400, NOT_FOUND, "app.send.template",
                 id="a template of another channel"),
    pytest.param("push", {"transactional_message_id": "receipt", "identifiers": ANN, "auto_create": True}, 400,
                 '"transactional_message_id" names a message of another channel.', "app.send.template_channel",
                 id="creating over a name of another channel"),
    pytest.param("email", {**WHOLE, "transactional_message_id": 99, "auto_create": True}, 400, NOT_FOUND,
                 "app.send.template", id="numbers are never created"),
    pytest.param("email", attached("f.csv", "no base64!"), 400, 'Attachment must be base64 encoded: "f.csv"',
                 "app.send.attachment", id="an attachment that is not base64"),
    pytest.param("email", {**WHOLE, "attachments": ["x"]}, 400, 'Invalid field: "attachments" must be an object.',
                 "app.send.attachment", id="attachments without names"),
    pytest.param("email", attached("run.exe", "AAAA"), 403, "Forbidden file type exe for attachment run.exe.",
                 "app.send.attachment.forbidden", id="a program"),
    pytest.param("email", attached("f.csv", encoded(2_000_001)), 413, "Total attachment size exceeds the limit",
                 "app.send.attachment.total", id="attachments over 2 MB"),
    pytest.param("email", {**WHOLE, "headers": {"X Y": "1"}}, 400,
                 'Invalid field: "headers" must have names in ASCII without spaces.', "app.send.field",
                 id="a header with a space"),
    pytest.param("email", {**WHOLE, "headers": "nonsense"}, 400,
                 'Invalid field: "headers" must be an object or the JSON of a list.', "app.send.field",
                 id="headers that are no JSON"),
    pytest.param("email", {**WHOLE, "identifiers": {"id": "1", "email": "a@b.cd"}}, 400,
                 '"identifiers" must contain exactly one of id, email or cio_id.', "app.send.field", id="two names"),
    pytest.param("email", {**WHOLE, "send_at": AT + 90 * 86_400 + 1}, 400,
                 'Invalid field: "send_at" must be within 90 days.', "app.send.field", id="too far ahead"),
    pytest.param("email", {**WHOLE, "send_at": "soon"}, 400, 'Invalid field: "send_at" must be a unix timestamp.',
                 "app.send.field", id="a word for a time"),
    pytest.param("email", {**WHOLE, "to": 5}, 400, 'Invalid field: "to" must be text.', "app.send.field",
                 id="a number for an address"),
    pytest.param("push", {"transactional_message_id": 4, "identifiers": ANN, "custom_device": {"token": "t"}}, 400,
                 "device platform must be ios or android", "app.send.field", id="a device without a platform"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "body", "status", "text", "rule"), REFUSED)
def test_a_send_is_refused(shop: Site, channel: str, body: Any, status: int, text: str, rule: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = shop.app.post(f"/v1/send/{channel}", content=content)
    assert (response.status_code, response.json()) == (status, {"meta": {"error": text}})
    assert rules(shop) == [rule]
    assert len(shop.hosted.state.deliveries) == 0


def test_the_largest_body_is_read_either_way(live: Live) -> None:
    text = {"meta": {"error": "Request entity must be JSON encoded and not exceed 2548 KB."}}
    site = world(live, send_body_kb=2548)
    assert send(site, **{**WHOLE, "body": "x" * 2_097_152}).status_code == 200
    assert send(site, **{**WHOLE, "body": "x" * 2_609_152}).json() == text


@pytest.mark.parametrize(
    ("lists", "status"),
    [
        pytest.param({"to": ",".join(f"p{n}@example.com" for n in range(15))}, 200, id="15"),
        pytest.param({"to": ",".join(f"p{n}@example.com" for n in range(16))}, 400, id="16"),
        pytest.param({"to": "a@b.cd", "cc": "c@b.cd," * 7, "bcc": "d@b.cd," * 8}, 400, id="16 in three lists"),
        pytest.param({"to": ",".join(f'"P, {n}" <p{n}@example.com>' for n in range(15))}, 200, id="commas in quotes"),
    ],
)
def test_recipients_are_counted_over_all_lists(shop: Site, lists: Any, status: int) -> None:
    assert send(shop, **{**WHOLE, **lists}).status_code == status
    assert status == 200 or rules(shop) == ["app.send.recipients"]


def test_an_email_may_have_to_name_a_person(live: Live) -> None:
    body = {name: value for name, value in WHOLE.items() if name != "identifiers"}
    assert send(world(live), **body).status_code == 200
    site = world(live, send_email_identifiers="required")
    assert send(site, **body).json() == {"meta": {"error": missing("identifiers")}}


def test_a_name_nobody_used_becomes_a_template_when_asked(shop: Site) -> None:
    made = message(shop, send(shop, **{**WHOLE, "transactional_message_id": "Fresh", "auto_create": True}))
    assert message(shop, send(shop, **{**WHOLE, "transactional_message_id": "fresh"}))["msg_template_id"] == 10
    assert made["msg_template_id"] == 10
