"""The account of a demonstration in plain words and aligned columns, for somebody who has never seen the project.

Takes the findings and returns text; decides nothing.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from scenarios.findings import Account, Chapter, Missing, Oddity

WIDTH = 118
_LONGEST_VALUE = 24
_SAID = {"engine": "left out by the engine", "customer.io": "ignored by Customer.io", "nobody": "missing"}
_FATES = {
    "member": "in the segment", "skipped": "left out by the engine", "collapsed": "counted as one person",
    "not_found": "ignored by Customer.io", "delivered": "recorded", "filtered": "left out by the engine, no activity",
    "duplicate": "recorded once", "discarded": "left out by the engine", "ignored": "ignored by Customer.io",
}
_STATUS = {0: "everything settled", 1: "finished, with something left out", 5: "stopped by a guard"}


def tell(account: Account) -> str:
    """The whole account, ending with one line that says whether all is as it ought to be."""
    parts = (
        _opening(), *_chapters(account), _arrived(account), _people(account), _events(account), _strikes(account),
        _oddities(account.oddities), _ending(account),
    )
    return "\n\n".join(parts) + "\n"


def _opening() -> str:
    return textwrap.fill(
        "A cohort and an export, as Amplitude writes them, go through the real engine into a Customer.io that runs "
        "on this machine. The files hold everything that is known to go wrong, and some requests are made to fail. "
        "Below: what arrived, and for everything that did not, the rule that says why.", WIDTH,
    )


def _chapters(account: Account) -> Iterator[str]:
    """The runs, with what happened at Customer.io after the first of them."""
    for place, chapter in enumerate(account.chapters):
        yield _chapter(chapter)
        if place == 0 and account.between:
            yield "\n".join(_wrapped(f"MEANWHILE   At Customer.io, {', '.join(account.between)}.", "", "  "))


def _chapter(chapter: Chapter) -> str:
    report = chapter.report
    lines = ["no report"]
    if report:
        lines = list(_cohort_sums(report) if report["kind"] == "cohort" else _event_sums(report))
    lines.append(f"exit code {chapter.code}: {_STATUS.get(chapter.code, 'failed')}")
    told = (one for line in lines for one in _wrapped(line, "  ", "    "))
    return "\n".join((f"{chapter.title.upper()}   {chapter.command}", *told))


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
        f" + {report['filtered']} no activity + {_total(report['discarded'])} left out{_in_detail(report['discarded'])}"
        + (f" + {unsettled} not settled" if unsettled else "")
    )


def _arrived(account: Account) -> str:
    names = ", ".join(f"{count} {_show(name)}" for name, count in account.arrived.items())
    return "\n".join((
        "WHAT ARRIVED",
        f"  {account.members} people are in the segment {account.segment!r};"
        f" {account.people} people are at Customer.io",
        *_wrapped(f"{_total(account.arrived)} events are recorded: {names}", "  ", "    "),
    ))


def _people(account: Account) -> str:
    title = "WHO OF TUESDAY'S FILE IS NOT IN THE SEGMENT, AND WHY"
    return _groups(title, account.missing_people, lambda one: (one.row, _show(one.who)))


def _events(account: Account) -> str:
    title = "WHICH EVENTS DID NOT ARRIVE, AND WHY (IN FRONT: HOUR#PART OF THE EXPORT'S FILE, AND THE LINE IN IT)"
    return _groups(title, account.missing_events, lambda one: (one.row, f"{_show(one.what)}, of {_show(one.who)}"))


def _groups(title: str, missing: Sequence[Missing], cells: Callable[[Missing], tuple[str, ...]]) -> str:
    """What is missing, by rule: the rule and who applied it, then each row; the reason once where all share it."""
    lines = [title] if missing else [title, "  nothing"]
    for (found, rule), group in _by_rule(missing).items():
        reasons = {one.why for one in group}
        shared = f": {reasons.pop()}" if len(reasons) == 1 and found != "customer.io" else ""
        lines += _wrapped(f"{rule or 'NOT EXPLAINED'}, {_SAID[found]}{shared}", "  ", "    ")
        lines += _table([(*cells(one), "" if shared else one.why) for one in group], "      ")
    return "\n".join(lines)


def _by_rule(missing: Sequence[Missing]) -> dict[tuple[str, str], list[Missing]]:
    groups: dict[tuple[str, str], list[Missing]] = {}
    for one in missing:
        groups.setdefault((one.found, one.rule), []).append(one)
    return groups


def _strikes(account: Account) -> str:
    lines = ["WHAT WAS MADE TO FAIL, AND HOW IT WAS SURVIVED"]
    for strike in account.strikes:
        start = f"  {strike.chapter:<9}"
        others = " " * len(start)
        lines += _wrapped(f"{strike.request} {strike.what};", start, others)
        lines += _wrapped(strike.then if strike.survived else f"LOST: {strike.then}", others, others)
    return "\n".join(lines)


def _oddities(oddities: Sequence[Oddity]) -> str:
    lines = ["EVERYTHING ODD IN THE FILES (IN BRACKETS: HOW MANY ROWS), WHAT BECAME OF IT, AND THE RULE"]
    width = max((len(_named(oddity)) for oddity in oddities), default=0)
    for oddity in oddities:
        sign = "ok" if oddity.as_expected else "NO"
        lines += _wrapped(_words(oddity.became), f"  {sign}  {_named(oddity):<{width}}  ", " " * (width + 8))
        if not oddity.as_expected:
            lines += _wrapped(f"SHOULD BE {_words(oddity.expected)}", " " * 6, " " * 6)
        lines += _wrapped(oddity.rule, " " * 6, " " * 6)
    return "\n".join(lines)


def _named(oddity: Oddity) -> str:
    return f"{oddity.name} ({oddity.rows})"


def _words(became: str) -> str:
    """The fate in plain words, with the rule behind it where there is one."""
    fate, colon, rule = became.partition(": ")
    return f"{_FATES.get(fate, fate)}{colon}{rule}"


def _ending(account: Account) -> str:
    if account.ok:
        return "\n".join(_wrapped(
            f"RESULT   Everything is as it ought to be: {account.people} people, {account.members} members, "
            f"{_total(account.arrived)} events, every count, and all {len(account.oddities)} oddities.", "", "  ",
        ))
    lines = [f"RESULT   NOT as it ought to be; {len(account.differences)} differences:"]
    for difference in account.differences:
        lines += _wrapped(difference, "  - ", "    ")
    return "\n".join(lines)


def _table(rows: Sequence[Sequence[str]], indent: str) -> Iterator[str]:
    """Columns as wide as their widest cell, the last one wrapped to what is left of the line."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    for row in rows:
        start = indent + "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
        yield from (line.rstrip() for line in _wrapped(row[-1], start, " " * len(start)))


def _wrapped(text: str, first: str, others: str) -> list[str]:
    width = max(WIDTH, len(first) + 40)
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=others, break_on_hyphens=False) or [first]


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
