"""An answer whose body does not arrive in one piece: slowly, with a stop in the middle, or never to its end.

Says which bytes leave when, as values; a socket and the in-process transport each pass the time their own way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from fakeio.core.weather import Slow, Stall, Truncate
from fakeio.edge.http import Reply, Wait

_SHORTEST_S = 0.05  # a slow body comes in steps of at least this long, or the fake would do little else


class Piecemeal(msgspec.Struct, frozen=True, gc=False):
    """`reply` is what its head promises; `shape` is how much of the body comes, and when."""

    reply: Reply
    shape: Truncate | Stall | Slow

    @property
    def whole(self) -> bool:
        """Whether all of the body comes in the end; if not, the connection is closed."""
        return not isinstance(self.shape, Truncate)

    def told(self) -> Reply:
        """What the client has read of it in the end."""
        return self.reply if self.whole else msgspec.structs.replace(self.reply, body=b"".join(self._pieces()))

    def steps(self) -> Iterator[bytes | Wait]:
        """The pieces of the body and the waits between them."""
        body, shape = self.reply.body, self.shape
        if isinstance(shape, Slow):
            yield from _slowly(body, shape.bytes_per_s)
        elif isinstance(shape, Stall):
            at = _within(body, shape.after_bytes)
            yield body[:at]
            yield Wait(shape.seconds, until_left=True)
            yield body[at:]
        else:
            yield from self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        assert isinstance(self.shape, Truncate)
        yield self.reply.body[: _within(self.reply.body, self.shape.bytes)]


def _within(body: bytes, at: int) -> int:
    """A place in the middle: before the last byte, whatever was asked for."""
    return max(0, min(at, len(body) - 1))


def _slowly(body: bytes, bytes_per_s: float) -> Iterator[bytes | Wait]:
    step = max(1, math.ceil(bytes_per_s * _SHORTEST_S))
    for start in range(0, len(body), step):
        piece = body[start : start + step]
        yield Wait(len(piece) / bytes_per_s, until_left=True)
        yield piece
