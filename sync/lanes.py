"""A few threads that carry out tasks, each lane strictly one after the other; what they bring back comes to one place.

Knows nothing of what a task is. The thread that gives tasks is the one that takes results back, so that everything
which is written down is written by one thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, Self, TypeVar

Task = TypeVar("Task")
Done = TypeVar("Done")


class Lanes(Generic[Task, Done]):
    """`count` lanes. A context manager: leaving it lets each lane end what it has begun."""

    def __init__(self, work: Callable[[Task], Done], count: int, *, name: str = "lane") -> None:
        """`work` runs in the lane's thread; an exception of it ends all lanes and is raised by `give_back`."""
        self.busy = [0] * count  # tasks of each lane that were given and not taken back
        self._work = work
        self._name = name
        self._todo: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in range(count)]
        self._done: SimpleQueue[tuple[int, Done] | BaseException | None] = SimpleQueue()
        self._started: set[int] = set()
        self._broken = False

    @property
    def under_way(self) -> int:
        """Tasks of all lanes that were given and not taken back."""
        return sum(self.busy)

    def take(self, lane: int, task: Task) -> None:
        """Carry this out after everything that the lane was given before."""
        self.busy[lane] += 1
        self._todo[lane].put(task)
        if lane not in self._started:
            self._started.add(lane)
            # a daemon: a process that was told to stop does not wait for an answer that may take minutes
            threading.Thread(target=self._run, args=(lane,), name=f"{self._name}-{lane}", daemon=True).start()

    def give_back(self, *, wait_s: float | None = None) -> Done | None:
        """A result, of whichever lane has one; None when there is none within `wait_s` seconds (None: wait for ever)
        or somebody called `wake`."""
        try:
            done = self._done.get(timeout=wait_s) if wait_s is None or wait_s > 0 else self._done.get_nowait()
        except Empty:
            return None
        if done is None:
            return None
        if isinstance(done, BaseException):
            raise done
        lane, result = done
        self.busy[lane] -= 1
        return result

    def wake(self) -> None:
        """End one waiting `give_back`. May be called by a signal's handler: putting is the one thing that is allowed
        in the middle of getting."""
        self._done.put(None)

    def _run(self, lane: int) -> None:
        while (task := self._todo[lane].get()) is not None and not self._broken:
            try:
                self._done.put((lane, self._work(task)))
            except BaseException as error:  # a bug: it belongs to whoever waits, and nothing may be sent after it
                self._broken = True
                self._done.put(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for lane in self._started:
            self._todo[lane].put(None)
