"""What arrived and did not take effect: every such operation with what it meant, for a failure to show.

Its fate is one of: accepted and ignored, partly ignored, refused, still waiting, or struck by a fault before anything
was done. Callers hold the workspace's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from fakeio.core.identifiers import Ref
from fakeio.core.operations import Operation
from fakeio.core.outcomes import Applied, Outcome, Refused
from fakeio.core.rules import RULES, UNCHANGED
from fakeio.core.wording import LONGEST_WHY, Report, clipped
from fakeio.edge.exchange import Universe
from fakeio.edge.meant import items_of, operation_of, operations_of
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.routing import TRACK
from fakeio.edge.tape import Exchange
from fakeio.edge.tape_words import request_label, request_words

IGNORED, PARTLY, REFUSED, WAITING, STRUCK = (
    "accepted and ignored", "partly ignored", "refused", "accepted and is not visible yet", "not carried out",
)  # fmt: skip
_NOWHERE = ("route.unknown", "route.not_imitated")
_UNDERSTOOD = frozenset(kind.name for kind in Operation.__subclasses__())


class Loss(NamedTuple):
    """One operation that did not take effect, or one part of it. `meant` is None where that can't be told."""

    exchange: Exchange
    name: str
    fate: str
    why: str
    rule: str | None
    meant: Operation | None

    @property
    def because(self) -> str:
        """Its fate and why, for a headline: `accepted and ignored, because …`."""
        return f"{self.fate}, because {clipped(self.why, LONGEST_WHY)}"

    @property
    def is_harmless(self) -> bool:
        """Whether it was ignored since everything was so already."""
        return self.rule is not None and RULES[self.rule].effect == UNCHANGED

    def add_to(self, report: Report, *more: str) -> None:
        """A paragraph about it."""
        rule = f" [{self.rule}]" if self.rule else ""
        fate = f"{self.name} was {self.fate}: {clipped(self.why, LONGEST_WHY)}{rule}"
        report.add(request_label(self.exchange), request_words(self.exchange), fate, *more)


def add_causes(report: Report, hosted: HostedWorkspace, shown: Iterable[Loss]) -> None:
    """A paragraph about each request that suppressed somebody whom the losses name."""
    refs = [ref for loss in shown if isinstance(ref := getattr(loss.meant, "ref", None), Ref)]
    found = [one.request for ref in refs if (one := hosted.state.suppressions.find(ref)) is not None]
    for n in dict.fromkeys(found):
        exchange = hosted.tape.get(n)
        if exchange is not None:
            report.add(request_label(exchange), request_words(exchange))


def losses(universe: Universe, hosted: HostedWorkspace, wanted: Callable[[str], bool]) -> Iterator[Loss]:
    """Those of operations whose name is wanted, and those that can't be told, in order of arrival."""
    for exchange in hosted.tape:
        if exchange.faults and not exchange.operations:
            yield from _struck(universe, hosted, exchange, wanted)
        elif any(not isinstance(outcome, Applied) or outcome.notes for _, outcome in exchange.operations):
            meant = operations_of(universe, hosted, exchange)
            for (name, outcome), operation in zip(exchange.operations, meant, strict=True):
                if wanted(name) or (operation is None and _may_be_any(exchange, name, outcome)):
                    yield from _of(exchange, name, outcome, operation)


def _may_be_any(exchange: Exchange, name: str, outcome: Outcome | None) -> bool:
    """Whether an operation that nobody understood may have been the one in question: it went to Track, or nowhere."""
    lost = isinstance(outcome, Refused) and outcome.rule in _NOWHERE
    return lost or (exchange.api == TRACK and name not in _UNDERSTOOD)


def _of(exchange: Exchange, name: str, outcome: Outcome | None, meant: Operation | None) -> Iterator[Loss]:
    if outcome is None:
        why = "its delay is not over: move the clock on, or flush()"
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
    why = f"a fault struck first ({', '.join(exchange.faults)})"
    for item in items_of(universe, hosted, exchange):
        if wanted(item.name):
            yield Loss(exchange, item.name, STRUCK, why, None, operation_of(item))
