"""Joining and leaving manual segments, one id at a time.

Source: Manual segments guide; Track API > Manual segments. People must exist; ids of another kind than the call's
`id_type`, unknown ids and suppressed ones are ignored without a word, which is what this module gives words to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakeio.core import identifiers, identifying
from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused
from fakeio.core.people import Person
from fakeio.core.segments import DYNAMIC, Segment

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.operations import JoinSegment, LeaveSegment
    from fakeio.core.workspace import Workspace


def check_segment(space: Workspace, operation: JoinSegment | LeaveSegment) -> Refused | None:
    """Where the switches say so, calls on unknown or data-driven segments are refused."""
    segment = space.segments.get(operation.segment_id)
    if segment is None and space.settings.segment_unknown_id != "accept":
        return Refused("track.segment.unknown", "invalid", "segment_id", "segment not found")
    if segment is not None and segment.type == DYNAMIC and space.settings.segment_dynamic_write != "accept":
        return Refused("track.segment.dynamic", "invalid", "segment_id", "segment is not a manual segment")
    return None


def join(space: Workspace, operation: JoinSegment, now: float, request: int) -> Outcome:
    """Add one person to a manual segment."""
    segment = _writable(space, operation.segment_id)
    if not isinstance(segment, Segment):
        return segment
    person = _member(space, operation, now, request)
    if not isinstance(person, Person):
        return person
    if not segment.members.add(person.cio_id):
        return Ignored("segment.already_member", f"{operation.ref} is a member already", person.cio_id)
    segment.joined_by[person.cio_id] = request
    segment.updated_at = int(now)
    if person.segment_set is None:
        person.segment_set = set()
    person.segment_set.add(segment.id)
    return Applied(person.cio_id)


def leave(space: Workspace, operation: LeaveSegment, now: float, request: int) -> Outcome:
    """Take one person out of a manual segment."""
    segment = _writable(space, operation.segment_id)
    if not isinstance(segment, Segment):
        return segment
    person = _existing(space, operation.ref)
    if not isinstance(person, Person):
        return person
    if not segment.members.discard(person.cio_id):
        return Ignored("segment.not_member", f"{operation.ref} is no member", person.cio_id)
    segment.joined_by.pop(person.cio_id, None)
    segment.updated_at = int(now)
    if person.segment_set is not None:
        person.segment_set.discard(segment.id)
    return Applied(person.cio_id)


def _writable(space: Workspace, segment_id: int) -> Segment | Ignored:
    segment = space.segments.get(segment_id)
    if segment is None:
        return Ignored("segment.unknown", f"there is no segment {segment_id}")
    if segment.type == DYNAMIC:
        return Ignored("segment.dynamic", f"segment {segment_id} is data-driven")
    return segment


def _member(space: Workspace, operation: JoinSegment, now: float, request: int) -> Person | Outcome:
    found = _existing(space, operation.ref)
    unknown = isinstance(found, Ignored) and found.rule == "segment.person_unknown"
    if unknown and space.settings.segment_unknown_person == "create" and operation.ref.kind == identifiers.ID:
        return identifying.reach(space, operation.ref, now, request)
    return found


def _existing(space: Workspace, ref: identifiers.Ref) -> Person | Ignored:
    ignored = space.is_suppressed(ref)
    if ignored is not None:
        return ignored
    person = space.people.find(ref)
    if person is not None and (ref.kind != identifiers.EMAIL or space.settings.email_identifies):
        return person
    if ref.kind == identifiers.EMAIL and not identifiers.looks_like_email(ref.value):
        return Ignored("segment.wrong_id_type", f"{ref.value!r} is no email, and the call's id_type is email")
    return Ignored("segment.person_unknown", f"nobody has {ref}")
