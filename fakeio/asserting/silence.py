"""Was anything accepted with a 2xx and then quietly ignored? Each such operation, with its request, rule and words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fakeio.asserting.tape import count_waiting, need_all
from fakeio.core.rules import REFUSED, RULES
from fakeio.core.wording import LISTED, LONGEST_WHY, Report, clipped, path_shown, several, tally
from fakeio.edge.control_requests import ignored
from fakeio.edge.registry import HostedWorkspace


def check_rules(allowed: Collection[str]) -> None:
    """Raise ValueError for a rule by which nothing is ever ignored."""
    for rule in allowed:
        if rule not in RULES or RULES[rule].effect == REFUSED:
            known = ", ".join(name for name, row in RULES.items() if row.effect != REFUSED)
            raise ValueError(f"nothing is ignored by rule {rule!r}; the rules are {known}")


def silent_ignores(hosted: HostedWorkspace, allowed: Collection[str]) -> str | None:
    """The failure in words; None when nothing was ignored but what is allowed. AssertionError: it can't be told."""
    __tracebackhide__ = True
    need_all(hosted.tape, "what was ignored")
    rows = [row for _, row in ignored(hosted.tape) if row["rule"] not in allowed]
    waiting = count_waiting(hosted.tape)
    if not rows and not waiting:
        return None
    report = Report(_headline(len(rows), waiting))
    for row in rows[:LISTED]:
        report.add(f"request {row['request']}", _words(row))
    if len(rows) > LISTED:
        report.add("", f"… and {len(rows) - LISTED:,} more: workspace.ignored has them all")
    if rows:
        report.add("in all", tally(row["rule"] for row in rows))
    if waiting:
        report.add("waiting", f"{several(waiting, 'operation')} not processed yet: move the clock on, or flush() first")
    return str(report)


def _headline(count: int, waiting: int) -> str:
    if not count:
        return f"what becomes of {several(waiting, 'accepted operation')} is not known yet"
    return f"{several(count, 'operation was', 'operations were')} accepted and ignored"


def _words(row: Mapping[str, Any]) -> str:
    asked = f"{row['method']} {path_shown(row['path'])}"
    return f"{asked}: {row['operation']} ignored: {clipped(row['explanation'], LONGEST_WHY)} [{row['rule']}]"
