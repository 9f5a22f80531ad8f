"""App API, imports: a CSV by URL, and how far it is.

A request is judged lightly; what is wrong with the file shows later, when the import has failed. Source: App API >
Imports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fakeio.core.app_operations import ImportFile
from fakeio.core.imports import ALL, ONLY_EXISTING, ONLY_NEW, TYPES, Import
from fakeio.core.outcomes import Applied, Outcome
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.reading import bad_body, not_found, number_in_path, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import app_json
from fakeio.edge.fetching import Fetched
from fakeio.edge.fields import text_or_number
from fakeio.edge.http import Reply
from fakeio.edge.work import Answered, Call, Errand, Work

OPERATION = "import_file"
_IDENTIFIERS = {
    "people": ("id", "email"), "event": ("id", "email"), "relationship": ("id", "email", "cio_id"), "object": (),
}  # fmt: skip


def import_document(found: Import) -> dict[str, Any]:
    """One import as published; what is to be processed goes by its old name too."""
    wanted = found.wanted
    return {
        "id": found.id,
        "type": wanted.type,
        "name": wanted.title,
        "description": wanted.description,
        "identifier": wanted.identifier,
        **({"object_type_id": wanted.object_type_id} if wanted.object_type_id else {}),
        "state": found.state,
        "rows_to_import": found.rows_to_import,
        "rows_imported": found.rows_imported,
        "data_to_process": wanted.process,
        "people_to_process": wanted.process,
        "error": found.error,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
    }


def create(call: Call) -> Errand | Answered:
    """Fetch the file, then begin: what becomes of it can be asked for."""
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(OPERATION, "", body.why)
    wanted = body.get("import")
    if not isinstance(wanted, dict):
        return bad_body(OPERATION, "import", "import is an object")
    field = _wrong_field(wanted) or _wrong_process(wanted, call)
    if field:
        return bad_body(OPERATION, f"import.{field}", f"{field} is missing or not one of its values")
    return Errand(wanted["data_file_url"], lambda fetched: _begin(wanted, fetched))


def _wrong_field(wanted: Mapping[str, Any]) -> str:
    """The first field that is missing or wrong; empty when none is."""
    kind = wanted.get("type")
    if kind not in TYPES:
        return "type"
    for name in ("name", "data_file_url"):
        if not isinstance(wanted.get(name), str) or not wanted[name]:
            return name
    if kind == "object":
        return "" if text_or_number(wanted.get("object_type_id")) else "object_type_id"
    if wanted.get("identifier") not in _IDENTIFIERS[kind]:
        return "identifier"
    return "" if isinstance(wanted.get("description"), str | None) else "description"


def _process(wanted: Mapping[str, Any]) -> Any:
    return wanted.get("data_to_process") or wanted.get("people_to_process") or ALL


def _wrong_process(wanted: Mapping[str, Any], call: Call) -> str:
    process = _process(wanted)
    only_new_events = wanted["type"] == "event" and process == ONLY_NEW
    if process not in (ALL, ONLY_NEW, ONLY_EXISTING) or (
        only_new_events and call.settings.import_event_only_new == "400"
    ):
        return "data_to_process"
    return ""


def _begin(wanted: Mapping[str, Any], fetched: Fetched) -> Work:
    kind = wanted["type"]
    operation = ImportFile(
        type=kind, title=wanted["name"], description=wanted.get("description") or "",
        identifier="" if kind == "object" else wanted["identifier"],
        object_type_id=text_or_number(wanted.get("object_type_id")) or "", process=_process(wanted),
        content=fetched.body, error=fetched.error,
    )  # fmt: skip
    return Work((operation,), _answer)


def _answer(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    outcome = outcomes[0]
    assert isinstance(outcome, Applied), "starting an import is never refused"
    found = state.imports.get(outcome.result or 0)
    assert found is not None, "it was made a moment ago"
    return app_json({"import": import_document(found)})


def get_one(call: Call) -> Work | Answered:
    import_id = number_in_path(call, "get_import", 0)
    if isinstance(import_id, Answered):
        return import_id

    def find(state: Workspace) -> Reply | Answered:
        found = state.imports.get(import_id)
        if found is None:
            return not_found("get_import", f"import {import_id}")
        return app_json({"import": import_document(found)})

    return read(find)


ROUTES = (
    app_route("POST", "/v1/imports", OPERATION, create, fetches=True),
    app_route("GET", "/v1/imports/{import_id}", "get_import", get_one),
)
