"""From a reply to what it means for each thing that was in the request. Values in, values out.

Reads both error envelopes of the Track API (`meta.error`, `meta.errors`), the App API's (`errors[].detail`) and the
207 of a v2 batch. Texts of the destination are kept for the dead letters; a report only counts.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sync.core.rows import NOT_JSON
from sync.core.sending import Fate, FateKind, Reply


class ItemError(msgspec.Struct, frozen=True):
    """One refused item of a v2 batch: its position, the destination's machine word, dotted field and sentence."""

    index: int
    reason: str
    field: str
    message: str


class Complaint(msgspec.Struct, frozen=True):
    """Why a whole request was refused. `reason` is ours (`http_400`); `message` is the destination's first sentence."""

    reason: str
    message: str
    field: str = ""


def parse_item_errors(reply: Reply, size: int) -> list[ItemError] | None:
    """The refused items of a 207 for a batch of `size` items, by position; None when the body can't be understood.

    An entry without a reason is kept with an empty one. An entry whose position is missing or outside the batch makes
    the whole body unusable: guessing would blame the wrong item.
    """
    try:
        entries = msgspec.json.decode(reply.body).get("errors")
    except (*NOT_JSON, AttributeError):
        return None
    if not isinstance(entries, list) or not entries:
        return None
    items = [_item_error(entry, size) for entry in entries]
    return [item for item in items if item is not None] if all(items) else None


def _item_error(entry: Any, size: int) -> ItemError | None:
    if not isinstance(entry, dict):
        return None
    index = entry.get("batch_index")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < size:
        return None
    words = (entry.get(key) for key in ("reason", "field", "message"))
    return ItemError(index, *(word if isinstance(word, str) else "" for word in words))


def complaint(reply: Reply) -> Complaint:
    """Why the destination refused the request, in whichever envelope it said so."""
    return Complaint(f"http_{reply.status}", first_message(reply.body))


def is_answer(reply: Reply) -> bool:
    """Whether Customer.io itself may have answered a write: with a JSON object, or with nothing.

    A web page that something in between shows, or half a JSON text, is not its word, whatever the status says.
    """
    try:
        return not reply.body or isinstance(msgspec.json.decode(reply.body), dict)
    except NOT_JSON:
        return False


def first_message(body: bytes) -> str:
    """The first error text in a Track or App API body, at most 500 characters; empty when there is none to read."""
    try:
        document = msgspec.json.decode(body)
    except NOT_JSON:
        return ""
    texts = _texts(document.get("meta")) + _texts(document) if isinstance(document, dict) else []
    return texts[0][:500] if texts else ""


def quotable(reply: Reply) -> str:
    """The destination's own words for an error message, which may hold nobody: a word with an @ in it is taken out.

    Only for requests that named no people: what else a text may repeat of its request, nobody can know.
    """
    return " ".join("***" if "@" in word else word for word in first_message(reply.body).split())


def _texts(holder: Any) -> list[str]:
    if not isinstance(holder, dict):
        return []
    found = [holder.get("error")]
    errors = holder.get("errors")
    found += errors if isinstance(errors, list) else []
    plain = [entry.get("detail") or entry.get("message") if isinstance(entry, dict) else entry for entry in found]
    return [text for text in plain if isinstance(text, str) and text]


UNSETTLED = {
    FateKind.THROTTLED: "told to slow down until patience ran out",
    FateKind.IN_DOUBT: "no final answer came; it may have been applied",
    FateKind.UNREACHABLE: "nothing answered",
    FateKind.STOPPED: "stopped before there was a final answer",
}


def say(fate: Fate) -> str:
    """One sentence about an end that is not success, without people or secrets."""
    tries = "1 attempt" if fate.attempts == 1 else f"{fate.attempts} attempts"
    if fate.reply is not None:
        return f"{UNSETTLED.get(fate.kind, 'refused')} (last answer {fate.reply.status}, {tries})"
    return f"{UNSETTLED.get(fate.kind, 'refused')} ({fate.failure.message if fate.failure else 'no answer'}, {tries})"
