"""What a workspace has promised to do later: a queue of things to do, by the time each is due.

Keeps order, nothing else: by time, then by arrival. What is to be done is a word and a key, so that the queue holds
values and no code; `managing.py` says which function a word stands for.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import NamedTuple


class Task(NamedTuple):
    """One thing to do: when (Unix seconds), in which order among those of one time, what, and to which thing."""

    due: float
    number: int
    what: str
    key: str | int


class Agenda:
    """The tasks of one workspace."""

    def __init__(self) -> None:
        self._queue: list[Task] = []
        self._added = 0

    def fork(self) -> Agenda:
        """The same promises for another workspace."""
        other = Agenda()
        other._queue, other._added = self._queue.copy(), self._added
        return other

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, due: float, what: str, key: str | int) -> None:
        """Promise to do something at a time."""
        self._added += 1
        heapq.heappush(self._queue, Task(due, self._added, what, key))

    def waiting(self) -> list[Task]:
        """Everything promised, in the order in which it is due."""
        return sorted(self._queue)

    def next_due(self) -> float:
        """When the first of them is due; never, when nothing was promised."""
        return self._queue[0].due if self._queue else math.inf

    def take(self, now: float) -> Iterator[Task]:
        """Those due by `now`, in order; what they add for the same time is among them."""
        while self._queue and self._queue[0].due <= now:
            yield heapq.heappop(self._queue)
