"""App API, subscription preferences: the topics of the workspace, and to which of them one person is subscribed.

A workspace has no channel options, and nobody's page can be opened here: its link is made, and leads nowhere.

The page that a person would see has texts of its own; a workspace that never wrote any shows empty ones, in every
language. Source: App API > Customers > subscription preferences; which texts there are is assumed.
"""

from __future__ import annotations

import secrets
from typing import Any

from fakeio.core.content import Topic
from fakeio.core.identifiers import EMAIL, ID, Ref
from fakeio.core.outcomes import Refused
from fakeio.core.people import Person
from fakeio.core.subscriptions import is_subscribed
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import BAD_REQUEST, identifiers_of, read, read_person
from fakeio.edge.app_api.table import app_route
from fakeio.edge.errors import app_error, app_json
from fakeio.edge.http import Reply
from fakeio.edge.regions import TRACK_URLS, gate_of
from fakeio.edge.work import Answered, Call, Work, refuse

_TEXTS = ("header", "subheader")


def get_preferences(call: Call) -> Work | Answered:
    return read_person(call, "get_preferences", _preferences)


def _preferences(person: Person, state: Workspace) -> Reply:
    return app_json({
        "customer": {
            "id": person.id or "",
            "identifiers": identifiers_of(person),
            "unsubscribed": person.unsubscribed,
            "topics": [_topic(person, topic) for topic in state.content.topics],
            **dict.fromkeys(_TEXTS, ""),
        }
    })


def _topic(person: Person, topic: Topic) -> dict[str, Any]:
    return {
        "id": str(topic.id),
        "name": topic.name,
        "description": topic.description,
        "subscribed": is_subscribed(person, topic),
    }


def list_channels(call: Call) -> Work:
    """None: that is how a workspace answers whose subscription center has no channel options."""
    return read(lambda _: app_json({"channels": []}))


def get_center_token(call: Call) -> Work | Answered:
    """A link to somebody's page, good for nothing; the person is named by id or by email."""
    named, settings, operation = call.segments[0], call.settings, "get_center_token"
    token = secrets.token_urlsafe(32)
    gate = gate_of(call.request.header(b"host"))
    origin = call.request.own_url() if gate is None else TRACK_URLS[gate.region]

    def find(state: Workspace) -> Reply | Answered:
        refs = [Ref(ID, named), *([Ref(EMAIL, named)] if settings.email_identifies else [])]
        if all(state.people.find(ref) is None for ref in refs):
            unknown = Refused("app.not_found", "not_found", "customer_id", f"there is no person {named!r}")
            return refuse(operation, unknown, app_error(400, BAD_REQUEST))
        return app_json({"token": token, "url": f"{origin}/u/i/{token}/"})

    return read(find)


_TOKEN = "/v1/subscription_center/{customer_id}/token"
ROUTES = (
    app_route("GET", "/v1/subscription_channels", "list_channels", list_channels, tier=3, minimum=True),
    app_route("GET", _TOKEN, "get_center_token", get_center_token, tier=3, minimum=True),
    app_route("GET", "/v1/customers/{customer_id}/subscription_preferences", "get_preferences", get_preferences),
)
