"""`pytest --fakeio-ambiguity=all`: which undocumented behaviour does the result of a test depend on?

Each test marked `fakeio_ambiguity` runs once as always, while the switches it touches are noted; then once more for
every other choice of each of them, with fresh function-scoped fixtures. What is reported for the test is its first run
alone; a section at the end names the switches that change its result. What a test chooses itself is left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from _pytest.runner import runtestprotocol

from fakeio.core.settings import CATALOGUE, ROWS

if TYPE_CHECKING:
    from fakeio.testing import Fake, WorkspaceHandle

MARKER = "fakeio_ambiguity"
PROPERTY = "fakeio_ambiguity"  # of a report: how a marked test's findings reach the terminal, through xdist as well
ALL, OFF = "all", "off"
SWITCHES = tuple(row.name for row in ROWS if row.kind == "switch" and row.choices)
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

_VERBS = {PASSED: "passes", FAILED: "fails", SKIPPED: "is skipped"}
_MOST_CHARACTERS = 100  # of a reason


class Trial:
    """One run of a test: the choices it is given, and (for the first run) what its workspaces asked for."""

    def __init__(self, forced: Mapping[str, Any] | None = None) -> None:
        self.forced = dict(forced or {})
        self.read: set[str] = set()
        self.began_with: dict[str, Any] | None = None  # None: the test had no workspace

    def open_workspace(self, fake: Fake) -> WorkspaceHandle:
        """The workspace of this run, for the fixture `customerio`."""
        handle = fake.new_workspace(settings=self.forced)
        self.began_with = handle.settings
        self.read = handle.watch_settings()
        return handle


TRIAL = pytest.StashKey[Trial]()


class Ended(NamedTuple):
    """How a run of a test ended, in one word and, unless it passed, one line."""

    outcome: str
    reason: str = ""


class Change(NamedTuple):
    """A choice under which a test ends otherwise."""

    switch: str
    usual: Any  # the choice of the first run
    choice: Any
    ended: Ended


class Finding(NamedTuple):
    """What a sweep found out about one test. `touched` is None for a test that never had a workspace."""

    test: str
    repeats: int
    touched: Sequence[str] | None
    changes: Sequence[Change]


def parse_switches(text: str) -> tuple[str, ...]:
    """The switches that the option names, none for `off`; raises pytest.UsageError for one that nobody knows."""
    if text in (ALL, OFF):
        return SWITCHES if text == ALL else ()
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in SWITCHES]
    if unknown or not names:
        raise pytest.UsageError(
            f"--fakeio-ambiguity={text}: {f'there is no switch {unknown[0]!r}' if unknown else 'no switch is named'}; "
            f"name one or several of {', '.join(SWITCHES)}, or `{ALL}`, or `{OFF}`"
        )
    return names


class Sweep:
    """The plugin while the option is on: repeats marked tests, gathers what they found, says so at the end."""

    def __init__(self, switches: Sequence[str], *, strict: bool) -> None:
        self._switches = switches
        self._strict = strict
        self._findings: list[Finding] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a marked test and its repeats; the reports of its first run alone are its reports."""
        if item.get_closest_marker(MARKER) is None:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports, finding = sweep(item, nextitem, self._switches)
        reports[-1].user_properties.append((PROPERTY, encode_finding(finding)))
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def open_workspace(self, item: pytest.Item, fake: Fake) -> WorkspaceHandle:
        """A workspace for the fixture `customerio`: with the choices of this run, if it is one of a marked test."""
        trial = item.stash.get(TRIAL, None)
        return fake.new_workspace() if trial is None else trial.open_workspace(fake)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called where the test ran and, with xdist, where the results come together."""
        self._findings += [parse_finding(str(text)) for name, text in report.user_properties if name == PROPERTY]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The section at the end."""
        if self._findings:
            terminalreporter.section("undocumented behaviour that results depend on")
            for line in summary(sorted(self._findings, key=_by_test), strict=self._strict):
                terminalreporter.line(line)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """With `--fakeio-ambiguity-strict`, a dependence fails a run that would have passed."""
        depends = any(finding.changes for finding in self._findings)
        if self._strict and depends and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def sweep(
    item: pytest.Item, nextitem: pytest.Item | None, switches: Sequence[str]
) -> tuple[list[pytest.TestReport], Finding]:
    """The reports of the first run, and what the repeats found.

    Each run is torn down as far as the next test needs it: fixtures of a wider scope are set up anew only after the
    last test that shares them.
    """
    first = Trial()
    reports = run(item, nextitem, first)
    usual, began_with = ended(reports), first.began_with
    if began_with is None:
        return reports, Finding(item.nodeid, 0, None, ())
    touched = [name for name in switches if name in first.read]
    changes = []
    others = [(name, choice) for name in touched for choice in other_choices(name, began_with[name])]
    for name, choice in others:
        found = ended(run(item, nextitem, Trial({name: choice})))
        if found.outcome != usual.outcome:
            changes.append(Change(name, began_with[name], choice, found))
    return reports, Finding(item.nodeid, len(others), touched, changes)


def run(item: pytest.Item, nextitem: pytest.Item | None, trial: Trial) -> list[pytest.TestReport]:
    """Setup, call and teardown, unreported."""
    item.stash[TRIAL] = trial
    try:
        return runtestprotocol(item, log=False, nextitem=nextitem)
    finally:
        del item.stash[TRIAL]


def other_choices(name: str, usual: Any) -> Iterator[Any]:
    """The choices of a switch but one; True is not 1 here."""
    return (one for one in CATALOGUE[name].choices if one != usual or type(one) is not type(usual))


def ended(reports: Sequence[pytest.TestReport]) -> Ended:
    """A failure anywhere makes a failed run, else a skip a skipped one (an expected failure is one to pytest)."""
    for outcome in (FAILED, SKIPPED):
        for report in reports:
            if report.outcome == outcome:
                return Ended(outcome, short_reason(report))
    return Ended(PASSED)


def short_reason(report: pytest.TestReport) -> str:
    """The first line of why, cut to a line of a terminal."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        text = str(crash.message)
    else:
        text = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    line = next(iter(text.strip().splitlines()), "")
    return line if len(line) <= _MOST_CHARACTERS else f"{line[: _MOST_CHARACTERS - 1]}…"


# ---- from where a test ran to the terminal ---------------------------------------------------------------------------


def encode_finding(finding: Finding) -> str:
    """JSON text: a report carries only plain values from one process to another."""
    return json.dumps(finding)


def parse_finding(text: str) -> Finding:
    test, repeats, touched, changes = json.loads(text)
    found = [Change(switch, usual, choice, Ended(*end)) for switch, usual, choice, end in changes]
    return Finding(test, repeats, touched, found)


# ---- wording ---------------------------------------------------------------------------------------------------------


def summary(findings: Sequence[Finding], *, strict: bool) -> Iterator[str]:
    """A line for each test and switch that it depends on, then the table."""
    depending = [finding for finding in findings if finding.changes]
    for finding in depending:
        for switch, changes in by_switch(finding.changes).items():
            yield f"{finding.test} depends on {switch} ({describe(switch, changes)})"
    for finding in findings:
        if finding.touched is None:
            yield f"{finding.test} could not be examined: it never used the fixture `customerio`"
    if depending:
        yield ""
        yield from table(depending)
        yield ""
    repeats = sum(finding.repeats for finding in findings)
    yield f"{len(findings)} marked, repeated {repeats} times in all; {len(depending)} depend on undocumented behaviour"
    if strict and depending:
        yield "the run fails, as --fakeio-ambiguity-strict asks"


def _by_test(finding: Finding) -> str:
    return finding.test


def by_switch(changes: Sequence[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.switch, []).append(change)
    return found


def describe(switch: str, changes: Sequence[Change]) -> str:
    """`default ignore [documented]; fails under create: …`."""
    row = CATALOGUE[switch]
    here = "" if changes[0].usual == row.default else f"{changes[0].usual} here, "
    became = [f"{_VERBS[one.ended.outcome]} under {one.choice}{_because(one.ended)}" for one in changes]
    return "; ".join([f"{here}default {row.default} [{row.grade}]", *became])


def _because(end: Ended) -> str:
    return f": {end.reason}" if end.reason else ""


def table(depending: Sequence[Finding]) -> Iterator[str]:
    """One row a switch and choice: what it decides, and how many tests it changes."""
    counted: dict[tuple[str, Any], list[Change]] = {}
    for change in (one for finding in depending for one in finding.changes):
        counted.setdefault((change.switch, change.choice), []).append(change)
    rows = [("switch", "default", "grade", "choice", "tests", "what it decides")]
    for (switch, choice), changes in sorted(counted.items(), key=lambda pair: (pair[0][0], str(pair[0][1]))):
        row = CATALOGUE[switch]
        rows.append((switch, str(row.default), row.grade, str(choice), str(len(changes)), row.says))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for cells in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
