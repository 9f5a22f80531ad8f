"""In-process requests, timed when told: the fake and an ASGI app that does nothing, behind one and the same client.

`python -m tests.benchmarks.in_process` says `ready`. Each line on its standard input names a way, and is answered with
the seconds that one request of that way takes on average: `transport` (`fake.transport`), `app` (the fake's ASGI app)
and `nothing` (an app that answers at once), all through `httpx.AsyncClient`; `fixture` is a workspace made and removed,
which is what the fixture `customerio` costs a test.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from itertools import count

import httpx
from starlette.types import Receive, Scope, Send

from fakeio import Fake, asgi_app
from tests.benchmarks.growth import CREDENTIALS, identify, say

REQUESTS = 2_000
PEOPLE = 100

_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]
_TURNS = count()


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI app that reads the request and says `{}`."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": b"{}"})


async def seconds_a_request(transport: httpx.AsyncBaseTransport) -> float:
    """The average of identify calls one after the other; every one must be answered 200."""
    writes = [identify(n % PEOPLE, score=next(_TURNS)) for n in range(REQUESTS)]
    headers = {"authorization": CREDENTIALS.decode(), "content-type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        started = time.perf_counter()
        for write in writes:
            answer = await client.request(write.method, write.path, content=write.body)
            if answer.status_code != 200:
                raise SystemExit("a request of the benchmark was not answered 200")
        return (time.perf_counter() - started) / REQUESTS


def seconds_a_fixture(fake: Fake) -> float:
    """The average of workspaces made and removed."""
    started = time.perf_counter()
    for _ in range(REQUESTS):
        fake.remove_workspace(fake.new_workspace())
    return (time.perf_counter() - started) / REQUESTS


def ways(fake: Fake) -> dict[str, Callable[[], float]]:
    """What can be asked for."""
    app = asgi_app(fake)

    def through(transport: httpx.AsyncBaseTransport) -> float:
        fake.workspace.reset()  # the tape of one measurement is no burden to the next
        return asyncio.run(seconds_a_request(transport))

    return {
        "transport": lambda: through(fake.transport),
        "app": lambda: through(httpx.ASGITransport(app)),
        "nothing": lambda: through(httpx.ASGITransport(nothing)),
        "fixture": lambda: seconds_a_fixture(fake),
    }


def main() -> None:
    """The command."""
    with Fake() as fake:
        known = ways(fake)
        say("ready")
        for asked in sys.stdin:
            say(repr(known[asked.strip()]()))


if __name__ == "__main__":
    main()
