"""What an assertion may conclude while the tape has lost exchanges, or operations wait: nothing, and it says so."""

from __future__ import annotations

from fakeio.core.wording import Report, several
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


def count_waiting(tape: Tape) -> int:
    """How many operations were accepted and are not processed yet."""
    return sum(outcome is None for exchange in tape for _, outcome in exchange.operations)


def need_settled(tape: Tape, what: str) -> None:
    """Raise AssertionError while it is open what becomes of something that was accepted."""
    __tracebackhide__ = True
    waiting = count_waiting(tape)
    if waiting:
        report = Report(f"{what} can't be told yet")
        report.add("waiting", f"{several(waiting, 'operation')} not processed yet: move the clock on, or flush() first")
        raise AssertionError(str(report))


def add_incomplete(report: Report, tape: Tape) -> None:
    """Say that the explanation may lack something."""
    why = incomplete(tape)
    if why is not None:
        report.add("but", why)
