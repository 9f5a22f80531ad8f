"""App API, messages: the deliveries of a workspace, one of them, and what was in it.

A message that was accepted a moment ago may not be there yet (switch `delivery_visible_s`). Nothing is rendered: the
archive shows the fields as they were sent. Source: App API > Messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeio.core.deliveries import Delivery
from fakeio.core.limits import SEARCH_PAGE
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import (
    bad_parameter,
    encode_cursor,
    identifiers_of,
    not_found,
    page_size,
    page_start,
    query,
    read,
)
from fakeio.edge.app_api.table import app_route
from fakeio.edge.errors import app_json
from fakeio.edge.fields import whole_number
from fakeio.edge.http import Reply
from fakeio.edge.routing import Quota
from fakeio.edge.work import Answered, Call, Work

USUAL_PAGE = 50
METRICS = (
    "attempted", "sent", "delivered", "opened", "clicked", "converted", "bounced", "spammed", "unsubscribed", "dropped",
    "failed", "undeliverable",
)  # fmt: skip
TYPES = ("email", "webhook", "twilio", "whatsapp", "slack", "push", "in_app", "live_notification")
# query: the delivery's field
_ORIGINS = {"campaign_id": "broadcast", "action_id": "action", "newsletter_id": "newsletter"}

Wanted = Callable[[Delivery], bool]


def published_type(delivery: Delivery) -> str:
    """SMS go by the name of their carrier."""
    return "twilio" if delivery.type == "sms" else delivery.type


def delivery_document(state: Workspace, delivery: Delivery) -> dict[str, Any]:
    """One delivery as published; somebody deleted since is nobody."""
    person = state.people.get(delivery.person) if delivery.person else None
    return {
        "id": delivery.id,
        "deduplicate_id": f"{delivery.id}:{max([delivery.created_at, *delivery.metrics.values()])}",
        "type": published_type(delivery),
        "customer_id": person.id if person is not None else None,
        "customer_identifiers": identifiers_of(person) if person is not None else None,
        "recipient": delivery.recipient,
        "subject": delivery.subject,
        "created": delivery.created_at,
        "metrics": dict(delivery.metrics),
        "failure_message": delivery.failure,
        "forgotten": not delivery.retained,
        "campaign_id": delivery.broadcast,
        "action_id": delivery.action,
        "parent_action_id": None,
        "broadcast_id": delivery.broadcast,
        "newsletter_id": delivery.newsletter,
        "content_id": delivery.content,
        "trigger_event_id": None,
        "msg_template_id": delivery.template,
    }


def list_messages(call: Call) -> Work | Answered:
    return answer_messages(call, "list_messages", lambda delivery: True)


def answer_messages(call: Call, operation: str, of: Wanted) -> Work | Answered:
    """A page of the deliveries that are `of` something and match the query, newest first."""
    wanted = wanted_by_query(call, operation)
    if isinstance(wanted, Answered):
        return wanted
    size = page_size(call, operation, USUAL_PAGE, SEARCH_PAGE)
    if isinstance(size, Answered):
        return size
    start = page_start(call, operation, operation)
    if isinstance(start, Answered):
        return start
    return read(lambda state: messages_page(state, lambda one: of(one) and wanted(one), operation, start, size))


def messages_page(
    state: Workspace, wanted: Wanted, scope: str, start: int, size: int, person: str | None = None
) -> Reply:
    """The page of deliveries whose numbers are below `start`, 0 for the newest; of one person, or of everybody."""
    found, place = state.deliveries.find(wanted, start, size, person)
    return app_json({
        "messages": [delivery_document(state, delivery) for delivery in found],
        "next": encode_cursor(scope, place) if place else "",
    })


def wanted_by_query(call: Call, operation: str) -> Wanted | Answered:
    """What `type`, `metric`, `drafts`, `start_ts`, `end_ts` and the origins ask for."""
    asked = query(call)
    type_, metric = asked.get("type", ""), asked.get("metric", "")
    if type_ and type_ not in TYPES:
        return bad_parameter(operation, "type", f"one of {', '.join(TYPES)}")
    if metric and metric not in METRICS:
        return bad_parameter(operation, "metric", f"one of {', '.join(METRICS)}")
    numbers = {name: whole_number(asked[name]) for name in (*_ORIGINS, "start_ts", "end_ts") if asked.get(name)}
    bad = next((name for name, value in numbers.items() if value is None), None)
    if bad is not None:
        return bad_parameter(operation, bad, "a whole number")
    drafts = asked.get("drafts", "").lower() in ("true", "1")
    visible = is_visible(call)

    def wanted(one: Delivery) -> bool:
        return (
            visible(one)
            and one.draft is drafts
            and (not type_ or published_type(one) == type_)
            and (not metric or metric in one.metrics)
            and _matches(one, numbers)
        )

    return wanted


def _matches(one: Delivery, numbers: dict[str, int | None]) -> bool:
    start, end = numbers.get("start_ts"), numbers.get("end_ts")
    if (start is not None and one.created_at < start) or (end is not None and one.created_at > end):
        return False
    return all(getattr(one, _ORIGINS[name], None) == numbers[name] for name in _ORIGINS if name in numbers)


def is_visible(call: Call) -> Wanted:
    """Whether a message was accepted long enough ago to be read."""
    delay_s = call.settings.delivery_visible_s
    newest = call.hosted.clock.now() - delay_s
    return lambda one: not delay_s or one.created_at <= newest


def get_message(call: Call) -> Work | Answered:
    return _read_one(call, "get_message", lambda one, state: app_json({"message": delivery_document(state, one)}))


def get_archived(call: Call) -> Work | Answered:
    """What was sent; of a message that was not to be kept, only that there was one."""
    return _read_one(
        call, "get_archived_message", lambda one, _: app_json({"archived_message": archived_document(one)})
    )


def archived_document(delivery: Delivery) -> dict[str, Any]:
    """The content of one delivery as published."""
    sent = delivery.message if delivery.retained else {}
    shown = {name: sent.get(name, "") for name in ("body", "from", "reply_to", "subject", "cc", "bcc")}
    return {
        "id": delivery.id,
        **shown,
        "recipient": delivery.recipient,
        "fake_bcc": bool(sent.get("fake_bcc", False)),
        "preheader_text": sent.get("preheader_text", ""),
        "url": "",
        "request_method": "",
        "headers": sent.get("headers") or "",
        "forgotten": not delivery.retained,
    }


def _read_one(call: Call, operation: str, show: Callable[[Delivery, Workspace], Reply]) -> Work | Answered:
    wanted, visible = call.segments[0], is_visible(call)

    def find(state: Workspace) -> Reply | Answered:
        delivery = state.deliveries.get(wanted)
        if delivery is None or not visible(delivery):
            return not_found(operation, f"message {wanted!r}")
        return show(delivery, state)

    return read(find)


_DAY_S = 24 * 60 * 60
ROUTES = (
    app_route("GET", "/v1/messages", "list_messages", list_messages),
    app_route("GET", "/v1/messages/{message_id}", "get_message", get_message),
    app_route(
        "GET", "/v1/messages/{message_id}/archived_message", "get_archived_message", get_archived,
        quota=Quota(100, _DAY_S, tells_when=False),
    ),
)  # fmt: skip
