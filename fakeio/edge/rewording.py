"""The words of Track's errors, where nobody has published them: two switches put others in their place.

A text or a reason that is known to be the service's own is left alone, and then no switch is asked: whoever wants to
know what a result depends on is told the truth. Source: Invalid requests lists the texts; one v2 error was seen.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from fakeio.core.settings import Settings
from fakeio.edge.errors import JSON, pretty
from fakeio.edge.http import Reply

SEEN_REASON = "invalid"  # of v2 errors; the others are ours
OPAQUE = "invalid"
_PUBLISHED = re.compile(
    r"Unauthorized request|name cannot be blank|invalid id"
    r"|id attribute (must be present|must be a string value|cannot be an empty string"
    r"|and identifier are not the same value)"
    r"|cannot identify more than \d+ attributes in one request|attribute name cannot be longer than \d+ bytes"
    r"|value for attribute '.*' cannot be longer than \d+ bytes|property value cannot be longer than \d+ bytes"
    r"|event name (must not be blank|cannot be longer than \d+ bytes|must be less than \d+ characters)"
    r"|event data (must be a hash|cannot be longer than \d+ bytes)",
    re.DOTALL,
)


def is_published(text: str) -> bool:
    """Whether these are the service's own words."""
    return _PUBLISHED.fullmatch(text) is not None


def reword(settings: Settings, reply: Reply) -> Reply:
    """The answer with the words that the switches choose."""
    if JSON not in reply.headers or not reply.body:  # a redirect has none
        return reply
    document: dict[str, Any] = msgspec.json.decode(reply.body)
    errors = document.get("errors")
    changed = _reword_v2(settings, errors) if errors is not None else _reword_v1(settings, document.get("meta", {}))
    return Reply(reply.status, reply.headers, pretty(document)) if changed else reply


def _reword_v1(settings: Settings, meta: dict[str, Any]) -> bool:
    """One text under `error`, or several under `errors`; nothing else has words of ours."""
    texts = meta.get("errors", [meta["error"]] if "error" in meta else [])
    if all(map(is_published, texts)) or settings.unpublished_texts == "worded":
        return False
    opaque = [text if is_published(text) else OPAQUE for text in texts]
    meta |= {"errors": opaque} if "errors" in meta else {"error": opaque[0]}
    return True


def _reword_v2(settings: Settings, errors: list[dict[str, Any]]) -> bool:
    changed = False
    if any(error["reason"] != SEEN_REASON for error in errors) and settings.v2_error_reason == "invalid":
        changed = True
        for error in errors:
            error["reason"] = SEEN_REASON
    if all(is_published(error["message"]) for error in errors) or settings.unpublished_texts == "worded":
        return changed
    for error in errors:
        error["message"] = error["message"] if is_published(error["message"]) else OPAQUE
    return True
