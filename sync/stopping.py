"""Holds a signal to stop back while a step is under way, so that it falls between two steps and never into one.

What was counted and what was written down would differ otherwise: Python lets a signal interrupt any line. Outside the
main thread there is nothing to hold back, for signals only reach that one.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Shield:
    """`on_signal` is called at once, from the handler, to end a wait that goes on inside a step."""

    def __init__(self, on_signal: Callable[[], None] = lambda: None) -> None:
        self._on_signal = on_signal
        self._asked: list[int] = []
        self._up = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Signals inside come into effect when it ends, unless an error ends it: the error is told then."""
        if self._up or threading.current_thread() is not threading.main_thread():
            yield
            return
        self._asked, self._up = [], True
        before = {one: signal.signal(one, self._note) for one in SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
            self._up = False
        for number in self._asked[:1]:
            signal.raise_signal(number)

    def give_way(self) -> None:
        """Inside a step, at a point where it may end: stop here if somebody asked."""
        if self._asked:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked.append(number)
        self._on_signal()
