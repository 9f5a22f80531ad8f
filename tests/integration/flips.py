"""Every expectation of a case, changed one at a time: a case that still passes then was not looking there.

Flips keep the case's shape, so they are judged against what was played once and cost nothing to play.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from scenarios.catalogue.case import Case
from scenarios.catalogue.playing import Played, judge

#: What a case expects; everything else in it is given or asked.
STEP_EXPECTATIONS = ("status", "answer", "answer_text", "answer_headers", "code", "report")
_TURNED = {"$absent": {"$any": True}, "$any": {"$absent": True}}
_OTHER = "something else"


def unnoticed_flips(case: Case, played: Played) -> list[str]:
    """The places where another expectation would have passed as well. Empty: each of them can fail."""
    return [where for where, flipped in flips(case) if not judge(flipped, played)]


def flips(case: Case) -> Iterator[tuple[str, Case]]:
    """The case with one expectation changed, again and again, and where."""
    document = msgspec.to_builtins(case)
    for number, step in enumerate(case.steps):
        for field in STEP_EXPECTATIONS:
            wanted = getattr(step, field, msgspec.UNSET)
            if wanted is msgspec.UNSET or wanted is None:
                continue
            for where, other in _others(msgspec.to_builtins(wanted)):
                yield f"step {number + 1}.{field}{where}", _with(document, ["steps", number, field], other)
    for field, wanted in document.get("ending", {}).items():
        for where, other in _others(wanted, {} if field in ("people", "events") else _OTHER):
            yield f"ending.{field}{where}", _with(document, ["ending", field], other)


def _with(document: Any, place: list[Any], value: Any) -> Case:
    copy = msgspec.json.decode(msgspec.json.encode(document))
    inner = copy
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    return msgspec.convert(copy, Case)


def _others(wanted: Any, surplus: Any = _OTHER) -> Iterator[tuple[str, Any]]:
    """Variants of a value that differ from it in one place. `surplus`: what an empty list could hold."""
    if isinstance(wanted, Mapping):
        yield from _other_objects(wanted)
    elif isinstance(wanted, list | tuple):
        yield "[+1]", [*wanted, wanted[-1] if wanted else surplus]
        for place, held in enumerate(wanted):
            for where, other in _others(held):
                yield f"[{place}]{where}", [*wanted[:place], other, *wanted[place + 1 :]]
    elif isinstance(wanted, bool) or wanted is None:
        yield "", _OTHER
    else:
        yield "", wanted + 1 if isinstance(wanted, int | float) else f"{_OTHER} {wanted}"


def _other_objects(wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    special = next(iter(wanted), "") if len(wanted) == 1 else ""
    if special in _TURNED:
        yield f".{special}", _TURNED[special]
        return
    for name, held in wanted.items():
        for where, other in _others(held):
            yield f".{name}{where}", {**wanted, name: other}
