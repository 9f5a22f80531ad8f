"""App API, data index: descriptions of attributes and events, which nobody can read back.

They help the vendor's own tools, of which there are none here: a good request is answered 204 as documented, and
changes nothing that any other route shows. Source: App API > Data index.
"""

from __future__ import annotations

from typing import Any

from fakeio.core.outcomes import Refused
from fakeio.edge.app_api.reading import bad_body, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.decode import Malformed, parse_object
from fakeio.edge.errors import APP_DELETED, app_error
from fakeio.edge.routing import Route
from fakeio.edge.work import Answered, Call, Work, refuse

MOST_AT_ONCE = 100
LONGEST_DESCRIPTION = 255
_PRIVACY = (None, 0, 1)


def _route(path: str, operation: str, noun: str) -> Route:
    def describe(call: Call) -> Work | Answered:
        return _describe(call, operation, noun)

    return app_route("POST", path, operation, describe, tier=3, minimum=True)


def _describe(call: Call, operation: str, noun: str) -> Work | Answered:
    """Between one and a hundred of them, each with a name."""
    body, plural = parse_object(call.request.body), f"{noun}s"
    if isinstance(body, Malformed):
        return bad_body(operation, "", body.why)
    rows = body.get(plural)
    if not isinstance(rows, list):
        return bad_body(operation, plural, f"{plural} are a list")
    if not rows:
        return _wrong_count(operation, plural, f"At least one {noun} is required")
    if len(rows) > MOST_AT_ONCE:
        return _wrong_count(operation, plural, f"Can not update more than {MOST_AT_ONCE} {plural} at once")
    bad = next((at for at, row in enumerate(rows) if not _is_right(row)), None)
    if bad is not None:
        return bad_body(operation, f"{plural}[{bad}]", "a name, and perhaps a description of at most 255 characters")
    return read(lambda _: APP_DELETED)


def _wrong_count(operation: str, plural: str, message: str) -> Answered:
    refused = Refused("app.body", "invalid", plural, message)
    return refuse(operation, refused, app_error(422, message, pointer=f"/data/attributes/{plural}"))


def _is_right(row: Any) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str) or not row["name"]:
        return False
    description = row.get("description") or ""
    privacy = row.get("privacy_level")
    return (
        isinstance(description, str)
        and len(description) <= LONGEST_DESCRIPTION
        and not isinstance(privacy, bool)
        and privacy in _PRIVACY
    )


ROUTES = (
    _route("/v1/data_index/attributes", "update_attribute_metadata", "attribute"),
    _route("/v1/data_index/events", "update_event_metadata", "event"),
)
