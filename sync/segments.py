"""Which segment a cohort belongs to: the stored one, the marked one, the adopted one, or a new one.

Never takes a segment that a person made, unless told its id, and never one that Customer.io fills by itself. All that
is decided before the first identifier is sent.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from sync.core.errors import InDoubt, SegmentUnusable
from sync.core.intents import MARKER, CohortIntent, marker
from sync.core.sending import Fate, FateKind
from sync.core.wire_segments import (
    LIST_SEGMENTS,
    MANUAL,
    SegmentInfo,
    create_segment,
    get_segment,
    parse_segment,
    parse_segments,
)
from sync.destination import Destination, expect

CREATE_TRIES = 6
_DOUBTFUL = (FateKind.IN_DOUBT, FateKind.THROTTLED)  # even a 429 may come after the segment was made


class Origin(Enum):
    """How the segment came to be known, which decides what its present members mean."""

    STORED = "stored"  #: the ledger knows it and its members
    MARKED = "marked"  #: it carries our marker, but the ledger has nothing on it
    REMAPPED = "remapped"  #: it carries our marker for another kind of identifier
    ADOPTED = "adopted"  #: somebody else's, named by its id
    NEW = "new"  #: not there yet


class Found(NamedTuple):
    origin: Origin
    info: SegmentInfo | None = None


def find_segment(
    destination: Destination, intent: CohortIntent, stored_id: int | None, *, adopt_id: int | None, recreate: bool
) -> Found:
    """Look, but change nothing. Raises SegmentUnusable when there is one that may not be used, or the stored one is
    gone and nobody said `recreate`."""
    if adopt_id is not None:
        named = _named(destination, adopt_id)
        return Found(Origin.STORED if adopt_id == stored_id else _origin(named, intent), named)
    if stored_id is not None:
        info = _get(destination, stored_id)
        if info is not None:
            return Found(Origin.STORED, _manual(info))
        if not recreate:
            raise segment_gone(stored_id)
    return _by_marker(list_segments(destination), intent)


def segment_gone(segment_id: int) -> SegmentUnusable:
    return SegmentUnusable(
        f"segment {segment_id}, which this sync fills, does not exist any more; somebody deleted it",
        hint="to make a new one and fill it from scratch, run `cio-sync cohort` with --recreate; to use another, with"
        " --segment-id N",
        code="segment_gone",
    )


def _named(destination: Destination, segment_id: int) -> SegmentInfo:
    info = _get(destination, segment_id)
    if info is None:
        raise SegmentUnusable(
            f"there is no segment {segment_id} in this workspace; nothing was sent",
            hint="look its id up under Segments, in the address of its page",
            code="segment_unknown",
        )
    return _manual(info)


def _manual(info: SegmentInfo) -> SegmentInfo:
    if info.type != MANUAL:
        raise SegmentUnusable(
            f"segment {info.id} is data-driven: Customer.io decides who is in it; nothing was sent",
            hint="use a manual segment, or leave --segment-id out to have one made",
            code="segment_data_driven",
        )
    return info


def _origin(info: SegmentInfo, intent: CohortIntent) -> Origin:
    """Of a segment that was named by its id, and that the ledger knows nothing of."""
    if is_ours(info, intent):
        return Origin.MARKED
    return Origin.REMAPPED if _ending([info], intent.other_markers) else Origin.ADOPTED


def _by_marker(segments: list[SegmentInfo], intent: CohortIntent) -> Found:
    ours = _ending(segments, (marker(intent.key),))
    if ours is not None:
        return Found(Origin.MARKED, _manual(ours))
    remapped = _ending(segments, intent.other_markers)
    if remapped is not None:
        return Found(Origin.REMAPPED, _manual(remapped))
    for info in segments:
        if info.name == intent.segment_name:
            raise SegmentUnusable(
                f"segment {info.id} is already called {info.name!r} and was not made by this sync; nothing was sent",
                hint=f"pass --segment-id {info.id} to adopt it, or choose another --name",
                code="segment_name_taken",
            )
    return Found(Origin.NEW)


def is_ours(info: SegmentInfo, intent: CohortIntent) -> bool:
    """Whether it was made for this sync, as far as its description tells."""
    return (info.description or "").rstrip().endswith(marker(intent.key))


def _ending(segments: list[SegmentInfo], markers: tuple[str, ...]) -> SegmentInfo | None:
    """The oldest segment whose description ends with one of the markers."""
    ours = (info for info in segments if (info.description or "").rstrip().endswith(markers))
    return min(ours, key=lambda info: info.id, default=None)


def _get(destination: Destination, segment_id: int) -> SegmentInfo | None:
    request = get_segment(segment_id)
    fate = destination.driver.send(request, lambda reply: parse_segment(reply) is not None)
    if is_gone(fate):
        return None
    return parse_segment(expect(fate, f"reading segment {segment_id}", request.api))


def is_gone(fate: Fate) -> bool:
    """Whether the answer says that there is no such segment."""
    return fate.kind is FateKind.REFUSED and fate.reply is not None and fate.reply.status == 404


def list_segments(destination: Destination) -> list[SegmentInfo]:
    reply = destination.send(LIST_SEGMENTS, "listing segments", lambda reply: parse_segments(reply) is not None)
    return parse_segments(reply) or []


def make_segment(destination: Destination, intent: CohortIntent) -> SegmentInfo:
    """Create the segment, once, even if answers get lost: after a doubtful try its marker tells whether it exists."""
    request = create_segment(intent.segment_name, intent.description)
    for attempt in range(1, CREATE_TRIES + 1):
        fate = destination.driver.send(request)
        if fate.kind not in _DOUBTFUL:
            made = parse_segment(expect(fate, "creating the segment", request.api))
            if made is not None:
                return made
        destination.driver.pause(attempt)
        found = _ending(list_segments(destination), (marker(intent.key),))
        if found is not None:
            return found
        if attempt < CREATE_TRIES:  # where one request a time is allowed, the look was that one
            destination.driver.rest(attempt, fate.reply)
    raise InDoubt(
        f"creating segment {intent.segment_name!r} got no usable answer in {CREATE_TRIES} tries",
        hint=f"run again later; a segment that was made after all is found by its {MARKER} marker",
    )
