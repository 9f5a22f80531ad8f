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
#: So many items refused one by one, and not one accepted: the rest is asked for in large parts, and taken apart only
#: when one of them is accepted after all.
HOPELESS = 20
_Part = tuple[int, int]  # the first item, and the one after the last


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
    search, unclear = _Search(len(batch.items)), 0
    while (part := search.next_part()) is not None:
        fate = yield batch.request(*part)
        if fate.kind in (FateKind.ACCEPTED, FateKind.PARTIAL):
            guilty = _guilty(fate, *part)
        elif fate.kind is FateKind.REFUSED and _about_content(fate, batch):
            guilty = None
        else:
            return _ended(fate, [part, *search.todo], search.all_refused(), unclear)
        unclear += guilty is None and fate.kind is FateKind.PARTIAL
        search.note(part, guilty, fate)
    return Verdicts(End.SETTLED, search.all_refused(), [], unclear=unclear)


class _Search:
    """Which items are guilty, found in parts of the batch, first things first.

    Where the first HOPELESS are, and nobody else, the rest is asked for in large parts, which are taken apart only when
    one item is accepted after all. If none is by itself, the last of each of those parts is asked for alone: then, for
    once, somebody's events may overtake each other, in place of being lost.
    """

    def __init__(self, size: int) -> None:
        self.todo: list[_Part] = [(0, size)]  # a pile: the first part lies on top, which is the end
        self._refused: dict[int, Refusal] = {}
        self._given_up: dict[_Part, Refusal] = {}
        self._accepted = 0
        self._sampled = False

    def next_part(self) -> _Part | None:
        """What to ask for next; None when everything is known."""
        if not self.todo and not self._sampled:
            self._sampled = True
            self.todo = [(last - 1, last) for _, last in reversed(self._given_up)]
            self._given_up = {(first, last - 1): why for (first, last), why in self._given_up.items()}
        return self.todo.pop() if self.todo else None

    def note(self, part: _Part, guilty: dict[int, Refusal] | None, fate: Fate) -> None:
        """`guilty` are those whom the answer names; None: it refuses the part as a whole."""
        first, last = part
        if guilty is None and last - first == 1:
            guilty = {first: _refusal(fate)}
        if guilty is not None:
            self._refused.update(guilty)
            self._accepted += last - first - len(guilty)
        elif len(self._refused) >= HOPELESS and not self._accepted:
            self._given_up[part] = _refusal(fate)
        else:
            self.todo += _halves(part)
        if self._accepted and self._given_up:
            self.todo += [half for one in reversed(self._given_up) for half in _halves(one)]
            self._given_up = {}

    def all_refused(self) -> dict[int, Refusal]:
        """Every refused item, those of parts that were given up among them."""
        return self._refused | {at: why for part, why in self._given_up.items() for at in range(*part)}


def _halves(part: _Part) -> list[_Part]:
    """Both halves of a part, the first one last; one alone has no halves."""
    first, last = part
    middle = (first + last) // 2
    return [(middle, last), (first, middle)] if last - first > 1 else [part]


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
