"""The tape in words: one exchange in a line, and whether the tape can still answer for everything that arrived."""

from __future__ import annotations

from fakeio.core.wording import path_shown, several
from fakeio.edge.tape import Exchange, Tape

_HOW_TO_RECORD = "start `fakeio serve` with --tape on"
_HOW_TO_RAISE = "raise its bounds: Fake(tape_limit=…, tape_bytes=…), or fakeio serve --tape-limit N --tape-bytes N"


def request_label(exchange: Exchange) -> str:
    """`request 7`, as `fakeio explain 7` knows it."""
    return f"request {exchange.n}"


def request_words(exchange: Exchange) -> str:
    """What was asked, and the status of the answer."""
    request = exchange.request
    answered = f"answered {exchange.status}" if exchange.status is not None else (exchange.cut or "not answered yet")
    struck = f", after a fault ({', '.join(exchange.faults)})" if exchange.faults else ""
    return f"{request.method} {path_shown(request.path)}, {answered}{struck}"


def by_request(tape: Tape, n: int) -> str:
    """`request 7 (PUT /api/v1/customers/42, answered 200)`, as far as the tape still knows it; 0 is no request."""
    exchange = tape.get(n)
    if exchange is None:
        return f"request {n}" if n else "a seed or a handle in Python, or before a snapshot"
    return f"request {n} ({request_words(exchange)})"


def incomplete(tape: Tape) -> str | None:
    """Why the tape can't answer for everything that arrived, and what to do; None when it can."""
    if not tape.recording:
        return f"the tape is off, so nobody knows what arrived; {_HOW_TO_RECORD}"
    if tape.dropped:
        kept = f"{tape.limit:,} exchanges, {tape.limit_bytes:,} bytes"
        return f"the tape has dropped {several(tape.dropped, 'exchange')} (it keeps {kept}); {_HOW_TO_RAISE}"
    return None
