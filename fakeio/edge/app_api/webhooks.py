"""App API, reporting webhooks: where reports about messages are to go. They are kept, and nothing is delivered yet.

Unlike elsewhere an answer is the bare object. Source: App API > Reporting webhooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from fakeio.core.app_operations import DeleteWebhook, SaveWebhook
from fakeio.core.content import Webhook
from fakeio.core.outcomes import Applied, Outcome
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.content import answer_deleted
from fakeio.edge.app_api.reading import bad_body, not_found, number_in_path, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import APP_NOT_FOUND, app_json
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work

_SMS = "drafted attempted sent delivered clicked converted bounced dropped failed undeliverable replied"
_EVENTS = {
    "customer": "subscribed unsubscribed subscription_preferences_changed",
    "email": (
        "drafted attempted sent delivered opened clicked converted bounced dropped deferred spammed failed "
        "unsubscribed undeliverable"
    ),
    "in_app": "drafted attempted sent opened clicked converted failed undeliverable",
    "push": "drafted attempted sent delivered opened clicked converted bounced dropped failed undeliverable",
    "slack": "drafted attempted sent clicked converted failed",
    "sms": _SMS,
    "whatsapp": f"{_SMS} opened",
    "webhook": "drafted attempted sent clicked converted failed undeliverable",
}
EVENTS = frozenset(f"{about}_{event}" for about, events in _EVENTS.items() for event in events.split())
_FLAGS = ("disabled", "full_resolution", "with_content")


def webhook_document(webhook: Webhook) -> dict[str, Any]:
    """One webhook as published."""
    return {
        "id": webhook.id,
        "type": webhook.type,
        "name": webhook.name,
        "endpoint": webhook.endpoint,
        "events": list(webhook.events),
        "disabled": webhook.disabled,
        "full_resolution": webhook.full_resolution,
        "with_content": webhook.with_content,
    }


def create(call: Call) -> Work | Answered:
    return _save(call, "create_webhook", 0)


def update(call: Call) -> Work | Answered:
    """Replaces the whole: what is left out is as in a new one."""
    webhook_id = number_in_path(call, "update_webhook", 0)
    return webhook_id if isinstance(webhook_id, Answered) else _save(call, "update_webhook", webhook_id)


def _save(call: Call, operation: str, webhook_id: int) -> Work | Answered:
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    for field, why in _violations(body):
        return bad_body(operation, field, why)
    webhook = Webhook(
        id=webhook_id,
        name=body["name"],
        endpoint=body["endpoint"],
        events=list(dict.fromkeys(body["events"])),
        disabled=body.get("disabled") is True,
        full_resolution=body.get("full_resolution") is True,
        with_content=body.get("with_content") is True,
    )
    return Work((SaveWebhook(webhook=webhook),), _answer_saved)


def _violations(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields that are missing or wrong, with what would be right."""
    name, endpoint, events = (body.get(field) for field in ("name", "endpoint", "events"))
    if not isinstance(name, str) or not name:
        yield "name", "a reporting webhook has a name"
    if not isinstance(endpoint, str) or not _is_url(endpoint):
        yield "endpoint", "an endpoint is an http or https URL"
    if not isinstance(events, list) or not events or not EVENTS.issuperset(map(str, events)):
        yield "events", "at least one published event"
    for flag in _FLAGS:
        if not isinstance(body.get(flag), bool | None):
            yield flag, f"{flag} is true or false"


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _answer_saved(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    outcome = outcomes[0]
    saved = state.content.webhooks.get(outcome.result or 0) if isinstance(outcome, Applied) else None
    return APP_NOT_FOUND if saved is None else app_json(webhook_document(saved))


def list_all(call: Call) -> Work:
    return read(
        lambda state: app_json({"reporting_webhooks": [webhook_document(one) for one in state.content.webhooks]})
    )


def get_one(call: Call) -> Work | Answered:
    return _read_one(call, "get_webhook", lambda one: app_json(webhook_document(one)))


def delete(call: Call) -> Work | Answered:
    webhook_id = number_in_path(call, "delete_webhook", 0)
    if isinstance(webhook_id, Answered):
        return webhook_id
    return Work((DeleteWebhook(webhook_id=webhook_id),), answer_deleted)


def _read_one(call: Call, operation: str, show: Callable[[Webhook], Reply]) -> Work | Answered:
    webhook_id = number_in_path(call, operation, 0)
    if isinstance(webhook_id, Answered):
        return webhook_id

    def find(state: Workspace) -> Reply | Answered:
        found = state.content.webhooks.get(webhook_id)
        return not_found(operation, f"reporting webhook {webhook_id}") if found is None else show(found)

    return read(find)


_ONE = "/v1/reporting_webhooks/{webhook_id}"
ROUTES = (
    app_route("GET", "/v1/reporting_webhooks", "list_webhooks", list_all),
    app_route("POST", "/v1/reporting_webhooks", "create_webhook", create),
    app_route("GET", _ONE, "get_webhook", get_one),
    app_route("PUT", _ONE, "update_webhook", update),
    app_route("DELETE", _ONE, "delete_webhook", delete),
)
