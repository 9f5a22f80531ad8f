"""Structs as plain JSON values, with nothing said that is as usual."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec


def as_plain(thing: msgspec.Struct) -> dict[str, Any]:
    """The fields that are required or differ from their default, by the names they have in JSON.

    Parts that are structs, or lists of them, become plain too. msgspec's own `omit_defaults` goes by identity: it tells
    a default that was read from a file from one that was not.
    """
    shown = {}
    for field, name, required, default in _fields(type(thing)):
        value = getattr(thing, field)
        if required or value != default:
            shown[name] = _plain(value)
    return shown


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, bool, Any], ...]:
    fields = msgspec.structs.fields(kind)
    return tuple((field.name, field.encode_name, field.required, _default(field)) for field in fields)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return as_plain(value)
    if isinstance(value, list) and value and isinstance(value[0], msgspec.Struct):
        return [as_plain(part) for part in value]
    return value
