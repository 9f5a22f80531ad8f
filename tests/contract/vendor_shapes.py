"""The vendor's description of its Track API, as far as answers are held against it. Nothing of it lies here.

A described answer is taken at its word: it has every property that the description names and no other, at any depth,
since a schema where everything is optional would let any object pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

METHODS = ("get", "put", "post", "delete")
JSON = "application/json"


class Operation:
    """One operation of the description, by its `operationId`."""

    def __init__(self, document: Mapping[str, Any], method: str, path: str, described: Mapping[str, Any]) -> None:
        self._document = document
        self._described = described
        self.method = method.upper()
        self.path = path

    @property
    def is_open(self) -> bool:
        """Whether it asks for no credentials."""
        return self._described.get("security") == []

    @property
    def statuses(self) -> set[int]:
        """The statuses that are listed."""
        return {int(status) for status in self._described["responses"]}

    def faults_of_request(self, body: Any) -> list[str]:
        """What the description has against a body."""
        schema = self._inlined(self._described["requestBody"])["content"][JSON]["schema"]
        return _faults(overlapping(self._inlined(schema)), body)

    def faults_of_answer(self, status: int, body: Any) -> list[str]:
        """What the description has against the body of an answer; nothing where it has no schema for it."""
        content = self._inlined(self._described["responses"][str(status)]).get("content")
        return [] if content is None else _faults(exact(self._inlined(content[JSON]["schema"])), body)

    def describes_body(self, status: int) -> bool:
        """Whether the answer of that status has a schema."""
        return "content" in self._inlined(self._described["responses"][str(status)])

    def _inlined(self, value: Any) -> Any:
        """The value with every reference replaced by what it points to."""
        if isinstance(value, list):
            return [self._inlined(item) for item in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            return self._inlined(self._pointed(value["$ref"]))
        return {name: self._inlined(item) for name, item in value.items()}

    def _pointed(self, reference: str) -> Any:
        found: Any = self._document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        return found


def read_operations(folder: Path) -> dict[str, Operation]:
    """Every operation of the Track API in the folder with the vendor's descriptions; raises OSError."""
    document = json.loads((folder / "track-openapi.json").read_text(encoding="utf-8"))
    return {
        described["operationId"]: Operation(document, method, path, described)
        for method, path, described in _walk(document)
    }


def _walk(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        yield from ((method, path, item[method]) for method in METHODS if method in item)


def overlapping(schema: Any) -> Any:
    """The schema where one alternative may hold beside another: as described, several of them hold for any object."""
    if isinstance(schema, list):
        return [overlapping(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {"anyOf" if name == "oneOf" else name: overlapping(item) for name, item in schema.items()}


def exact(schema: Any) -> Any:
    """The schema where every object has all the properties it names, and no others."""
    if isinstance(schema, list):
        return [exact(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: exact(item) for name, item in schema.items()}
    if isinstance(schema.get("properties"), dict):
        return {**inner, "required": sorted(schema["properties"]), "additionalProperties": False}
    return inner


def _faults(schema: Any, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]
