"""How an operation ends: applied, ignored with a rule that says why, or refused with a rule. Three things, never two.

The real service answers 200 to the first two and tells nobody which it was; this fake always knows. `rule` names a row
of `core/rules.py`.
"""

from __future__ import annotations

import msgspec


class Applied(msgspec.Struct, frozen=True, gc=False, tag="applied", tag_field="outcome"):
    """Something changed. `person` is the cio_id it happened to; `notes` are parts that did not take effect."""

    person: str | None = None
    notes: tuple[Ignored, ...] = ()
    result: int | None = None  # the id of what was created, where the caller is told (segments)


class Ignored(msgspec.Struct, frozen=True, gc=False, tag="ignored", tag_field="outcome"):
    """Accepted by the service and changed nothing. `why` is a sentence about this very operation."""

    rule: str
    why: str
    person: str | None = None


class Refused(msgspec.Struct, frozen=True, gc=False, tag="refused", tag_field="outcome"):
    """Broke a rule; the caller is told. `more` holds further violations of the same operation, reported together.

    `reason` is the service's machine word (`required`, `invalid`, `parse_error`); `field` a dotted path, v2 style;
    `message` the v1 text. A dialect that words it differently looks the rule up, never the message.
    """

    rule: str
    reason: str
    field: str
    message: str
    more: tuple[Refused, ...] = ()


Outcome = Applied | Ignored | Refused
