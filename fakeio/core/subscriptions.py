"""To which topics a person is subscribed: what the person said, and the topic's default where nothing was said.

Pure. Preferences are kept as the attribute `cio_subscription_preferences`, where a topic is called `topic_<id>`.
Source: App API > Customers > attributes, subscription preferences; Subscription center guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fakeio.core.attributes import PREFERENCES
from fakeio.core.content import Topic
from fakeio.core.people import Person


def is_subscribed(person: Person, topic: Topic) -> bool:
    """What the person said about a topic, in JSON or in words; the topic's default otherwise."""
    said = _said(person).get(topic_key(topic), "")
    if isinstance(said, bool):
        return said
    word = str(said).lower()
    return word == "true" if word in ("true", "false") else topic.subscribed_by_default


def topic_key(topic: Topic) -> str:
    """What preferences call a topic."""
    return f"topic_{topic.id}"


def computed_preferences(person: Person, topics: Iterable[Topic]) -> Any:
    """The stored preferences with every topic's default filled in; None where there is nothing to say."""
    stored = person.attributes.get(PREFERENCES)
    computed = {topic_key(topic): is_subscribed(person, topic) for topic in topics}
    if not computed:
        return stored
    rest = stored if isinstance(stored, Mapping) else {}
    others = {key: value for key, value in _said(person).items() if key not in computed}
    return {**rest, "topics": {**computed, **others}}


def _said(person: Person) -> Mapping[str, Any]:
    stored = person.attributes.get(PREFERENCES)
    topics = stored.get("topics") if isinstance(stored, Mapping) else None
    return topics if isinstance(topics, Mapping) else {}
