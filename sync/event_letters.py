"""Dead letters of events: what was given up, why, and enough to find it again or to send it again.

A discarded row is named by its file, its number and its own ids; its properties are in the file. A refused or expired
event is kept as the operation that was sent, so that it can be sent once more as it was.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sync.core.delivery import Refusal
from sync.core.mapping import Discard
from sync.core.rows import Unreadable
from sync.core.sending import Fate
from sync.core.validation import EXPLANATIONS
from sync.core.verdicts import say
from sync.edge.ledger import DeadLetter

KIND = "events"
EXPIRED = "expired"
MOST_ROWS = 1_000  # of a run and a reason: more of them would fill the disk and tell nothing new
_MOST_TEXT = 500
_USER_ID = "user_id"


def discarded_letter(
    run_id: str, discard: Discard, file: str, number: int, *, id_property: str = _USER_ID
) -> DeadLetter:
    """For a row that could not be sent; `number` counts the rows of its file from 1, `id_property` is where its
    identifier was looked for."""
    row, said = discard.row, ""
    item: dict[str, Any] = {"file": file, "row": number}
    if isinstance(row, Unreadable):
        item["text"] = row.text[:_MOST_TEXT].decode("utf-8", "replace")
        said = row.why
    else:
        item |= {
            "event_type": row.event_type, "event_time": row.event_time, "user_id": row.user_id,
            "device_id": row.device_id, "$insert_id": row.insert_id, "uuid": row.uuid,
        }
    field, message = EXPLANATIONS[discard.reason]
    if field == _USER_ID != id_property:
        field = f"user_properties.{id_property}"
    return DeadLetter(run_id, KIND, discard.reason, field, said or message, msgspec.Raw(msgspec.json.encode(item)))


def refused_letter(run_id: str, item: bytes, refusal: Refusal) -> DeadLetter:
    """For an event that the destination refused for good."""
    return DeadLetter(run_id, KIND, refusal.reason, refusal.field, refusal.message, msgspec.Raw(item))


def expired_letter(run_id: str, item: bytes, fate: Fate) -> DeadLetter:
    """For an event without a final answer when patience ran out. The next run sends it again, under the same id."""
    return DeadLetter(run_id, KIND, EXPIRED, "", say(fate), msgspec.Raw(item))
