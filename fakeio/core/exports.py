"""Exports: a list of people or of deliveries, written as CSV after a while, and links to it that die.

What an export holds is what there was when it was done. Source: App API > Exports; the columns are assumed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from fakeio.core.app_operations import ExportDeliveries, ExportPeople, LinkExport
from fakeio.core.deliveries import Delivery
from fakeio.core.filters import search
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.people import as_text
from fakeio.core.shelf import Shelf

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

EXPORT = "export"
PENDING, DONE = "pending", "done"
LINK_S = 15 * 60
_ORIGINS = {
    "campaign_id": "broadcast", "transactional_message_id": "template", "action_id": "action",
    "newsletter_id": "newsletter",
}  # fmt: skip
_PEOPLE_COLUMNS = ("id", "email", "cio_id")
_DELIVERY_COLUMNS = ("delivery_id", "type", "customer_id", "recipient", "subject", "created", "metrics")


class Export(msgspec.Struct, kw_only=True):
    """One export. `content` is its CSV, empty until it is done."""

    id: int = 0
    type: str
    description: str
    wanted: ExportPeople | ExportDeliveries
    created_at: int
    updated_at: int
    status: str = PENDING
    total: int = 0
    downloads: int = 0
    content: bytes = b""


class Link(NamedTuple):
    """A way to an export until a time, Unix seconds."""

    export_id: int
    expires_at: float


class Exports(Shelf[Export]):
    """The exports of a workspace and the links to them."""

    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, Link] = {}  # replaced, never changed in place


def start_export(
    space: Workspace, operation: ExportPeople | ExportDeliveries, now: float, request: int
) -> Outcome:
    """Promise an export; `result` is its number."""
    of_people = isinstance(operation, ExportPeople)
    made = Export(
        type="customers" if of_people else "deliveries",
        description=f"{'People by filter' if of_people else 'Full deliveries export'} (created via the api)",
        wanted=operation, created_at=int(now), updated_at=int(now),
    )  # fmt: skip
    space.exports.add(made)
    space.agenda.add(now + space.settings.export_s, EXPORT, made.id)
    return Applied(result=made.id)


def finish(space: Workspace, export_id: str | int, now: float) -> None:
    """Write it."""
    export = space.exports.get(int(export_id))
    assert export is not None, "exports are never removed"
    rows = _people(space, export.wanted) if isinstance(export.wanted, ExportPeople) else _sent(space, export.wanted)
    export.content = _encode_csv(rows)
    export.total = len(rows) - 1
    export.status, export.updated_at = DONE, int(now)


def _encode_csv(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _people(space: Workspace, wanted: ExportPeople) -> list[list[str]]:
    """A line of names, then a line a person."""
    found = search(space.people, space.segments, wanted.filter, 0, len(space.people) + 1)
    columns = list(dict.fromkeys((*_PEOPLE_COLUMNS, *wanted.attributes)))
    return [columns, *([_text(person.value_of(name)) for name in columns] for person in found)]


def _text(value: Any) -> str:
    return "" if value is None else as_text(value)


def _sent(space: Workspace, wanted: ExportDeliveries) -> list[list[str]]:
    """A line of names, then a line a delivery, with attributes of its person."""
    rows = [[*_DELIVERY_COLUMNS, *wanted.attributes]]
    for one in space.deliveries:
        if not _is_wanted(one, wanted):
            continue
        person = space.people.get(one.person) if one.person else None
        metrics = " ".join(f"{name}:{at}" for name, at in one.metrics.items())
        attributes = ["" if person is None else _text(person.value_of(name)) for name in wanted.attributes]
        who = "" if person is None else person.id or ""
        rows.append([one.id, one.type, who, one.recipient, one.subject, str(one.created_at), metrics, *attributes])
    return rows


def _is_wanted(one: Delivery, wanted: ExportDeliveries) -> bool:
    origin = _ORIGINS.get(wanted.origin)
    return (
        origin is not None
        and getattr(one, origin) == wanted.origin_id
        and one.draft is wanted.drafts
        and (wanted.start is None or one.created_at >= wanted.start)
        and (wanted.end is None or one.created_at <= wanted.end)
        and (not wanted.metric or wanted.metric in one.metrics)
        and (wanted.template_id is None or one.template == wanted.template_id)
    )


def check_link(space: Workspace, operation: LinkExport) -> Refused | None:
    """An export that is to be downloaded exists and is done."""
    export = space.exports.get(operation.export_id)
    if export is None:
        return Refused("app.not_found", "not_found", "", f"there is no export {operation.export_id}")
    if export.status != DONE:
        return Refused("app.export.pending", "invalid", "", "the export is not done")
    return None


def link_export(space: Workspace, operation: LinkExport, now: float, request: int) -> Outcome:
    """Hand out a link, and forget those that are dead."""
    export = space.exports.get(operation.export_id)
    assert export is not None, "the check before has refused"
    export.downloads += 1
    alive = {token: link for token, link in space.exports.links.items() if link.expires_at > now}
    space.exports.links = {**alive, operation.token: Link(export.id, now + LINK_S)}
    return Applied(result=export.id)
