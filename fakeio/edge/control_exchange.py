"""Control route that answers "what became of this request, and what was probably meant".

Every operation with the rule that decided it in full words; for those that came to nothing, the near misses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fakeio.core.identifiers import Ref
from fakeio.core.near_misses import of_event, of_identifier, of_person
from fakeio.core.operations import Operation, RecordEvent
from fakeio.core.outcomes import Applied, Outcome
from fakeio.core.rules import RULES
from fakeio.core.workspace import Workspace
from fakeio.edge.control_http import Call, ControlError, Result, parse_number
from fakeio.edge.control_requests import where_it_went
from fakeio.edge.meant import operations_of
from fakeio.edge.odd_requests import oddities
from fakeio.edge.regions import gate_of
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.routing import TRACK
from fakeio.edge.tape import Exchange, as_row


def explain_request(call: Call) -> Result:
    """One exchange: its operations, the rule behind each in full, and what was probably meant."""
    n = parse_number(call.params["n"], "n", at_least=1)
    with call.opened() as hosted:
        exchange = hosted.tape.get(n)
        if exchange is None:
            where = where_it_went(hosted.tape, n)
            raise ControlError(404, "unknown_request", f"request {n} is not on the tape", where)
        sent = operations_of(call.desk.universe, hosted, exchange)
        rows = as_row(exchange)["operations"]
        explained = [
            {**row, **_rule(row["rule"]), "near_misses": _near_misses(hosted.state, exchange, operation, outcome)}
            for row, (_, outcome), operation in zip(rows, exchange.operations, sent, strict=True)
        ]
        return Result(200, {
            "n": n, "method": exchange.request.method, "path": exchange.request.path, "status": exchange.status,
            "faults": list(exchange.faults), "operations": explained, "hints": list(_hints(hosted, exchange)),
        })  # fmt: skip


def _rule(rule_id: str | None) -> dict[str, Any]:
    rule = RULES.get(rule_id or "")
    if rule is None:
        return {"says": None, "grade": None, "source": None, "effect": None}
    return {"says": rule.says, "grade": rule.grade, "source": rule.source, "effect": rule.effect}


def _near_misses(
    space: Workspace, exchange: Exchange, operation: Operation | None, outcome: Outcome | None
) -> list[str]:
    found: list[str] = []
    if isinstance(outcome, Applied):
        found += _made_by_mistake(space, exchange, outcome)
    else:
        for name in ("ref", "primary", "secondary"):
            ref = getattr(operation, name, None)
            if isinstance(ref, Ref) and space.people.find(ref) is None:
                found += of_identifier(space, ref)
    if isinstance(operation, RecordEvent):
        recorded = (event for event in space.events() if event.request == exchange.n)
        found += [line for event in recorded for line in of_event(space, event)]
    return list(dict.fromkeys(found))


def _made_by_mistake(space: Workspace, exchange: Exchange, outcome: Applied) -> list[str]:
    """Somebody whom this request made, and who was perhaps there already."""
    person = space.people.get(outcome.person) if outcome.person is not None else None
    return of_person(space, person) if person is not None and person.born.request == exchange.n else []


def _hints(hosted: HostedWorkspace, exchange: Exchange) -> Iterator[str]:
    """What is odd about the request as a whole."""
    host = exchange.request.header(b"host")
    gate = gate_of(host)
    if gate is not None and gate.region != hosted.region:
        right = f"track{'-eu' if hosted.region == 'eu' else ''}" if gate.api == TRACK else "the other regional host"
        yield f"these credentials belong to region {hosted.region}, the host to {gate.region}: use {right}"
    yield from oddities(exchange.request.path, as_row(exchange)["body"])
    if exchange.faults:
        yield f"a fault struck ({', '.join(exchange.faults)}); this is not how the service behaves by itself"
    if exchange.error is not None:
        yield f"fakeio itself failed: {exchange.error}"
