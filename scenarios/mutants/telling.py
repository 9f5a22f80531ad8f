"""Outcomes of a run against mutants in words: lines as they come, a kill score, one JSON object, a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from scenarios.mutants.mutant import ROOMS, Mutant
from scenarios.mutants.running import Outcome, Result, story_lines

_WORDS = {
    Result.UNMET: "survived: never met", Result.TIMEOUT: "did not end in time",
    Result.UNPROVEN: "fails without it, too:",
}  # fmt: skip


def tell_one(outcome: Outcome) -> str:
    """One line."""
    what = _WORDS.get(outcome.result)
    by = f"  {outcome.by}" if outcome.by else ""
    return f"{outcome.mutant.room:<7}{outcome.mutant.name:<36}{what or outcome.result}{by}  ({outcome.seconds:.1f} s)"


def tell_score(outcomes: Sequence[Outcome], took_s: float) -> str:
    """The kill score of each room, and what survived, with what it does."""
    lines = [f"{room}: {_score(outcomes, room)}" for room in ROOMS if any(one.mutant.room == room for one in outcomes)]
    alive = [one for one in outcomes if one.result is not Result.KILLED]
    lines += [f"  {one.mutant.name}: {one.mutant.words}" for one in alive]
    return "\n".join([*lines, f"{took_s:.0f} s"])


def _score(outcomes: Iterable[Outcome], room: str) -> str:
    counts = Counter(one.result for one in outcomes if one.mutant.room == room)
    rest = [f"{counts[one]} {one}" for one in Result if one is not Result.KILLED and counts[one]]
    return ", ".join([f"{counts[Result.KILLED]} of {counts.total()} killed", *rest])


def as_document(outcomes: Sequence[Outcome], took_s: float) -> dict[str, Any]:
    """The same as JSON: a kill score a room and a row a mutant. What commands printed is left out."""
    score = {
        room: dict(Counter(one.result.value for one in outcomes if one.mutant.room == room)) for room in ROOMS
        if any(one.mutant.room == room for one in outcomes)
    }  # fmt: skip
    return {
        "ok": all(one.result is Result.KILLED for one in outcomes), "score": score, "took_s": round(took_s, 1),
        "mutants": [
            {"name": one.mutant.name, "room": one.mutant.room, "words": one.mutant.words, "result": one.result.value,
             "by": one.by, "seconds": one.seconds, "story_lines": story_lines(one.said)}
            for one in outcomes
        ],
    }  # fmt: skip


def as_table(outcomes: Iterable[Outcome]) -> str:
    """The same as a table for a page."""
    rows = [
        f"| `{one.mutant.name}` | {one.mutant.words} | {one.result}{f' by `{one.by}`' if one.by else ''} |"
        f" {one.seconds:.1f} |" for one in outcomes
    ]  # fmt: skip
    return "\n".join(["| mutant | what is wrong | noticed | seconds |", "| --- | --- | --- | --- |", *rows])


def as_list(mutants: Iterable[Mutant]) -> str:
    """Name, room, what it does and where that comes from."""
    return "\n".join(f"{one.room:<7}{one.name:<36}{one.words}  [{one.source}]" for one in mutants)
