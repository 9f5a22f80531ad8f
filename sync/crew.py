"""The syncs of a configuration side by side: each run in a process of its own, so many at a time.

A slow sync keeps no other from its slot. Two that share a lease are never run at once, for the second would only wait
and give up; all share one pace, by the files beside the ledger. What is due is for `running.py`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from sync.alone import Order, Outcome
from sync.core.errors import ConfigError
from sync.edge.console import Console
from sync.running import INTERRUPTED, LONGEST_SLEEP_S, Runner, Told

COMMAND = (sys.executable, "-P", "-m", "sync.alone")
CRASHED = 4  # the exit code of a run whose process died: nobody knows how far it came
REST_S = 60.0  # before a run that was cut off is tried again
STOP_S = 30.0  # for a run that was told to stop; an events run waits five seconds for its answers


class Hand(NamedTuple):
    """A run under way."""

    name: str
    keys: frozenset[str]
    process: subprocess.Popen[bytes]


class Crew:
    """`order` is what each run is told, but for its name. A context manager: whatever runs when it is left is stopped,
    and told of."""

    def __init__(self, runner: Runner, order: Order, console: Console, told: Told, *, most: int) -> None:
        """Raises ConfigError for a sync whose destination can't be reached, before anything runs."""
        self._runner = runner
        self._order = order
        self._console = console
        self._told = told
        self._most = most
        self._keys = {name: runner.keys(name) for name in runner.names}
        self._hands: list[Hand] = []
        self._rests_until: dict[str, float] = {}

    def run_all(self) -> int:
        """As Runner.run_all, side by side; returns the gravest exit code. Raises ConfigError when all have ended."""
        return self._run_each(self._runner.names)

    def run_due(self) -> int:
        """As Runner.run_due, in the same way."""
        return self._run_each([name for name in self._runner.names if self._runner.due_in_s(name) == 0])

    def run_forever(self) -> None:
        """Until KeyboardInterrupt, or a ConfigError. Returns when nothing will ever be due."""
        while True:
            waits_s = self._start_due()
            if not self._hands and not waits_s:
                self._console.note("no sync will be due any more")
                return
            for _, outcome in self._collect(min([LONGEST_SLEEP_S, *waits_s])):
                if outcome.mistake is not None:
                    raise _mistake(outcome)

    # -- starting -----------------------------------------------------------------------------------------------------
    def _run_each(self, names: Sequence[str]) -> int:
        waiting, codes, mistakes = list(names), [0], []
        while waiting or self._hands:
            for name in self._free(waiting):
                waiting.remove(name)
                self._start(name)
            for code, outcome in self._collect(LONGEST_SLEEP_S):
                codes.append(code)
                mistakes += [outcome] if outcome.mistake is not None else []
        if mistakes:
            raise _mistake(mistakes[0])
        return max(codes)

    def _start_due(self) -> list[float]:
        """Start what is due and free; returns the seconds until each of the others is due, but for those that wait for
        a run to end."""
        busy = {hand.name for hand in self._hands}
        due_in_s = {name: self._due_in_s(name) for name in self._runner.names if name not in busy}
        for name in self._free(name for name, wait_s in due_in_s.items() if wait_s == 0):
            self._start(name)
        return [wait_s for wait_s in due_in_s.values() if wait_s]

    def _due_in_s(self, name: str) -> float | None:
        rest_s = self._rests_until.get(name, 0.0) - time.monotonic()
        wait_s = self._runner.due_in_s(name)
        return wait_s if wait_s is None else max(wait_s, rest_s, 0.0)

    def _free(self, names: Iterable[str]) -> Iterator[str]:
        """Those that may start now, one after the other: each is looked at when those before it have started."""
        for name in list(names):
            taken = frozenset[str]().union(*(hand.keys for hand in self._hands))
            if len(self._hands) < self._most and not taken & self._keys[name]:
                yield name

    def _start(self, name: str) -> None:
        order = msgspec.json.encode(msgspec.structs.replace(self._order, name=name))
        command = (*COMMAND, str(os.getpid()))
        # a session of its own: a signal at the keyboard is for the crew, which tells each run once
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._hands.append(Hand(name, self._keys[name], process))
        assert process.stdin is not None, "it was asked for"
        with contextlib.suppress(BrokenPipeError), process.stdin as stdin:  # one that died is noticed at its end
            stdin.write(order)

    # -- ending -------------------------------------------------------------------------------------------------------
    def _collect(self, patience_s: float) -> list[tuple[int, Outcome]]:
        """Wait until a run ends, or for so long; tell of those that have."""
        with selectors.DefaultSelector() as selector:
            for hand in self._hands:
                assert hand.process.stdout is not None, "it was asked for"
                selector.register(hand.process.stdout, selectors.EVENT_READ, hand)
            if not self._hands:
                time.sleep(patience_s)
            ended = [key.data for key, _ in selector.select(patience_s)] if self._hands else []
        return [self._end(hand) for hand in ended]

    def _end(self, hand: Hand) -> tuple[int, Outcome]:
        assert hand.process.stdout is not None, "it was asked for"
        with hand.process.stdout as stdout:
            text = stdout.read()
        hand.process.wait()
        self._hands.remove(hand)
        try:
            outcome = msgspec.json.decode(text, type=Outcome)
        except msgspec.DecodeError:
            outcome = Outcome(CRASHED)
            self._console.fail(f"{hand.name}: its process died ({hand.process.returncode}); the next run goes on")
        if not outcome.kind or outcome.exit_code == INTERRUPTED:
            self._rests_until[hand.name] = time.monotonic() + REST_S  # its slot is still to be run
        if outcome.kind:
            self._told(hand.name, outcome.ended(), outcome.disabled)
        return outcome.exit_code, outcome

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for hand in self._hands:
            hand.process.terminate()
        deadline = time.monotonic() + STOP_S
        try:
            while self._hands and time.monotonic() < deadline:
                self._collect(deadline - time.monotonic())
        finally:
            for hand in list(self._hands):
                hand.process.kill()
                self._end(hand)


def _mistake(outcome: Outcome) -> ConfigError:
    message, hint = outcome.mistake or ("", "")
    return ConfigError(message, hint=hint)
