"""App API, Design Studio and assets: this workspace has no emails, components, files or folders of theirs.

Lists are empty and of the documented shape, with the page and the filters that were asked for; whatever is named does
not exist. What would make one is not imitated. Source: App API > Design Studio, Assets; these newer handlers tell a
status in numbers, as their pages show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakeio.core.outcomes import Refused
from fakeio.edge.app_api.reading import bad_parameter, query, read
from fakeio.edge.app_api.table import app_route
from fakeio.edge.errors import app_json
from fakeio.edge.fields import whole_number
from fakeio.edge.routing import Route
from fakeio.edge.work import Answered, Call, Handler, Work, refuse

USUAL_PAGE, LARGEST_PAGE = 1_000, 10_000
_NO_RESOURCE = app_json({"errors": [{"detail": "resource not found", "status": 404}]}, 404)
_TIMES = ("created_before", "created_after", "updated_before", "updated_after")
_SORTED = {"sort_by": ("created", "updated", "name"), "sort_order": ("asc", "desc")}

# path: operation, the keys whose lists are empty, whether the list can be sorted and cut by time
_LISTS: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "/v1/design_studio/folders": ("list_design_folders", ("folders",), True),
    "/v1/design_studio/emails": ("list_design_emails", ("emails", "folders"), True),
    "/v1/design_studio/components": ("list_design_components", ("components", "folders"), True),
    "/v1/assets": ("list_assets", ("assets",), False),
    "/v1/assets/folders": ("list_asset_folders", ("folders",), False),
}
_DESIGN_EMAIL = "/v1/design_studio/emails/{email_id}"
_NAMED = {
    "/v1/design_studio/folders/{folder_id}": "design_folder",
    _DESIGN_EMAIL: "design_email",
    f"{_DESIGN_EMAIL}/languages/{{language}}": "design_translation",
    "/v1/design_studio/components/{component_id}": "design_component",
    "/v1/assets/files/{asset_id}": "asset",
    "/v1/assets/folders/{folder_id}": "asset_folder",
}
_VERBS = {"GET": "get", "PUT": "update", "DELETE": "delete"}


def _page(call: Call, operation: str) -> dict[str, int] | Answered:
    asked, found = query(call), {"page": 1, "limit": USUAL_PAGE}
    for name in found:
        number = whole_number(asked[name]) if asked.get(name) else found[name]
        if number is None or number < 1:
            return bad_parameter(operation, name, "a whole number of at least 1")
        found[name] = min(number, LARGEST_PAGE) if name == "limit" else number
    return found


def _filters(call: Call, operation: str, *, rich: bool) -> dict[str, Any] | Answered:
    """The filters as they were understood, null where nothing was asked."""
    asked = query(call)
    direct = asked.get("direct_descendants_only", "").lower() in ("true", "1")
    shown: dict[str, Any] = {"parent_folder_id": asked.get("parent_folder_id") or None,
                             "direct_descendants_only": direct}  # fmt: skip
    if not rich:
        return shown
    for name, choices in _SORTED.items():
        shown[name] = asked.get(name) or choices[0]
        if shown[name] not in choices:
            return bad_parameter(operation, name, f"one of {', '.join(choices)}")
    for name in _TIMES:
        shown[name] = whole_number(asked[name]) if asked.get(name) else None
        if shown[name] is None and asked.get(name):
            return bad_parameter(operation, name, "a unix timestamp")
    return shown


def _lister(operation: str, keys: tuple[str, ...], rich: bool) -> Handler:  # noqa: FBT001 - a row of a table
    def answer(call: Call) -> Work | Answered:
        page, filters = _page(call, operation), _filters(call, operation, rich=rich)
        if isinstance(page, Answered):
            return page
        if isinstance(filters, Answered):
            return filters
        named = filters["parent_folder_id"]
        if named not in (None, "0"):
            return _missing(operation, f"folder {named!r}")
        meta: Mapping[str, Any] = {"pagination": {**page, "total": 0}, "filters": {**filters, "parent_folder_id": None}}
        return read(lambda _: app_json({**{key: [] for key in keys}, "meta": meta}))

    return answer


def _missing(operation: str, what: str) -> Answered:
    return refuse(operation, Refused("app.not_found", "not_found", "", f"there is no {what}"), _NO_RESOURCE)


def _nothing(method: str, path: str, operation: str) -> Route:
    def find(call: Call) -> Work | Answered:
        return read(lambda _: _missing(operation, f"{call.segments[0]!r}"))

    return app_route(method, path, operation, find, tier=3, minimum=True)


ROUTES = (
    *(
        app_route("GET", path, operation, _lister(operation, keys, rich), tier=3, minimum=True)
        for path, (operation, keys, rich) in _LISTS.items()
    ),
    *(
        _nothing(method, path, f"{verb}_{thing}")
        for path, thing in _NAMED.items()
        for method, verb in _VERBS.items()
    ),
    _nothing("GET", f"{_DESIGN_EMAIL}/languages", "list_design_translations"),
    _nothing("POST", f"{_DESIGN_EMAIL}/languages", "create_design_translation"),
)
