"""Bodies judged strictly: a request that says `X-Validate: strict` is refused when its body has a key nobody reads.

Otherwise unknown keys are ignored, as documented. The known keys of every operation stand here; what a key may hold is
its handler's business. Source: App API > Error shapes; each operation's request; the words of the refusal are assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from fakeio.core.outcomes import Refused
from fakeio.edge.decode import parse_object
from fakeio.edge.errors import app_error, send_error
from fakeio.edge.routing import SEND, Route
from fakeio.edge.work import Answered, Call, Errand, Handler, Work, refuse

HEADER, STRICT = b"x-validate", b"strict"

_SENT = (
    "transactional_message_id identifiers to message_data send_at queue_draft language auto_create tracked "
    "send_to_unsubscribed disable_message_retention "
)
_TEMPLATE = (
    "subject body body_plain body_amp from from_id reply_to reply_to_id recipient bcc cc fake_bcc preheader_text "
    "headers language"
)
# operation: its keys; `outer.inner` is a key of the object below another
_KEYS: dict[str, str] = {
    "search_people": "filter",
    "get_attributes_of_many": "ids",
    "create_segment": "segment segment.name segment.description",
    "export_people": "filters attributes",
    "export_deliveries": (
        "newsletter_id campaign_id transactional_message_id action_id start end attributes metric drafts template_id"
    ),
    "import_file": (
        "import import.name import.type import.identifier import.data_file_url import.object_type_id "
        "import.description import.data_to_process import.people_to_process"
    ),
    "trigger_broadcast": (
        "data recipients emails ids per_user_data data_file_url email_ignore_missing id_ignore_missing "
        "email_add_duplicates"
    ),
    "create_webhook": "id type name endpoint events disabled full_resolution with_content",
    "update_webhook": "id type name endpoint events disabled full_resolution with_content",
    "create_collection": "name data url",
    "update_collection": "name data url",
    "create_snippet": "name value",
    "update_snippet": "name value",
    "search_objects": "object_type_id filter",
    "create_newsletter": (
        "name type recipients send_now scheduled_at subscription_topic_id rate_limit_email_rate "
        "rate_limit_time_period rate_limit_spread subject preheader_text body body_plain body_json layout_id from "
        "from_id request_method url headers"
    ),
    "send_newsletter": "rate_limit_email_rate rate_limit_time_period rate_limit_spread",
    "schedule_newsletter": "scheduled_at rate_limit_email_rate rate_limit_time_period rate_limit_spread",
    "update_broadcast_action": _TEMPLATE,
    "update_broadcast_action_language": _TEMPLATE,
    "update_transactional_content": _TEMPLATE,
    "update_transactional_language": _TEMPLATE,
    "send_email": _SENT + (
        "subject body body_plain body_amp from cc bcc reply_to preheader headers attachments fake_bcc "
        "disable_css_preprocessing"
    ),
    "send_push": _SENT + "title message image_url link sound custom_data custom_payload custom_device",
    "send_sms": _SENT + "from",
    "send_whatsapp": _SENT + "attachments",
    "send_in_app": _SENT,
    "send_inbox_message": _SENT,
}  # fmt: skip
KEYS: Mapping[str, frozenset[str]] = {operation: frozenset(keys.split()) for operation, keys in _KEYS.items()}
# bodies whose keys are the caller's own, and routes that take none
ANY_KEYS = frozenset({"update_collection_content", "add_esp_suppression"})


def strictly(route: Route) -> Route:
    """The route, with its body judged first where the request asks for that."""
    known = KEYS.get(route.operation)
    return route if known is None else structs.replace(route, handler=_judging(route, known))


def _judging(route: Route, known: frozenset[str]) -> Handler:
    handler = route.handler

    def judge(call: Call) -> Work | Answered | Errand:
        if call.request.header(HEADER) == STRICT:
            unknown = first_unknown(parse_object(call.request.body), known)
            if unknown is not None:
                return _refuse_key(route, unknown)
        return handler(call)

    return judge


def first_unknown(body: Any, known: frozenset[str]) -> str | None:
    """The first key of an object that is not known, or of an object below it whose keys are listed; None without."""
    objects: dict[str, Any] = body if isinstance(body, dict) else {}
    for key, value in objects.items():
        if key not in known or "." in key:
            return key
        inner = {name for name in known if name.startswith(f"{key}.")}
        for name in value if inner and isinstance(value, dict) else ():
            if f"{key}.{name}" not in inner:
                return f"{key}.{name}"
    return None


def _refuse_key(route: Route, key: str) -> Answered:
    message = f'unknown field "{key}"'
    refused = Refused("app.unknown_key", "unknown", key, message)
    return refuse(route.operation, refused, send_error(400, message) if route.auth == SEND else app_error(400, message))
