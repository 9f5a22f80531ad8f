"""One workspace that holds a given amount, in a process of its own, writing when told.

`python -m tests.benchmarks.growth people|events COUNT` fills a workspace and says `ready`. A line `request` on its
standard input is answered with the seconds that one write takes on average as a request (the whole way through the ASGI
app, without a socket, which costs the same at every size); a line `apply` with those of the workspace's own part.
"""

from __future__ import annotations

import base64
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message

from fakeio.app import build_app, build_universe
from fakeio.core.identifiers import ID, Ref
from fakeio.core.operations import Identify, Operation, RecordEvent
from fakeio.core.outcomes import Applied
from fakeio.core.workspace import Workspace
from fakeio.edge.credentials import DEFAULT_CREDENTIALS

WRITES = 20_000
NOW = 1_777_000_000
CITIES = ("Lisbon", "Porto", "Faro", "Braga", "Évora")
PAIR = f"{DEFAULT_CREDENTIALS.site_id}:{DEFAULT_CREDENTIALS.track_api_key}"
CREDENTIALS = b"Basic " + base64.b64encode(PAIR.encode())


class Write(NamedTuple):
    """One write in both forms."""

    method: str
    path: str
    body: bytes
    operation: Operation


def identify(n: int, score: int) -> Write:
    """An identify call of six attributes that changes one of them each time."""
    attributes = {
        "email": f"person{n}@example.com", "first_name": f"Person {n}", "plan": "pro", "created_at": NOW + n,
        "score": score, "city": CITIES[n % len(CITIES)],
    }  # fmt: skip
    operation = Identify(ref=Ref(ID, str(n)), attributes=attributes)
    return Write("PUT", f"/api/v1/customers/{n}", json.dumps(attributes).encode(), operation)


def record(n: int) -> Write:
    """An event on one and the same person."""
    data = b'{"plan":"pro","total":%d}' % n
    body = b'{"name":"order","id":"event-%d","timestamp":%d,"data":%s}' % (n, NOW + n, data)
    operation = RecordEvent(ref=Ref(ID, "0"), event="order", data=data, timestamp=NOW + n, dedupe_id=f"event-{n}")
    return Write("POST", "/api/v1/customers/0/events", body, operation)


def people(count: int) -> tuple[list[Write], Callable[[int], Write]]:
    """What fills a workspace with `count` people, and writes on people chosen at random."""
    choose = random.Random(7)
    return [identify(n, score=0) for n in range(count)], lambda turn: identify(choose.randrange(count), score=turn)


def events(count: int) -> tuple[list[Write], Callable[[int], Write]]:
    """What fills a workspace with one person of `count` events, and more events of the same person."""
    return [record(n) for n in range(count)], lambda turn: record(count + turn)


def seconds_an_apply(workspace: Workspace, writes: Sequence[Write]) -> float:
    """The average of the workspace's own part; every operation must be applied."""
    started = time.perf_counter()
    outcomes = [workspace.apply(write.operation, NOW) for write in writes]
    took = time.perf_counter() - started
    if not all(isinstance(outcome, Applied) for outcome in outcomes):
        raise SystemExit("a write of the benchmark was not applied")
    return took / len(writes)


def seconds_a_request(app: ASGIApp, writes: Sequence[Write]) -> float:
    """The average of whole requests; every one must be answered 200."""
    scopes = [scope(write) for write in writes]
    answered: list[Message] = []

    async def send(message: Message) -> None:
        answered.append(message)

    started = time.perf_counter()
    for write, asked in zip(writes, scopes, strict=True):
        run(app, asked, write.body, send)
    took = time.perf_counter() - started
    if [message["status"] for message in answered[::2]] != [200] * len(writes):
        raise SystemExit("a write of the benchmark was not answered 200")
    return took / len(writes)


def run(app: ASGIApp, asked: dict[str, Any], body: bytes, send: Any) -> None:
    """One request from its start to its end; in fair weather nothing in it waits, so that no event loop is needed."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        app(asked, receive, send).__await__().__next__()
    except StopIteration:
        return
    raise SystemExit("a write of the benchmark waited for something")


def scope(write: Write) -> dict[str, Any]:
    """The ASGI scope of a write."""
    headers = [(b"host", b"127.0.0.1"), (b"authorization", CREDENTIALS), (b"content-type", b"application/json")]
    return {
        "type": "http", "http_version": "1.1", "method": write.method, "scheme": "http", "path": write.path,
        "raw_path": write.path.encode(), "query_string": b"", "headers": headers, "extensions": {},
    }  # fmt: skip


def say(text: str) -> None:
    """One line to whoever started this process."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """The command."""
    kind, count = arguments
    universe = build_universe()
    app, workspace = build_app(universe), universe.registry.default.state
    filling, write = (people if kind == "people" else events)(int(count))
    seconds_an_apply(workspace, filling)
    del filling
    say("ready")
    for turn, asked in enumerate(sys.stdin, start=1):
        batch = [write(turn * WRITES + n) for n in range(WRITES)]
        whole = asked == "request\n"
        say(repr(seconds_a_request(app, batch) if whole else seconds_an_apply(workspace, batch)))


if __name__ == "__main__":
    main(sys.argv[1:])
