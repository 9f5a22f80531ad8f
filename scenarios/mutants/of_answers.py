"""Wrong variants of the fake's answers: batches, pages, credentials, rates, and what faults do to a request.

As in `of_fake.py`, each is a bug that somebody has or a published fact got wrong.
"""

from __future__ import annotations

import json
from typing import Any

from scenarios.mutants.mutant import FAKE, Collection, of

HERE = Collection(FAKE)
_EDGE = "fakeio.edge."


@HERE.mutant(
    "batch-index-off-by-one", _EDGE + "errors:batch_errors",
    "a 207 counts the items of a batch from 1", "Track API > v2 batch: batch_index counts from 0",
)  # fmt: skip
def _(original: Any, refused: Any, *rest: Any) -> Any:
    return original([(at + 1, one) for at, one in refused], *rest)


@HERE.mutant(
    "batch-all-wrong-is-207", _EDGE + "track_v2:_answer_batch",
    "a batch without one good item is answered with 207", "Track API > v2 batch: 400 when nothing was accepted",
)  # fmt: skip
def _(original: Any, owners: Any, outcomes: Any, *, refuse_whole: bool) -> Any:
    return original(owners, outcomes, refuse_whole=False)


@HERE.mutant(
    "batch-stops-at-refused", _EDGE + "exchange:_take_in_all",
    "what stands behind a refused item is not done", "Track API > v2 batch: the others are processed",
)  # fmt: skip
def _(original: Any, items: Any, take_in: Any) -> Any:
    outcomes: list[Any] = []
    for item in items:
        stopped = outcomes and isinstance(outcomes[-1], of(original, "Refused"))
        outcomes.append(outcomes[-1] if stopped else take_in(item))
    return outcomes


@HERE.mutant(
    "batch-out-of-order", _EDGE + "exchange:_take_in_all",
    "the operations of one request are carried out backwards", "mutants that survey of fakes asks for: batch order",
)  # fmt: skip
def _(original: Any, items: Any, take_in: Any) -> Any:
    return original(items[::-1], take_in)[::-1]


@HERE.mutant(
    "lost-answer-counts-twice", _EDGE + "exchange:_commit",
    "a request whose answer got lost is applied once more",
    "the vendor's own client test: a connection that drops without a status line",
)  # fmt: skip
def _(original: Any, visit: Any, work: Any, drawn: Any = None) -> Any:
    reply = original(visit, work, drawn)
    if drawn is None or drawn.when != "after_commit":
        return reply
    state = visit.hosted.state
    for item in (item for item in work.items if getattr(item, "dedupe_id", None)):
        state.seen_event_ids.pop(item.dedupe_id, None)
        state.apply(item, visit.hosted.clock.now(), visit.exchange.n)
    return reply


@HERE.mutant(
    "ids-trimmed", _EDGE + "track_segments:_item",
    "spaces around an id are cut off before it is looked up", "Track API > Identify > id: a text as it is",
)  # fmt: skip
def _(original: Any, operation: Any, segment_id: int, id_type: str, value: Any) -> Any:
    return original(operation, segment_id, id_type, value.strip() if isinstance(value, str) else value)


@HERE.mutant(
    "ids-limit-off-by-one", _EDGE + "track_segments:_ids",
    "a call with 1,001 ids is taken", "Track API > Manual segments: 1 to 1000 ids",
)  # fmt: skip
def _(original: Any, value: Any) -> Any:
    return value if isinstance(value, list) and len(value) == 1_001 else original(value)


@HERE.mutant(
    "numbers-become-floats", _EDGE + "event_data:event_data",
    "whole numbers in an event's data become floats", "JSON read by a language that knows one kind of number",
)  # fmt: skip
def _(original: Any, raw: Any, field: str) -> Any:
    data = original(raw, field)
    return json.dumps(json.loads(data, parse_int=float)).encode() if isinstance(data, bytes) else data


@HERE.mutant(
    "page-drops-one", "fakeio.core.segments:Segment.members_after",
    "every later page of members lacks its first", "App API > Segments > membership > next",
)  # fmt: skip
def _(original: Any, self: Any, place: int, limit: int) -> Any:
    rows = original(self, place, limit)
    return rows[1:] if place else rows


@HERE.mutant(
    "any-key-opens", _EDGE + "registry:Registry.by_basic",
    "the site id alone opens the Track API", "parlel: any Basic header passes",
)  # fmt: skip
def _(original: Any, self: Any, site_id: str, key: str) -> Any:
    return self.by_site_id(site_id)


@HERE.mutant(
    "wrong-key-is-403", _EDGE + "admission:_refused_credentials",
    "wrong credentials are answered with 403", "Track API and App API > Authentication: 401",
)  # fmt: skip
def _(original: Any, route: Any, claim: Any) -> Any:
    answered = original(route, claim)
    reply = of(original, "Reply")(403, answered.reply.headers, answered.reply.body)
    return of(original, "Answered")(reply, answered.done)


@HERE.mutant(
    "rate-never-limited", _EDGE + "ratelimit:Windows.admit",
    "no rate is too high", "parlel: no rate limits",
)  # fmt: skip
def _(original: Any, *_: Any) -> bool:
    return True


@HERE.mutant(
    "throttled-without-a-word", _EDGE + "errors:app_rate_limited",
    "a 429 does not say when to come back", "App API > Rate limits: retry-after (2026)",
)  # fmt: skip
def _(original: Any, most: int, window_s: int, reference: str, retry_after_s: Any) -> Any:
    return original(most, window_s, reference, None)
