"""Delivers batches on several lanes while the next ones are being made: one request in flight a lane.

One person's events are never overtaken: `core/batches.py` gives all of them one lane, and a lane sends nothing before
the batch before it has its verdicts. Decides nothing about the verdicts (`core/delivery.py`) and writes nothing down
(`dispatch.py`).
"""

from __future__ import annotations

from typing import NamedTuple

from sync.core.batches import Batch
from sync.core.delivery import End, Verdicts, deliver
from sync.core.sending import Fate
from sync.core.verdicts import is_answer
from sync.lanes import Lanes
from sync.run import Driver


class Delivered(NamedTuple):
    """Batch `n` with what became of its items."""

    n: int
    batch: Batch
    verdicts: Verdicts


class Courier(Lanes[tuple[int, Batch], Delivered]):
    """Takes batches, gives back verdicts, in the order of each lane.

    Once the destination refuses the sender rather than an item, nothing more is sent on any lane, tries of requests
    under way included; everything still waiting comes back unsent.
    """

    def __init__(self, driver: Driver, lanes: int = 1) -> None:
        super().__init__(self._carry, lanes, name="courier")
        self._driver = driver
        self._halted: Fate | None = None

    def hand_over(self, n: int, batch: Batch) -> None:
        """Deliver this batch after those before it on its lane."""
        self.take(batch.lane, (n, batch))

    def stop(self) -> None:
        """Send nothing more; a request that is on the wire may still get its answer."""
        self._driver.stop()

    def _carry(self, task: tuple[int, Batch]) -> Delivered:
        return Delivered(*task, self._deliver(task[1]))

    def _deliver(self, batch: Batch) -> Verdicts:
        if self._halted is not None:
            return Verdicts(End.HALTED, {}, list(range(len(batch.items))), self._halted)
        story = deliver(batch)
        request = next(story)
        try:
            while True:
                request = story.send(self._driver.send(request, is_answer))
        except StopIteration as end:
            verdicts: Verdicts = end.value
        if verdicts.end is End.HALTED:
            self._halted = verdicts.fate
            self._driver.stop()
        return verdicts
