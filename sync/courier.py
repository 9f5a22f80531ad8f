"""One thread that delivers batches, strictly one after the other, while the next one is being made.

One person's events are never overtaken, because nothing is sent before the batch before it has its verdicts. Decides
nothing about the verdicts (`core/delivery.py`) and writes nothing down (`run_events.py`).
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import NamedTuple

from sync.core.batches import Batch
from sync.core.delivery import End, Verdicts, deliver
from sync.core.sending import Fate
from sync.run import Driver


class Delivered(NamedTuple):
    """Batch `n` with what became of its items."""

    n: int
    batch: Batch
    verdicts: Verdicts


class Courier:
    """Takes batches, gives back verdicts, in the same order. A context manager.

    Once the destination refuses the sender rather than an item, everything still waiting comes back unsent.
    """

    def __init__(self, driver: Driver) -> None:
        self.under_way = 0
        self._driver = driver
        self._todo: SimpleQueue[tuple[int, Batch] | None] = SimpleQueue()
        self._done: SimpleQueue[Delivered | BaseException] = SimpleQueue()
        self._halted: Fate | None = None
        # a daemon: a process that was told to stop does not wait for an answer that may take minutes
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
        self._thread.start()

    def take(self, n: int, batch: Batch) -> None:
        """Deliver this batch after those before it."""
        self.under_way += 1
        self._todo.put((n, batch))

    def give_back(self, *, wait_s: float | None = None) -> Delivered | None:
        """The next batch with its verdicts; None when there is none within `wait_s` seconds (None: wait for ever)."""
        try:
            done = self._done.get(timeout=wait_s) if wait_s != 0 else self._done.get_nowait()
        except Empty:
            return None
        self.under_way -= 1
        if isinstance(done, BaseException):
            raise done
        return done

    def _work(self) -> None:
        while (task := self._todo.get()) is not None:
            try:
                self._done.put(Delivered(*task, self._deliver(task[1])))
            except BaseException as error:  # a bug: it belongs to whoever waits, and nothing may be sent after it
                self._done.put(error)
                return

    def _deliver(self, batch: Batch) -> Verdicts:
        if self._halted is not None:
            return Verdicts(End.HALTED, {}, list(range(len(batch.items))), self._halted)
        story = deliver(batch)
        request = next(story)
        try:
            while True:
                request = story.send(self._driver.send(request))
        except StopIteration as end:
            verdicts: Verdicts = end.value
        if verdicts.end is End.HALTED:
            self._halted = verdicts.fate
        return verdicts

    def __enter__(self) -> Courier:
        return self

    def __exit__(self, *_: object) -> None:
        self._todo.put(None)
