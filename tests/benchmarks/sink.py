"""The cheapest server that can be sent to: answers 200 to every request, and forgets it.

A GET is answered as the question for the account's region, anything else with `{}`. Prints its address when it is
ready. Reads a body only to know where it ends, so that what is measured is the sender.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import cast

import uvloop

HEAD_END = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"


def answer(body: bytes) -> bytes:
    """A whole response."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head + body


TAKEN = answer(b"{}")
REGION = answer(b'{"url":"https://track.customer.io","region":"us","environment_id":1}')


class Swallow(asyncio.Protocol):
    """One connection: heads are read, bodies are counted down."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing is owed yet."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's class derives from neither
        self._head = b""
        self._body_left = 0

    def data_received(self, data: bytes) -> None:
        """Answers each request whose last byte has come."""
        if self._body_left:
            taken = min(self._body_left, len(data))
            self._body_left -= taken
            if self._body_left:
                return
            self._transport.write(self.taken())  # what has a body of several pieces is no GET
            data = data[taken:]
        self._head += data
        while (end := self._head.find(HEAD_END)) >= 0:
            body = self._head[end + len(HEAD_END) :]
            length = announced(self._head[:end])
            if len(body) < length:
                self._head, self._body_left = b"", length - len(body)
                return
            self._transport.write(REGION if self._head.startswith(b"GET ") else self.taken())
            self._head = body[length:]

    def taken(self) -> bytes:
        """The answer to a request that is no GET."""
        return TAKEN


def announced(head: bytes) -> int:
    """The length of the body that a request's head announces; 0 without one."""
    _, found, after = head.lower().partition(LENGTH)
    return int(after.split(b"\r\n", 1)[0]) if found else 0


async def serve(connection: Callable[[], asyncio.Protocol] = Swallow) -> None:
    """Listens on a free port until terminated."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(connection, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
