"""One clock for both sides: the engine waits on the clock of the workspace that it sends to.

The engine's pauses then take no time: each moves the workspace's clock on, and lets fall due there what is due. So a
schedule of retries over hours, with everything the fake does meanwhile, is tried in milliseconds.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count

from fakeio import WorkspaceHandle


class WorkspaceClock:
    """What the engine takes for its clock (`run_events(…, clock=…)`). Stops the workspace's clock where it stands.

    `slept` is how long the engine has waited in all, in seconds. Safe to use from several threads.
    """

    def __init__(self, workspace: WorkspaceHandle) -> None:
        workspace.clock.use("manual")
        self.slept = 0.0
        self._workspace = workspace
        self._lock = threading.RLock()
        self._plans: list[tuple[float, int, Callable[[], None]]] = []
        self._planned = count()

    def now(self) -> float:
        """Unix seconds."""
        return self._workspace.clock.now()

    def monotonic(self) -> float:
        """The same: nobody else moves this clock, and it is never set back."""
        return self.now()

    def sleep(self, seconds: float) -> None:
        """Passes at once; what was planned for a moment in between happens at that moment."""
        with self._lock:
            self.slept += seconds
            end = self.now() + seconds
            while self._plans and self._plans[0][0] <= end:
                at, _, do = heapq.heappop(self._plans)
                self._move_to(at)
                do()
            self._move_to(end)

    def plan(self, after_s: float, do: Callable[[], None]) -> None:
        """Have something happen that much later, while the engine waits: the end of an outage, say."""
        with self._lock:
            heapq.heappush(self._plans, (self.now() + after_s, next(self._planned), do))

    def _move_to(self, at: float) -> None:
        self._workspace.clock.set(max(at, self.now()))
