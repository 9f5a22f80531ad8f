"""What of a recorded exchange goes into a reproduction, whatever its form: the request as sent, and how it ended.

Decides which headers matter and how credentials are told. Values of credentials never leave the tape: what a client
sent may be somebody's real key, so a reproduction names which of the workspace's own credentials it was (or `wrong`),
and each form fills in those of the workspace it is for. The forms are in `reproducing_*.py`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from fakeio.core.outcomes import Applied, Ignored, Outcome
from fakeio.edge.auth import BASIC, BEARER, NOTHING, parse_authorization
from fakeio.edge.credentials import Credentials
from fakeio.edge.http import RawRequest
from fakeio.edge.regions import gate_of
from fakeio.edge.tape import Exchange

WRONG = "wrong"  # in place of a credential that is none of the workspace's
OTHER = "other"  # a scheme that is neither Basic nor Bearer, or nothing that can be read

LEFT_OUT = frozenset({
    "authorization", "proxy-authorization", "cookie", "x-fakeio-token",  # secrets
    "content-length", "transfer-encoding", "connection", "proxy-connection", "keep-alive", "te", "upgrade", "expect",
    "accept", "accept-encoding", "user-agent",  # every client has its own
})  # fmt: skip


class Key(NamedTuple):
    """Which credentials a request carried: `user` and `secret` are names of fields of Credentials, WRONG, or empty."""

    scheme: str
    user: str
    secret: str

    def header(self, value: Callable[[str], str]) -> str:
        """The `Authorization` header that says so; `value` gives a field of Credentials by its name."""
        user, secret = (name if name in ("", WRONG) else value(name) for name in (self.user, self.secret))
        if self.scheme == BASIC:
            return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")
        return f"Bearer {secret}" if self.scheme == BEARER else secret


class Sent(NamedTuple):
    """One request to send again. `target` is its path and query as received; `body` as it came, chunks put together.

    `status` is None when there was no answer: `cut` says how it ended, None while it is still held. `outcomes` are
    those that the tape knows, in words.
    """

    n: int
    at: float
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    key: Key | None
    status: int | None
    cut: str | None
    faults: tuple[str, ...]
    outcomes: tuple[str, ...]

    @property
    def title(self) -> str:
        """One line for a comment: nothing in it comes from a body."""
        ended = f"answered {self.status}" if self.status is not None else f"cut ({self.cut})" if self.cut else "held"
        came_to = f"; {', '.join(self.outcomes)}" if self.outcomes else ""
        struck = f"; a fault struck: {', '.join(self.faults)}" if self.faults else ""
        return f"request {self.n}: {self.method} {self.target} {ended}{came_to}{struck}"


def retell(exchange: Exchange, credentials: Credentials) -> Sent:
    """What a reproduction needs of one exchange. The caller holds the workspace's lock."""
    request = exchange.request
    return Sent(
        n=exchange.n, at=exchange.at, method=request.method, target=target_of(request), headers=_headers(request),
        body=request.body, key=key_of(request.header(b"authorization"), credentials), status=exchange.status,
        cut=exchange.cut, faults=exchange.faults,
        outcomes=tuple(in_words(name, outcome) for name, outcome in exchange.operations),
    )  # fmt: skip


def target_of(request: RawRequest) -> str:
    """Path and query, percent-encoded as received."""
    return request.path + ("?" + request.query.decode("latin-1") if request.query else "")


def key_of(header: bytes | None, credentials: Credentials) -> Key | None:
    """Which of a workspace's credentials an `Authorization` header holds; None without one."""
    if header is None:
        return None
    said = parse_authorization(header)
    if said is NOTHING:
        return Key(OTHER, "", WRONG)
    names = {value: name for name, value in msgspec.structs.asdict(credentials).items()}
    names[""] = ""
    scheme = said.scheme if said.scheme in (BASIC, BEARER) else OTHER
    return Key(scheme, names.get(said.user, WRONG), names.get(said.secret, WRONG))


def in_words(operation: str, outcome: Outcome | None) -> str:
    """How one operation ended: `identify applied`, `record_event ignored person.suppressed`."""
    if outcome is None:
        return f"{operation} pending"
    if isinstance(outcome, Applied):
        return f"{operation} applied"
    return f"{operation} {'ignored' if isinstance(outcome, Ignored) else 'refused'} {outcome.rule}"


def as_text(body: bytes) -> str | None:
    """The body as text that a terminal and a source file can carry; None for anything else."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if all(char.isprintable() or char in "\n\t" for char in text) else None


def _headers(request: RawRequest) -> tuple[tuple[str, str], ...]:
    pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers)
    regional = gate_of(request.header(b"host")) is not None
    return tuple((name, value) for name, value in pairs if name not in LEFT_OUT and (name != "host" or regional))


def sendable(recorded: Iterable[Sent]) -> list[Sent]:
    """Those that had an end; one that is still held, or that its client abandoned, can't be expected to end again."""
    return [sent for sent in recorded if sent.status is not None or sent.cut not in (None, "abandoned")]

