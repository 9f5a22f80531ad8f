"""What a caller of the App API can mean beside people and segments: to send, to trigger, to export, to import, to edit.

As in `operations.py`: edges parse bytes into these values, the workspace alone reads them, and they carry what was
said, not what it leads to.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from fakeio.core.content import Newsletter, Webhook
from fakeio.core.filters import Filter
from fakeio.core.identifiers import Ref
from fakeio.core.operations import AddDevice, Operation


class SendMessage(Operation, frozen=True, kw_only=True):
    """One transactional message. `message` holds the published fields that override the template's."""

    name = "send_message"
    channel: str
    template: int | str | None = None
    ref: Ref | None = None
    recipient: str = ""
    message: dict[str, Any] = msgspec.field(default_factory=dict)
    language: str = ""
    send_at: int | None = None
    queue_draft: bool | None = None
    auto_create: bool = False
    to_unsubscribed: bool | None = None  # None: as the template says
    retained: bool = True
    device: AddDevice | None = None


class Recipient(NamedTuple):
    """One entry of a broadcast's list: which line it stood on, whom it names, and data for that person alone."""

    line: int
    ref: Ref | None
    data: dict[str, Any]


class Audience(NamedTuple):
    """Whom a broadcast goes to: everybody its own audience names, a filter, or a list. The flags are about a list."""

    filter: Filter | None = None
    recipients: tuple[Recipient, ...] | None = None
    problems: tuple[str, ...] = ()  # entries that could not be read, as lines of the error report
    id_ignore_missing: bool = False
    email_ignore_missing: bool = False
    email_add_duplicates: bool = False


class TriggerBroadcast(Operation, frozen=True, kw_only=True):
    name = "trigger_broadcast"
    broadcast_id: int
    audience: Audience
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class EditTemplate(Operation, frozen=True, kw_only=True):
    """Change one content of a template, named by its id or by its language; a language that is new is added."""

    name = "edit_template"
    template_id: int
    content_id: int | None = None
    language: str | None = None
    changes: dict[str, Any]


class CreateNewsletter(Operation, frozen=True, kw_only=True):
    """A draft, or one to be sent: at once, or at its own `scheduled_at`."""

    name = "create_newsletter"
    newsletter: Newsletter
    send_now: bool = False


class ScheduleNewsletter(Operation, frozen=True, kw_only=True):
    """Send a newsletter at a time, in Unix seconds; None: now."""

    name = "schedule_newsletter"
    newsletter_id: int
    at: int | None = None


class DeleteNewsletter(Operation, frozen=True, kw_only=True):
    name = "delete_newsletter"
    newsletter_id: int


class EditAction(Operation, frozen=True, kw_only=True):
    """Change what one message of a broadcast says."""

    name = "edit_action"
    broadcast_id: int
    action_id: int
    changes: dict[str, str]


class SaveCollection(Operation, frozen=True, kw_only=True):
    """Create (no id) or change a collection; None leaves a part as it is."""

    name = "save_collection"
    collection_id: int | None = None
    title: str | None = None
    rows: list[Any] | None = None


class DeleteCollection(Operation, frozen=True, kw_only=True):
    name = "delete_collection"
    collection_id: int


class SaveSnippet(Operation, frozen=True, kw_only=True):
    name = "save_snippet"
    snippet: str
    value: str
    create: bool


class DeleteSnippet(Operation, frozen=True, kw_only=True):
    name = "delete_snippet"
    snippet: str


class SaveWebhook(Operation, frozen=True, kw_only=True):
    """Create a reporting webhook (its id is 0), or replace the one of its id."""

    name = "save_webhook"
    webhook: Webhook


class DeleteWebhook(Operation, frozen=True, kw_only=True):
    name = "delete_webhook"
    webhook_id: int


class SuppressAddress(Operation, frozen=True, kw_only=True):
    """Put an address on a list of the mail provider's, as if it had bounced. Nothing happens to the person."""

    name = "suppress_address"
    list: str
    email: str


class UnsuppressAddress(Operation, frozen=True, kw_only=True):
    name = "unsuppress_address"
    list: str
    email: str


class ExportPeople(Operation, frozen=True, kw_only=True):
    name = "export_people"
    filter: Filter
    attributes: tuple[str, ...] = ()


class ExportDeliveries(Operation, frozen=True, kw_only=True):
    """Deliveries of one origin: `origin` is campaign_id, newsletter_id, transactional_message_id or action_id."""

    name = "export_deliveries"
    origin: str
    origin_id: int
    attributes: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    metric: str = ""
    drafts: bool = False
    template_id: int | None = None


class LinkExport(Operation, frozen=True, kw_only=True):
    """Hand out a link to an export that is done; `token` is what nobody can guess about it."""

    name = "link_export"
    export_id: int
    token: str


class ImportFile(Operation, frozen=True, kw_only=True):
    """A file with one person, event, object or relationship a row. `error` says why there is no `content`."""

    name = "import_file"
    type: str
    title: str
    description: str = ""
    identifier: str = ""
    object_type_id: str = ""
    process: str = "all"
    content: bytes = b""
    error: str = ""
