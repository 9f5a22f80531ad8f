"""Which requests a fault struck, and how the same request fared afterwards: read from the tape of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from scenarios.findings import Strike

Row = Mapping[str, Any]


def read_strikes(chapter: str, requests: Sequence[Row]) -> list[Strike]:
    """Every struck request of a run, in order, each with what came of it in the end."""
    return [_strike(chapter, row, requests[place + 1 :]) for place, row in enumerate(requests) if row["faults"]]


def _strike(chapter: str, struck: Row, later: Sequence[Row]) -> Strike:
    again = next((row for row in later if _same(row, struck)), None)
    return Strike(
        chapter=chapter,
        request=f"request {struck['n']}, {struck['method']} {struck['path']},",
        what=_what(struck),
        then="it never came again" if again is None else _then(again),
        survived=again is not None and (bool(again["faults"]) or again["status"] in range(200, 300)),
    )


def _same(row: Row, struck: Row) -> bool:
    return all(row[key] == struck[key] for key in ("method", "path", "query", "body"))


def _what(struck: Row) -> str:
    done = any(row["outcome"] == "applied" for row in struck["operations"])
    if struck["cut"] is None:
        wait = struck["response_headers"].get("retry-after")
        return f"was answered {struck['status']}" + (f" with the plea to wait {wait} s" if wait else "")
    how = {
        "reset": "the connection was reset", "close": "the connection was closed",
        "truncate": "the connection was closed in the middle of it", "abandoned": "nobody waited any longer",
    }[struck["cut"]]  # fmt: skip
    return f"was carried out, then {how} before the answer" if done else f"got no answer: {how}"


def _then(again: Row) -> str:
    """How it went the next time: the answer, and what of it had been done before."""
    came = f"sent again as request {again['n']}"
    if again["faults"]:
        return f"{came}, which was struck too"
    old = Counter(row["rule"] for row in again["operations"] if row["outcome"] == "ignored")
    known = sum(old[rule] for rule in ("event.duplicate", "segment.already_member", "segment.not_member"))
    repeated = f"; {known} of its {len(again['operations'])} items had been done and changed nothing" if known else ""
    return f"{came} and answered {again['status']}{repeated}"
