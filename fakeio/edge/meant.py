"""What the operations of an exchange meant: its request, parsed once more by the handler of its route.

The tape keeps how operations ended, not what they were; a handler only parses, so it can be asked again. Track alone:
what the App API is asked mostly reads. Callers hold the workspace's lock.
"""

from __future__ import annotations

from collections.abc import Sequence

from fakeio.core.operations import Operation
from fakeio.core.outcomes import Refused
from fakeio.edge.directory import resolve
from fakeio.edge.exchange import Universe
from fakeio.edge.regions import gate_of
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.routing import TRACK, Route, decode_segment
from fakeio.edge.tape import Exchange
from fakeio.edge.work import After, Call, Item, Settled, Work


def route_of(universe: Universe, exchange: Exchange) -> tuple[Route, list[str]]:
    """The route that answered, and the raw segments that its template leaves open."""
    request = exchange.request
    return resolve(universe.router, gate_of(request.header(b"host")), request.method, request.path)


def items_of(universe: Universe, hosted: HostedWorkspace, exchange: Exchange) -> Sequence[Item]:
    """Everything the request asked for; nothing where it was refused as a whole."""
    if exchange.api != TRACK:
        return ()
    route, raw_segments = route_of(universe, exchange)
    segments = [decode_segment(raw) or "" for raw in raw_segments]
    step = route.handler(Call(universe.registry, hosted, exchange.request, segments, exchange.n))
    return step.items if isinstance(step, Work) else ()


def operation_of(item: Item) -> Operation | None:
    """The operation itself; None where an edge decided alone."""
    if isinstance(item, After):
        return item.operation
    return None if isinstance(item, Settled) else item


def operations_of(universe: Universe, hosted: HostedWorkspace, exchange: Exchange) -> list[Operation | None]:
    """What each operation on the tape's list meant, in its order; None where that can't be told any more."""
    done = exchange.operations
    found: list[Operation | None] = []
    refused = False
    for item in items_of(universe, hosted, exchange):
        if len(found) == len(done):
            break
        if isinstance(item, After) and refused:
            continue  # it was dropped with what it belonged to, and is not on the list
        name, outcome = done[len(found)]
        refused = isinstance(outcome, Refused)
        # settings may have changed since: what is read differently today tells nothing
        found.append(operation_of(item) if item.name == name else None)
    return found + [None] * (len(done) - len(found))
