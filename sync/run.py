"""The shell that joins core and edge: drives a sending story with a real clock and a real wire, and counts.

The only place that sleeps. What to send and what an end means is decided in `sync/core/`; the two integrations build
on this in `run_cohort.py` and `run_events.py`.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Generator

from sync.core.pace import LONGEST_HOLD_S
from sync.core.ports import Clock, Sender
from sync.core.sending import (
    Answer,
    Failure,
    Fate,
    FateKind,
    Reply,
    Request,
    RetryPolicy,
    Send,
    Step,
    Wait,
    retry_after_s,
    send_until_settled,
)
from sync.core.ulids import encode_ulids
from sync.edge.pacing import Pacing


def new_run_id() -> str:
    """A ULID of now: run ids sort by start."""
    return encode_ulids([int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10)])[0].decode()


class SystemClock:
    """The machine's own time."""

    monotonic = staticmethod(time.monotonic)
    now = staticmethod(time.time)
    sleep = staticmethod(time.sleep)


class Driver:
    """Plays stories to their end. One instance serves any number of threads.

    `requests` counts every attempt, `retries` those after a story's first. A `Retry-After` holds back its whole API,
    not only the story that was told.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        pacing: Pacing | None = None,
        policy: RetryPolicy | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        on_wait: Callable[[float, str], None] = lambda seconds, why: None,
    ) -> None:
        """`on_wait` hears of every wait longer than a blink, for a progress line."""
        self.requests = 0
        self.retries = 0
        self._sender = sender
        self._pacing = pacing or Pacing()
        self._policy = policy or RetryPolicy()
        self._stopped = threading.Event()
        self._clock: Clock = clock or SystemClock()
        self._sleep: Callable[[float], object] = clock.sleep if clock else self._stopped.wait
        self._jitter = jitter
        self._on_wait = on_wait
        self._lock = threading.Lock()

    def send(self, request: Request, usable: Callable[[Reply], bool] = lambda reply: True) -> Fate:
        """Send one request until its fate is known; `usable` as in send_until_settled."""
        began = self._clock.monotonic()
        return self.drive(
            send_until_settled(
                request, self._policy, self._jitter, usable, elapsed_s=lambda: self._clock.monotonic() - began
            )
        )

    def drive(self, story: Generator[Step, Answer, Fate]) -> Fate:
        """Play any story that yields Send and Wait and returns a Fate."""
        answer: Answer = None
        sends = 0
        try:
            while True:
                step = story.send(answer)
                if isinstance(step, Wait):
                    answer = None
                    self._wait(step.seconds, step.why)
                elif isinstance(turn := self._await_turn(step.request.api, sends), Fate):
                    story.close()
                    return turn
                else:
                    answer, sends = self._send(step, turn, first=sends == 0), sends + 1
        except StopIteration as end:
            fate: Fate = end.value
            return fate

    def stop(self) -> None:
        """Send nothing more, from any thread, and end every wait. What is on the wire may still get its answer."""
        self._stopped.set()

    def pause(self, attempt: int) -> None:
        """Wait as long as a story would before try number `attempt` + 1."""
        self._wait(self._policy.backoff_s(attempt, self._jitter()), "trying again")

    def rest(self, attempt: int, answer: Reply | None) -> None:
        """Wait as long as that answer asked for, within the patience, and no less than the longest `pause`: another
        request came between, and may have used up what would have been free by then."""
        asked_s = (None if answer is None else retry_after_s(answer)) or 0.0
        self._wait(max(self._policy.backoff_s(attempt, 1.0), min(asked_s, self._policy.budget_s)), "trying again")

    def linger(self, times: float, why: str) -> None:
        """Wait a multiple of the policy's first backoff, for something that takes its time at the other side."""
        self._wait(self._policy.base_s * times, why)

    def _await_turn(self, api: str, sends: int) -> float | Fate:
        """Wait until a request may leave; the moment by which it may, else how its story ends, after so many `sends`:
        we were stopped, or the destination asked for more patience than there is."""
        while not self._stopped.is_set():
            now = self._clock.monotonic()
            wait_s = self._pacing.take(api, now)
            if wait_s <= 0:
                return now
            if wait_s > self._policy.budget_s:
                why = f"nothing may be sent for another {wait_s:.0f} s"
                return Fate(FateKind.THROTTLED, None, sends, Failure("held", may_have_applied=False, message=why))
            self._wait(wait_s, "keeping to the rate")
        return Fate(FateKind.STOPPED, None, sends)

    def _send(self, step: Send, turn_at: float, *, first: bool) -> Answer:
        with self._lock:
            self.requests += 1
            self.retries += not first
        answer = self._sender.send(step.request)
        if isinstance(answer, Reply):
            self._heed(step.request.api, answer, turn_at)
        return answer

    def _heed(self, api: str, reply: Reply, sent_at: float) -> None:
        now = self._clock.monotonic()
        if reply.status in (429, 503) and (seconds := retry_after_s(reply)):
            self._pacing.hold(api, now + min(seconds, LONGEST_HOLD_S), now)
        self._pacing.heed(api, struggling=reply.status == 429 or reply.status >= 500, sent_at=sent_at, now=now)

    def _wait(self, seconds: float, why: str) -> None:
        if seconds <= 0:
            return
        if seconds >= 1:
            self._on_wait(seconds, why)
        self._sleep(seconds)
