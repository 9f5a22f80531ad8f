"""The control API described in OpenAPI 3.1, made from the same rows that route it, so that it can't go stale.

Every route with its parameters, the body it takes, what it answers, and the one shape of every refusal. The shapes
themselves are in `control_schemas.py`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

from fakeio.core.weather import APIS
from fakeio.edge.control_http import ControlRoute
from fakeio.edge.control_schemas import (
    ANYTHING,
    COUNT,
    NUMBER,
    SCHEMAS,
    TABLE,
    TEXT,
    YES_NO,
    Schema,
    choice,
    exactly,
    listed,
    many,
    maybe,
    partial,
    ref,
)
from fakeio.edge.exporting import FORMS
from fakeio.edge.registry import REGIONS

_PARAMETER = re.compile(r"\{(\w+)\}")
_PLACE: Schema = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
_MOMENT: Schema = {"type": "number", "minimum": 0, "maximum": 253_402_300_799}
_NUMBERED: Schema = {**_PLACE, "minimum": 1}

# by the name of the handler: what it answers, where that is no 204
ANSWERS: dict[str, Schema] = {
    "health": exactly(status=TEXT, version=TEXT, uptime_s=NUMBER),
    "openapi": TABLE,
    "limits": exactly(limits=many(exactly(
        rule=TEXT, where=TEXT, unit=TEXT, strict=COUNT, lenient=COUNT, breach=TEXT, says=TEXT, source=TEXT,
        pointer=TEXT, read_on={"type": "string", "format": "date"}, disputed_by=TEXT,
    ))),
    "coverage": exactly(routes=many(exactly(
        method=TEXT, path=TEXT, api=choice(APIS), operation=TEXT, grade=TEXT, minimum=YES_NO,
    ))),
    "settings_catalogue": exactly(settings=many(exactly(
        name=TEXT, kind=TEXT, default=ANYTHING, choices=many(ANYTHING), says=TEXT, grade=TEXT, source=TEXT,
        sources=many(TEXT),
    ))),
    "list_workspaces": listed("workspaces", ref("Workspace")),
    "create_workspace": ref("Workspace"),
    "get_workspace": ref("Workspace"),
    "fork_workspace": ref("Workspace"),
    "diff_workspaces": listed("differences", ref("StateDifference")),
    "get_snapshot": ref("Snapshot"),
    "list_people": listed("people", ref("Person")),
    "seed_people": exactly(people=many(ref("Person"))),
    "explain": ref("Explanation"),
    "list_events": listed("events", ref("Event")),
    "list_segments": listed("segments", ref("Segment")),
    "create_segment": ref("Segment"),
    "list_members": listed("members", ref("Who")),
    "list_activities": listed("activities", ref("Activity")),
    "list_objects": listed("objects", ref("Object")),
    "list_deliveries": listed("deliveries", ref("Delivery")),
    "list_suppressions": listed("suppressions", ref("Suppression")),
    "list_requests": listed("requests", ref("Exchange"), dropped=COUNT, last=COUNT),
    "get_request": ref("Exchange"),
    "explain_request": ref("ExplainedExchange"),
    "list_ignored": listed("ignored", ref("Ignored"), dropped=COUNT),
    "verify": ref("Verdict"),
    "list_faults": listed("faults", ref("Fault")),
    "add_fault": ref("Fault"),
    "put_faults": listed("faults", ref("Fault")),
    "get_clock": ref("Clock"),
    "put_clock": ref("Clock"),
    "get_settings": ref("Settings"),
    "patch_settings": ref("Settings"),
}  # fmt: skip

# by the name of the handler: the body it takes
BODIES: dict[str, Schema] = {
    "create_workspace": partial(
        name=maybe(TEXT), region=choice(REGIONS), account=maybe(TEXT), settings=maybe(TABLE), seed=maybe(ref("Seed")),
    ),
    "fork_workspace": partial(name=maybe(TEXT), account=maybe(TEXT)),
    "restore_snapshot": ref("Snapshot"),
    "seed_people": exactly(people=many(ref("SeededPerson"))),
    "create_segment": exactly(
        {"description": TEXT, "type": choice(("manual", "dynamic")), "conditions": maybe(TABLE)}, name=TEXT
    ),
    "verify": ref("Expectation"),
    "add_fault": ref("NewFault"),
    "put_faults": {"type": "object", "required": ["faults"], "properties": {"faults": many(TABLE), "next": ANYTHING}},
    "put_clock": {**partial(now=NUMBER, advance=NUMBER, mode=choice(("real", "manual"))),
                  "minProperties": 1, "maxProperties": 1},
    "patch_settings": TABLE,
}  # fmt: skip

_FILES = {"export_one", "export_all"}  # answer text, or an archive in JSON
_PARAMETERS: dict[str, Schema] = {
    "limit": _NUMBERED, "start": _PLACE, "n": _NUMBERED, "id": _NUMBERED, "segment": _NUMBERED, "status": _PLACE,
    "since": _MOMENT, "api": choice(APIS), "as": choice(FORMS),
}  # fmt: skip
_REFUSED = {
    "description": "The call can't be answered; the body says why and what to do.",
    "content": {"application/json": {"schema": ref("Error")}},
}


def describe(routes: Iterable[ControlRoute], version: str) -> dict[str, Any]:
    """The OpenAPI document as JSON values."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fakeio control API",
            "version": version,
            "description": "Looks into a running fake Customer.io and changes it: for tests, never for production. "
            "With `--control-token`, every call needs the header `X-Fakeio-Token`.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Fakeio-Token"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(route: ControlRoute) -> dict[str, Any]:
    name = route.handler.__name__
    says = inspect.getdoc(route.handler) or ""
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": says.partition("\n")[0],
        "parameters": [*_path_parameters(route.path), *_query_parameters(route)],
        "responses": {str(route.status): _answer(name, route.status), "4XX": _REFUSED},
    }
    if route.fields is not None:
        body = BODIES.get(name, TABLE)
        required = {"required": True} if body.get("required") else {}
        operation["requestBody"] = {**required, "content": {"application/json": {"schema": body}}}
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [_parameter(name, "path", required=True) for name in _PARAMETER.findall(path)]


def _query_parameters(route: ControlRoute) -> list[dict[str, Any]]:
    # the id of a person is text, the id of a segment or a fault a number; the first is asked for, the others are named
    own = {"id": TEXT}
    return [_parameter(name, "query", required=name in ("as", "with"), schema=own.get(name)) for name in route.query]


def _parameter(name: str, place: str, *, required: bool, schema: Schema | None = None) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema or _PARAMETERS.get(name, TEXT)}


def _answer(name: str, status: int) -> dict[str, Any]:
    if status == 204:
        return {"description": "Done."}
    if name in _FILES:
        return {
            "description": "A shell script or a test file; an HTTP Archive for `as=har`.",
            "content": {"text/plain": {"schema": TEXT}, "application/json": {"schema": TABLE}},
        }
    return {"description": "Done.", "content": {"application/json": {"schema": ANSWERS.get(name, TABLE)}}}
