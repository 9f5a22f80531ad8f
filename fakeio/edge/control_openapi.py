"""The control API described in OpenAPI 3.1, made from the same rows that route it, so that it can't go stale.

Paths, parameters, statuses and the error envelope are exact; bodies are JSON objects whose fields the interface text
describes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

from fakeio.edge.control_http import ControlRoute

_PARAMETER = re.compile(r"\{(\w+)\}")
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {name: {"type": "string"} for name in ("code", "message", "hint")},
        }
    },
}
_REFUSED = {
    "description": "The call can't be answered; the body says why and what to do.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
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
            "description": "Looks into a running fake Customer.io and changes it: for tests, never for production.",
        },
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}},
    }


def _operation(route: ControlRoute) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": (inspect.getdoc(route.handler) or "").partition("\n")[0],
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query)],
        "responses": {str(route.status): _answer(route.status), "4XX": _REFUSED},
    }
    if route.fields is not None:
        schema: dict[str, Any] = {"type": "object", "properties": {name: {} for name in route.fields}}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = _PARAMETER.findall(path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in names]


def _answer(status: int) -> dict[str, Any]:
    if status == 204:
        return {"description": "Done."}
    return {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}}
