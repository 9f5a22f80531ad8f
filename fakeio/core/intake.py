"""Operations that were accepted and are not processed yet, in order per person.

The service answers before it processes; a read in between sees the state before. Operations that name a common
identifier keep their order; others may overtake one another when their delays differ.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from fakeio.core import operations as op
from fakeio.core.identifiers import EMAIL, ID, Ref
from fakeio.core.outcomes import Outcome

Settle = Callable[[Outcome, float], None]


class Held(NamedTuple):
    """One accepted operation: when it is due and was accepted (Unix seconds), and whom to tell how it ended."""

    due: float
    operation: op.Operation
    request: int
    accepted_at: float
    settle: Settle | None


class Intake:
    """The waiting operations of a workspace."""

    def __init__(self) -> None:
        self._queue: list[tuple[float, int, Held]] = []
        self._taken = 0
        self._last_due: dict[object, float] = {}

    def fork(self) -> Intake:
        """The same operations waiting in another workspace, where nobody is to be told how they end."""
        other = Intake()
        other._queue = [(due, number, held._replace(settle=None)) for due, number, held in self._queue]
        other._taken, other._last_due = self._taken, self._last_due.copy()
        return other

    def __len__(self) -> int:
        return len(self._queue)

    def next_due(self) -> float:
        """When the first of them is due; never, when nothing waits."""
        return self._queue[0][0] if self._queue else math.inf

    def due(self, operation: op.Operation, wanted: float) -> float:
        """When an operation can be due at the earliest without overtaking one about the same person."""
        if not self._queue:
            return wanted
        return max([wanted, *(self._last_due.get(key, wanted) for key in keys_of(operation))])

    def hold(self, held: Held, operation: op.Operation) -> None:
        """Keep one until its time."""
        self._taken += 1
        heapq.heappush(self._queue, (held.due, self._taken, held))
        for key in keys_of(operation):
            self._last_due[key] = held.due

    def take(self, now: float | None) -> Iterator[Held]:
        """Those due by `now` (None: all), in order of their time, then of their arrival; they wait no more."""
        while self._queue and (now is None or self._queue[0][0] <= now):
            yield heapq.heappop(self._queue)[2]
        if not self._queue:
            self._last_due.clear()

    def waiting(self) -> list[Held]:
        """Everything that waits, in order."""
        return [held for _, _, held in sorted(self._queue, key=lambda entry: entry[:2])]


def keys_of(operation: op.Operation) -> list[object]:
    """What an operation is about, for keeping order: identifiers, anonymous ids, objects, deliveries, forms."""
    keys: list[object] = []
    for name in ("ref", "primary", "secondary"):
        ref = getattr(operation, name, None)
        if isinstance(ref, Ref):
            keys.append(ref.key)
    if isinstance(operation, op.Identify):
        keys += _body_keys(operation)
    for name in ("anonymous_id", "object", "delivery_id", "form_id"):
        value = getattr(operation, name, None)
        if value:
            keys.append((name, value))
    return keys


def _body_keys(operation: op.Identify) -> list[object]:
    sent = operation.attributes
    keys: list[object] = [Ref(kind, value).key for kind in (ID, EMAIL) if isinstance(value := sent.get(kind), str)]
    anonymous_id = sent.get("anonymous_id")
    return [*keys, ("anonymous_id", str(anonymous_id))] if anonymous_id else keys
