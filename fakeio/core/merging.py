"""Merging two people into one, by request or by the auto-merge rule of identify.

Source: Merge people guide; Track API > Merge. The primary wins wherever both have something; the secondary is gone and
its identifiers are free, or the primary's where it had none of that kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeio.core import objects
from fakeio.core.activities import Event
from fakeio.core.attributes import PREFERENCES
from fakeio.core.identifiers import EMAIL, ID, PHONE
from fakeio.core.limits import ACTIVITY_RETENTION
from fakeio.core.outcomes import Applied, Ignored, Outcome
from fakeio.core.people import Person, Stamp

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.operations import MergePeople
    from fakeio.core.workspace import Workspace


def merge_people(space: Workspace, operation: MergePeople, now: float, request: int) -> Outcome:
    """Merge the secondary into the primary; does nothing when either is unknown or both are one."""
    ignored = space.is_suppressed(operation.primary, operation.secondary)
    if ignored is not None:
        return ignored
    primary, secondary = space.people.find(operation.primary), space.people.find(operation.secondary)
    if primary is None:
        return Ignored("merge.primary_unknown", f"nobody has {operation.primary}")
    if secondary is None:
        return Ignored("merge.secondary_unknown", f"nobody has {operation.secondary}", primary.cio_id)
    if primary is secondary:
        return Ignored("merge.same_person", "primary and secondary are one person", primary.cio_id)
    fills = space.settings.merge_identifiers == "fill_gaps"
    absorb(space, primary, secondary, Stamp(now, request), fills=fills)
    return Applied(primary.cio_id)


def absorb(space: Workspace, primary: Person, secondary: Person, stamp: Stamp, *, fills: bool = True) -> None:
    """Move everything of `secondary` to `primary` and remove it; `fills`: identifiers that it lacks too."""
    given = {kind: secondary.identifier(kind) for kind in (ID, EMAIL)}
    _absorb_attributes(space, primary, secondary, stamp)
    _absorb_segments(space, primary, secondary, stamp)
    devices = dict(secondary.devices)
    objects.move_links(space, secondary, primary)
    _absorb_events(space, primary, secondary, stamp.at)
    space.leave_all(secondary)
    space.people.remove(secondary)
    for kind, value in given.items():
        if fills and value is not None and primary.identifier(kind) is None:
            space.people.assign(primary, kind, value)
            primary.mark(kind, stamp)
    for token, device in devices.items():
        if space.settings.merge_devices == "primary_only":
            break
        primary.device_map = {**primary.devices, token: primary.devices.get(token, device)}
        space.people.index_device(token, primary)
    detail = {"secondary": {"id": given[ID], "email": given[EMAIL], "cio_id": secondary.cio_id}}
    space.log.add("profile_merge", stamp.at, primary.cio_id, stamp.request, detail=detail)


def _absorb_events(space: Workspace, primary: Person, secondary: Person, now: float) -> None:
    """All of them, in the end; or, by switch, those that activities can be read of."""
    moves = space.log.of(secondary.cio_id)
    if any(now - line.at > ACTIVITY_RETENTION.strict for line in moves if isinstance(line, Event)):
        since = now - ACTIVITY_RETENTION.strict if space.settings.merge_event_history == "30_days" else 0
        for line in moves:
            if isinstance(line, Event) and line.at < since:
                space.log.drop(line)
    space.log.move(secondary.cio_id, primary.cio_id)


def _absorb_attributes(space: Workspace, primary: Person, secondary: Person, stamp: Stamp) -> None:
    for name, value in secondary.attributes.items():
        held = primary.attributes.get(name)
        if name == PREFERENCES and isinstance(held, dict):
            # the primary's topics stand; only a primary without any adopts the other's
            _absorb_topics(space, primary, held, value, stamp)
            continue
        if held is None or held == "":
            if name == PHONE and isinstance(value, str):
                space.people.index_phone(secondary, None)
                space.people.index_phone(primary, value)
            primary.attributes[name] = value
            primary.mark(name, stamp)


def _absorb_topics(space: Workspace, primary: Person, held: dict[str, Any], value: Any, stamp: Stamp) -> None:
    """By switch, topics that the primary says nothing about."""
    theirs = value.get("topics") if isinstance(value, dict) else None
    own = held.get("topics", {})
    if not isinstance(theirs, dict) or not isinstance(own, dict) or not theirs.keys() - own.keys():
        return
    if space.settings.merge_preferences == "per_topic":
        primary.attributes[PREFERENCES] = {**held, "topics": {**theirs, **own}}
        primary.mark(PREFERENCES, stamp)


def _absorb_segments(space: Workspace, primary: Person, secondary: Person, stamp: Stamp) -> None:
    for segment_id in sorted(secondary.segments):
        segment = space.segments.get(segment_id)
        if segment is not None and segment.members.add(primary.cio_id):
            segment.joined_by[primary.cio_id] = stamp.request
            if primary.segment_set is None:
                primary.segment_set = set()
            primary.segment_set.add(segment_id)
