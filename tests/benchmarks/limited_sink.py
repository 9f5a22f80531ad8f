"""The sink with a limit that it enforces: more than RATE requests in any window of one second are answered 429.

`python -m tests.benchmarks.limited_sink` prints its address, as `sink.py` does.
"""

from __future__ import annotations

import time
from collections import deque

import uvloop

from tests.benchmarks.sink import TAKEN, Swallow, serve

RATE = 200
TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Window:
    """The moments of the requests that were taken within the last second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._taken: deque[float] = deque()

    def takes(self, now: float) -> bool:
        """Whether one more fits; it counts then."""
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if len(self._taken) >= self._rate:
            return False
        self._taken.append(now)
        return True


WINDOW = Window(RATE)


class Limited(Swallow):
    """A connection of it."""

    def taken(self) -> bytes:
        return TAKEN if WINDOW.takes(time.monotonic()) else TOO_MANY


if __name__ == "__main__":
    uvloop.run(serve(Limited))
