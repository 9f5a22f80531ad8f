"""What a drawn fault does to one exchange, moment by moment, and how the tape is told.

Decides nothing about which request is struck (`core/weather.py`). A fault is written on the tape when it acts, not when
it is drawn: a request that was refused on its own account met no fault.
"""

from __future__ import annotations

import math
from collections.abc import Generator

from fakeio.core.outcomes import Refused
from fakeio.core.weather import (
    AFTER_COMMIT,
    BEFORE_PARSE,
    CLOSE,
    Answer,
    Drawn,
    Drop,
    FailItems,
    Hold,
    Pause,
    Postpone,
    Sever,
    Slow,
    Stall,
    Truncate,
)
from fakeio.edge.errors import TRACK_OK, app_json
from fakeio.edge.http import Cut, Reply, Wait
from fakeio.edge.piecemeal import Piecemeal
from fakeio.edge.routing import TRACK
from fakeio.edge.tape import Exchange

ABANDONED = Cut("abandoned")  # the client left, or the server was stopped, before the exchange had an end

End = Reply | Piecemeal | Cut

RULE = "fault"  # no rule of the service: what a fault refused
_REFUSED = Refused(RULE, "invalid", "", "refused by a fault")


def strike(drawn: Drawn | None, moment: str, exchange: Exchange) -> Generator[Wait, bool | None, Reply | Cut | None]:
    """Carry out what takes the place of an answer, if this is its moment; None when the request goes on."""
    if drawn is None or drawn.when != moment:
        return None
    action = drawn.action
    if isinstance(action, Answer):
        mark(exchange, drawn)
        return Reply(*action)
    if isinstance(action, Sever):
        mark(exchange, drawn)
        return Cut(action.how)
    if not isinstance(action, Pause | Hold):
        return None
    mark(exchange, drawn)
    left = yield Wait(math.inf if action.seconds is None else action.seconds, until_left=True)
    if isinstance(action, Pause):
        return None  # whether anybody still listens or not
    return ABANDONED if left else Cut(CLOSE)


def unheard(drawn: Drawn | None, api: str, exchange: Exchange) -> End | None:
    """The beginning of a success for a request that is not even read; None when the fault is another."""
    if drawn is None or drawn.when != BEFORE_PARSE or not isinstance(drawn.action, Truncate):
        return None
    return shape(plain_success(api), drawn, exchange)


def applies_nothing(drawn: Drawn | None) -> bool:
    """Whether the request is answered as usual and not carried out."""
    if drawn is None:
        return False
    return isinstance(drawn.action, Drop) or (isinstance(drawn.action, Truncate) and drawn.when != AFTER_COMMIT)


def postponed_s(drawn: Drawn | None, api: str, exchange: Exchange) -> float:
    """How long the fault delays what is accepted; the App API's own writes are never delayed."""
    if drawn is None or api != TRACK or not isinstance(drawn.action, Postpone):
        return 0.0
    mark(exchange, drawn)
    return drawn.action.seconds


def failing(drawn: Drawn | None) -> frozenset[int]:
    """The items of a batch that are to fail, by their places."""
    return drawn.action.indices if drawn is not None and isinstance(drawn.action, FailItems) else frozenset()


def refused_item(drawn: Drawn | None, exchange: Exchange) -> Refused:
    """How an item fails that the fault picked."""
    assert drawn is not None, "only a fault picks items"
    mark(exchange, drawn)
    return _REFUSED


def shape(reply: Reply, drawn: Drawn | None, exchange: Exchange) -> End:
    """The answer as it will travel."""
    if drawn is None or not isinstance(drawn.action, Truncate | Stall | Slow):
        return reply
    mark(exchange, drawn)
    if isinstance(drawn.action, Truncate) and not reply.body:
        return Cut(CLOSE)  # there is no body to stop in
    return Piecemeal(reply, drawn.action)


def plain_success(api: str) -> Reply:
    """The answer with nothing in it."""
    return TRACK_OK if api == TRACK else app_json({})


def mark(exchange: Exchange, drawn: Drawn) -> None:
    """Write on the tape that the answer, or the lack of one, is not the service's own."""
    exchange.faults = (drawn.kind,)
