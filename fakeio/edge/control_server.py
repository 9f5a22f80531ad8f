"""Control routes about the server as a whole: health, self-description, and the workspaces it hosts."""

from __future__ import annotations

import dataclasses
import time
from functools import cache
from typing import Any

from fakeio.core.limits import LIMITS
from fakeio.core.seed_error import SeedError
from fakeio.core.settings import ROWS, BadSetting
from fakeio.edge.control_http import Call, ControlError, Result, bad_request, text_field
from fakeio.edge.registry import REGIONS, US
from fakeio.edge.routing import Route
from fakeio.edge.views import workspace_view


@cache
def version() -> str:
    """The installed distribution's version."""
    # imported here: it takes longer than the rest of this module, and only somebody who asks should wait for it
    from importlib.metadata import version as installed

    return installed("fakeio")


def health(call: Call) -> Result:
    """Whether the server answers, its version and how long it has run."""
    up = max(0.0, time.time() - call.desk.universe.started_at)
    return Result(200, {"status": "ok", "version": version(), "uptime_s": round(up, 3)})


def limits(call: Call) -> Result:
    """The published limits of Customer.io, with their source and how sure anybody is of them."""
    return Result(200, {"limits": limit_rows()})


def coverage(call: Call) -> Result:
    """Every published route: imitated or not, and how well its behaviour is known."""
    return Result(200, {"routes": [route_row(route) for route in call.desk.universe.router.routes]})


def settings_catalogue(call: Call) -> Result:
    """Every setting and switch: its choices, its default, and how well its default is known."""
    return Result(200, {"settings": setting_rows()})


def limit_rows() -> list[dict[str, Any]]:
    """One JSON object a limit."""
    return [{**dataclasses.asdict(limit), "read_on": limit.read_on.isoformat()} for limit in LIMITS]


def setting_rows() -> list[dict[str, Any]]:
    """One JSON object a setting."""
    rows = []
    for row in ROWS:
        shown = dataclasses.asdict(row)
        rows.append({**shown, "choices": list(row.choices), "sources": [shown.pop("source")]})
    return rows


def route_row(route: Route) -> dict[str, Any]:
    """One JSON object a route. `minimum`: it answers in the documented shape, but holds nothing."""
    grade = route.grade if route.imitated else "not imitated"
    return {
        "method": route.method,
        "path": route.path,
        "api": route.api,
        "operation": route.operation,
        "grade": grade,
        "minimum": route.minimum,
    }


def list_workspaces(call: Call) -> Result:
    """Every workspace with its credentials."""
    page = call.page()
    rows = sorted((hosted.id, hosted) for hosted in call.desk.universe.registry if hosted.id > page.start)
    return page.result("workspaces", rows, workspace_view)


def create_workspace(call: Call) -> Result:
    """A new, empty, isolated workspace with credentials of its own."""
    document = call.document()
    region = document.get("region", US)
    if region not in REGIONS:
        raise bad_request("bad_region", f"region is {region!r:.40}", f"the regions are {', '.join(REGIONS)}")
    try:
        hosted = call.desk.universe.registry.create(
            name=text_field(document, "name"), region=region, account=text_field(document, "account"),
            settings=_table(document, "settings"), seed=_table(document, "seed"),
        )  # fmt: skip
    except BadSetting as bad:
        raise bad_request("bad_setting", str(bad), "GET /_fakeio/settings-catalogue says what each is for") from bad
    except SeedError as bad:
        raise bad_request("bad_seed", str(bad), "correct the seed; no workspace was made") from bad
    return Result(201, workspace_view(hosted))


def get_workspace(call: Call) -> Result:
    """One workspace with its credentials."""
    return Result(200, workspace_view(call.hosted()))


def delete_workspace(call: Call) -> Result:
    """Remove a workspace; its credentials open nothing from now on."""
    hosted = call.hosted()
    registry = call.desk.universe.registry
    if hosted is registry.default:
        raise ControlError(409, "default_workspace", "the default workspace can't be removed", "reset it instead")
    registry.remove(hosted)
    return Result(204)


def reset_workspace(call: Call) -> Result:
    """Empty, then its settings and seed again; the tape, the faults and the clock start afresh, credentials stay."""
    call.hosted().reset()
    return Result(204)


def _table(document: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = document.get(name)
    if value is not None and not isinstance(value, dict):
        raise bad_request("bad_field", f"{name} is no object", f"send {name} as a JSON object")
    return value
