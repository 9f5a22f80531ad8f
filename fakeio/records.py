"""What the Python interface hands out: state at one moment, as typed values that nobody can change.

Each is read by attribute (`person.email`) or by key (`person["email"]`), with the names of the control API's JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The base of them all. `dict(record)` is its JSON."""

    def __getitem__(self, name: str) -> Any:
        if name not in self.__struct_fields__:
            raise KeyError(name)
        return getattr(self, name)

    def keys(self) -> Iterable[str]:
        return self.__struct_fields__


class Who(Record, frozen=True, kw_only=True):
    """A person's identifiers."""

    id: str | None
    email: str | None
    cio_id: str


class DeviceRecord(Record, frozen=True, kw_only=True):
    """`platform` is ios or android, `last_used` Unix seconds."""

    token: str
    platform: str
    last_used: int
    attributes: dict[str, Any]


class PersonRecord(Record, frozen=True, kw_only=True):
    """A person. `attributes` keep their JSON types; `segments` are ids of the segments the person is a member of."""

    cio_id: str
    id: str | None
    email: str | None
    attributes: dict[str, Any]
    devices: list[DeviceRecord]
    segments: list[int]
    unsubscribed: bool
    created_at: int


class EventRecord(Record, frozen=True, kw_only=True):
    """An event, page or screen view. `person` is None for one of nobody yet; times are Unix seconds."""

    event_id: str
    type: str
    name: str
    data: dict[str, Any]
    timestamp: int
    person: Who | None
    anonymous_id: str | None
    received_at: float


class SegmentRecord(Record, frozen=True, kw_only=True):
    """A segment with its members, in the order they joined."""

    id: int
    name: str
    description: str
    type: str
    state: str
    progress: int | None
    conditions: dict[str, Any] | None
    count: int
    created_at: int
    updated_at: int
    members: list[Who]


class OperationRecord(Record, frozen=True, kw_only=True):
    """What a request asked for and how that ended: `outcome` is applied, ignored or refused."""

    operation: str
    outcome: str
    reason: str | None = None
    rule: str | None = None
    explanation: str | None = None


class RequestRecord(Record, frozen=True, kw_only=True):
    """One exchange of the tape. `body` and `response` are parsed if they are JSON; `status` is None for a cut one."""

    n: int
    api: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    status: int | None
    response: Any
    duration_ms: float
    faults: list[str]
    operations: list[OperationRecord]


class IgnoredRecord(Record, frozen=True, kw_only=True):
    """Something that was accepted and came to nothing, and the rule that says why."""

    request: int
    method: str
    path: str
    operation: str
    rule: str
    effect: str
    explanation: str
    person: str | None


class VerdictRecord(Record, frozen=True, kw_only=True):
    """The requests that were expected and arrived, in order of arrival; `matched` is how many."""

    ok: bool
    matched: int
    requests: list[RequestRecord]


R = TypeVar("R", bound=Record)


def record(kind: type[R], view: Any) -> R:
    """The record of a view. Views are ours: one that doesn't fit is a bug, and raises msgspec.ValidationError."""
    return msgspec.convert(view, kind)
