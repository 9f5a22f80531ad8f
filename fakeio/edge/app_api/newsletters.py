"""App API, newsletters: created as drafts or to be sent, read, scheduled, sent and deleted; what came of them.

A newsletter has one content here; what its variants in other languages or tests would hold is not imitated. Source: App
API > Newsletters; what scheduling and sending answer, and which of the two refusals is meant where, is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fakeio.core.app_operations import CreateNewsletter, DeleteNewsletter, ScheduleNewsletter
from fakeio.core.content import NEWSLETTER_TYPES, Newsletter
from fakeio.core.filters import Filter, parse_filter
from fakeio.core.limits import SEARCH_PAGE
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.settings import ASSUMED
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.messages import answer_messages
from fakeio.edge.app_api.metrics import answer_metrics
from fakeio.edge.app_api.reading import (
    bad_body,
    bad_parameter,
    encode_cursor,
    not_found,
    number_in_path,
    page_asked,
    query,
    read,
)
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import APP_DELETED, APP_NOT_FOUND, app_error, app_json
from fakeio.edge.fields import whole_number
from fakeio.edge.http import Reply
from fakeio.edge.routing import Route
from fakeio.edge.work import Answered, Call, Work, refuse

LONGEST_NAME = 190
USUAL_PAGE = 50
_CURSOR = "newsletters"
# what each channel cannot do without; a push has a title, a text, or both
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "email": ("subject", "body"), "twilio": ("body",), "in_app": ("body_json",), "inbox": ("body_json",),
    "webhook": ("request_method", "url"), "push": (),
}  # fmt: skip
_TEXTS = ("subject", "body", "from", "body_json", "request_method", "url")


def newsletter_document(newsletter: Newsletter) -> dict[str, Any]:
    """One newsletter as published; it has no `sent_at` until it was sent."""
    wanted = parse_filter(newsletter.recipients)
    document: dict[str, Any] = {
        "id": newsletter.id,
        "deduplicate_id": f"{newsletter.id}:{newsletter.updated_at}",
        "type": newsletter.type,
        "content_ids": [newsletter.id],
        "name": newsletter.name,
        "created": newsletter.created_at,
        "updated": newsletter.updated_at,
        "recipient_segment_ids": sorted(wanted.segments) if isinstance(wanted, Filter) else [],
        "tags": newsletter.tags,
    }
    if newsletter.subscription_topic_id is not None:
        document["subscription_topic_id"] = newsletter.subscription_topic_id
    return document if newsletter.sent_at is None else {**document, "sent_at": newsletter.sent_at}


def create(call: Call) -> Work | Answered:
    """A draft, unless the body says when it is to be sent."""
    operation, body = "create_newsletter", parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    refused = _malformed(body) or _wrong(body, call.hosted.clock.now())
    if refused is not None:
        status, field, message = refused
        return refuse(operation, Refused("app.body", "invalid", field, message), app_error(status, message))
    newsletter = Newsletter(
        name=body["name"], type=body["type"], recipients=plain_recipients(body["recipients"]),
        subject=body.get("subject") or "", body=body.get("body") or body.get("body_json") or "",
        from_=body.get("from") or "", subscription_topic_id=body.get("subscription_topic_id"),
        scheduled_at=body.get("scheduled_at"),
    )  # fmt: skip
    return Work((CreateNewsletter(newsletter=newsletter, send_now=body.get("send_now") is True),), _answer_made)


Wrong = tuple[int, str, str] | None  # status, field, message


def _malformed(body: Mapping[str, Any]) -> Wrong:
    """The 400s: what is missing or of the wrong kind."""
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        return 400, "name", f"name is required, of at most {LONGEST_NAME} characters"
    if not isinstance(body.get("recipients"), dict):
        return 400, "recipients", "recipients are required"
    text = next((each for each in _TEXTS if not isinstance(body.get(each), str | None)), None)
    if text is not None:
        return 400, text, f"{text} is text"
    for number in ("scheduled_at", "subscription_topic_id"):
        if not isinstance(body.get(number), int | None) or isinstance(body.get(number), bool):
            return 400, number, f"{number} is a whole number"
    return None if isinstance(body.get("send_now"), bool | None) else (400, "send_now", "send_now is true or false")


def _wrong(body: Mapping[str, Any], now: float) -> Wrong:
    """The 422s: values that are not valid, or not together."""
    type_ = body.get("type")
    if type_ not in NEWSLETTER_TYPES:
        return 422, "type", f"type is one of {', '.join(NEWSLETTER_TYPES)}"
    missing = next((name for name in _NEEDED[type_] if not body.get(name)), None)
    if missing is not None or (type_ == "push" and not (body.get("subject") or body.get("body"))):
        return 422, missing or "body", f"{missing or 'subject or body'} is required"
    wanted = parse_filter(plain_recipients(body["recipients"]))
    if isinstance(wanted, Refused):
        return 422, "recipients", wanted.message
    if body.get("from") and body.get("from_id"):
        return 422, "from", "set either from or from_id"
    at = body.get("scheduled_at")
    if at is None:
        return None
    if body.get("send_now"):
        return 422, "scheduled_at", "set either send_now or scheduled_at"
    return None if at > now else (422, "scheduled_at", "scheduled_at must be in the future")


def plain_recipients(document: Any) -> Any:
    """The filter without `inverse`, which newsletters alone know: an attribute that has it becomes a `not`."""
    if isinstance(document, list):
        return [plain_recipients(each) for each in document]
    if not isinstance(document, dict):
        return document
    parts = [{key: _plain_part(key, value)} for key, value in document.items()]
    parts = [{"not": part} if _is_inverse(part) else part for part in parts]
    return parts[0] if len(parts) == 1 else {"and": parts} if parts else {}


def _plain_part(key: str, value: Any) -> Any:
    return plain_recipients(value) if key in ("and", "or", "not") else value


def _is_inverse(part: Mapping[str, Any]) -> bool:
    attribute = part.get("attribute")
    return isinstance(attribute, dict) and attribute.get("inverse") is True


def _answer_made(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    outcome = outcomes[0]
    if isinstance(outcome, Refused):
        return APP_NOT_FOUND if outcome.rule == "app.not_found" else app_error(422, outcome.message)
    made = state.content.newsletters.get(outcome.result or 0) if isinstance(outcome, Applied) else None
    assert made is not None, "it was made or found a moment ago"
    return app_json({"newsletter": newsletter_document(made)})


def list_all(call: Call) -> Work | Answered:
    """A page of them, oldest first unless asked for the newest."""
    operation, order = "list_newsletters", query(call).get("sort") or "asc"
    if order not in ("asc", "desc"):
        return bad_parameter(operation, "sort", "asc or desc")
    page = page_asked(call, operation, f"{_CURSOR}-{order}", USUAL_PAGE, SEARCH_PAGE)
    if isinstance(page, Answered):
        return page
    start, size = page

    def answer(state: Workspace) -> Reply:
        everything = list(state.content.newsletters)
        rows = [one for one in everything if one.id > start]
        if order == "desc":
            rows = [one for one in reversed(everything) if not start or one.id < start]
        more = encode_cursor(f"{_CURSOR}-{order}", rows[size - 1].id) if len(rows) > size else ""
        return app_json({"newsletters": [newsletter_document(one) for one in rows[:size]], "next": more})

    return read(answer)


def get_one(call: Call) -> Work | Answered:
    newsletter_id = number_in_path(call, "get_newsletter", 0)
    if isinstance(newsletter_id, Answered):
        return newsletter_id

    def find(state: Workspace) -> Reply | Answered:
        found = state.content.newsletters.get(newsletter_id)
        if found is None:
            return not_found("get_newsletter", f"newsletter {newsletter_id}")
        return app_json({"newsletter": newsletter_document(found)})

    return read(find)


def delete(call: Call) -> Work | Answered:
    newsletter_id = number_in_path(call, "delete_newsletter", 0)
    if isinstance(newsletter_id, Answered):
        return newsletter_id

    def answer(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
        return APP_NOT_FOUND if isinstance(outcomes[0], Refused) else APP_DELETED

    return Work((DeleteNewsletter(newsletter_id=newsletter_id),), answer)


def send(call: Call) -> Work | Answered:
    newsletter_id = number_in_path(call, "send_newsletter", 0)
    if isinstance(newsletter_id, Answered):
        return newsletter_id
    return Work((ScheduleNewsletter(newsletter_id=newsletter_id),), _answer_made)


def schedule(call: Call) -> Work | Answered:
    """At `scheduled_at`, which lies ahead."""
    operation = "schedule_newsletter"
    newsletter_id, body = _existing(call, operation), parse_object(call.request.body)
    if isinstance(newsletter_id, Answered):
        return newsletter_id
    at = None if isinstance(body, Malformed) else whole_number(str(body.get("scheduled_at", "")))
    if at is None:
        return bad_body(operation, "scheduled_at", "scheduled_at is a unix timestamp")
    if at <= call.hosted.clock.now():
        refused = Refused("app.body", "invalid", "scheduled_at", "scheduled_at must be in the future")
        return refuse(operation, refused, app_error(422, refused.message))
    return Work((ScheduleNewsletter(newsletter_id=newsletter_id, at=at),), _answer_made)


# ---- what came of it, and what hangs on it ---------------------------------------------------------------------------


def list_messages(call: Call) -> Work | Answered:
    newsletter_id = _existing(call, "list_newsletter_messages")
    if isinstance(newsletter_id, Answered):
        return newsletter_id
    return answer_messages(call, "list_newsletter_messages", lambda one: one.newsletter == newsletter_id)


def get_metrics(call: Call) -> Work | Answered:
    newsletter_id = _existing(call, "get_newsletter_metrics")
    if isinstance(newsletter_id, Answered):
        return newsletter_id
    return answer_metrics(call, "get_newsletter_metrics", lambda one: one.newsletter == newsletter_id)


def get_link_metrics(call: Call) -> Work | Answered:
    """No links are told apart here."""
    found = _existing(call, "get_newsletter_link_metrics")
    return found if isinstance(found, Answered) else read(lambda _: app_json({"links": []}))


def _existing(call: Call, operation: str) -> int | Answered:
    newsletter_id = number_in_path(call, operation, 0)
    if isinstance(newsletter_id, Answered) or call.hosted.state.content.newsletters.get(newsletter_id) is not None:
        return newsletter_id
    return not_found(operation, f"newsletter {newsletter_id}")


def _below(operation: str) -> Callable[[Call], Work | Answered]:
    """Something of a newsletter that none has here; of one that exists, the tape says that it is not imitated."""
    not_here = Refused("route.not_imitated", "not_imitated", "path", "variants of newsletters are not imitated")

    def find(call: Call) -> Work | Answered:
        found = _existing(call, operation)
        return found if isinstance(found, Answered) else read(lambda _: refuse(operation, not_here, APP_NOT_FOUND))

    return find


_ONE = "/v1/newsletters/{newsletter_id}"
_GROUP = f"{_ONE}/test_group/{{test_group_id}}"
_BELOW = {
    f"GET {_ONE}/contents": "list_newsletter_contents",
    f"GET {_ONE}/contents/{{content_id}}": "get_newsletter_content",
    f"PUT {_ONE}/contents/{{content_id}}": "update_newsletter_content",
    f"GET {_ONE}/contents/{{content_id}}/metrics": "get_newsletter_content_metrics",
    f"GET {_ONE}/contents/{{content_id}}/metrics/links": "get_newsletter_content_link_metrics",
    f"POST {_ONE}/language": "create_newsletter_language",
    f"GET {_ONE}/language/{{language}}": "get_newsletter_language",
    f"PUT {_ONE}/language/{{language}}": "update_newsletter_language",
    f"DELETE {_ONE}/language/{{language}}": "delete_newsletter_language",
    f"GET {_ONE}/test_groups": "list_newsletter_test_groups",
    f"POST {_ONE}/test_groups": "create_newsletter_test_group",
    f"POST {_GROUP}/language": "create_newsletter_test_group_language",
    f"GET {_GROUP}/language/{{language}}": "get_newsletter_test_group_language",
    f"PUT {_GROUP}/language/{{language}}": "update_newsletter_test_group_language",
    f"DELETE {_GROUP}/language/{{language}}": "delete_newsletter_test_group_language",
}


def _rows_below() -> list[Route]:
    rows = [(*asked.split(" "), operation) for asked, operation in _BELOW.items()]
    return [app_route(method, path, name, _below(name), tier=3, minimum=True) for method, path, name in rows]


ROUTES = (
    app_route("GET", "/v1/newsletters", "list_newsletters", list_all, tier=3),
    app_route("POST", "/v1/newsletters", "create_newsletter", create, tier=3),
    app_route("GET", _ONE, "get_newsletter", get_one, tier=3),
    app_route("DELETE", _ONE, "delete_newsletter", delete, tier=3),
    app_route("POST", f"{_ONE}/send", "send_newsletter", send, tier=3, grade=ASSUMED),
    app_route("POST", f"{_ONE}/schedule", "schedule_newsletter", schedule, tier=3, grade=ASSUMED),
    app_route("GET", f"{_ONE}/metrics", "get_newsletter_metrics", get_metrics, tier=3),
    app_route("GET", f"{_ONE}/metrics/links", "get_newsletter_link_metrics", get_link_metrics, tier=3, minimum=True),
    app_route("GET", f"{_ONE}/messages", "list_newsletter_messages", list_messages, tier=3),
    *_rows_below(),
)
