"""What uses a segment: broadcasts and newsletters to its members, triggers on their way, other segments, and seeds.

A trigger that has been processed uses nothing any more. The published answer has no place for segments; whether one may
be deleted depends on them all the same. Source: App API > Segments > used_by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeio.core.filters import Filter, parse_filter
from fakeio.core.segments import USERS, Segment

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

CAMPAIGNS, SENT, DRAFTED = USERS


def uses_of(space: Workspace, segment: Segment) -> dict[str, list[int]]:
    """The ids of what uses it, as published: campaigns (broadcasts are among them), newsletters sent and drafted."""
    found = {kind: set(ids) for kind, ids in segment.used_by.items()}
    found[CAMPAIGNS] |= _broadcasts_to(space, segment.id) | _triggers_to(space, segment.id)
    for newsletter in space.content.newsletters:
        if _names(newsletter.recipients, segment.id):
            found[DRAFTED if newsletter.sent_at is None else SENT].add(newsletter.id)
    return {kind: sorted(ids) for kind, ids in found.items()}


def segments_using(space: Workspace, segment: Segment) -> list[int]:
    """The data-driven segments whose conditions name it."""
    needs = space.builder.needs() if space.builder is not None else {}
    return sorted(id for id, named in needs.items() if segment.id in named)


def is_used(space: Workspace, segment: Segment) -> bool:
    """Whether anything at all would miss it."""
    return any(uses_of(space, segment).values()) or bool(segments_using(space, segment))


def _broadcasts_to(space: Workspace, segment_id: int) -> set[int]:
    return {one.id for one in space.content.broadcasts if one.recipients and _names(one.recipients, segment_id)}


def _names(recipients: dict[str, Any], segment_id: int) -> bool:
    wanted = parse_filter(recipients)
    return isinstance(wanted, Filter) and segment_id in wanted.segments


def _triggers_to(space: Workspace, segment_id: int) -> set[int]:
    waiting = space.content.waiting.items()
    keys = [key for key, (wanted, _, _) in waiting if wanted is not None and segment_id in wanted.segments]
    return {int(key.partition(":")[0]) for key in keys}
