"""The shell that joins core and edge: drives a sending story with a real clock and a real wire, and counts.

The only place that sleeps. What to send and what an end means is decided in `sync/core/`; the two integrations build
on this in `run_cohort.py` and `run_events.py`.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Generator, Mapping

from sync.core.pace import DEFAULT_RATE_PER_S, Pacer
from sync.core.ports import Clock, Sender
from sync.core.sending import (
    Answer,
    Fate,
    Reply,
    Request,
    RetryPolicy,
    Send,
    Step,
    retry_after_s,
    send_until_settled,
)
from sync.core.ulids import encode_ulids


def new_run_id() -> str:
    """A ULID of now: run ids sort by start."""
    return encode_ulids([int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10)])[0].decode()


class SystemClock:
    """The machine's own time."""

    monotonic = staticmethod(time.monotonic)
    now = staticmethod(time.time)
    sleep = staticmethod(time.sleep)


class Pacing:
    """The pacers of both APIs behind one lock; shared by every thread that sends to one destination."""

    def __init__(self, rates_per_s: Mapping[str, float] = DEFAULT_RATE_PER_S) -> None:
        self._pacers = {api: Pacer(rate) for api, rate in {**DEFAULT_RATE_PER_S, **rates_per_s}.items()}
        self._lock = threading.Lock()

    def take(self, api: str, now: float) -> float:
        """Seconds until the booked moment; see Pacer.take."""
        with self._lock:
            return self._pacers[api].take(now)

    def hold(self, api: str, until: float) -> None:
        with self._lock:
            self._pacers[api].hold(until)


class Driver:
    """Plays stories to their end. One instance serves any number of threads.

    `requests` counts every attempt, `retries` those after a story's first. A 429 with `Retry-After` holds back its
    whole API, not only the story that was told.
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
        self._clock: Clock = clock or SystemClock()
        self._jitter = jitter
        self._on_wait = on_wait
        self._lock = threading.Lock()

    def send(self, request: Request, usable: Callable[[Reply], bool] = lambda reply: True) -> Fate:
        """Send one request until its fate is known; `usable` as in send_until_settled."""
        return self.drive(send_until_settled(request, self._policy, self._jitter, usable))

    def drive(self, story: Generator[Step, Answer, Fate]) -> Fate:
        """Play any story that yields Send and Wait and returns a Fate."""
        answer: Answer = None
        sends = 0
        try:
            while True:
                step = story.send(answer)
                if isinstance(step, Send):
                    answer, sends = self._send(step, first=sends == 0), sends + 1
                else:
                    answer = None
                    self._wait(step.seconds, step.why)
        except StopIteration as end:
            fate: Fate = end.value
            return fate

    def pause(self, attempt: int) -> None:
        """Wait as long as a story would before try number `attempt` + 1."""
        self._wait(self._policy.backoff_s(attempt, self._jitter()), "trying again")

    def linger(self, times: float, why: str) -> None:
        """Wait a multiple of the policy's first backoff, for something that takes its time at the other side."""
        self._wait(self._policy.base_s * times, why)

    def _send(self, step: Send, *, first: bool) -> Answer:
        api = step.request.api
        self._wait(self._pacing.take(api, self._clock.monotonic()), "keeping to the rate")
        with self._lock:
            self.requests += 1
            self.retries += not first
        answer = self._sender.send(step.request)
        if isinstance(answer, Reply) and answer.status == 429:
            self._pacing.hold(api, self._clock.monotonic() + (retry_after_s(answer) or 0.0))
        return answer

    def _wait(self, seconds: float, why: str) -> None:
        if seconds <= 0:
            return
        if seconds >= 1:
            self._on_wait(seconds, why)
        self._clock.sleep(seconds)
