"""The rows of a snapshot as it is read back: which fields each takes, and of what type.

Whatever has a default may be left out, so that somebody can write a snapshot by hand. What a field means is told where
it is written, in `snapshots.py`.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from fakeio.core.deliveries import Delivery
from fakeio.core.imports import Import

LARGEST = 20_000_000  # a number given to a thing; whatever is missing below it takes memory
FAR_S = 1e12  # thirty thousand years from 1970; further, and the arithmetic of calendars ends
Time = Annotated[float, msgspec.Meta(ge=-FAR_S, le=FAR_S)]  # Unix seconds
Number = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]


class _Row(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    pass


class WrittenRow(_Row):
    at: Time
    timestamp: int | None = None


class DeviceRow(_Row):
    token: str
    platform: str
    last_used: int
    attributes: dict[str, Any] = {}


class PersonRow(_Row):
    """`segments` and `unsubscribed` may be there, as in a list of people: they follow from the rest."""

    cio_id: str | None = None
    id: str | None = None
    email: str | None = None
    number: Number | None = None
    created_at: Time | None = None
    timestamp: int | None = None
    attributes: dict[str, Any] = {}
    devices: list[DeviceRow] = []
    written: dict[str, WrittenRow] = {}
    segments: Any = None
    unsubscribed: Any = None


class LinkRow(_Row):
    cio_id: str | None = None
    id: str | None = None
    email: str | None = None
    anonymous_id: str | None = None
    attributes: dict[str, Any] = {}
    at: Time | None = None
    timestamp: int | None = None


class ObjectRow(_Row):
    object_type_id: str
    object_id: str
    cio_object_id: str = ""
    number: Number | None = None
    created_at: Time | None = None
    timestamp: int | None = None
    attributes: dict[str, Any] = {}
    relationships: list[LinkRow] = []
    written: dict[str, WrittenRow] = {}


class BuildRow(_Row):
    started_at: Time
    takes_s: Annotated[float, msgspec.Meta(gt=0, le=FAR_S)]


class SegmentRow(_Row):
    """Without a `state` a data-driven segment is built anew."""

    name: str
    id: Annotated[int, msgspec.Meta(ge=1)] | None = None
    description: str = ""
    type: str = "manual"
    state: str | None = None
    progress: int | None = None
    created_at: int | None = None
    updated_at: int | None = None
    conditions: dict[str, Any] | None = None
    build: BuildRow | None = None
    used_by: dict[str, list[int]] = {}
    members: list[Any] = []
    places: list[int] | None = None
    last_place: int = 0
    count: Any = None


class SuppressionRow(_Row):
    identifiers: list[dict[str, str]]
    at: Time | None = None


class EspRow(_Row):
    email: str
    created: int
    reason: str
    status: str


class HeldRow(msgspec.Struct):
    """Beside these, the fields of the operation."""

    due: Time
    accepted_at: Time


class TriggerRow(_Row):
    trigger: str
    filter: dict[str, Any] | None = None
    people: list[tuple[str, dict[str, Any]]] | None = None
    data: dict[str, Any] = {}


class TaskRow(_Row):
    due: Time
    what: str
    key: int | str


class WaitingRow(_Row):
    operations: list[dict[str, Any]] = []
    anonymous_events: list[int] | None = None
    broadcasts: list[TriggerRow] = []
    tasks: list[TaskRow] = []


class GoneRow(_Row):
    id: str | None = None
    email: str | None = None


class ClaimRow(_Row):
    person: str
    at: Time


class KnownRow(_Row):
    deleted_people: dict[str, GoneRow] = {}
    shared_emails: dict[str, list[str]] = {}
    phones: dict[str, str] | None = None
    shared_devices: dict[str, str | None] = {}
    anonymous_ids: dict[str, ClaimRow] = {}
    event_ids: dict[str, Time] = {}
    object_types: dict[str, str] = {}


class ExportRow(_Row):
    id: Number
    type: str
    description: str
    wanted: dict[str, Any]
    created_at: int
    updated_at: int
    status: str
    total: int = 0
    downloads: int = 0
    content: str = ""


class LinkToExportRow(_Row):
    export_id: int
    expires_at: Time


class CountersRow(_Row):
    people: Count = 0
    activities: Count = 0
    objects: Count = 0
    segments: int = 0
    deliveries: int = 0
    templates: int = 0
    broadcasts: int = 0
    topics: int = 0
    collections: int = 0
    webhooks: int = 0
    newsletters: int = 0
    exports: int = 0
    imports: int = 0


class Document(_Row):
    """A whole snapshot. Lists of anything are rows that are read one by one, so that an error can name its place."""

    version: int
    settings: dict[str, Any] | None = None
    people: list[PersonRow] = []
    objects: list[ObjectRow] = []
    segments: list[SegmentRow] = []
    suppressions: list[SuppressionRow] = []
    events: list[dict[str, Any]] = []
    activities: list[dict[str, Any]] = []
    deliveries: list[Delivery] = []
    templates: list[dict[str, Any]] = []
    broadcasts: list[dict[str, Any]] = []
    topics: list[dict[str, Any]] = []
    collections: list[dict[str, Any]] = []
    webhooks: list[dict[str, Any]] = []
    newsletters: list[dict[str, Any]] = []
    snippets: list[dict[str, Any]] = []
    forms: list[dict[str, Any]] = []
    esp_suppressions: dict[str, list[EspRow]] = {}
    exports: list[ExportRow] = []
    export_links: dict[str, LinkToExportRow] = {}
    imports: list[Import] = []
    waiting: WaitingRow = msgspec.field(default_factory=WaitingRow)
    known: KnownRow = msgspec.field(default_factory=KnownRow)
    counters: CountersRow = msgspec.field(default_factory=CountersRow)
