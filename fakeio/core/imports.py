"""Imports: a CSV of people, events, objects or relationships, checked and carried out step by step on the clock.

Each row acts as the matching call of the Track API does. Where the file came from is the edge's business. Source: App
API > Imports; how long each state lasts, and which columns name an event or an object, is assumed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from fakeio.core.app_operations import ImportFile
from fakeio.core.identifiers import CIO_ID, CIO_PREFIX, Ref
from fakeio.core.operations import Identify, IdentifyObject, ObjectRef, Operation, RecordEvent, Relate
from fakeio.core.outcomes import Applied, Ignored, Outcome
from fakeio.core.rules import RULES, UNCHANGED

if TYPE_CHECKING:  # the workspace imports this module
    from fakeio.core.workspace import Workspace

IMPORT = "import"
STATES = ("preprocessing", "preprocessed", "validating", "validated", "importing", "imported")
FAILED = "failed"
ALL, ONLY_NEW, ONLY_EXISTING = "all", "only_new", "only_existing"
TYPES = ("people", "event", "object", "relationship")

Row = Mapping[str, str]


class Import(msgspec.Struct, kw_only=True):
    """One import. `rows` are those of its file, until they are imported."""

    id: int = 0
    wanted: ImportFile
    created_at: int
    updated_at: int
    state: str = STATES[0]
    rows: list[dict[str, str]] = []
    rows_to_import: int = 0
    rows_imported: int = 0
    error: str = ""


def start_import(space: Workspace, operation: ImportFile, now: float, request: int) -> Outcome:
    """Promise every further state; `result` is the import's number."""
    made = space.imports.add(Import(wanted=operation, created_at=int(now), updated_at=int(now)))
    step_s = space.settings.import_s / (len(STATES) - 1)
    for at in range(1, len(STATES)):
        space.agenda.add(now + at * step_s, IMPORT, made.id)
    return Applied(result=made.id)


def advance(space: Workspace, import_id: str | int, now: float) -> None:
    """One state further, unless it has failed."""
    found = space.imports.get(int(import_id))
    assert found is not None, "imports are never removed"
    if found.state == FAILED:
        return
    found.state = STATES[STATES.index(found.state) + 1]
    found.updated_at = int(now)
    step = _STEPS.get(found.state)
    error = step(space, found, now) if step is not None else ""
    if error:
        found.state, found.error, found.rows = FAILED, error, []


def _preprocess(space: Workspace, found: Import, now: float) -> str:
    """Read the file; says why it can't be."""
    if found.wanted.error:
        return found.wanted.error
    try:
        text = found.wanted.content.decode("utf-8-sig")
        lines = csv.DictReader(io.StringIO(text), strict=True)
        found.rows = [{name: value for name, value in row.items() if name and value} for row in lines]
    except (UnicodeDecodeError, csv.Error):
        return "The file is not a CSV in UTF-8."
    found.rows_to_import = len(found.rows)
    return "" if _columns_missing(found.wanted, lines.fieldnames or []) is None else _MISSING_COLUMN


_MISSING_COLUMN = "The file has no column for an identifier that is needed."


def _columns_missing(wanted: ImportFile, names: object) -> str | None:
    needed = [wanted.identifier] if wanted.identifier else []
    needed += ["object_id"] if wanted.type in ("object", "relationship") else []
    held = list(names) if isinstance(names, list | tuple) else []
    return next((name for name in needed if name not in held), None)


def _validate(space: Workspace, found: Import, now: float) -> str:
    if found.wanted.type == "object" and found.wanted.object_type_id not in space.objects.types:
        return "The specified Object Type does not exist."
    if found.wanted.type == "event" and found.wanted.process == ONLY_NEW:
        return "Events are imported for all people or for existing ones."
    return ""


def _carry_out(space: Workspace, found: Import, now: float) -> str:
    """Every row; those that name nobody, or are refused, are left out of the count."""
    for row in found.rows:
        operation = _OPERATIONS[found.wanted.type](found.wanted, row)
        if operation is None or not _is_meant(space, found.wanted, operation):
            continue
        if _took(space.apply(operation, now)):
            found.rows_imported += 1
    found.rows = []
    return ""


def _took(outcome: Outcome) -> bool:
    """Whether the state is now as the row says."""
    return isinstance(outcome, Applied) or (isinstance(outcome, Ignored) and RULES[outcome.rule].effect == UNCHANGED)


def _is_meant(space: Workspace, wanted: ImportFile, operation: Operation) -> bool:
    """Whether new or existing ones are to be imported, and this is one."""
    if wanted.process == ALL or isinstance(operation, Relate):
        return True
    if isinstance(operation, IdentifyObject):
        exists = space.objects.find(operation.object) is not None
    else:
        ref = operation.ref if isinstance(operation, Identify | RecordEvent) else None
        exists = ref is not None and space.people.find(ref) is not None
    return exists is (wanted.process == ONLY_EXISTING)


def _ref(wanted: ImportFile, row: Row) -> Ref | None:
    value = row.get(wanted.identifier)
    return None if not value else Ref(wanted.identifier, value.removeprefix(CIO_PREFIX) if _is_cio(wanted) else value)


def _is_cio(wanted: ImportFile) -> bool:
    return wanted.identifier == CIO_ID


def _rest(row: Row, *used: str) -> dict[str, str]:
    return {name: value for name, value in row.items() if name not in used}


def _person(wanted: ImportFile, row: Row) -> Operation | None:
    ref = _ref(wanted, row)
    # a cio_id is given by the workspace: as a column beside the identifier it is only told (assumed)
    return None if ref is None else Identify(ref=ref, attributes=_rest(row, wanted.identifier, CIO_ID))


def _event(wanted: ImportFile, row: Row) -> Operation | None:
    ref = _ref(wanted, row)
    name = row.get("event") or row.get("name")
    if ref is None or not name:
        return None
    at = row.get("timestamp", "")
    timestamp = int(at) if at.isascii() and at.isdigit() else None
    data = _rest(row, wanted.identifier, "event" if row.get("event") else "name", "timestamp")
    return RecordEvent(ref=ref, event=name, data=json.dumps(data).encode(), timestamp=timestamp)


def _object(wanted: ImportFile, row: Row) -> Operation | None:
    if not row.get("object_id"):
        return None
    ref = ObjectRef(wanted.object_type_id, row["object_id"])
    return IdentifyObject(object=ref, attributes=dict(_rest(row, "object_id", "object_type_id")))


def _relationship(wanted: ImportFile, row: Row) -> Operation | None:
    ref = _ref(wanted, row)
    if ref is None or not row.get("object_id"):
        return None
    type_id = row.get("object_type_id") or wanted.object_type_id or "1"
    attributes = dict(_rest(row, wanted.identifier, "object_id", "object_type_id"))
    return Relate(object=ObjectRef(type_id, row["object_id"]), ref=ref, attributes=attributes)


_OPERATIONS: dict[str, Callable[[ImportFile, Row], Operation | None]] = {
    "people": _person, "event": _event, "object": _object, "relationship": _relationship,
}  # fmt: skip
_STEPS: dict[str, Callable[[Workspace, Import, float], str]] = {
    "preprocessed": _preprocess, "validated": _validate, "imported": _carry_out,
}  # fmt: skip
