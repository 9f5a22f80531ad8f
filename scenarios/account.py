"""The account of a demonstration in plain words and aligned columns, for somebody who has never seen the project.

Takes the findings and returns text; decides nothing.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scenarios.findings import Account, Chapter, Missing, Oddity

WIDTH = 118
_LONGEST_VALUE = 24
_STATUS = {0: "everything settled", 1: "finished, with something left out", 5: "stopped by a guard"}


def tell(account: Account) -> str:
    """The whole account, ending with one line that says whether all is as it ought to be."""
    parts = (_opening(account), *map(_chapter, account.chapters), _arrived(account), *_missing(account),
             _strikes(account), _oddities(account.oddities), _ending(account))
    return "\n\n".join(parts) + "\n"


def _opening(account: Account) -> str:
    return _wrap(
        "A cohort and an export, as Amplitude writes them, go through the real engine into a Customer.io that runs "
        "on this machine. The files hold everything that is known to go wrong, and some requests are made to fail. "
        "Below: what arrived, and for everything that did not, the rule that says why."
    )


def _chapter(chapter: Chapter) -> str:
    report = chapter.report
    lines = [f"{chapter.title.upper()}   {chapter.command}"]
    if report:
        lines += _cohort_sums(report) if report["kind"] == "cohort" else _event_sums(report)
    else:
        lines.append("no report")
    lines.append(f"exit code {chapter.code}: {_STATUS.get(chapter.code, 'failed')}")
    return "\n  ".join(lines)


def _cohort_sums(report: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{report['source_rows']} rows = {report['in_cohort']} people + {report['collapsed_duplicates']} repeated"
        f" + {_total(report['skipped'])} left out{_in_detail(report['skipped'])}"
    )
    unsettled = report["pending"] + _total(report["refused"])
    yield (
        f"{report['in_cohort']} people = {report['already_members']} in the segment before + {report['added']} added"
        f" + {report['not_found']} not at Customer.io" + (f" + {unsettled} not settled" if unsettled else "")
    )
    yield f"{report['removed']} people who had left the cohort were taken out of the segment"


def _event_sums(report: Mapping[str, Any]) -> Iterator[str]:
    unsettled = report["expired"] + report["pending"] + _total(report["refused"])
    yield (
        f"{report['received']} rows = {report['delivered']} accepted by Customer.io + {report['duplicates']} repeated"
        f" + {report['filtered']} no activity + {_total(report['discarded'])} left out"
        + (f" + {unsettled} not settled" if unsettled else "")
    )
    if report["discarded"]:
        yield f"left out:{_in_detail(report['discarded'])}"


def _arrived(account: Account) -> str:
    names = ", ".join(f"{count} {_show(name)}" for name, count in account.arrived.most_common())
    return "\n".join((
        "WHAT ARRIVED",
        f"  {account.members} people are in the segment {account.segment!r};"
        f" {account.people} people are at Customer.io",
        *_wrapped(f"{account.arrived.total()} events are recorded: {names}", "  ", "    "),
    ))


def _missing(account: Account) -> Iterator[str]:
    between = f"Between the runs: {', '.join(account.between)}." if account.between else ""
    yield _section(
        "WHO IS NOT IN THE SEGMENT AFTER TUESDAY, AND WHY", between, ("row", "user id", "rule", "why"),
        [(each.row, _show(each.who), each.rule, _because(each)) for each in account.missing_people],
    )
    yield _section(
        "WHICH EVENTS DID NOT ARRIVE, AND WHY", "", ("row", "event", "user id", "rule", "why"),
        [(each.row, _show(each.what), _show(each.who), each.rule, _because(each)) for each in account.missing_events],
    )


def _because(missing: Missing) -> str:
    said = {"engine": "left out by the engine", "customer.io": "ignored by Customer.io", "nobody": "NOT EXPLAINED"}
    return f"{said[missing.found]}: {missing.why}"


def _strikes(account: Account) -> str:
    rows = [
        (strike.chapter, f"{strike.request} {strike.what}", strike.then if strike.survived else f"LOST: {strike.then}")
        for strike in account.strikes
    ]
    return _section("WHAT WAS MADE TO FAIL, AND HOW IT WAS SURVIVED", "", ("run", "what happened", "and then"), rows)


def _oddities(oddities: Sequence[Oddity]) -> str:
    rows = [
        ("ok" if oddity.as_expected else "NO", f"{oddity.name} ({oddity.rows})", oddity.became, _moral(oddity))
        for oddity in oddities
    ]
    note = "In brackets: how many rows."
    return _section("EVERYTHING ODD IN THE FILES, AND WHAT BECAME OF IT", note, ("", "what", "became", "rule"), rows)


def _moral(oddity: Oddity) -> str:
    return oddity.rule if oddity.as_expected else f"SHOULD BE {oddity.expected}. {oddity.rule}"


def _ending(account: Account) -> str:
    if account.ok:
        return "RESULT   Everything is as it ought to be: the segment, the people, the events and every count."
    lines = [f"RESULT   NOT as it ought to be; {len(account.differences)} differences:"]
    for difference in account.differences:
        lines += _wrapped(difference, "  - ", "    ")
    return "\n".join(lines)


def _section(title: str, note: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    body = _table(heads, rows) if rows else ["  nothing"]
    return "\n".join((title, *([f"  {note}"] if note else []), *body))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell, the last one wrapped to what is left of the line."""
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads) - 1)]
    for row in (heads, *rows):
        start = "  " + "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
        yield from _wrapped(row[-1], start, " " * len(start))


def _wrapped(text: str, first: str, others: str) -> list[str]:
    width = max(WIDTH, len(first) + 40)
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=others, break_on_hyphens=False) or [first]


def _wrap(text: str) -> str:
    return textwrap.fill(text, WIDTH)


def _show(value: str) -> str:
    """An id or a name for a table cell: odd characters escaped, long ones cut with their length, empty ones named."""
    if not value.strip():
        return "(none)" if not value else f"({len(value)} spaces)"
    plain = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in value)
    if len(plain) <= _LONGEST_VALUE:
        return plain
    return f"{plain[:10]}… ({len(value.encode())} bytes)"


def _in_detail(counts: Mapping[str, int]) -> str:
    ordered = Counter(counts).most_common()
    return f" ({', '.join(f'{count} {reason}' for reason, count in ordered)})" if ordered else ""


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())
