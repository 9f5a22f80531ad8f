"""The rest of a snapshot: what people have made, what waits to happen, what is remembered, and how far things count.

Called by `restoring.py`, which knows the order. Whatever would fail later, when it falls due, is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

import msgspec

from fakeio.core import broadcasts, exports, imports, newsletters, sending
from fakeio.core.addresses import LISTS, Suppressed
from fakeio.core.anonymous import Claim
from fakeio.core.app_operations import ExportDeliveries, ExportPeople
from fakeio.core.exports import Export
from fakeio.core.forms import Form
from fakeio.core.imports import Import
from fakeio.core.intake import Held
from fakeio.core.managing import HANDLERS
from fakeio.core.operation_codec import decode_filter, decode_operation
from fakeio.core.operations import CreateSegment, DeleteSegment, Operation
from fakeio.core.people import Gone
from fakeio.core.seeding_content import CONTENT_KEYS, convert, plant_row
from fakeio.core.shelf import Shelf
from fakeio.core.snapshot_rows import (
    LARGEST,
    CountersRow,
    Document,
    EspRow,
    ExportRow,
    HeldRow,
    KnownRow,
    LinkToExportRow,
    TaskRow,
    TriggerRow,
)
from fakeio.core.workspace import Workspace

# what the App API does; the Track API alone answers too early
_AT_ONCE: tuple[type[Operation], ...] = (*HANDLERS, CreateSegment, DeleteSegment)


class Each(Protocol):
    """Puts rows in one by one, and says where the one stands that can't be."""

    def __call__(self, where: str, rows: Iterable[Any], put: Callable[[Any], object]) -> None: ...


def restore_known(space: Workspace, known: KnownRow) -> None:
    """What is remembered; after the people, before whatever they have done. Raises ValueError."""
    for cio_id, gone in known.deleted_people.items():
        if space.people.peek(cio_id) is not None:
            raise ValueError(f"{cio_id} is deleted, and among the people")
        space.people.all_gone()[cio_id] = Gone(gone.id, gone.email)
    for key, cio_ids in known.shared_emails.items():
        space.people.order_holders(key, cio_ids)
    if known.phones is not None:
        space.people.own_phones(known.phones)
    for token, owner in known.shared_devices.items():
        space.people.index_device(token, None if owner is None else space.people.get(owner))
    for anonymous_id, claim in known.anonymous_ids.items():
        space.anonymous.claims[anonymous_id] = Claim(claim.person, claim.at)
    space.seen_event_ids = dict(known.event_ids)
    space.objects.types |= known.object_types


def restore_content(space: Workspace, document: Document, now: float, each: Each) -> None:
    """Templates and the like, forms, addresses, exports and imports."""
    for key in CONTENT_KEYS:
        each(key, getattr(document, key), partial(_plant, space, key, now))
    each("forms", document.forms, lambda row: _form(space, row, now))
    for name, rows in document.esp_suppressions.items():
        each(f"esp_suppressions.{name}", rows, partial(_suppress_address, space, name))
    each("exports", document.exports, lambda row: _export(space, row))
    each("export_links", document.export_links.items(), lambda item: _export_link(space, *item))
    each("imports", document.imports, lambda row: _import(space, row))


def restore_waiting(space: Workspace, document: Document, each: Each) -> None:
    """What was accepted or promised: after everything that it is about."""
    waiting = document.waiting
    each("waiting.operations", waiting.operations, lambda row: _hold(space, row))
    each("waiting.broadcasts", waiting.broadcasts, lambda row: _trigger(space, row))
    each("waiting.tasks", waiting.tasks, lambda row: _task(space, row))


def restore_counters(space: Workspace, counters: CountersRow) -> None:
    """Numbers go on where they were; a counter that is too small changes nothing. Raises ValueError."""
    space.people.leave_out(counters.people)
    space.log.leave_out(counters.activities)
    space.objects.leave_out(counters.objects)
    space.segments.leave_out(counters.segments)
    space.deliveries.made = max(space.deliveries.made, counters.deliveries)
    shelves: dict[str, Shelf[Any]] = {"exports": space.exports, "imports": space.imports}
    for name in ("templates", "broadcasts", "topics", "collections", "webhooks", "newsletters"):
        shelves[name] = getattr(space.content, name)
    for name, shelf in shelves.items():
        shelf.leave_out(getattr(counters, name))


def _plant(space: Workspace, key: str, now: float, row: Any) -> None:
    plant_row(space, key, row, now)


def _form(space: Workspace, row: Any, now: float) -> None:
    form = convert(row, Form, int(now))
    space.forms[form.id] = form


def _suppress_address(space: Workspace, name: str, row: EspRow) -> None:
    if name not in LISTS:
        raise ValueError(f"the lists are {', '.join(LISTS)}")
    space.addresses.add(name, Suppressed(row.email, row.created, row.reason, row.status))


def _export(space: Workspace, row: ExportRow) -> None:
    wanted = decode_operation(row.wanted)
    if not isinstance(wanted, ExportPeople | ExportDeliveries) or row.status not in (exports.PENDING, exports.DONE):
        raise ValueError("an export wants people or deliveries, and is pending or done")
    own = {name: getattr(row, name) for name in row.__struct_fields__}
    space.exports.add(Export(**{**own, "wanted": wanted, "content": row.content.encode()}))


def _export_link(space: Workspace, token: str, row: LinkToExportRow) -> None:
    if space.exports.get(row.export_id) is None:
        raise ValueError(f"there is no export {row.export_id}")
    space.exports.links = {**space.exports.links, token: exports.Link(row.export_id, row.expires_at)}


def _import(space: Workspace, row: Import) -> None:
    if row.state not in (*imports.STATES, imports.FAILED) or row.wanted.type not in imports.TYPES:
        raise ValueError(f"an import is of one of {', '.join(imports.TYPES)}, in one of the states that they have")
    space.imports.add(row)


def _hold(space: Workspace, row: dict[str, Any]) -> None:
    times = msgspec.convert(row, HeldRow)
    rest = {name: value for name, value in row.items() if name not in HeldRow.__struct_fields__}
    operation = decode_operation(rest)
    if isinstance(operation, _AT_ONCE):
        raise ValueError(f"{operation.name} never waits")
    refused = space.check(operation)
    if refused is not None:
        raise ValueError(f"such an operation is refused: {refused.message}")
    space.intake.hold(Held(times.due, operation, 0, times.accepted_at, None), operation)


def _trigger(space: Workspace, row: TriggerRow) -> None:
    broadcast_id, _, number = row.trigger.partition(":")
    broadcast = space.content.broadcasts.get(_whole(broadcast_id))
    if broadcast is None or all(one.id != _whole(number) for one in broadcast.triggers):
        raise ValueError(f"there is no broadcast with a trigger {row.trigger!r}")
    space.content.waiting[row.trigger] = (decode_filter(row.filter), row.people, row.data)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST)) else 0


def _task(space: Workspace, row: TaskRow) -> None:
    """Something to do with a thing that is there; each import has as many steps before it as it lacks states."""
    key = row.key
    known = {
        sending.SEND: isinstance(key, str),
        broadcasts.BROADCAST: isinstance(key, str) and _whole(key.partition(":")[0]) > 0,
        exports.EXPORT: isinstance(key, int) and space.exports.get(key) is not None,
        imports.IMPORT: isinstance(key, int) and _steps_left(space, key) > 0,
        newsletters.NEWSLETTER: isinstance(key, int) and key > 0,  # it may be gone by now
    }
    if not known.get(row.what):
        raise ValueError(f"there is nothing to {row.what:.40} of the key {key!r:.40}")
    space.agenda.add(row.due, row.what, key)


def _steps_left(space: Workspace, key: int) -> int:
    found = space.imports.get(key)
    if found is None:
        return 0
    promised = sum(task.what == imports.IMPORT and task.key == key for task in space.agenda.waiting())
    left = 1 if found.state == imports.FAILED else len(imports.STATES) - 1 - imports.STATES.index(found.state)
    return left - promised if found.state != imports.FAILED else left
