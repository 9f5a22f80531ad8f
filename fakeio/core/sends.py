"""Transactional sends: which template, whether the account may, and the delivery that comes of it.

Shapes and sizes of a request are the edge's business. A message is not rendered: a delivery keeps the fields that were
sent over those of the template. Source: App API > Transactional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeio.core.app_operations import SendMessage
from fakeio.core.content import IN_APP, INBOX, PUSH, SMS, Template, TemplateContent
from fakeio.core.deliveries import Delivery, delivery_id
from fakeio.core.identifiers import EMAIL, ID
from fakeio.core.operations import Identify
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.people import Person
from fakeio.core.sending import post

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

_SENDING = {
    "owner_unconfirmed": "Account owner\N{RIGHT SINGLE QUOTATION MARK}s email address is not confirmed.",
    "account_unapproved": "Account is not yet approved for sending.",
    "do_not_send": "Workspace is set to \N{LEFT DOUBLE QUOTATION MARK}Do Not Send.\N{RIGHT DOUBLE QUOTATION MARK}",
}
_NOT_AUTHORIZED = "Account is not authorized for transactional messaging. Contact win@customer.io for support."
TEMPLATE = "transactional_message_id"


def check_send(space: Workspace, operation: SendMessage) -> Refused | None:
    """What the account, the template or the sender's address stand against."""
    forbidden = _forbidden(space, operation.channel)
    if forbidden:
        return Refused("app.send.account", "forbidden", "", forbidden)
    return _bad_template(space, operation) or _bad_sender(space, operation)


def _forbidden(space: Workspace, channel: str) -> str:
    settings = space.settings
    if settings.sending != "allowed":
        return _SENDING[settings.sending]
    if channel in (IN_APP, INBOX) and not settings.in_app_authorized:
        return _NOT_AUTHORIZED
    if channel == PUSH and not settings.push_enabled:
        return "Push messaging is not enabled for your workspace."
    if channel == SMS and not settings.sms_enabled:
        return "SMS messaging is not enabled for your workspace."
    return ""


def _bad_template(space: Workspace, operation: SendMessage) -> Refused | None:
    named = operation.template
    found = space.content.template(named) if named is not None else None
    creates = operation.auto_create and isinstance(named, str) and not named.isdigit()
    if named is None or (found is not None and found.type == operation.channel) or (found is None and creates):
        return None
    if found is not None and creates:
        message = f'"{TEMPLATE}" names a message of another channel.'
        return Refused("app.send.template_channel", "invalid", TEMPLATE, message)
    return Refused("app.send.template", "invalid", TEMPLATE, f'"{TEMPLATE}" not found.')


def _bad_sender(space: Workspace, operation: SendMessage) -> Refused | None:
    if space.settings.sender_domains == "verified" or not _message(space, operation)[2].get("from"):
        return None
    return Refused("app.send.sender", "invalid", "from", '"from" address domain has not been verified.')


def send_message(space: Workspace, operation: SendMessage, now: float, request: int) -> Outcome:
    """Accept a message. `result` is the number of its delivery; nobody unknown is created unless a setting says so."""
    person = _addressee(space, operation, now, request)
    if operation.device is not None and person is not None:
        space.apply(operation.device, now, request)
    template, content, message = _message(space, operation, now)
    number = space.deliveries.next_number(space.id)
    delivery = Delivery(
        id=delivery_id(space.id, number),
        type=IN_APP if operation.channel == INBOX else operation.channel,
        person=person.cio_id if person is not None else None,
        created_at=int(now),
        recipient=operation.recipient or str(message.get("recipient", "")),
        metrics={"created": int(now)},
        subject=str(message.get("subject", "")),
        template=template.id if template is not None else None,
        content=content.id if content is not None else None,
        draft=_said(operation.queue_draft, template is not None and template.queue_drafts),
        to_unsubscribed=_said(operation.to_unsubscribed, template is None or template.send_to_unsubscribed),
        retained=operation.retained,
        message=message,
    )
    post(space, delivery, now, request, operation.send_at)
    return Applied(delivery.person, result=number)


def _said(said: bool | None, usual: bool) -> bool:  # noqa: FBT001  two values of one kind, never a switch
    return usual if said is None else said


def _addressee(space: Workspace, operation: SendMessage, now: float, request: int) -> Person | None:
    ref = operation.ref
    if ref is None:
        return None
    if space.people.find(ref) is None and space.settings.send_creates_person and ref.kind in (ID, EMAIL):
        space.apply(Identify(ref=ref, attributes={}), now, request)
    return space.people.find(ref)


def _message(
    space: Workspace, operation: SendMessage, now: float | None = None
) -> tuple[Template | None, TemplateContent | None, dict[str, Any]]:
    """Template, its content and the fields of the message; with `now`, a template that is to be made is made."""
    template = space.content.template(operation.template) if operation.template is not None else None
    if template is None and operation.template is not None and now is not None:
        template = _create_template(space, str(operation.template), operation.channel, int(now))
    content = template.content(operation.language) if template is not None else None
    return template, content, {**_fields(content), **operation.message}


def _create_template(space: Workspace, name: str, channel: str, now: int) -> Template:
    made = Template(name=name, trigger_name=name, type=channel, created_at=now, updated_at=now)
    made.contents = [TemplateContent(id=1)]
    return space.content.templates.add(made)


def _fields(content: TemplateContent | None) -> dict[str, Any]:
    if content is None:
        return {}
    fields = {
        "subject": content.subject, "body": content.body, "from": content.from_, "reply_to": content.reply_to,
        "recipient": content.recipient, "bcc": content.bcc, "fake_bcc": content.fake_bcc,
        "preheader_text": content.preheader_text, "headers": content.headers,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value}
