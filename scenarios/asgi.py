"""One request to an ASGI application of this process, without a server and without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message

Headers = Iterable[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """What came back, its body whole."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def ask(app: ASGIApp, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Answer:
    """Send it and wait. `target` is a path, perhaps with a query; names of `headers` are in lower case."""
    return asyncio.run(_ask(app, method, target, headers, body))


async def _ask(app: ASGIApp, method: str, target: str, headers: Headers, body: bytes) -> Answer:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "server": ("receiver", 80), "client": ("sender", 1),
        "headers": [*headers, (b"content-length", str(len(body)).encode())],
    }  # fmt: skip
    await app(scope, receive, send)
    return Answer(sent[0]["status"], list(sent[0]["headers"]), b"".join(one.get("body", b"") for one in sent[1:]))
