"""Which events may trigger campaigns: those of a person, not too old, as of the moment they became that person's.

Campaigns themselves are not imitated; the verdict is, so that a test can tell a backfill from news. Source: Track API >
Events (72 hours); Anonymous events guide; Merge people guide. Events of the future trigger at receipt (assumed).
"""

from __future__ import annotations

import msgspec

from fakeio.core.activities import Event
from fakeio.core.limits import TRIGGER_WINDOW
from fakeio.core.settings import Settings

LATE, FUTURE, NOBODY = TRIGGER_WINDOW.rule, "event.trigger.future", "event.trigger.nobody"


def why_no_trigger(settings: Settings, event: Event, now: float) -> str:
    """The rule that keeps an event from triggering campaigns when it is attached at `now`; empty when it may."""
    if event.person is None and not _is_invite(event):
        return NOBODY
    if now - event.timestamp > TRIGGER_WINDOW.strict:
        return LATE
    if event.timestamp > now and settings.future_event_triggers == "never":
        return FUTURE
    return ""


def _is_invite(event: Event) -> bool:
    """An event of nobody that says whom a message goes to triggers without a person."""
    return event.anonymous_id is None and bool(msgspec.json.decode(event.data).get("recipient"))
