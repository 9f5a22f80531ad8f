"""Track API v2: entity and batch, the operations of v1 in another dialect.

Decides the size of a request on its raw bytes and words outcomes as `{"errors": […]}`: 400 for a request that is wrong
as a whole, 207 with the places of the items that were refused while their neighbours went through. Source: Track API >
v2 batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fakeio.core.limits import ATTRIBUTE_VALUE, V2_BATCH
from fakeio.core.outcomes import Outcome, Refused
from fakeio.core.settings import Settings
from fakeio.core.workspace import Workspace
from fakeio.edge.decode import Malformed, parse_parts, repair
from fakeio.edge.errors import TRACK_OK, batch_errors, entity_errors
from fakeio.edge.http import Reply
from fakeio.edge.track_v2_items import over, parse_item
from fakeio.edge.work import Answered, Call, Item, Settled, Work, refuse

# where v2 words a rule differently from v1
WORDS = {ATTRIBUTE_VALUE.rule: f"property value cannot be longer than {ATTRIBUTE_VALUE.strict} bytes"}


class _Batch(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw]


_BATCH = msgspec.json.Decoder(_Batch)


def entity(call: Call) -> Work | Answered:
    """One operation a request."""
    items = parse_item(call.request.body, call.settings)
    first = items[0]
    if isinstance(first, Settled) and isinstance(first.outcome, Refused):
        return refuse(first.name, first.outcome, entity_errors([first.outcome], WORDS))
    return Work(items, _answer_entity)


def _answer_entity(outcomes: Sequence[Outcome | None], state: Workspace) -> Reply:
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    return entity_errors(refused, WORDS) if refused else TRACK_OK


def batch(call: Call) -> Work | Answered:
    """Many operations, in order; those refused never stop their neighbours."""
    settings, body = call.settings, call.request.body
    rows = over(V2_BATCH, len(body), settings) or _rows(body)
    if isinstance(rows, Refused):
        status = int(settings.batch_too_large_status) if rows.rule == V2_BATCH.rule else 400
        return refuse("batch", rows, entity_errors([rows], WORDS, status))
    if not rows:
        return _empty(settings)
    items: list[Item] = []
    owners: list[int] = []  # the row of the batch that each item came from
    for index, raw in enumerate(rows):
        parsed = parse_item(bytes(raw), settings)
        items.extend(parsed)
        owners.extend([index] * len(parsed))
    refuse_whole = settings.batch_all_invalid == "400"
    return Work(items, lambda outcomes, _state: _answer_batch(owners, outcomes, refuse_whole=refuse_whole), owners)


def _rows(body: bytes) -> list[msgspec.Raw] | Refused:
    parsed = parse_parts(_BATCH, repair(body))
    if not isinstance(parsed, Malformed):
        return parsed.batch
    if parsed.wrong_shape:
        return Refused("track.body", "required", "batch", "batch must be an array")
    return Refused("track.body", "parse_error", "", "malformed JSON")


def _empty(settings: Settings) -> Work | Answered:
    if settings.batch_empty == "200":
        return Work((), lambda _outcomes, _state: TRACK_OK)
    refused = Refused("track.v2.empty", "required", "batch", "batch must contain at least one operation")
    return refuse("batch", refused, entity_errors([refused], WORDS))


def _answer_batch(owners: list[int], outcomes: Sequence[Outcome | None], *, refuse_whole: bool) -> Reply:
    refused = [(at, outcome) for at, outcome in zip(owners, outcomes, strict=True) if isinstance(outcome, Refused)]
    if not refused:
        return TRACK_OK
    if refuse_whole and len({at for at, _ in refused}) == owners[-1] + 1:
        return entity_errors([one for _, one in refused], WORDS)
    return batch_errors(refused, WORDS)
