"""Whether an event may be sent: the reasons why not, and the sizes that decide, in bytes of what would be written.

A value that fits gives no reason. Nothing is ever cut to fit: half an identifier is somebody else's, and half a name
is another event.
"""

from __future__ import annotations

from enum import StrEnum

from sync.core.budgets import EVENT_NAME, PERSON_ID
from sync.core.rows import REPLACEMENT


class Reason(StrEnum):
    """Why an event is not sent; the keys of a report's `discarded`."""

    MISSING_IDENTIFIER = "missing_identifier"  #: nobody to record it on
    ID_TOO_LONG = "id_too_long"  #: the identifier has more than 150 bytes
    IDENTIFIER_AMBIGUOUS = "identifier_ambiguous"  #: only v1 has room for it, and v1 would take it for another person
    EVENT_NAME_BLANK = "event_name_blank"  #: no name, or only white space
    EVENT_NAME_TOO_LONG = "event_name_too_long"  #: more than 100 bytes
    EVENT_TOO_LARGE = "event_too_large"  #: its data has more than 100,000 bytes
    BAD_TIMESTAMP = "bad_timestamp"  #: no readable time of its own
    BAD_ROW = "bad_row"  #: the line is no event row


EXPLANATIONS: dict[Reason, tuple[str, str]] = {
    Reason.MISSING_IDENTIFIER: ("user_id", "the row names nobody"),
    Reason.ID_TOO_LONG: ("user_id", f"the identifier is longer than {PERSON_ID.most} bytes"),
    Reason.IDENTIFIER_AMBIGUOUS: ("user_id", "too large for a batch, and its path would name another person"),
    Reason.EVENT_NAME_BLANK: ("event_type", "the event has no name"),
    Reason.EVENT_NAME_TOO_LONG: ("event_type", f"the name is longer than {EVENT_NAME.most} bytes"),
    Reason.EVENT_TOO_LARGE: ("event_properties", "the event's data is longer than 100000 bytes"),
    Reason.BAD_TIMESTAMP: ("event_time", "the time can't be read"),
    Reason.BAD_ROW: ("", "the line is no event row"),
}

# A character has at most four bytes, so that most texts need no measuring.
_SURELY_FITS = PERSON_ID.most // 4


def identifier_fault(value: str) -> Reason | None:
    """Why nobody can be addressed by this text. White space around an identifier belongs to it."""
    if not value or value.isspace():
        return Reason.MISSING_IDENTIFIER
    if len(value) > _SURELY_FITS and len(value.encode()) > PERSON_ID.most:
        return Reason.ID_TOO_LONG
    if not value.isascii() and REPLACEMENT in value:
        return Reason.BAD_ROW  # what stood there was no text, and a guess could name somebody else
    return None


def name_fault(name: str) -> Reason | None:
    """Why an event can't have this name, which is trimmed already."""
    if not name:
        return Reason.EVENT_NAME_BLANK
    return Reason.EVENT_NAME_TOO_LONG if len(name.encode()) > EVENT_NAME.most else None
