"""What arrived and did not take effect: every such operation with what it meant, for a failure to show.

Four fates: accepted and ignored, partly ignored, refused, still waiting; and one more, struck by a fault before anything
was done. Callers hold the workspace's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from fakeio.core.operations import Operation
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.wording import Report, path_shown
from fakeio.edge.exchange import Universe
from fakeio.edge.meant import items_of, operation_of, operations_of
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.tape import Exchange

IGNORED, PARTLY, REFUSED, WAITING, STRUCK = (
    "accepted and ignored", "partly ignored", "refused", "accepted and not visible yet", "struck by a fault",
)  # fmt: skip


class Loss(NamedTuple):
    """One operation that did not take effect, or one part of it. `meant` is None where that can't be told."""

    exchange: Exchange
    name: str
    fate: str
    why: str
    rule: str | None
    meant: Operation | None

    def add_to(self, report: Report, *more: str) -> None:
        """A paragraph about it."""
        rule = f" [{self.rule}]" if self.rule else ""
        report.add(request_label(self.exchange), request_words(self.exchange), f"{self.sentence()}{rule}", *more)

    def sentence(self) -> str:
        return f"{self.name} was {self.fate}: {self.why}"


def request_label(exchange: Exchange) -> str:
    """`request 7`, as `fakeio explain 7` knows it."""
    return f"request {exchange.n}"


def request_words(exchange: Exchange) -> str:
    """What was asked, and the status of the answer."""
    request = exchange.request
    answered = f"answered {exchange.status}" if exchange.status is not None else (exchange.cut or "not answered yet")
    struck = f", after a fault ({', '.join(exchange.faults)})" if exchange.faults else ""
    return f"{request.method} {path_shown(request.path)}, {answered}{struck}"


def losses(universe: Universe, hosted: HostedWorkspace, wanted: Callable[[str], bool]) -> Iterator[Loss]:
    """Those of operations whose name is wanted, and those that can't be told, in order of arrival."""
    for exchange in hosted.tape:
        if exchange.faults and not exchange.operations:
            yield from _struck(universe, hosted, exchange, wanted)
        elif any(not isinstance(outcome, Applied) or outcome.notes for _, outcome in exchange.operations):
            meant = operations_of(universe, hosted, exchange)
            for (name, outcome), operation in zip(exchange.operations, meant, strict=True):
                if wanted(name) or operation is None:
                    yield from _of(exchange, name, outcome, operation)


def _of(exchange: Exchange, name: str, outcome: Outcome | None, meant: Operation | None) -> Iterator[Loss]:
    if outcome is None:
        why = "move the clock on, or flush()"
        yield Loss(exchange, name, WAITING, why, None, meant)
    elif isinstance(outcome, Applied):
        for note in outcome.notes:
            yield Loss(exchange, name, PARTLY, note.why, note.rule, meant)
    elif isinstance(outcome, Refused):
        why = "; ".join([outcome.message, *(more.message for more in outcome.more)])
        yield Loss(exchange, name, REFUSED, why, outcome.rule, meant)
    else:
        yield Loss(exchange, name, IGNORED, outcome.why, outcome.rule, meant)


def _struck(
    universe: Universe, hosted: HostedWorkspace, exchange: Exchange, wanted: Callable[[str], bool]
) -> Iterator[Loss]:
    why = f"{', '.join(exchange.faults)}; nothing was done"
    for item in items_of(universe, hosted, exchange):
        if wanted(item.name):
            yield Loss(exchange, item.name, STRUCK, why, None, operation_of(item))
