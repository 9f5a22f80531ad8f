"""The object filter of the App API: `and`, `or` and `not` over attributes of objects, `eq` or `exists`.

Its leaves name the type of object they are about. Values are compared as text, as for people. Source: App API >
Objects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeio.core.objects import Object
from fakeio.core.outcomes import Refused
from fakeio.core.people import as_text

ObjectTest = Callable[[Object], bool]
_DEEPEST = 32


class _Bad(Exception):
    """Where a filter breaks the grammar and what would be right there."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.refused = Refused("app.filter", "invalid", pointer, message)


def parse_object_filter(document: Any) -> ObjectTest | Refused:
    """The test that a filter stands for, or what is wrong with it."""
    try:
        if not isinstance(document, dict) or len(document) != 1:
            raise _Bad("/filter", "a filter has exactly one of and, or, not, object_attribute at its top")
        return _node(document, "/filter", 0)
    except _Bad as bad:
        return bad.refused


def _node(document: Any, pointer: str, depth: int) -> ObjectTest:
    if not isinstance(document, dict) or not document:
        raise _Bad(pointer, "a condition is an object with one of and, or, not, object_attribute")
    if depth > _DEEPEST:
        raise _Bad(pointer, f"conditions nest at most {_DEEPEST} deep")
    parts = [_part(key, value, f"{pointer}/{key}", depth) for key, value in document.items()]
    return lambda found: all(part(found) for part in parts)


def _part(key: str, value: Any, pointer: str, depth: int) -> ObjectTest:
    if key in ("and", "or"):
        if not isinstance(value, list):
            raise _Bad(pointer, f"{key} takes a list of conditions")
        nodes = [_node(each, f"{pointer}/{at}", depth + 1) for at, each in enumerate(value)]
        every_or_any = all if key == "and" else any
        return lambda found: every_or_any(node(found) for node in nodes)
    if key == "not":
        node = _node(value, pointer, depth + 1)
        return lambda found: not node(found)
    if key == "object_attribute":
        return _attribute(value, pointer)
    raise _Bad(pointer, "a condition is one of and, or, not, object_attribute")


def _attribute(value: Any, pointer: str) -> ObjectTest:
    if not isinstance(value, dict) or not isinstance(value.get("field"), str):
        raise _Bad(f"{pointer}/field", "object_attribute needs a field")
    field, operator, type_id = value["field"], value.get("operator"), value.get("type_id")
    if operator not in ("eq", "exists"):
        raise _Bad(f"{pointer}/operator", "operator is eq or exists")
    if not isinstance(type_id, str | int) or isinstance(type_id, bool):
        raise _Bad(f"{pointer}/type_id", "object_attribute needs a type_id")
    sent = value.get("value")
    if operator == "eq" and (sent is None or isinstance(sent, dict | list)):
        raise _Bad(f"{pointer}/value", "eq needs a value")

    def test(found: Object) -> bool:
        held = _value_of(found, field) if found.type_id == str(type_id) else None
        return held is not None and (operator == "exists" or as_text(held) == as_text(sent))

    return test


def _value_of(found: Object, field: str) -> Any:
    own = {"object_id": found.object_id, "cio_object_id": found.cio_object_id}
    return own.get(field, found.attributes.get(field))
