"""What a run on a real workspace taught: which rules it confirmed and which it contradicted, with its date.

Holds names of cases and rules, statuses, names of keys and kinds of values; never a value, never anybody's identifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scenarios.catalogue.case import GRADES
from scenarios.catalogue.conformance import DIFFERS, OK, Result, as_dict
from scenarios.catalogue.matching import Difference

_CONFIRMED, _CONTRADICTED = "confirmed", "contradicted"
_VERDICTS = {OK: _CONFIRMED, DIFFERS: _CONTRADICTED}
_KINDS = {bool: "boolean", int: "number", float: "number", str: "text", type(None): "null"}


def shape(value: Any) -> Any:
    """The value with the kind of everything in place of the thing itself; a list by its first item."""
    if isinstance(value, Mapping):
        return {key: shape(held) for key, held in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return _KINDS.get(type(value), "unknown")


def live_report(results: Sequence[Result], *, date: str, region: str) -> dict[str, Any]:
    """The report as JSON. `date` is ISO 8601."""
    summary = as_dict(results, f"a workspace of the {region} region")
    return {
        "date": date, "region": region, "ok": summary["ok"], "totals": summary["totals"],
        "rules": [{"rule": rule, **verdict} for rule, verdict in sorted(_rules(results).items())],
        "cases": [_row(result) for result in results],
    }  # fmt: skip


def render(report: Mapping[str, Any]) -> str:
    """The report as Markdown: a line of totals, and a table of the rules, the least certain first."""
    totals = report["totals"]
    lines = [
        f"Asked on {report['date'][:10]}, region {report['region']}: {totals['ok']} cases as expected, "
        f"{totals['differs']} different, {totals['skipped']} not asked.",
        "",
        "| rule | grade | confirmed by | contradicted by |",
        "| --- | --- | --- | --- |",
    ]
    for row in sorted(report["rules"], key=lambda row: (-GRADES.index(row["grade"]), row["rule"])):
        cells = (f"`{row['rule']}`", row["grade"], ", ".join(row[_CONFIRMED]), ", ".join(row[_CONTRADICTED]))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _rules(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """Each rule that was asked about, with the cases for it and against it; a case without a rule speaks for itself."""
    found: dict[str, dict[str, Any]] = {}
    for result in results:
        verdict = _VERDICTS.get(result.fate, "")
        for rule in (result.case.rules or (result.case.name,)) if verdict else ():
            row = found.setdefault(rule, {"grade": result.case.grade, _CONFIRMED: [], _CONTRADICTED: []})
            row["grade"] = max(row["grade"], result.case.grade, key=GRADES.index)
            row[verdict].append(result.case.name)
    return found


def _row(result: Result) -> dict[str, Any]:
    case = result.case
    row: dict[str, Any] = {"name": case.name, "grade": case.grade, "rules": list(case.rules), "fate": result.fate}
    if result.why:
        row["why"] = result.why
    if result.fate == DIFFERS:
        row["differences"] = [_difference(one) for one in result.differences]
    return row


def _difference(found: Difference) -> dict[str, Any]:
    wanted, got = (_told(found.where, value) for value in (found.expected, found.actual))
    return {"where": _place(found.where), "expected": wanted, "got": got}


def _place(where: str) -> str:
    """A place without the names in it: whose membership differs is nobody's business."""
    return "members" if where.startswith("members of") else where


def _told(where: str, value: Any) -> Any:
    """A status as it is, everything else by its shape."""
    return value if where.endswith(".status") else shape(value)
