"""A report as a page for people: every number with the words that explain it. Pure text, no colour, no width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sync.core.report import CohortReport, Ended, EventsReport, ReconcileReport, Report

REASONS = {
    "unresolved_mapping": "the identifier is empty",
    "id_too_long": "longer than 150 bytes; never cut, a cut id is somebody else's",
    "bad_row": "the row can't be read",
    "missing_identifier": "nobody to attach the event to",
    "identifier_ambiguous": "too large for v2, and v1 would read this identifier as another kind",
    "event_name_blank": "the event has no name",
    "event_name_too_long": "the name is longer than 100 bytes",
    "event_too_large": "more than 100,000 bytes of data",
    "bad_timestamp": "the time can't be read",
}
DRIFT = {
    "missing": "of the cohort, and not in the segment",
    "leftover": "put there by this sync, and should be out",
    "strangers": "put there by somebody else",
}
# C0 and C1, the line ends of Unicode, and what turns the direction of text
_COMMANDS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]")
Line = tuple[int, str, int, str]  # depth, label, number, remark


def render(ended: Ended) -> str:
    """The whole page, ending with what to do next when something stopped the run."""
    lines = [*head_of(ended), "", *(_line(*line) for line in lines_of(ended.report))]
    why = why_stopped(ended)
    return "\n".join(map(shown, [*lines, "", *why] if why else lines))


def shown(line: str) -> str:
    """As one line of a terminal or a log: names are anybody's text, and nothing in them may end a line, change the
    direction of what follows or command a terminal."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), line)


def why_stopped(ended: Ended) -> list[str]:
    """What stopped the run and what to do next; empty when nothing did."""
    error = ended.error.as_dict() if ended.error is not None else ended.report.error
    if not isinstance(error, dict):
        return []
    return [f"{error['message']}.", *([f"What to do: {error['hint']}."] if error["hint"] else [])]


def lines_of(report: Report) -> Iterator[Line]:
    """The numbers, with their words."""
    return _cohort(report) if isinstance(report, CohortReport) else _events(report)


def head_of(ended: Ended) -> Iterator[str]:
    """What it was and how it ended; what it took; where it went."""
    report, code = ended.report, ended.exit_code
    what = f"{report.kind} {report.sync}" if report.sync else report.kind
    yield f"{what}: {report.status} (exit code {code})"
    tries = f"{report.requests} requests, {report.retries} of them retries"
    yield f"run {report.run_id}, {report.mode.replace('_', ' ')}, {tries}, {report.duration_s:.1f} s"
    if isinstance(report, CohortReport):
        segment = report.segment
        number = "not reached" if segment.id is None else str(segment.id)
        yield f"segment {segment.name} ({number}{', made by this run' if segment.created else ''})"


def _cohort(report: CohortReport) -> Iterator[Line]:
    dry = report.mode == "dry_run"
    if isinstance(report, ReconcileReport):
        for name, count in report.drift.items():
            yield 0, name, count, DRIFT[name]
    yield 0, "rows in the source", report.source_rows, ""
    yield from _reasons(report.skipped, "skipped: ")
    if report.collapsed_duplicates:
        yield 1, "repeated", report.collapsed_duplicates, "the same identifier again; counted once"
    yield 0, "people in the cohort", report.in_cohort, ""
    yield 1, "were members", report.already_members, ""
    yield 1, "would be added" if dry else "added", report.added, ""
    if report.not_found:
        yield 1, "not found", report.not_found, "nobody has this identifier, or suppressed; tried again"
    if report.pending:
        yield 1, "pending", report.pending, "not confirmed; sent again next run"
    yield from _reasons(report.refused, "refused: ")
    yield 0, "would be removed" if dry else "people removed", report.removed, ""


def _events(report: EventsReport) -> Iterator[Line]:
    yield 0, "events in the source", report.received, ""
    yield 1, "delivered" if report.mode != "dry_run" else "would be delivered", report.delivered, ""
    for label, number, remark in (
        ("filtered", report.filtered, "left out by choice"),
        ("duplicates", report.duplicates, "delivered before"),
        ("expired", report.expired, ""),
        ("pending", report.pending, "not confirmed; sent again next run"),
    ):
        if number:
            yield 1, label, number, remark
    yield from _reasons(report.discarded, "discarded: ")
    yield from _reasons(report.refused, "refused: ")


def _reasons(counts: Mapping[str, int], prefix: str = "") -> Iterator[Line]:
    for reason, count in sorted(counts.items()):
        yield 1, f"{prefix}{reason}", count, REASONS.get(reason, "")


def _line(depth: int, label: str, number: int, remark: str) -> str:
    text = f"{'  ' * (depth + 1)}{label}".ljust(44) + f"{number:>12,}"
    return f"{text}   {remark}".rstrip()
