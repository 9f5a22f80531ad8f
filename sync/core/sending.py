"""One request until its fate is known: a story that yields `Send` and `Wait` and is told what came back.

Decides what is worth another try, how long to wait first, and what the end means. Reads no clock, sleeps never, opens
no socket: `sync/run.py` does that. What a 400 or a 207 means for one person or one event is for `verdicts.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Literal

import msgspec

Api = Literal["track", "app", "amplitude"]


class Request(msgspec.Struct, frozen=True, gc=False):
    """`path` is percent-encoded and may hold a query. A request that is not `repeatable` is never sent twice once
    anybody may have heard it: creating a segment again would make a second one."""

    api: Api
    method: str
    path: str
    body: bytes | None = None
    repeatable: bool = True


class Reply(msgspec.Struct, frozen=True, gc=False):
    """An answer. Header names are lower case; `received_at` is Unix seconds, for a `Retry-After` that is a date."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    received_at: float = 0.0


class Failure(msgspec.Struct, frozen=True, gc=False):
    """No answer, or not a whole one. `kind` is a word of `edge/transport.py`; the message holds no secrets."""

    kind: str
    may_have_applied: bool
    message: str = ""


class Send(msgspec.Struct, frozen=True, gc=False):
    """Step: send this, then tell the story what came back."""

    request: Request


class Wait(msgspec.Struct, frozen=True, gc=False):
    """Step: let this many seconds pass. `why` is for a progress line."""

    seconds: float
    why: str


Step = Send | Wait
Answer = Reply | Failure | None


class FateKind(Enum):
    """How a request ended."""

    ACCEPTED = "accepted"  #: 2xx; accepted is not applied
    PARTIAL = "partial"  #: 207: some items were refused, the rest accepted
    REFUSED = "refused"  #: any other final status; sending it again would change nothing
    UNAUTHORISED = "unauthorised"  #: 401 or 403: stop everything
    THROTTLED = "throttled"  #: 429 (or 425) to the end; nothing was applied
    IN_DOUBT = "in_doubt"  #: no final answer, and at least one attempt may have been applied
    UNREACHABLE = "unreachable"  #: no final answer, and no attempt can have been applied
    STOPPED = "stopped"  #: we were told to stop before there was a final answer


class Fate(msgspec.Struct, frozen=True):
    """The end of a request. `reply` is the last answer, `failure` the last lack of one; `attempts` counts sends."""

    kind: FateKind
    reply: Reply | None
    attempts: int
    failure: Failure | None = None

    @property
    def retries(self) -> int:
        return max(self.attempts - 1, 0)

    @property
    def settled(self) -> bool:
        """True when the destination gave a final answer."""
        return self.kind in _FINAL


_FINAL = frozenset({FateKind.ACCEPTED, FateKind.PARTIAL, FateKind.REFUSED, FateKind.UNAUTHORISED})
_NOTHING_APPLIED = frozenset({425, 429})
_TRY_AGAIN = frozenset({408, 425, 429})


class RetryPolicy(msgspec.Struct, frozen=True):
    """How patient to be: at most `retries` more tries, none of them begun later than `budget_s` after the first.

    The n-th wait is drawn between 0 and `base_s` * 2**n, at most `cap_s` (exponential backoff with full jitter);
    a `Retry-After` replaces it. One that asks for more than what is left of the budget ends the story.
    """

    retries: int = 8
    base_s: float = 0.5
    cap_s: float = 60.0
    budget_s: float = 300.0

    def backoff_s(self, attempt: int, jitter: float) -> float:
        """Seconds before try number `attempt` + 1; `jitter` is in 0..1."""
        return min(self.cap_s, self.base_s * 2.0 ** min(attempt - 1, 32)) * jitter


def send_until_settled(
    request: Request,
    policy: RetryPolicy,
    jitter: Callable[[], float],
    usable: Callable[[Reply], bool] = lambda reply: True,
    *,
    elapsed_s: Callable[[], float] = lambda: 0.0,
) -> Generator[Step, Answer, Fate]:
    """Yields what to do next; receives a Reply or a Failure after each Send and None after each Wait.

    `elapsed_s` tells how long it has been under way, so that slow answers count against the patience as waits do.

    `usable` says whether a 2xx can be read; one that can't (a page of HTML, half a JSON text) is tried again. Without
    it any 2xx counts as accepted.
    """
    waited_s, in_doubt, attempts = 0.0, False, 0
    while True:
        answer = yield Send(request)
        assert answer is not None, "a Send is answered with a Reply or a Failure"
        attempts += 1
        kind = _final_kind(answer, usable)
        if kind is not None:
            return _fate(kind, answer, attempts)
        in_doubt = in_doubt or _may_have_applied(answer)
        pause_s = _pause_s(answer, policy, attempts, jitter)
        spent = attempts > policy.retries or max(waited_s, elapsed_s()) + pause_s > policy.budget_s
        if spent or not (request.repeatable or _was_not_heard(answer)):
            return _fate(_unsettled_kind(answer, in_doubt=in_doubt), answer, attempts)
        waited_s += pause_s
        yield Wait(pause_s, _why(answer))


def _final_kind(answer: Reply | Failure, usable: Callable[[Reply], bool]) -> FateKind | None:
    if isinstance(answer, Failure):
        return None
    status = answer.status
    if status == 207:
        return FateKind.PARTIAL if usable(answer) else None
    if 200 <= status < 300:
        return FateKind.ACCEPTED if usable(answer) else None
    if status in (401, 403):
        return FateKind.UNAUTHORISED
    if status >= 500 or status in _TRY_AGAIN:
        return None
    return FateKind.REFUSED


def _unsettled_kind(answer: Reply | Failure, *, in_doubt: bool) -> FateKind:
    if in_doubt:
        return FateKind.IN_DOUBT
    if isinstance(answer, Reply) and answer.status in _NOTHING_APPLIED:
        return FateKind.THROTTLED
    return FateKind.UNREACHABLE


def _may_have_applied(answer: Reply | Failure) -> bool:
    """A 5xx or an unreadable 2xx may hide a change that was made; a 429 does not (assumed: the vendor is silent)."""
    if isinstance(answer, Failure):
        return answer.may_have_applied
    return answer.status not in _NOTHING_APPLIED


def _was_not_heard(answer: Reply | Failure) -> bool:
    """Surer than not applied: whoever answers, with a 429 too, may have done what was asked before."""
    return isinstance(answer, Failure) and not answer.may_have_applied


def _pause_s(answer: Reply | Failure, policy: RetryPolicy, attempts: int, jitter: Callable[[], float]) -> float:
    asked_s = retry_after_s(answer) if isinstance(answer, Reply) else None
    return policy.backoff_s(attempts, jitter()) if asked_s is None else asked_s


def retry_after_s(reply: Reply) -> float | None:
    """The seconds that a `Retry-After` asks for, as delta or as HTTP-date; None without a readable one.

    A date is taken by the clock of whoever wrote it, which the answer's own `Date` tells: ours may be hours off.
    Source: RFC 9110 section 10.2.3.
    """
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until = _parse_date(text)
    if until is None:
        return None
    now = _parse_date(reply.headers.get("date", ""))
    return max(0.0, until - (reply.received_at if now is None else now))


def _parse_date(text: str) -> float | None:
    """An HTTP-date as Unix seconds."""
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _why(answer: Reply | Failure) -> str:
    return f"answered {answer.status}" if isinstance(answer, Reply) else answer.kind


def _fate(kind: FateKind, answer: Reply | Failure, attempts: int) -> Fate:
    if isinstance(answer, Reply):
        return Fate(kind, answer, attempts)
    return Fate(kind, None, attempts, answer)
