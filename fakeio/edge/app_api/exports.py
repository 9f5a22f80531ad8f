"""App API, exports: start one, ask how far it is, get a link to its CSV. The link works for a while, for anybody.

What is in the file is `core/exports.py`. Source: App API > Exports. The files are served by this fake itself, at a path
of its own making.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from fakeio.core.app_operations import ExportDeliveries, ExportPeople, LinkExport
from fakeio.core.exports import Export
from fakeio.core.filters import parse_filter
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.settings import ASSUMED
from fakeio.core.workspace import Workspace
from fakeio.edge.app_api.messages import METRICS
from fakeio.edge.app_api.reading import BAD_REQUEST, bad_body, not_found, number_in_path, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import APP_NOT_FOUND, app_error, app_file, app_json
from fakeio.edge.fields import whole_number
from fakeio.edge.http import Reply
from fakeio.edge.routing import OPEN
from fakeio.edge.work import Answered, Call, Work, refuse

_ORIGINS = ("newsletter_id", "campaign_id", "transactional_message_id", "action_id")


def export_document(export: Export) -> dict[str, Any]:
    """One export as published; those of the API are nobody's."""
    return {
        "id": export.id,
        "deduplicate_id": f"{export.id}:{export.updated_at}",
        "type": export.type,
        "status": export.status,
        "failed": False,
        "total": export.total,
        "downloads": export.downloads,
        "description": export.description,
        "user_id": 0,
        "user_email": "",
        "created_at": export.created_at,
        "updated_at": export.updated_at,
    }


def list_all(call: Call) -> Work:
    """All of them; none at all is null, as recorded."""

    def show(state: Workspace) -> Reply:
        rows = [export_document(export) for export in state.exports]
        return app_json({"exports": rows if rows or state.settings.export_empty_list == "list" else None})

    return read(show)


def get_one(call: Call) -> Work | Answered:
    export_id = number_in_path(call, "get_export", 0)
    if isinstance(export_id, Answered):
        return export_id

    def find(state: Workspace) -> Reply | Answered:
        export = state.exports.get(export_id)
        return not_found("get_export", f"export {export_id}") if export is None else _shown(export)

    return read(find)


def _shown(export: Export) -> Reply:
    return app_json({"export": export_document(export)})


def export_people(call: Call) -> Work | Answered:
    """By a filter, which is called `filters` here."""
    operation = "export_people"
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    wanted = parse_filter(body.get("filters"))
    if isinstance(wanted, Refused):
        return refuse(operation, wanted, app_error(400, BAD_REQUEST))
    attributes = _texts(body.get("attributes"))
    if attributes is None:
        return bad_body(operation, "attributes", "attributes are a list of names")
    return Work((ExportPeople(filter=wanted, attributes=attributes),), _answer_started)


def export_deliveries(call: Call) -> Work | Answered:
    """Of exactly one origin."""
    operation = "export_deliveries"
    body = parse_object(call.request.body)
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    origins = [name for name in _ORIGINS if body.get(name) is not None]
    if len(origins) != 1:
        return bad_body(operation, "", f"exactly one of {', '.join(_ORIGINS)}")
    names = (origins[0], "start", "end", "template_id")
    numbers = {name: whole_number(body[name]) for name in names if body.get(name) is not None}
    attributes = _texts(body.get("attributes"))
    if None in numbers.values() or attributes is None or not _are_right(body):
        return bad_body(operation, "", "ids and times are whole numbers, a metric is a published one")
    wanted = ExportDeliveries(
        origin=origins[0], origin_id=numbers[origins[0]] or 0, attributes=attributes, start=numbers.get("start"),
        end=numbers.get("end"), metric=body.get("metric") or "", drafts=body.get("drafts") is True,
        template_id=numbers.get("template_id"),
    )  # fmt: skip
    return Work((wanted,), _answer_started)


def _are_right(body: Mapping[str, Any]) -> bool:
    return body.get("metric") in (None, "", "created", *METRICS) and isinstance(body.get("drafts"), bool | None)


def _texts(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) and all(isinstance(one, str) for one in value) else None


def _answer_started(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    outcome = outcomes[0]
    assert isinstance(outcome, Applied), "starting an export is never refused"
    export = state.exports.get(outcome.result or 0)
    assert export is not None, "it was made a moment ago"
    return _shown(export)


def download(call: Call) -> Work | Answered:
    """A link that nobody can guess, good for a quarter of an hour of the workspace's clock."""
    export_id = number_in_path(call, "download_export", 0)
    if isinstance(export_id, Answered):
        return export_id
    token = secrets.token_urlsafe(24)

    def answer(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
        outcome = outcomes[0]
        if not isinstance(outcome, Refused):
            url = f"{call.request.own_url()}/v1/exports/{export_id}/files/{token}"
            return app_json({state.settings.export_link_key: url})
        pending = outcome.rule == "app.export.pending" and state.settings.export_pending_download == "400"
        return app_error(400, outcome.message) if pending else APP_NOT_FOUND

    return Work((LinkExport(export_id=export_id, token=token),), answer)


def read_file(call: Call) -> Work:
    """The CSV, while its link lives."""
    token, now = call.segments[1], call.hosted.clock.now()

    def find(state: Workspace) -> Reply | Answered:
        link = state.exports.links.get(token)
        export = state.exports.get(link.export_id) if link is not None else None
        if link is None or export is None or call.segments[0] != str(export.id):
            return not_found("read_export", "such link")
        if link.expires_at <= now:
            refused = Refused("app.export.link", "expired", "", "the link has expired; ask for another one")
            return refuse("read_export", refused, app_error(403, "link expired"))
        return app_file(export.content, f"{export.type}_{export.id}.csv")

    return read(find)


_ONE = "/v1/exports/{export_id}"
_FILE = app_route(
    "GET", f"{_ONE}/files/{{token}}", "read_export", read_file, grade=ASSUMED, limited=False, auth=OPEN
)  # fmt: skip
ROUTES = (
    app_route("GET", "/v1/exports", "list_exports", list_all),
    app_route("GET", _ONE, "get_export", get_one),
    app_route("GET", f"{_ONE}/download", "download_export", download),
    app_route("POST", "/v1/exports/customers", "export_people", export_people),
    app_route("POST", "/v1/exports/deliveries", "export_deliveries", export_deliveries),
    structs.replace(_FILE, delivery=lambda request, segments: segments[1], anywhere=True),
)
