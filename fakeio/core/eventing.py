"""Recording events: on a person, on an anonymous id, or on nobody.

Source: Track API > Events; Anonymous events. An event for an unknown id or email creates the person (switch
`event_creates_person`); one for a suppressed person is accepted and dropped; a repeated id is accepted and dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fakeio.core import identifiers, identifying, triggering
from fakeio.core.activities import Event
from fakeio.core.limits import EVENT_NAME
from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused
from fakeio.core.people import Person

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.operations import RecordEvent
    from fakeio.core.workspace import Workspace

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z", re.IGNORECASE)
_OLDER_MOST_CHARACTERS = 500
_TYPES = ("event", "page", "screen", "viewed_content", "clicked_content")


def record_event(space: Workspace, operation: RecordEvent, now: float, request: int) -> Outcome:
    """Applied with the person's cio_id where there is one; Ignored when suppressed, dropped or seen before."""
    if operation.ref is not None:
        ignored = space.is_suppressed(operation.ref)
        if ignored is not None:
            return ignored
    key = _dedupe_key(space, operation)
    if key is not None and _seen(space, key, now):
        return Ignored("event.duplicate", f"an event with id {operation.dedupe_id!r} was recorded before")
    owner = _owner(space, operation, now, request)
    if isinstance(owner, Ignored):
        detail = {"name": _name(space, operation), "reason": owner.why}
        space.log.add("failed_event", now, None, request, detail=detail)
        return owner
    if key is not None:
        if key != operation.dedupe_id:
            key = _dedupe_key(space, operation) or key  # whose it is may be known only now
        space.seen_event_ids[key] = now
    event = _event(operation, _name(space, operation), now, request, owner)
    event.no_trigger = triggering.why_no_trigger(space.settings, event, now)
    space.log.add_event(event)
    if owner is None and event.anonymous_id:
        space.anonymous.wait(event)
    return Applied(owner)


def check_event(space: Workspace, operation: RecordEvent) -> Refused | None:
    """The limits on whom and on the name, which is trimmed first."""
    name = _name(space, operation)
    if operation.ref is not None:
        refused = identifiers.check(operation.ref)
        if refused is not None:
            return refused
    if not name.strip():
        return Refused("track.event.name.blank", "required", "name", space.settings.event_blank_name_text)
    if len(name) * 4 > EVENT_NAME.strict and len(name.encode("utf-8", "surrogatepass")) > EVENT_NAME.strict:
        return _too_long(space, name)
    return None


def _too_long(space: Workspace, name: str) -> Refused | None:
    """More bytes than fit; by switch it is characters that count, and more of them fit."""
    if space.settings.event_name_limit == "100_bytes":
        message = f"event name cannot be longer than {EVENT_NAME.strict} bytes"
        return Refused(EVENT_NAME.rule, "invalid", "name", message)
    if len(name) < _OLDER_MOST_CHARACTERS:
        return None
    message = f"event name must be less than {_OLDER_MOST_CHARACTERS} characters"
    return Refused(EVENT_NAME.rule, "invalid", "name", message)


def _name(space: Workspace, operation: RecordEvent) -> str:
    name = operation.event
    trimmed = name.strip()
    return name if trimmed != name and not space.settings.trim_event_names else trimmed


def _dedupe_key(space: Workspace, operation: RecordEvent) -> str | None:
    given = operation.dedupe_id
    if not given:
        return None
    if space.settings.event_dedupe_key == "ulid_only" and not _ULID.match(given):
        return None
    if space.settings.event_dedupe_scope == "workspace":
        return given
    person = space.people.find(operation.ref) if operation.ref is not None else None
    return f"{person.cio_id if person is not None else operation.ref} {given}"


def _seen(space: Workspace, key: str, now: float) -> bool:
    """Whether an event of that key was recorded, and not too long ago for anybody to remember (by switch)."""
    at = space.seen_event_ids.get(key)
    if at is None:
        return False
    window_s: int = space.settings.event_dedupe_window_s
    return window_s == 0 or now - at <= window_s


def _owner(space: Workspace, operation: RecordEvent, now: float, request: int) -> str | Ignored | None:
    """The cio_id the event belongs to; None for an event of nobody yet."""
    if operation.ref is None:
        if operation.anonymous_id and space.settings.anonymous_merge:
            return space.anonymous.late_owner(operation.anonymous_id, now)
        return None
    person = space.people.find(operation.ref)
    if person is None and not space.settings.event_creates_person:
        return Ignored("event.person_unknown", f"nobody has {operation.ref}, and events create nobody here")
    if person is None:
        found = identifying.reach(space, operation.ref, now, request)
        if not isinstance(found, Person):
            return found if isinstance(found, Ignored) else Ignored("event.person_unknown", found.message)
        person = found
    return person.cio_id


def _event(operation: RecordEvent, name: str, now: float, request: int, owner: str | None) -> Event:
    return Event(
        number=0,
        type=operation.type if operation.type in _TYPES else "event",
        at=now,
        person=owner,
        request=request,
        name=name,
        data=operation.data,
        timestamp=int(now) if operation.timestamp is None else operation.timestamp,
        dedupe_id=operation.dedupe_id or None,
        anonymous_id=operation.anonymous_id or None,
    )
