"""Operations as JSON values, for those that have to outlive the process that accepted them.

`{"operation": its name on the tape, …fields}`; identifiers are pairs of kind and value, bytes are base64 text, a people
filter is the document it was parsed from. Reading one back trusts nothing: whatever does not fit is a ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fakeio.core.app_operations import Audience, ExportPeople, Recipient, TriggerBroadcast
from fakeio.core.filters import Filter, parse_filter
from fakeio.core.managing import OPERATIONS
from fakeio.core.operations import Operation
from fakeio.core.outcomes import Refused


class _ExportPeopleRow(msgspec.Struct, forbid_unknown_fields=True):
    filter: Any
    attributes: tuple[str, ...] = ()


class _AudienceRow(msgspec.Struct, forbid_unknown_fields=True):
    filter: Any = None
    recipients: tuple[Recipient, ...] | None = None
    problems: tuple[str, ...] = ()
    id_ignore_missing: bool = False
    email_ignore_missing: bool = False
    email_add_duplicates: bool = False


class _TriggerRow(msgspec.Struct, forbid_unknown_fields=True):
    broadcast_id: int
    audience: _AudienceRow
    data: dict[str, Any]


_NAME = "operation"
_BY_NAME: Mapping[str, type[Operation]] = {kind.name: kind for kind in OPERATIONS}


def encode_operation(operation: Operation) -> dict[str, Any]:
    """The JSON values of an operation; `decode_operation` makes an equal one of them."""
    fields: dict[str, Any] = {name: getattr(operation, name) for name in operation.__struct_fields__}
    if isinstance(operation, ExportPeople):
        fields["filter"] = operation.filter.document
    if isinstance(operation, TriggerBroadcast):
        fields["audience"] = {**operation.audience._asdict(), "filter": encode_filter(operation.audience.filter)}
    encoded: dict[str, Any] = msgspec.to_builtins(fields)
    return {_NAME: operation.name, **encoded}


def decode_operation(document: Any) -> Operation:
    """The operation of such values; raises ValueError."""
    kind = _BY_NAME.get(str(document.get(_NAME))) if isinstance(document, dict) else None
    if kind is None:
        raise ValueError("it has the name of no operation")
    fields = {name: value for name, value in document.items() if name != _NAME}
    if kind is ExportPeople:
        export = msgspec.convert(fields, _ExportPeopleRow)
        wanted = decode_filter(export.filter)
        if wanted is None:
            raise ValueError("an export of people has a filter")
        return ExportPeople(filter=wanted, attributes=export.attributes)
    if kind is TriggerBroadcast:
        row = msgspec.convert(fields, _TriggerRow)
        audience = Audience(**{**msgspec.structs.asdict(row.audience), "filter": decode_filter(row.audience.filter)})
        return TriggerBroadcast(broadcast_id=row.broadcast_id, audience=audience, data=row.data)
    return msgspec.convert(fields, kind)


def encode_filter(wanted: Filter | None) -> Any:
    """The document of a people filter, None for none."""
    return None if wanted is None else wanted.document


def decode_filter(document: Any) -> Filter | None:
    """The people filter of a document, None for none; raises ValueError."""
    if document is None:
        return None
    wanted = parse_filter(document)
    if isinstance(wanted, Refused):
        raise ValueError(f"{wanted.field}: {wanted.message}")
    return wanted
