"""What a test spent: how many requests, how many of them changed nothing, how many in the busiest second.

Seconds are of the workspace's clock: on one that stands still every request falls into the same second. A request
changed nothing when it was answered with a 2xx, asked for something to be done, and none of it was. Requests that only
read, and answers that a fault gave, are no waste.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fakeio.asserting.tape import need_all, need_settled
from fakeio.core.outcomes import Ignored
from fakeio.core.wording import DIFFERENCES, LONGEST_WHY, Report, clipped, first, path_shown, several, tally
from fakeio.edge.exchange import Universe
from fakeio.edge.meant import route_of
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.routing import TRACK
from fakeio.edge.tape import Exchange

_OK = range(200, 300)


class Budget(NamedTuple):
    """At most so many; None: any number."""

    requests: int | None
    noop: int | None
    peak_track_rps: float | None


def check_budget(budget: Budget) -> None:
    """Raise TypeError for a budget that limits nothing, ValueError for a negative one."""
    if budget == (None, None, None):
        raise TypeError("a budget limits something: requests, noop or peak_track_rps")
    for name, most in budget._asdict().items():
        if most is not None and most < 0:
            raise ValueError(f"{name} is at least 0, not {most}")


def overspent(universe: Universe, hosted: HostedWorkspace, budget: Budget) -> str | None:
    """The failure in words; None when everything is within the budget. AssertionError: it can't be told."""
    __tracebackhide__ = True
    need_all(hosted.tape, "what was spent")
    if budget.noop is not None:
        need_settled(hosted.tape, "how many requests changed nothing")
    exchanges = list(hosted.tape)
    idle = [exchange for exchange in exchanges if changed_nothing(exchange)]
    busiest = busiest_second([exchange for exchange in exchanges if exchange.api == TRACK])
    spent = {"requests": len(exchanges), "noop": len(idle), "peak_track_rps": len(busiest)}
    over = {name: (spent[name], most) for name, most in budget._asdict().items()
            if most is not None and spent[name] > most}  # fmt: skip
    if not over:
        return None
    sums = "; ".join(f"{name} {was:,}, at most {most:,}" for name, (was, most) in over.items())
    report = Report(f"over the budget: {sums}")
    if "requests" in over:
        routes = tally(_route(universe, exchange) for exchange in exchanges)
        report.add("requests", *first(routes.split(", "), DIFFERENCES))
    if "noop" in over:
        report.add("noop", *first([_noop(exchange) for exchange in idle], DIFFERENCES))
    if "peak_track_rps" in over:
        report.add("busiest", _second(busiest))
    return str(report)


def changed_nothing(exchange: Exchange) -> bool:
    """Whether it was accepted, asked for something, and none of it had an effect."""
    done = exchange.operations
    return exchange.status in _OK and bool(done) and all(isinstance(outcome, Ignored) for _, outcome in done)


def busiest_second(exchanges: Sequence[Exchange]) -> Sequence[Exchange]:
    """The most exchanges that came within one second, wherever that second begins; the earliest of several."""
    ordered = sorted(exchanges, key=lambda exchange: (exchange.at, exchange.n))
    times = [exchange.at for exchange in ordered]
    busiest: Sequence[Exchange] = ()
    for last in range(len(ordered)):
        begins = bisect_right(times, times[last] - 1)
        if last + 1 - begins > len(busiest):
            busiest = ordered[begins : last + 1]
    return busiest


def _route(universe: Universe, exchange: Exchange) -> str:
    route, _ = route_of(universe, exchange)
    return f"{exchange.request.method} {route.path if route.imitated else path_shown(exchange.request.path)}"


def _noop(exchange: Exchange) -> str:
    why = "; ".join(_reasons(exchange.operations[:1]))
    more = f", and {len(exchange.operations) - 1:,} more" if len(exchange.operations) > 1 else ""
    asked = f"{exchange.request.method} {path_shown(exchange.request.path)}"
    return f"request {exchange.n}: {asked}: {clipped(why, LONGEST_WHY)}{more}"


def _reasons(done: Iterable[tuple[str, object]]) -> list[str]:
    return [f"{outcome.why} [{outcome.rule}]" for _, outcome in done if isinstance(outcome, Ignored)]


def _second(exchanges: Sequence[Exchange]) -> str:
    numbers = [exchange.n for exchange in exchanges]
    span = f"request {numbers[0]}" if len(numbers) == 1 else f"requests {min(numbers)} to {max(numbers)}"
    return f"{several(len(exchanges), 'request')} within one second from {exchanges[0].at:.3f}: {span}"
