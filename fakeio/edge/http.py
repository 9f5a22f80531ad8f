"""A request as bytes arrived and an answer before it is sent: the two values every product route is written against.

No framework here. A product handler is a plain function `(Exchange) -> Reply`; the ASGI shell and the in-process
transport both turn their world into a `RawRequest` and a `Reply` back into theirs.
"""

from __future__ import annotations

import msgspec

Headers = tuple[tuple[bytes, bytes], ...]


class RawRequest(msgspec.Struct, frozen=True, gc=False):
    """`path` is percent-encoded as received, without the query; header names are lower case."""

    method: str
    path: str
    query: bytes
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first header of that lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What the client gets. `headers` leave out content-length, which the shell adds."""

    status: int
    headers: Headers = ()
    body: bytes = b""


class Wait(msgspec.Struct, frozen=True, gc=False):
    """A step of an exchange: let this many seconds of real time pass, then go on."""

    seconds: float


class Cut(msgspec.Struct, frozen=True, gc=False):
    """The end of an exchange without a whole answer. `how`: reset (TCP RST) or close (before the status line)."""

    how: str
