"""Every exchange of a workspace, in arrival order: what was asked, what was answered, and what it really did.

Decides what is kept and for how long: bounded by a count and by bytes, the oldest go first and are counted. Raw bytes
are kept as they came; they are parsed only when somebody looks (`as_row`). Callers hold the workspace's lock.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused
from fakeio.edge.decode import Malformed, parse_json
from fakeio.edge.http import Cut, Headers, RawRequest, Reply
from fakeio.edge.masking import mask_body, mask_headers, mask_query

DEFAULT_LIMIT = 20_000
DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024

_FIXED_BYTES = 1_024  # about what an exchange weighs besides its bodies: objects, headers, path
_OPERATION_BYTES = 256  # one operation's outcome

Done = tuple[str, Outcome | None]  # the name of an operation and how it ended; None while it is held back


class Exchange(msgspec.Struct, gc=False):
    """One request and its answer. `status` is None while it is held, and for good when the connection was cut.

    `at` is the workspace's clock, `duration_s` real time; `faults` the kinds that struck; `cut` how it was severed.
    """

    n: int
    at: float
    api: str
    request: RawRequest
    status: int | None = None
    reply_headers: Headers = ()
    reply_body: bytes = b""
    duration_s: float = 0.0
    operations: Sequence[Done] = ()
    faults: tuple[str, ...] = ()
    cut: str | None = None
    processed_at: dict[int, float] | None = None  # place in `operations` -> when, for those that were held
    error: str | None = None  # the fake's own bug, if this request found one
    weight: int = _FIXED_BYTES  # bytes it takes, roughly


class Tape:
    """The exchanges of one workspace. `last` is the number of the newest, `dropped` how many the bounds pushed out."""

    __slots__ = ("_elsewhere", "_kept", "_weight", "dropped", "last", "limit", "limit_bytes", "recording")

    def __init__(
        self, *, limit: int = DEFAULT_LIMIT, limit_bytes: int = DEFAULT_LIMIT_BYTES, recording: bool = True
    ) -> None:
        self.limit = limit
        self.limit_bytes = limit_bytes
        self.recording = recording
        self.last = 0
        self._elsewhere = 0  # numbers up to here were never on this tape
        self.dropped = 0
        self._kept: deque[Exchange] = deque()
        self._weight = 0

    def open(self, at: float, api: str, request: RawRequest) -> Exchange:
        """A new exchange with the next number, on the tape at once: a request that is held can be seen."""
        self.last += 1
        exchange = Exchange(self.last, at, api, request)
        if self.recording:
            exchange.weight += len(request.body) + len(request.query)
            self._weight += exchange.weight
            self._kept.append(exchange)
        return exchange

    def close(self, exchange: Exchange, end: Reply | Cut, duration_s: float) -> None:
        """Write down how it ended and push out what no longer fits."""
        exchange.duration_s = duration_s
        if isinstance(end, Reply):
            exchange.status = end.status
            exchange.reply_headers = end.headers
            exchange.reply_body = end.body
        else:
            exchange.cut = end.how
        if self._holds(exchange):
            more = len(exchange.reply_body) + _OPERATION_BYTES * len(exchange.operations)
            exchange.weight += more
            self._weight += more
            self._trim()

    def clear(self) -> None:
        """Forget the exchanges; numbers go on, since attributes remember which request wrote them."""
        self._kept.clear()
        self._weight = 0
        self.dropped = 0

    def go_on_after(self, number: int) -> None:
        """Number exchanges from there: an empty tape of a workspace that has had earlier ones, elsewhere."""
        self.last = self._elsewhere = number

    def where(self, n: int) -> str:
        """Why a number is not on the tape."""
        if n > self.last:
            return f"the newest so far is {self.last}"
        if not self.recording:
            return "the tape is off (--tape)"
        if n <= self._elsewhere:
            return "it came before the server was started again, or to the workspace that this one was forked from"
        return "it was dropped by the tape's bounds (--tape-limit, --tape-bytes) or cleared"

    def get(self, n: int) -> Exchange | None:
        """The exchange of that number, if it is still kept."""
        index = n - self._kept[0].n if self._kept else -1
        return self._kept[index] if 0 <= index < len(self._kept) else None

    def after(self, n: int) -> Iterator[Exchange]:
        """The exchanges with a number above `n`, oldest first."""
        first = self._kept[0].n if self._kept else 0
        return islice(self._kept, max(0, n + 1 - first), None)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def _holds(self, exchange: Exchange) -> bool:
        # numbers on the tape are consecutive, so being at or past the oldest one means being there
        return bool(self._kept) and exchange.n >= self._kept[0].n

    def _trim(self) -> None:
        kept = self._kept
        while kept and (len(kept) > self.limit or self._weight > self.limit_bytes):
            self._weight -= kept.popleft().weight
            self.dropped += 1


def as_row(exchange: Exchange) -> dict[str, Any]:
    """The exchange as the control API tells it: bodies parsed if they are JSON, credentials masked."""
    request = exchange.request
    return {
        "n": exchange.n,
        "at": exchange.at,
        "api": exchange.api,
        "method": request.method,
        "path": request.path,
        "query": mask_query(request.query),
        "headers": mask_headers(request.headers),
        "body": mask_body(_body_row(request.body), exchange.api),
        "status": exchange.status,
        "response": _body_row(exchange.reply_body),
        "response_headers": mask_headers(exchange.reply_headers),
        "duration_ms": round(exchange.duration_s * 1000, 3),
        "faults": list(exchange.faults),
        "cut": exchange.cut,
        "error": exchange.error,
        "operations": [
            operation_row(name, outcome) | _times(exchange, at, outcome)
            for at, (name, outcome) in enumerate(exchange.operations)
        ],
    }


def _times(exchange: Exchange, at: int, outcome: Outcome | None) -> dict[str, float | None]:
    """When an operation was accepted and processed, Unix seconds on the workspace's clock; null while it is held."""
    later = (exchange.processed_at or {}).get(at)
    return {"accepted_at": exchange.at, "processed_at": None if outcome is None else later or exchange.at}


def operation_row(name: str, outcome: Outcome | None) -> dict[str, Any]:
    """One operation and its fate. An applied one may carry notes: the parts of it that did not take effect.

    `pending` is only seen while the workspace delays what it accepts; it becomes one of the three.
    """
    row: dict[str, Any] = {"operation": name, "outcome": "applied", "reason": None, "rule": None, "explanation": None}
    if outcome is None:
        row |= {"outcome": "pending", "explanation": "accepted; not visible yet"}
    elif isinstance(outcome, Applied):
        row["notes"] = [{"rule": note.rule, "explanation": note.why} for note in outcome.notes]
    elif isinstance(outcome, Ignored):
        # the last word of a rule's id is its reason in one word: `suppressed`, `unknown`, …
        reason = outcome.rule.rpartition(".")[2]
        row |= {"outcome": "ignored", "reason": reason, "rule": outcome.rule, "explanation": outcome.why}
    else:
        row |= _refused_row(outcome)
    return row


def _refused_row(refused: Refused) -> dict[str, Any]:
    messages = [refused.message, *(more.message for more in refused.more)]
    explanation = "; ".join(messages)
    row = {"outcome": "refused", "reason": refused.reason, "rule": refused.rule, "explanation": explanation}
    return {**row, "field": refused.field}


def _body_row(body: bytes) -> Any:
    if not body:
        return None
    parsed = parse_json(body)
    if not isinstance(parsed, Malformed):
        return parsed
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}
