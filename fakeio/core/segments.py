"""Segments: manual ones, whose members are written, and data-driven ones, whose members nobody can write.

Source: App API > Segments; Track API > Manual segments.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

from fakeio.core.rosters import Roster

MANUAL, DYNAMIC = "manual", "dynamic"
USERS = ("campaigns", "sent_newsletters", "draft_newsletters")  # what can use a segment, as published
FINISHED = "finished"


class Segment:
    """One segment. Members are cio_ids in the order they joined; `joined_by` tells which request added each."""

    __slots__ = (
        "conditions", "created_at", "description", "id", "joined_by", "members", "name", "progress", "state", "type",
        "updated_at",
        "used_by",
    )  # fmt: skip

    def __init__(
        self, id: int, name: str, description: str, type: str, now: float, conditions: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.id = id
        self.name = name
        self.description = description
        self.type = type
        self.conditions = conditions
        self.state = FINISHED
        self.progress: int | None = None
        self.created_at = int(now)
        self.updated_at = int(now)
        self.members = Roster()
        self.joined_by: dict[str, int] = {}
        self.used_by: dict[str, list[int]] = {kind: [] for kind in USERS}

    def fork(self) -> Segment:
        """The same segment for another workspace."""
        other = copy(self)
        other.members = self.members.fork()
        other.joined_by = self.joined_by.copy()
        other.used_by = {kind: users.copy() for kind, users in self.used_by.items()}
        return other

    @property
    def count(self) -> int:
        """How many people are members."""
        return len(self.members)

    def members_after(self, place: int, limit: int) -> list[tuple[int, str]]:
        """At most `limit` members behind `place`, as (place, cio_id), in the order they joined."""
        return self.members.after(place, limit)


class Segments:
    """The segments of a workspace, by id. Ids count up from 1 and are never used twice."""

    def __init__(self) -> None:
        self._by_id: dict[int, Segment] = {}
        self._last_id = 0

    def fork(self) -> Segments:
        """The same segments for another workspace."""
        other = Segments()
        other._by_id = {id: segment.fork() for id, segment in self._by_id.items()}
        other._last_id = self._last_id
        return other

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Segment]:
        return iter(sorted(self._by_id.values(), key=lambda segment: segment.id))

    @property
    def next_id(self) -> int:
        """The id of the next segment that asks for none."""
        return self._last_id + 1

    def leave_out(self, last: int) -> None:
        """Go on counting behind that id, as if those up to it had come and gone."""
        self._last_id = max(self._last_id, last)

    def get(self, id: int) -> Segment | None:
        """The segment of that id."""
        return self._by_id.get(id)

    def named(self, name: str) -> Segment | None:
        """The first segment of exactly that name."""
        return next((segment for segment in self if segment.name == name), None)

    def create(
        self, name: str, description: str, type: str, now: float,
        *, conditions: dict[str, Any] | None = None, id: int | None = None,
    ) -> Segment:  # fmt: skip
        """A new segment; `id` only when a seed asks for a certain one."""
        chosen = id if id is not None else self.next_id
        self._last_id = max(self._last_id, chosen)
        segment = self._by_id[chosen] = Segment(chosen, name, description, type, now, conditions)
        return segment

    def remove(self, segment: Segment) -> None:
        """Forget the segment. Its members' own lists are the caller's business."""
        del self._by_id[segment.id]
