"""The shapes of the control API as JSON Schema: every body it takes and every answer it gives.

Answers are described whole: a field that is not here is not in an answer, so a test that validates real answers finds
both what is missing and what is undescribed. `control_openapi.py` makes the document of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fakeio.core.deliveries import Delivery
from fakeio.core.seeding_content import CONTENT_KEYS
from fakeio.core.settings import LARGEST, ROWS, Row
from fakeio.core.snapshots import VERSION
from fakeio.core.weather import APIS, Effect
from fakeio.edge.clock import MODES
from fakeio.edge.registry import REGIONS
from fakeio.faults import KINDS

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
YES_NO: Schema = {"type": "boolean"}
TABLE: Schema = {"type": "object"}
ANYTHING: Schema = {}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _of_setting(row: Row) -> Schema:
    if row.choices:
        return choice(row.choices)
    return {"type": "number" if row.name.endswith("_s") else "integer", "minimum": 0, "maximum": LARGEST}


def by_name(schema: Schema) -> Schema:
    """An object of any names."""
    return {"type": "object", "additionalProperties": schema}


def choice(values: Any) -> Schema:
    return {"enum": list(values)}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def exactly(_optional: Mapping[str, Schema] | None = None, /, **fields: Schema) -> Schema:
    """An object with all of `fields`, perhaps some of the optional ones, and nothing else."""
    properties = {**fields, **(_optional or {})}
    return {"type": "object", "properties": properties, "required": list(fields), "additionalProperties": False}


def listed(plural: str, row: Schema, **more: Schema) -> Schema:
    """A page of a list."""
    return exactly(None, **{plural: many(row), "next": maybe(TEXT), **more})


def partial(**fields: Schema) -> Schema:
    """An object that may have any of these fields and no others: the body of a request."""
    return {"type": "object", "properties": fields, "additionalProperties": False}


_WHO = exactly(id=maybe(TEXT), email=maybe(TEXT), cio_id=TEXT)
_STAMP = exactly(request=COUNT, at=NUMBER, timestamp=maybe({"type": "integer"}))
_WRITTEN = exactly(value=ANYTHING, request=COUNT, at=NUMBER, timestamp=maybe({"type": "integer"}))
_DEVICE = exactly(token=TEXT, platform=TEXT, last_used={"type": "integer"}, attributes=TABLE)
_MATCH = partial(
    api=choice(APIS), path=TEXT, method=TEXT, nth={"type": "integer", "minimum": 1},
    every={"type": "integer", "minimum": 1}, probability={"type": "number", "minimum": 0, "maximum": 1},
    seed={"type": "integer"},
)  # fmt: skip


def _described(kind: type[msgspec.Struct]) -> Schema:
    described: list[Schema] = list(msgspec.json.schema_components([kind], ref_template="{name}")[1].values())
    return described[0]


def _fields(kind: type[msgspec.Struct]) -> dict[str, Schema]:
    """The fields of a struct that is shown as it is."""
    fields: dict[str, Schema] = _described(kind)["properties"]
    return fields


def _fault(effect: type[Effect], **counted: Schema) -> Schema:
    """A fault of one kind: as it is added, or as it is `counted` since."""
    common = {
        "kind": {"const": effect.kind}, "match": maybe(_MATCH), "when": maybe(choice(effect.moments)),
        "times": maybe({"type": "integer", "minimum": 1}),
    }  # fmt: skip
    return {
        "type": "object",
        "properties": {**common, **_fields(effect), **counted},
        "required": [*(common if counted else ("kind",)), *_described(effect).get("required", ()), *counted],
        "additionalProperties": False,
    }


_OPERATION = exactly(
    {"field": maybe(TEXT), "notes": many(exactly(rule=TEXT, explanation=TEXT))},
    operation=TEXT, outcome=choice(("applied", "ignored", "refused", "pending")), reason=maybe(TEXT),
    rule=maybe(TEXT), explanation=maybe(TEXT), accepted_at=NUMBER, processed_at=maybe(NUMBER),
)  # fmt: skip
_EXPLAINED = {
    **_OPERATION,
    "properties": {
        **_OPERATION["properties"], "says": maybe(TEXT), "grade": maybe(TEXT), "source": maybe(TEXT),
        "effect": maybe(TEXT), "near_misses": many(TEXT),
    },
}  # fmt: skip
_EXCHANGE: dict[str, Schema] = {
    "n": COUNT, "at": NUMBER, "api": choice(APIS), "method": TEXT, "path": TEXT, "query": TEXT,
    "headers": by_name(TEXT), "body": ANYTHING, "status": maybe({"type": "integer"}), "response": ANYTHING,
    "response_headers": by_name(TEXT), "duration_ms": NUMBER, "faults": many(TEXT), "cut": maybe(TEXT),
    "error": maybe(TEXT), "operations": many(ref("Operation")),
}  # fmt: skip
_DIFFERENCE = exactly({"actual": ANYTHING}, field=TEXT, expected=ANYTHING)

_SNAPSHOT: dict[str, Schema] = {
    "version": choice([VERSION]),
    **dict.fromkeys(("settings", "clock", "esp_suppressions", "export_links", "waiting", "known"), TABLE),
    "counters": by_name(COUNT),
    **{
        name: many(TABLE) for name in (
            "people", "objects", "segments", "suppressions", "events", "activities", "deliveries", "forms", "exports",
            "imports", *CONTENT_KEYS,
        )
    },
}  # fmt: skip
SCHEMAS: dict[str, Schema] = {
    "Error": exactly(error=exactly(code=TEXT, message=TEXT, hint=TEXT)),
    "Who": _WHO,
    "Workspace": exactly(
        id=COUNT, name=TEXT, region=choice(REGIONS), account=TEXT, site_id=TEXT, track_api_key=TEXT, app_api_key=TEXT,
        pipelines_write_key=TEXT, service_token=TEXT, webhook_signing_key=TEXT,
    ),
    "Person": exactly(
        cio_id=TEXT, id=maybe(TEXT), email=maybe(TEXT), attributes=TABLE, devices=many(_DEVICE), segments=many(COUNT),
        unsubscribed=YES_NO, created_at={"type": "integer"},
    ),
    "SeededPerson": partial(
        id=maybe(TEXT), email=maybe(TEXT), cio_id=maybe(TEXT), attributes=TABLE, devices=many(TABLE),
    ),
    "Event": exactly(
        event_id=TEXT, type=TEXT, name=TEXT, data=TABLE, timestamp={"type": "integer"}, person=maybe(ref("Who")),
        anonymous_id=maybe(TEXT), received_at=NUMBER,
    ),
    "Segment": exactly(
        id=COUNT, name=TEXT, description=TEXT, type=choice(("manual", "dynamic")), state=TEXT, progress=maybe(COUNT),
        conditions=maybe(TABLE), count=COUNT, created_at={"type": "integer"}, updated_at={"type": "integer"},
    ),
    "Activity": exactly(
        {"can_trigger_campaigns": YES_NO, "no_trigger": maybe(TEXT)},  # of an event
        id=TEXT, type=TEXT, at=NUMBER, person=maybe(ref("Who")), name=maybe(TEXT), data=TABLE, request=COUNT,
    ),
    "Object": exactly(
        object_type_id=TEXT, object_id=TEXT, cio_object_id=TEXT, attributes=TABLE,
        relationships=many(exactly(id=maybe(TEXT), email=maybe(TEXT), cio_id=TEXT, attributes=TABLE)),
    ),
    "Delivery": exactly(None, **{**_fields(Delivery), "person": maybe(ref("Who"))}),
    "Suppression": exactly(identifiers=many(exactly(type=TEXT, value=TEXT)), at=NUMBER, request=COUNT),
    "Operation": _OPERATION,
    "Exchange": exactly(None, **_EXCHANGE),
    "ExplainedExchange": exactly(
        n=COUNT, method=TEXT, path=TEXT, status=maybe({"type": "integer"}), faults=many(TEXT),
        operations=many(_EXPLAINED), hints=many(TEXT),
    ),
    "Ignored": exactly(
        request=COUNT, index=COUNT, at=NUMBER, method=TEXT, path=TEXT, operation=TEXT, rule=TEXT, effect=TEXT,
        explanation=TEXT, person=maybe(TEXT),
    ),
    "Expectation": partial(
        method=maybe(TEXT), path=maybe(TEXT), body=ANYTHING, times=maybe(COUNT), at_least=maybe(COUNT),
        at_most=maybe(COUNT),
    ),
    "Verdict": exactly(
        ok=YES_NO, matched=COUNT, near_misses=many(exactly(None, **_EXCHANGE, differences=many(_DIFFERENCE))),
        dropped=COUNT, explanation=maybe(TEXT),
    ),
    "NewFault": {"oneOf": [_fault(effect) for effect in KINDS.values()]},
    "Fault": {"oneOf": [_fault(effect, id=COUNT, seen=COUNT, fired=COUNT) for effect in KINDS.values()]},
    "Clock": exactly(now=NUMBER, mode=choice(MODES)),
    "Settings": exactly(None, **{row.name: _of_setting(row) for row in ROWS}),
    "Explanation": {
        "description": "About a whole person, one attribute, or one segment.",
        "anyOf": [
            exactly(
                person=ref("Who"), created_by=_STAMP, identifiers=by_name(_WRITTEN), attributes=by_name(_WRITTEN),
                devices=by_name(_STAMP), segments=by_name(TABLE), near_misses=many(TEXT), ignored=many(ref("Ignored")),
                relationships=many(exactly(
                    object_type_id=TEXT, object_id=TEXT, request=COUNT, at=NUMBER,
                    timestamp=maybe({"type": "integer"}),
                )),
            ),
            exactly(
                attribute=TEXT, value=ANYTHING, written_by=maybe(_STAMP), why=TEXT, ignored=many(ref("Ignored")),
                changes=many({"type": "object", "required": ["request", "at", "from", "to"]}),
                failures=many({"type": "object", "required": ["request", "at", "activity"]}),
            ),
            {"type": "object", "required": ["segment", "member", "why", "ignored"]},
        ],
    },
    "Seed": {"type": "object", "description": "Any subset of a snapshot's keys."},
    "StateDifference": exactly(
        {"left": ANYTHING, "right": ANYTHING}, path=TEXT, kind=choice(("changed", "only_left", "only_right"))
    ),
    "Snapshot": {
        **exactly(
            {name: schema for name, schema in _SNAPSHOT.items() if name != "version"}, version=_SNAPSHOT["version"]
        ),
        "description": "The whole state. GET answers with every key but `clock`, which is there while the clock "
        "stands; PUT takes what is missing for empty.",
    },
}  # fmt: skip
