"""Attributes: what makes a set of them valid, and what one write changes.

Checks report every violation at once, as the service does on identify. Sizes are bytes of UTF-8; a nested value is
measured on its compact JSON text. Source: Track API > Invalid requests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from sys import intern
from typing import Any, NamedTuple

from fakeio.core.limits import ATTRIBUTE_NAME, ATTRIBUTE_VALUE, ATTRIBUTES, OBJECT_ATTRIBUTES, OBJECT_SIZE
from fakeio.core.outcomes import Refused
from fakeio.core.people import Person, Stamp
from fakeio.core.settings import Settings

PREFERENCES = "cio_subscription_preferences"
_TOPICS_PATH = f"{PREFERENCES}.topics."
_WIDEST = 4  # bytes a character can take in UTF-8: text shorter than limit / 4 needs no measuring
_NAME_CHARS, _VALUE_CHARS = ATTRIBUTE_NAME.strict // _WIDEST, ATTRIBUTE_VALUE.strict // _WIDEST

_COMPACT: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False}
_ABSENT = object()  # equal to no value
_SHORT = 32  # characters; longer texts are rarely the same twice

Change = tuple[str, Any, Any]  # name, from, to


class Written(NamedTuple):
    """What a write did: changes made, names whose last write is newer, and names for which there was no room."""

    changes: tuple[Change, ...]
    stale: tuple[str, ...]
    no_room: tuple[str, ...] = ()


def check(attributes: Mapping[str, Any]) -> list[Refused]:
    """Every violation of the limits on count, names and values; empty when there is none."""
    found: list[Refused] = []
    if len(attributes) > ATTRIBUTES.strict:
        message = f"cannot identify more than {ATTRIBUTES.strict} attributes in one request"
        found.append(Refused(ATTRIBUTES.rule, "invalid", "attributes", message))
    for name, value in attributes.items():
        if len(name) > _NAME_CHARS and _bytes(name) > ATTRIBUTE_NAME.strict:
            message = f"attribute name cannot be longer than {ATTRIBUTE_NAME.strict} bytes"
            found.append(Refused(ATTRIBUTE_NAME.rule, "invalid", f"attributes.{name}", message))
        if _too_long(value):
            message = f"value for attribute '{name}' cannot be longer than {ATTRIBUTE_VALUE.strict} bytes"
            found.append(Refused(ATTRIBUTE_VALUE.rule, "invalid", f"attributes.{name}", message))
    return found


def _too_long(value: Any) -> bool:
    if type(value) is str:
        return len(value) > _VALUE_CHARS and _bytes(value) > ATTRIBUTE_VALUE.strict
    if isinstance(value, dict | list):
        return _bytes(json.dumps(value, **_COMPACT)) > ATTRIBUTE_VALUE.strict
    return isinstance(value, int) and value.bit_length() > _VALUE_CHARS and len(str(value)) > ATTRIBUTE_VALUE.strict


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def write(
    person: Person, attributes: Mapping[str, Any], stamp: Stamp, settings: Settings | None = None
) -> Written:  # fmt: skip
    """Set, change and remove attributes of `person`; null and "" remove. Newer writes (`_timestamp`) win.

    `settings` say how much one person may have; without them there is no such limit.
    """
    changes: list[Change] = []
    stale: list[str] = []
    no_room: list[str] = []
    own = person.attributes
    tight = settings if settings is not None and _may_be_full(len(own) + len(attributes), settings) else None
    for name, value in attributes.items():
        if stamp.timestamp is not None and _is_stale(person, name, stamp.timestamp):
            stale.append(name)
        elif name.startswith(_TOPICS_PATH):
            changes.extend(_write_topic(person, name, value, stamp))
        elif (value is None or value == "") and _removes(settings):
            if name in own:
                changes.append((name, own.pop(name), ""))
                person.mark(name, stamp)
        elif same(own.get(name, _ABSENT), value):
            continue
        elif tight is not None and not _has_room(own, name, value, tight):
            no_room.append(name)
        else:
            changes.append((name, own.get(name, ""), value))
            own[name] = shared(value)
            person.mark(name, stamp)
    return Written(tuple(changes), tuple(stale), tuple(no_room))


def fits_object(attributes: Mapping[str, Any], settings: Settings) -> bool:
    """Whether an object, or a relationship, may have all these."""
    if len(attributes) > OBJECT_ATTRIBUTES.strict:
        return False
    most_bytes = OBJECT_SIZE.lenient if settings.limits_reading == "lenient" else OBJECT_SIZE.strict
    return _bytes(json.dumps(dict(attributes), **_COMPACT)) <= most_bytes


def _removes(settings: Settings | None) -> bool:
    return settings is None or settings.person_empty_value == "remove"


def _may_be_full(count: int, settings: Settings) -> bool:
    return bool(0 < settings.person_attributes < count or settings.person_attributes_kb)


def _has_room(own: Mapping[str, Any], name: str, value: Any, settings: Settings) -> bool:
    """Whether one person's attributes, all together, may grow so."""
    most = settings.person_attributes
    if name not in own and 0 < most <= len(own):
        return False
    most_bytes: int = settings.person_attributes_kb * 1_000
    return not most_bytes or _bytes(json.dumps({**own, name: value}, **_COMPACT)) <= most_bytes


def shared(value: Any) -> Any:
    """The value itself, or an equal text held already: most short texts are one of few, on a million people."""
    return intern(value) if type(value) is str and len(value) <= _SHORT else value


def _is_stale(person: Person, name: str, timestamp: int) -> bool:
    if name not in person.attributes and name not in (person.stamps or ()):
        return False  # never written
    last = person.stamp(name).timestamp
    return last is not None and timestamp < last


def same(old: Any, new: Any) -> bool:
    """Equal as JSON values."""
    # 1, 1.0 and True are equal in Python and three different values in JSON
    return type(old) is type(new) and bool(old == new)


def _write_topic(person: Person, name: str, value: Any, stamp: Stamp) -> list[Change]:
    """One topic by dot path; the others stay. An empty value falls back to the topic's default: the entry goes."""
    topic = name[len(_TOPICS_PATH) :]
    old = person.attributes.get(PREFERENCES)
    held = old.get("topics") if isinstance(old, dict) else None
    topics = dict(held) if isinstance(held, dict) else {}
    if value is None or value == "":
        topics.pop(topic, None)
    else:
        topics[topic] = value
    new = {**(old if isinstance(old, dict) else {}), "topics": topics}
    if same(old, new):
        return []
    person.attributes[PREFERENCES] = new
    person.mark(PREFERENCES, stamp)
    return [(PREFERENCES, old if old is not None else "", new)]
