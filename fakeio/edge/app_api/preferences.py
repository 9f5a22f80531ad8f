"""App API, subscription preferences: the topics of the workspace, and to which of them one person is subscribed.

The page that a person would see has texts of its own; a workspace that never wrote any shows empty ones, in every
language. Source: App API > Customers > subscription preferences; which texts there are is assumed.
"""

from __future__ import annotations

from typing import Any

from fakeio.core.content import Topic
from fakeio.core.people import Person
from fakeio.core.subscriptions import is_subscribed
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import identifiers_of, read_person
from fakeio.edge.app_api.table import app_route
from fakeio.edge.errors import app_json
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Work

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


ROUTES = (
    app_route("GET", "/v1/customers/{customer_id}/subscription_preferences", "get_preferences", get_preferences),
)
