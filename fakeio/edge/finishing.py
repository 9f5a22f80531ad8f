"""What switches change about every answer of an API: support references, empty lists, the words of errors.

Rewrites finished answers, so that no handler has to know. Source: App API > Error shapes, empty-list encoding; Invalid
requests; the switches `error_reference`, `empty_lists`, `unpublished_texts` and `v2_error_reason`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fakeio.core.settings import Settings
from fakeio.edge.errors import JSON
from fakeio.edge.http import Reply
from fakeio.edge.routing import APP, TRACK, Route

_OWN_LISTS = frozenset({"find_by_email", "list_exports"})  # recorded, whatever the others do


def finish(route: Route, settings: Settings, reply: Reply, n: int) -> Reply:
    """The answer as the workspace wants it; `n` is the request's number on the tape, which a reference leads to."""
    if route.api == TRACK:
        return reply if reply.status < 207 else _reword(settings, reply)
    if route.api != APP or JSON not in reply.headers:
        return reply
    if reply.status >= 400:
        return refer(reply, n) if settings.error_reference == "on" else reply
    if route.operation in _OWN_LISTS or b":[]" not in reply.body:
        return reply  # without a look at the switch: whoever asks what an answer depends on is told the truth
    return write_nulls(reply) if settings.empty_lists == "null" else reply


def _reword(settings: Settings, reply: Reply) -> Reply:
    # here: a large pattern, which a server that starts should not compile before somebody errs
    from fakeio.edge.rewording import reword

    return reword(settings, reply)


def refer(reply: Reply, n: int) -> Reply:
    """Every detail ends with a reference, unless it has one; the envelope of sends has none."""
    document: dict[str, Any] = msgspec.json.decode(reply.body)
    for error in document.get("errors", ()):
        if "(reference " not in error["detail"]:
            error["detail"] += f" (reference {n:06x})"
    return Reply(reply.status, reply.headers, msgspec.json.encode(document))


def write_nulls(reply: Reply) -> Reply:
    """The lists at the top of an answer are null when they are empty."""
    document = msgspec.json.decode(reply.body)
    shown = {name: None if value == [] else value for name, value in document.items()}
    return Reply(reply.status, reply.headers, msgspec.json.encode(shown))
