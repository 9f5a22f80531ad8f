"""A client that costs little: a fixed number of keep-alive connections, each asking again as soon as it is answered.

`python -m tests.benchmarks.load URL SECONDS CONNECTIONS SITE_ID KEY` sends identify calls for that long after a
warm-up and prints one JSON object, `{"requests_per_s", "statuses"}`. Runs as a process of its own, so that the client
and the server it loads never share an interpreter.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections import Counter
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import uvloop

WARM_UP_S = 1.0
PEOPLE = 1_000


def identify_requests(host: str, site_id: str, key: str) -> list[bytes]:
    """A thousand people, one identify call each: a body of six attributes, about 200 bytes."""
    credentials = base64.b64encode(f"{site_id}:{key}".encode()).decode()
    return [_identify(n, host, credentials) for n in range(PEOPLE)]


def _identify(n: int, host: str, credentials: str) -> bytes:
    body = json.dumps({
        "email": f"person{n}@example.com", "first_name": f"Person {n}", "plan": "pro", "created_at": 1_777_000_000 + n,
        "score": n * 1.5, "city": "Lisbon",
    }).encode()
    head = (
        f"PUT /api/v1/customers/{n} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {credentials}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One keep-alive connection that always has exactly one request under way."""

    def __init__(self, requests: list[bytes], first: int, statuses: Counter[int]) -> None:
        self._requests = requests
        self._next = first
        self._statuses = statuses
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the first time."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's class derives from neither
        self._ask()

    def _ask(self) -> None:
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        """Counts an answer once it is whole, then asks again."""
        self._buffer += data
        head, blank, body = self._buffer.partition(b"\r\n\r\n")
        if blank and len(body) >= content_length(head):
            self._statuses[int(head[9:12])] += 1
            self._buffer = b""
            self._ask()


def content_length(head: bytes) -> int:
    """The length that a response's head announces; both sides always send one."""
    lowered = head.lower()
    start = lowered.index(b"content-length:") + len(b"content-length:")
    return int(lowered[start:].split(b"\r\n", 1)[0])


async def load(url: str, seconds: float, connections: int, requests: list[bytes]) -> dict[str, object]:
    """Answers a second over a window of `seconds`, and how many of each status came in it."""
    address = urlsplit(url)
    host, port = address.hostname or "127.0.0.1", address.port or 80
    statuses: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    for n in range(connections):
        first = n * len(requests) // connections
        await loop.create_connection(partial(Connection, requests, first, statuses), host, port)
    await asyncio.sleep(WARM_UP_S)
    statuses.clear()
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - started
    return {"requests_per_s": statuses.total() / took, "statuses": dict(statuses)}


def main(arguments: list[str]) -> None:
    """The command."""
    url, seconds, connections, site_id, key = arguments
    requests = identify_requests(urlsplit(url).netloc, site_id, key)
    measured = uvloop.run(load(url, float(seconds), int(connections), requests))
    sys.stdout.write(json.dumps(measured) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
