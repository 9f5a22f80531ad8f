"""What a workspace's people have made before any message is sent: templates, broadcasts, topics and the rest.

Holds these things and finds them; what may be done to them is decided by `editing.py`, `sends.py` and `broadcasts.py`.
A row of a seed is one of these structs. Source: App API > Transactional, Broadcasts, Collections, Snippets, Webhooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from fakeio.core.shelf import Shelf

if TYPE_CHECKING:
    from fakeio.core.filters import Filter

EMAIL, PUSH, SMS, WHATSAPP, IN_APP, INBOX = "email", "push", "sms", "whatsapp", "in_app", "inbox_message"
CHANNELS = (EMAIL, PUSH, SMS, WHATSAPP, IN_APP, INBOX)
NEWSLETTER_TYPES = ("email", "webhook", "twilio", "push", "in_app", "inbox")


class Thing(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all of them have: a number (0: the next one) and the Unix seconds of their making and last change."""

    id: int = 0
    created_at: int = 0
    updated_at: int = 0


class TemplateContent(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One language of a template; the default one has no language. Empty text stands for what is not set."""

    id: int = 0
    language: str = ""
    subject: str = ""
    body: str = ""
    body_plain: str = ""
    body_amp: str = ""
    from_: str = msgspec.field(default="", name="from")
    reply_to: str = ""
    recipient: str = ""
    bcc: str = ""
    fake_bcc: bool = False
    preheader_text: str = ""
    headers: str = ""


class Template(Thing):
    """A transactional message. `trigger_name` is the other way to name it in a send."""

    name: str
    type: str = EMAIL
    trigger_name: str = ""
    description: str = ""
    send_to_unsubscribed: bool = True
    link_tracking: bool = True
    open_tracking: bool = True
    hide_message_body: bool = False
    queue_drafts: bool = False
    contents: list[TemplateContent] = []

    def content(self, language: str) -> TemplateContent | None:
        """The content of a language, else the default one."""
        found = {content.language: content for content in self.contents}
        return found.get(language) or found.get("") or next(iter(self.contents), None)


class Action(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One message of a broadcast."""

    id: int = 0
    type: str = EMAIL
    name: str = ""
    subject: str = ""
    body: str = ""
    from_: str = msgspec.field(default="", name="from")


class Trigger(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One time a broadcast was triggered. `errors` are the lines of its report; such a trigger sends nothing."""

    id: int
    created_at: int
    processed_at: int | None = None
    errors: list[str] = []


class Broadcast(Thing):
    """An API-triggered broadcast. `recipients` is the filter of its own audience; None: everybody."""

    name: str
    type: str = "triggered_broadcast"
    active: bool = True
    state: str = "running"
    tags: list[str] | None = None
    recipients: dict[str, Any] | None = None
    actions: list[Action] = []
    triggers: list[Trigger] = []


class Newsletter(Thing):
    """One message to whoever matches `recipients`. Without `scheduled_at` a draft; `sent_at` once it was sent."""

    name: str
    recipients: dict[str, Any]
    type: str = EMAIL
    subject: str = ""
    body: str = ""
    from_: str = msgspec.field(default="", name="from")
    tags: list[str] | None = None
    subscription_topic_id: int | None = None
    scheduled_at: int | None = None
    sent_at: int | None = None


class Topic(Thing):
    """A subscription topic; people's preferences call it `topic_<id>`."""

    name: str
    identifier: str = ""
    description: str = ""
    subscribed_by_default: bool = True


class Collection(Thing):
    """Rows that messages can look up. The keys of rows may differ."""

    name: str
    rows: list[Any] = []

    @property
    def schema(self) -> list[str]:
        """Every key of every row, in order of appearance."""
        return list(dict.fromkeys(key for row in self.rows if isinstance(row, dict) for key in row))


class Snippet(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A piece of text by name, for use in messages."""

    name: str
    value: str
    updated_at: int = 0


class Webhook(Thing):
    """Where reports about deliveries are to be sent, and which."""

    name: str
    endpoint: str
    events: list[str]
    type: str = "webhook"
    disabled: bool = False
    full_resolution: bool = False
    with_content: bool = False


class Content:
    """All of it, by kind."""

    def __init__(self) -> None:
        self.templates: Shelf[Template] = Shelf()
        self.broadcasts: Shelf[Broadcast] = Shelf()
        self.topics: Shelf[Topic] = Shelf()
        self.collections: Shelf[Collection] = Shelf()
        self.webhooks: Shelf[Webhook] = Shelf()
        self.newsletters: Shelf[Newsletter] = Shelf()
        self.snippets: dict[str, Snippet] = {}
        # triggers on their way: broadcast and number: a filter, people with data of their own, and data for all
        self.waiting: dict[str, tuple[Filter | None, list[tuple[str, dict[str, Any]]] | None, dict[str, Any]]] = {}

    def fork(self) -> Content:
        """The same for another workspace."""
        other = Content()
        other.templates, other.broadcasts = self.templates.fork(), self.broadcasts.fork()
        other.topics, other.collections = self.topics.fork(), self.collections.fork()
        other.webhooks, other.newsletters = self.webhooks.fork(), self.newsletters.fork()
        other.snippets, other.waiting = self.snippets.copy(), self.waiting.copy()
        return other

    def template(self, named: int | str) -> Template | None:
        """By id, by the digits of an id, or by trigger name in any case."""
        if isinstance(named, int) or (named.isascii() and named.isdigit() and len(named) < 19):
            return self.templates.get(int(named))
        folded = named.lower()
        return next((one for one in self.templates if one.trigger_name.lower() == folded), None)
