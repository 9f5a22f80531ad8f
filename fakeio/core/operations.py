"""What a caller can mean, whichever dialect it spoke.

Edges parse bytes into these values; `workspace.apply` is the only reader. They carry what was said, not what it
leads to: whether `email` in `attributes` names a person or is plain data depends on the workspace's settings and is
decided there.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import msgspec

from fakeio.core.identifiers import Ref


class Operation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing to do to a workspace. `name` is what the tape calls it."""

    name: ClassVar[str] = "operation"


class Identify(Operation, frozen=True, kw_only=True):
    """Add or update a person.

    `attributes` are as sent, identifiers included, without the request controls (`_update`, `_timestamp`,
    `cio_relationships`), which have fields of their own. `ref` is the address: the v1 path or the v2 identifiers.
    """

    name: ClassVar[str] = "identify"
    ref: Ref
    attributes: dict[str, Any]
    update_only: bool = False
    timestamp: int | None = None  # Unix seconds; orders rapid updates of one attribute


class DeletePerson(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "delete_person"
    ref: Ref


class Suppress(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "suppress"
    ref: Ref


class Unsuppress(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "unsuppress"
    ref: Ref


class MergePeople(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "merge"
    primary: Ref
    secondary: Ref


class RecordEvent(Operation, frozen=True, kw_only=True):
    """An event, page or screen view on a person (`ref`), on an anonymous id, or on nobody (an invite event)."""

    name: ClassVar[str] = "record_event"
    ref: Ref | None
    event: str  # its name, as sent: trimming is a rule of the workspace
    type: str = "event"  # event | page | screen
    data: bytes = b"{}"  # the JSON text of an object, exactly as received
    timestamp: int | None = None  # Unix seconds; None: the moment of receipt
    dedupe_id: str | None = None  # the ULID (or any other text) a caller put in `id`
    anonymous_id: str | None = None


class AddDevice(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "add_device"
    ref: Ref
    token: str
    platform: str  # ios | android
    last_used: int | None = None
    attributes: dict[str, Any] = {}


class RemoveDevice(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "remove_device"
    ref: Ref
    token: str


class ObjectRef(NamedTuple):
    """An object by type and id (may be created), or by its own cio_object_id (update only)."""

    type_id: str = ""
    object_id: str = ""
    cio_object_id: str = ""

    def __str__(self) -> str:
        return f"object {self.cio_object_id!r}" if self.cio_object_id else f"object {self.type_id}/{self.object_id!r}"


class IdentifyObject(Operation, frozen=True, kw_only=True):
    """Add or update an object. Its relationships are `Relate` operations of their own."""

    name: ClassVar[str] = "identify_object"
    object: ObjectRef
    attributes: dict[str, Any]


class DeleteObject(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "delete_object"
    object: ObjectRef


class Relate(Operation, frozen=True, kw_only=True):
    """Link a person, or somebody yet anonymous, to an object; `attributes` belong to the link."""

    name: ClassVar[str] = "add_relationship"
    object: ObjectRef
    ref: Ref | None = None
    anonymous_id: str | None = None
    attributes: dict[str, Any] = {}


class Unrelate(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "delete_relationship"
    object: ObjectRef
    ref: Ref


class ReportMetric(Operation, frozen=True, kw_only=True):
    """Something happened to a delivery: opened, clicked, …; nobody authenticates for this."""

    name: ClassVar[str] = "report_metric"
    delivery_id: str
    metric: str
    timestamp: int | None = None
    recipient: str = ""
    reason: str = ""
    href: str = ""


class Unsubscribe(Operation, frozen=True, kw_only=True):
    """The unsubscribe link of one delivery. `unsubscribe=False` takes it back (assumed)."""

    name: ClassVar[str] = "unsubscribe"
    delivery_id: str
    unsubscribe: bool = True


class ConnectForm(Operation, frozen=True, kw_only=True):
    """A form that nobody has seen is connected, whatever becomes of the submission that brought it."""

    name: ClassVar[str] = "connect_form"
    form_id: str


class SubmitForm(Operation, frozen=True, kw_only=True):
    """A form of a web page: an identify with an event."""

    name: ClassVar[str] = "submit_form"
    form_id: str
    data: dict[str, Any]


class CreateSegment(Operation, frozen=True, kw_only=True):
    """Only manual segments can be created through a public API."""

    name: ClassVar[str] = "create_segment"
    segment_name: str
    description: str = ""


class DeleteSegment(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "delete_segment"
    segment_id: int


class JoinSegment(Operation, frozen=True, kw_only=True):
    """One id of one add call; a call of 1,000 ids is 1,000 of these."""

    name: ClassVar[str] = "join_segment"
    segment_id: int
    ref: Ref


class LeaveSegment(Operation, frozen=True, kw_only=True):
    name: ClassVar[str] = "leave_segment"
    segment_id: int
    ref: Ref


class Unrecognised(NamedTuple):
    """Stands in for an operation that an edge refused before it understood it; keeps the tape's list aligned."""

    name: str
