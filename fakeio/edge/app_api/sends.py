"""App API, transactional sends on six channels: what a request must look like, in the words of their own errors.

Decides shapes and sizes; templates, senders and the account's permission are `core/sends.py`. There is no idempotency
key: a send that is repeated is sent twice. Source: App API > Transactional.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fakeio.core.app_operations import SendMessage
from fakeio.core.content import EMAIL, IN_APP, INBOX, PUSH, SMS, WHATSAPP
from fakeio.core.deliveries import delivery_id
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, ID, Ref
from fakeio.core.identifiers import EMAIL as EMAIL_KIND
from fakeio.core.limits import SEND_RECIPIENTS
from fakeio.core.operations import AddDevice
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.sends import TEMPLATE
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.attachments import refuse_attachments
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_json, parse_object
from fakeio.edge.errors import app_json, send_error
from fakeio.edge.fields import device_of, whole_number
from fakeio.edge.http import Reply
from fakeio.edge.routing import SEND
from fakeio.edge.work import Answered, Call, Handler, Work, refuse

LATEST_S = 90 * 24 * 60 * 60  # how far ahead a message can be timed

_REQUIRED: dict[str, tuple[str, ...]] = {
    EMAIL: ("to",),
    PUSH: (TEMPLATE, "identifiers"),
    SMS: (TEMPLATE, "identifiers", "to"),
    WHATSAPP: (TEMPLATE, "identifiers"),
    IN_APP: (TEMPLATE, "identifiers"),
    INBOX: (TEMPLATE, "identifiers"),
}
_WRITTEN = ("body", "subject", "from")  # what an email without a template brings itself
_MESSAGE = (
    "subject", "body", "body_plain", "body_amp", "from", "reply_to", "cc", "bcc", "fake_bcc", "headers", "title",
    "message", "image_url", "link", "sound", "custom_data", "custom_payload", "message_data",
)  # fmt: skip
_E164 = re.compile(r"\+[1-9][0-9]{1,14}\Z", re.ASCII)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_HEADER_NAME = re.compile(r"[!-9;-~]+\Z", re.ASCII)
_STATUSES = {
    "app.send.account": 403,
    "app.send.attachment.forbidden": 403,
    "app.send.attachment.total": 413,
}


def sender(channel: str) -> Handler:
    """The handler of one channel."""

    def send(call: Call) -> Work | Answered:
        wanted = _parse(channel, call)
        if isinstance(wanted, Refused):
            return refuse(f"send_{channel}", wanted, _answer_refused(wanted))
        return Work((wanted,), lambda outcomes, state: _answer(outcomes, state, call, wanted.send_at))

    return send


def _answer(outcomes: Sequence[Outcome | None], state: Workspace, call: Call, send_at: int | None) -> Reply:
    outcome = outcomes[0]
    if isinstance(outcome, Refused):
        return _answer_refused(outcome)
    assert isinstance(outcome, Applied), "a message is accepted or refused"
    assert outcome.result is not None, "an accepted message has a delivery"
    queued_at = int(call.hosted.clock.now())
    answer: dict[str, Any] = {"delivery_id": delivery_id(state.id, outcome.result), "queued_at": queued_at}
    return app_json({**answer, "send_at": send_at} if send_at is not None else answer)


def _answer_refused(refused: Refused) -> Reply:
    return send_error(_STATUSES.get(refused.rule, 400), refused.message)


def _parse(channel: str, call: Call) -> SendMessage | Refused:
    kilobytes: int = call.settings.send_body_kb
    body = parse_object(call.request.body)
    attached = refuse_attachments(body.get("attachments")) if isinstance(body, dict) else None
    if attached is not None and attached.rule == "app.send.attachment.total":
        return attached  # the clearer of two words about one cause: such a body is too large as well
    if isinstance(body, Malformed) or len(call.request.body) > kilobytes * 1024:
        message = f"Request entity must be JSON encoded and not exceed {kilobytes} KB."
        return Refused("app.send.body", "invalid", "", message)
    checked = _missing(channel, body, call) or attached or _bad_fields(channel, body)
    return checked or _operation(channel, body, call)


def _missing(channel: str, body: Mapping[str, Any], call: Call) -> Refused | None:
    required = _REQUIRED[channel]
    if channel == EMAIL:
        if body.get(TEMPLATE) is None:
            required += _WRITTEN if any(body.get(name) for name in _WRITTEN) else (TEMPLATE,)
        required += ("identifiers",) if call.settings.send_email_identifiers == "required" else ()
    for name in required:
        if body.get(name) in (None, "", {}):
            return Refused("app.send.field", "required", name, f'Missing required field: "{name}"')
    return None


def _bad_fields(channel: str, body: Mapping[str, Any]) -> Refused | None:
    for name, kind, words in _KINDS:
        if body.get(name) is not None and not isinstance(body[name], kind):
            return _invalid(name, f'Invalid field: "{name}" must be {words}.')
    if channel == EMAIL and _count_recipients(body) > SEND_RECIPIENTS.strict:
        message = f"A message goes to at most {SEND_RECIPIENTS.strict} recipients in to, cc and bcc together."
        return Refused(SEND_RECIPIENTS.rule, "invalid", "to", message)
    if channel == SMS and not _E164.match(body["to"]) and "{{" not in body["to"]:
        return _invalid("to", "Invalid phone number format. Phone numbers must be in E.164 format.")
    return _bad_headers(body.get("headers"))


def _bad_headers(headers: Any) -> Refused | None:
    """Names of further mail headers: ASCII, no white space, whichever of the two forms they come in."""
    if isinstance(headers, str) and headers:
        rows: Any = parse_json(headers.encode("utf-8"))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return _invalid("headers", 'Invalid field: "headers" must be an object or the JSON of a list.')
        names = [row.get("name") for row in rows]
    else:
        names = list(headers or {})
    if all(isinstance(name, str) and _HEADER_NAME.match(name) for name in names):
        return None
    return _invalid("headers", 'Invalid field: "headers" must have names in ASCII without spaces.')


def _invalid(name: str, message: str) -> Refused:
    return Refused("app.send.field", "invalid", name, message)


def _count_recipients(body: Mapping[str, Any]) -> int:
    """Addresses in the three comma-separated lists; a comma within quotes parts nothing."""
    lists = [_QUOTED.sub("", body.get(name) or "") for name in ("to", "cc", "bcc")]
    return sum(1 for text in lists for address in text.split(",") if address.strip())


def _operation(channel: str, body: dict[str, Any], call: Call) -> SendMessage | Refused:
    ref = _addressee(body.get("identifiers"))
    if isinstance(ref, Refused):
        return ref
    send_at = _send_at(body.get("send_at"), call.hosted.clock.now())
    if isinstance(send_at, Refused):
        return send_at
    device = _device(body.get("custom_device"), ref)
    if isinstance(device, Refused):
        return _invalid("custom_device", device.message)
    message = {name: body[name] for name in _MESSAGE if body.get(name) is not None}
    if body.get("preheader"):
        message["preheader_text"] = body["preheader"]
    return SendMessage(
        channel=channel, template=body.get(TEMPLATE), ref=ref, recipient=body.get("to") or "", message=message,
        language=body.get("language") or "", send_at=send_at, queue_draft=body.get("queue_draft"),
        auto_create=body.get("auto_create") or False, to_unsubscribed=body.get("send_to_unsubscribed"),
        retained=not body.get("disable_message_retention"), device=device,
    )  # fmt: skip


def _addressee(identifiers: Any) -> Ref | Refused | None:
    """The one identifier that is given; how a number is written is the client's choice."""
    if identifiers is None:
        return None
    given = [(kind, identifiers[kind]) for kind in (ID, EMAIL_KIND, CIO_ID) if identifiers.get(kind) not in (None, "")]
    if len(given) != 1 or not isinstance(given[0][1], str | int):
        return _invalid("identifiers", '"identifiers" must contain exactly one of id, email or cio_id.')
    kind, value = given[0]
    return Ref(kind, str(value).removeprefix(CIO_PREFIX) if kind == CIO_ID else str(value))


def _send_at(value: Any, now: float) -> int | Refused | None:
    """A time to come, or None for at once."""
    at = whole_number(value)
    if value is not None and at is None:
        return _invalid("send_at", 'Invalid field: "send_at" must be a unix timestamp.')
    if at is None or at <= now:
        return None
    if at > now + LATEST_S:
        return _invalid("send_at", 'Invalid field: "send_at" must be within 90 days.')
    return at


def _device(document: Any, ref: Ref | None) -> AddDevice | Refused | None:
    if document is None or ref is None:
        return None
    fields = device_of(document, "token")
    return fields if isinstance(fields, Refused) else fields.on(ref)


_KINDS: tuple[tuple[str, type | tuple[type, ...], str], ...] = (
    ("to", str, "text"), ("cc", str, "text"), ("bcc", str, "text"), (TEMPLATE, (str, int), "an id or a trigger name"),
    ("identifiers", dict, "an object"), ("message_data", dict, "an object"), ("headers", (str, dict), "text"),
    ("language", str, "text"), ("preheader", str, "text"), ("subject", str, "text"), ("body", str, "text"),
    ("from", str, "text"), ("queue_draft", bool, "true or false"), ("auto_create", bool, "true or false"),
    ("send_to_unsubscribed", bool, "true or false"), ("disable_message_retention", bool, "true or false"),
)  # fmt: skip

ROUTES = tuple(
    app_route("POST", f"/v1/send/{channel}", f"send_{channel}", sender(channel), auth=SEND) for channel in _REQUIRED
)
