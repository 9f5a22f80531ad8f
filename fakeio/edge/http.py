"""A request as bytes arrived and an answer before it is sent: the two values every product route is written against.

No framework here. A product handler is a plain function `(Exchange) -> Reply`; the ASGI shell and the in-process
transport both turn their world into a `RawRequest` and a `Reply` back into theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from concurrent.futures import Future

Headers = tuple[tuple[bytes, bytes], ...]


class RawRequest(msgspec.Struct, frozen=True, gc=False):
    """`path` is percent-encoded as received, without the query; header names are lower case.

    `origin` is the scheme, address and port of the connection that it came by, whatever its Host header says.
    """

    method: str
    path: str
    query: bytes
    headers: Headers
    body: bytes
    origin: str = "http://127.0.0.1"

    def header(self, name: bytes) -> bytes | None:
        """The first header of that lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def own_url(self) -> str:
        """How its sender would write this server: the scheme that it came by, and the host and port it asked for."""
        scheme, _, address = self.origin.partition("://")
        host = self.header(b"host")
        return f"{scheme}://{host.decode('latin-1') if host else address}"


def origin_of(scheme: str, server: tuple[str, int | None] | None) -> str:
    """The origin of a connection, from what a server calls its own end of it."""
    host, port = server or ("127.0.0.1", None)
    bracketed = f"[{host}]" if ":" in host else host
    return f"{scheme}://{bracketed}" if port is None else f"{scheme}://{bracketed}:{port}"


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What the client gets. `headers` leave out content-length, which the shell adds."""

    status: int
    headers: Headers = ()
    body: bytes = b""


class Wait(msgspec.Struct, frozen=True, gc=False):
    """A step of an exchange: let this many seconds of real time pass, then go on.

    `until_left`: no longer than the client is there; whoever waited says whether it left. `on`: until this has come to
    an end, instead of any time.
    """

    seconds: float
    until_left: bool = False
    on: Future[bool] | None = None


class Cut(msgspec.Struct, frozen=True, gc=False):
    """The end of an exchange without a whole answer. `how`: reset (TCP RST) or close (before the status line)."""

    how: str
