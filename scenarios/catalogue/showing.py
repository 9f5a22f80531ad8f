"""One case as a page for people: what is given, what is asked, what must come of it, by which rule."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import msgspec

from scenarios.catalogue.case import Ask, Case, Sync

_WIDTH, _LONGEST = 118, 400


def show_case(case: Case) -> str:
    """The page. `~` is the prefix of a run, `$name` what it has learnt."""
    return "\n".join(_page(case))


def _page(case: Case) -> Iterator[str]:
    yield case.name
    yield from textwrap.wrap(case.words, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield f"  {case.grade}; {case.source}"
    yield f"  tags: {', '.join(case.tags)}{'; can be asked of a real workspace' if case.live else ''}"
    if case.rules:
        yield f"  rules: {', '.join(case.rules)}"
    yield from _part("given", msgspec.to_builtins(case.given))
    for number, step in enumerate(case.steps, start=1):
        yield from _ask(number, step) if isinstance(step, Ask) else _sync(number, step)
    yield from _part("in the end", msgspec.to_builtins(case.ending))


def _ask(number: int, ask: Ask) -> Iterator[str]:
    later = f", {ask.after_s:,} s later" if ask.after_s else ""
    yield f"step {number}{later}: {ask.method} {ask.path}   ({ask.api}, credentials: {ask.auth})"
    yield from _rest(ask, ("step", "method", "path", "api", "auth", "after_s", "status"))
    yield f"    answers {ask.status or 'nothing'}"


def _sync(number: int, sync: Sync) -> Iterator[str]:
    kind = "cohort" if sync.events is None else "events"
    yield f"step {number}: cio-sync {kind} FILE {' '.join(sync.flags)}".rstrip()
    yield from _rest(sync, ("step", "flags", "code"))
    yield f"    exits with {sync.code}"


def _rest(step: Ask | Sync, told: tuple[str, ...]) -> Iterator[str]:
    for key, value in msgspec.to_builtins(step).items():
        if key not in told:
            yield f"    {key.replace('_', ' ')}: {_short(value)}"


def _part(title: str, rows: dict[str, Any]) -> Iterator[str]:
    if rows:
        yield title
        yield from (f"    {key}: {_short(value)}" for key, value in rows.items())


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
