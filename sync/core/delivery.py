"""One batch until every event in it has a verdict: a story that yields requests and is told how each ended.

A 207 names the guilty items. A 400 names nobody, so the batch is halved, in order, until each guilty item stands alone;
the others arrive on the way. Sending an item again is harmless, because it carries its id. Retries of one request are
`sending.py`; what is written down is `run_events.py`.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum

import msgspec

from sync.core.batches import Batch
from sync.core.sending import Fate, FateKind, Reply, Request
from sync.core.verdicts import complaint, parse_item_errors

#: Statuses that are about the content of a request. Any other refusal (a redirect, a 404) is about the address, and
#: asking again item by item would only repeat it.
ABOUT_CONTENT = frozenset({400, 413, 422})
#: So many items refused one by one, and not one accepted: the batch is refused as a whole.
HOPELESS = 20


class Refusal(msgspec.Struct, frozen=True):
    """Why one item was refused for good; `field` and `message` are the destination's words, which may be empty."""

    reason: str
    field: str
    message: str


class End(Enum):
    """Whether the batch came to its end."""

    SETTLED = "settled"  #: every item is accepted or refused
    UNSETTLED = "unsettled"  #: patience ran out with items that have no final answer
    HALTED = "halted"  #: the destination refuses us, not the items: nothing more should be sent
    STOPPED = "stopped"  #: we were told to stop on the way


class Verdicts(msgspec.Struct):
    """What became of a batch's items, by position. Items that are in neither are accepted."""

    end: End
    refused: dict[int, Refusal]
    open: list[int]
    fate: Fate | None = None  # of the request that did not settle
    unclear: int = 0  # answers that blamed nobody in the batch, or somebody who is not in it


def deliver(batch: Batch) -> Generator[Request, Fate, Verdicts]:
    """Yields each request of a batch; receives its Fate. A part that does not settle ends the story."""
    todo = [(0, len(batch.items))]
    refused: dict[int, Refusal] = {}
    accepted = unclear = 0
    while todo:
        first, last = todo.pop()
        fate = yield batch.request(first, last)
        if fate.kind in (FateKind.ACCEPTED, FateKind.PARTIAL):
            guilty = _guilty(fate, first, last)
        elif fate.kind is FateKind.REFUSED and _about_content(fate, batch):
            guilty = None
        else:
            return _ended(fate, [(first, last), *todo], refused, unclear)
        unclear += guilty is None and fate.kind is FateKind.PARTIAL
        if guilty is None and last - first == 1:
            guilty = {first: _refusal(fate)}
        if guilty is not None:
            refused.update(guilty)
            accepted += last - first - len(guilty)
        elif len(refused) >= HOPELESS and not accepted:
            refused.update(dict.fromkeys(range(first, last), _refusal(fate)))
        else:
            middle = (first + last) // 2
            todo += ((middle, last), (first, middle))
    return Verdicts(End.SETTLED, refused, [], unclear=unclear)


def _guilty(fate: Fate, first: int, last: int) -> dict[int, Refusal] | None:
    """The refused items of an answer, by position in the batch; None when it does not say which."""
    if fate.kind is FateKind.ACCEPTED or fate.reply is None:
        return {}
    errors = parse_item_errors(fate.reply, last - first)
    if errors is None:
        return None
    # an item may be named twice; the first complaint is kept
    return {first + one.index: Refusal(one.reason or "http_207", one.field, one.message) for one in reversed(errors)}


def _about_content(fate: Fate, batch: Batch) -> bool:
    status = fate.reply.status if fate.reply else 0
    return status in ABOUT_CONTENT or (batch.alone is not None and 404 <= status < 500)


def _refusal(fate: Fate) -> Refusal:
    why = complaint(fate.reply or Reply(0))
    return Refusal(why.reason, why.field, why.message)


def _ended(fate: Fate, todo: list[tuple[int, int]], refused: dict[int, Refusal], unclear: int) -> Verdicts:
    still_open = sorted(n for first, last in todo for n in range(first, last))
    return Verdicts(_ENDS.get(fate.kind, End.UNSETTLED), refused, still_open, fate, unclear)


_ENDS = {
    FateKind.UNAUTHORISED: End.HALTED, FateKind.REFUSED: End.HALTED, FateKind.STOPPED: End.STOPPED,
}
