"""What an assertion may conclude from a tape that has lost part of what arrived: nothing, and it says so."""

from __future__ import annotations

from fakeio.core.wording import Report
from fakeio.edge.tape import Tape
from fakeio.edge.tape_words import incomplete


def need_all(tape: Tape, what: str) -> None:
    """Raise AssertionError unless the tape holds everything since it was last cleared."""
    __tracebackhide__ = True
    why = incomplete(tape)
    if why is not None:
        report = Report(f"{what} can't be told: exchanges are missing")
        report.add("why", why)
        raise AssertionError(str(report))


def add_incomplete(report: Report, tape: Tape) -> None:
    """Say that the explanation may lack something."""
    why = incomplete(tape)
    if why is not None:
        report.add("but", why)
