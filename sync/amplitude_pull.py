"""Asks one Amplitude project, waits where it computes, and brings files to disk: a cohort's members, an export's hours.

Counts the month's requests before they leave, and keeps a computation's id until its file was read, so that a run that
was cut off goes on with the same one. What the answers mean is in `core/amplitude.py`.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import IO

from sync.core.amplitude import (
    COHORTS_PATH,
    USAGE_PATH,
    CohortInfo,
    ends_the_month,
    error_details,
    file_path,
    has_failed,
    is_page,
    is_ready,
    parse_cohorts,
    parse_request_id,
    parse_usage,
    poll_waits,
    quota_used_up,
    refusal,
    request_path,
    status_path,
    unlisted,
)
from sync.core.errors import SourceError
from sync.core.ports import Clock
from sync.core.sending import Answer, Fate, FateKind, Reply, Request, RetryPolicy, Send, send_until_settled
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.amplitude_settings import AmplitudeSettings
from sync.edge.amplitude_transport import AmplitudeTransport
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.transport import Network
from sync.run import SystemClock

# A limit of Amplitude's counts minutes and comes without a Retry-After, so the waits are longer than at Customer.io.
PATIENCE = RetryPolicy(retries=6, base_s=15.0, cap_s=120.0, budget_s=600.0)
DEADLINE_S = 900.0
_NOT_FOUND, _TOO_MANY = 404, 429
_GONE = frozenset({403, 404, 410})  # what a request id that is no more may be answered with; which one, nobody says


class Amplitude:
    """One project. `ledger` None: nothing is remembered, neither quota nor computations (a dry run)."""

    def __init__(
        self,
        transport: AmplitudeTransport,
        ledger: AmplitudeLedger | None,
        console: Console,
        *,
        clock: Clock | None = None,
        policy: RetryPolicy = PATIENCE,
        deadline_s: float = DEADLINE_S,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._ledger = ledger
        self._console = console
        self._clock: Clock = clock or SystemClock()
        self._policy = policy
        self._deadline_s = deadline_s
        self._jitter = jitter

    def cohorts(self) -> list[CohortInfo]:
        """Every discoverable cohort. Raises SourceError."""
        fate = self._settle(_get(COHORTS_PATH), self._transport.send, _lists_cohorts)
        if fate.kind is FateKind.REFUSED and fate.reply is not None and fate.reply.status == _NOT_FOUND:
            raise unlisted(fate.reply)
        return parse_cohorts(_expect(fate, "listing the cohorts").body) or []

    def download_cohort(self, cohort_id: str, properties: tuple[str, ...], sink: IO[bytes]) -> float:
        """Have a cohort computed and bring its file to `sink`, from its start. Returns when it was asked for (Unix s).

        Goes on with a computation that an earlier run asked for. Raises SourceError: refused, the quota is used up,
        or not computed in time (the computation is remembered then).
        """
        wanted = request_path(cohort_id, properties)
        known = self._ledger.job(wanted, self._clock.now()) if self._ledger is not None else None
        if known is not None:
            self._console.note("going on with the computation that an earlier run asked for")
            if self._fetch(known.request_id, wanted, sink):
                return known.requested_at
        asked_at = self._clock.now()
        if not self._fetch(self._request(wanted), wanted, sink):
            raise SourceError(
                "Amplitude forgot the computation that it had just accepted; nothing was sent", hint="run it again"
            )
        return asked_at

    def _request(self, wanted: str) -> str:
        now = self._clock.now()
        if self._ledger is not None and not self._ledger.spend_request(now):
            raise quota_used_up(now)
        fate = self._settle(
            _get(wanted), self._transport.send, lambda reply: parse_request_id(reply.body) is not None,
            final=self._ends_the_month,
        )  # fmt: skip
        if self._ledger is not None and fate.kind in (FateKind.REFUSED, FateKind.UNAUTHORISED, FateKind.THROTTLED):
            self._ledger.return_request(now)
        if fate.kind is FateKind.REFUSED and fate.reply is not None and fate.reply.status == _TOO_MANY:
            raise quota_used_up(now, "as Amplitude counts them")
        request_id = parse_request_id(_expect(fate, "asking for the cohort").body) or ""
        if self._ledger is not None:
            self._ledger.store_job(wanted, request_id, now)
        return request_id

    def _ends_the_month(self, reply: Reply) -> bool:
        """Whether an answer means the month's quota. Asks for Amplitude's count once: an answer is not waited for."""
        if reply.status != _TOO_MANY:
            return False
        told = self._transport.send(_get(USAGE_PATH))
        usage = parse_usage(told.body) if isinstance(told, Reply) and told.status == 200 else None
        return ends_the_month(usage, error_details(reply.body))

    def _fetch(self, request_id: str, wanted: str, sink: IO[bytes]) -> bool:
        """Wait for a computation and read it; False when Amplitude knows nothing of it any more."""
        fetched = self._await(request_id, wanted) and self._read(request_id, sink)
        self._drop(wanted)
        return fetched

    def _drop(self, wanted: str) -> None:
        if self._ledger is not None:
            self._ledger.drop_job(wanted)

    def _await(self, request_id: str, wanted: str) -> bool:
        for wait_s in poll_waits(self._deadline_s):
            fate = self._settle(
                _get(status_path(request_id)), self._transport.send, lambda reply: is_ready(reply) is not None
            )
            if _gone(fate):
                return False
            told = _expect(fate, "asking whether the cohort is computed")
            if is_ready(told):
                return True
            if has_failed(told):
                self._drop(wanted)
                raise SourceError(
                    "Amplitude could not compute the cohort; nothing was sent",
                    hint="run it again later: it asks for a new computation, which uses up another request",
                    code="cohort_failed",
                )
            self._pause(wait_s, "Amplitude computes the cohort")
        raise SourceError(
            f"Amplitude has not computed the cohort within {self._deadline_s / 60:.0f} minutes; nothing was sent",
            hint="run it again later: it goes on with the same computation and uses up no further request",
            code="cohort_not_ready",
        )

    def _read(self, request_id: str, sink: IO[bytes]) -> bool:
        fate = self.download(file_path(request_id), sink, encoding="gzip")
        if _gone(fate):
            return False
        _expect(fate, "downloading the cohort")
        return True

    def download(
        self, path: str, sink: IO[bytes], *, encoding: str = "identity", final: Collection[int] = ()
    ) -> Fate:
        """Bring a file to `sink`, from its start; whatever a failed attempt left there is overwritten. A status that is
        `final` is not tried again."""

        def attempt(request: Request) -> Answer:
            sink.seek(0)
            sink.truncate()
            return self._transport.download(request.path, sink, encoding=encoding)

        fate = self._settle(_get(path), attempt, final=lambda reply: reply.status in final)
        sink.seek(0)
        return fate

    # -- asking -------------------------------------------------------------------------------------------------------
    def _settle(
        self, request: Request, attempt: Callable[[Request], Answer],
        usable: Callable[[Reply], bool] = lambda reply: True, *, final: Callable[[Reply], bool] = lambda reply: False,
    ) -> Fate:  # fmt: skip
        """The end of a request; an answer that is `final` is not tried again, though others of its status are."""
        story = send_until_settled(request, self._policy, self._jitter, usable)
        answer: Answer = None
        attempts = 0
        while True:
            try:
                step = story.send(answer)
            except StopIteration as end:
                fate: Fate = end.value
                return fate
            if isinstance(step, Send):
                answer, attempts = attempt(step.request), attempts + 1
                if isinstance(answer, Reply) and final(answer):
                    return Fate(FateKind.REFUSED, answer, attempts)
            else:
                self._pause(step.seconds, f"Amplitude: {step.why}")
                answer = None

    def _pause(self, seconds: float, why: str) -> None:
        if seconds >= 1:
            self._console.waiting(seconds, why)
        self._clock.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """How to reach a project. Everything but the keys is for tests."""

    settings: AmplitudeSettings = field(default_factory=AmplitudeSettings)
    policy: RetryPolicy = PATIENCE
    deadline_s: float = DEADLINE_S
    clock: Clock | None = None
    network: Network | None = None

    @contextlib.contextmanager
    def open(self, ledger: Ledger | None, console: Console) -> Iterator[Amplitude]:
        """Connects to nothing yet. `ledger` None: nothing is remembered. Raises ConfigError without keys."""
        self.settings.require()
        console.hide(self.settings.api_key, self.settings.secret_key)
        memory = None if ledger is None else AmplitudeLedger(ledger, self.settings.project)
        with AmplitudeTransport(self.settings, network=self.network) as transport:
            yield Amplitude(
                transport, memory, console, clock=self.clock, policy=self.policy, deadline_s=self.deadline_s
            )


def _get(path: str) -> Request:
    return Request("amplitude", "GET", path)


def _lists_cohorts(reply: Reply) -> bool:
    return parse_cohorts(reply.body) is not None


def _gone(fate: Fate) -> bool:
    """Whether Amplitude no longer knows a request id. The credentials were proved by the request that made it."""
    refused = fate.kind in (FateKind.REFUSED, FateKind.UNAUTHORISED)
    return refused and fate.reply is not None and fate.reply.status in _GONE and not is_page(fate.reply)


def _expect(fate: Fate, what: str) -> Reply:
    if fate.kind is FateKind.ACCEPTED and fate.reply is not None:
        return fate.reply
    raise unfetched(fate, what)


def unfetched(fate: Fate, what: str) -> SourceError:
    """The error for anything that ended without what was asked for."""
    if fate.kind in (FateKind.REFUSED, FateKind.UNAUTHORISED) and fate.reply is not None:
        return refusal(fate.reply, what)
    last = f"answered {fate.reply.status}" if fate.reply is not None else "did not answer"
    why = f": {fate.failure.message}" if fate.failure is not None else ""
    return SourceError(
        f"{what}: Amplitude {last} to the last of {fate.attempts} attempts{why}; nothing was sent",
        hint="run it again later",
        code="amplitude_unreachable",
    )
