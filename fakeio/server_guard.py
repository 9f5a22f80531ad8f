"""What one connection may take: how large a request, how long until it is whole, how many connections at once.

Generous, since this is no gateway: nothing that a client of the real service sends comes near. They only keep a client
that is broken, or means harm, from taking the memory, the file descriptors or the time of all others.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from fakeio.edge.asgi import is_control
from fakeio.server_limits import Limits

if sys.platform != "win32":  # which has no such limits
    import resource

IDLE, HEAD, BODY = 0, 1, 2  # what a connection is waiting for: a request, the rest of its head, the rest of its body

_SPARE_FILES = 128  # descriptors left to everything that is no connection
_WANTED_FILES = 65_536
_LINGER_S = 2.0  # a refused client is still listened to for so long, or it might never read why
_LENGTH = b"content-length"


class Refusal(Exception):
    """Stops the parser: the request it is in the middle of was refused."""


class Guard:
    """The limits at work, for all connections of a server; a connection is a `server_protocol.Protocol`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.most = limits.connections or _room_for_connections()

    def check_head(self, connection: Any) -> None:
        """Once a head is whole; raises Refusal."""
        most = self.limits.head_bytes
        if most and sum(len(name) + len(value) for name, value in connection.headers) + len(connection.url) > most:
            refuse(connection, 431, f"the head of a request may take {most} bytes")
            raise Refusal

    def check_size(self, connection: Any) -> None:
        """While a request is not whole."""
        if connection.phase == HEAD:
            most = self.limits.head_bytes
            if most and connection.arrived_bytes > most:
                refuse(connection, 431, f"the head of a request may take {most} bytes")
            return
        most = self.limits.body_bytes
        if is_control(connection.url.partition(b"?")[0]):
            most = self.limits.control_body_bytes
        if most and max(_declared(connection.headers), connection.arrived_bytes) > most:
            refuse(connection, 413, f"the body of a request may take {most} bytes")

    def check_time(self, connection: Any, now: float) -> None:
        """From time to time: close what nobody uses, refuse what does not come to its end."""
        limits = self.limits
        has_a_timer = connection.phase == IDLE and connection.timeout_keep_alive_task is not None
        if connection.refused or has_a_timer or not connection.is_waiting():
            connection.waiting_since = None
        elif connection.waiting_since is None:
            connection.waiting_since = now
        else:
            allowed_s = (limits.idle_s, limits.head_s, limits.request_s)[connection.phase]
            if allowed_s and now - connection.waiting_since > allowed_s:
                if connection.phase == IDLE:
                    connection.transport.close()
                else:
                    refuse(connection, 408, f"the request was not whole after {allowed_s:g} seconds")

    def make_room(self, connections: Iterable[Any]) -> None:
        """Close a tenth of all connections: those on which nothing is going on, before those that only began; of either
        kind, those that have been there longest."""
        idle = [one for one in connections if one.is_waiting() and one.phase != BODY]
        idle.sort(key=lambda one: (one.phase, one.number))
        for one in idle[: max(1, self.most // 10)]:
            one.transport.abort()


def refuse(connection: Any, status: int, why: str) -> None:
    """Answer a request that is not whole, and listen to no more of it. Unless others before it still wait: then cut."""
    waiting = connection.is_waiting()
    connection.refused = True
    cycle = connection.cycle
    if cycle is not None and not cycle.response_complete:
        cycle.disconnected = True
        cycle.message_event.set()
    if not waiting:
        connection.transport.abort()
        return
    connection.flow.resume_reading()
    connection.transport.write(_encode(status, why))
    with contextlib.suppress(OSError, RuntimeError):  # it has gone already
        if connection.transport.can_write_eof():
            connection.transport.write_eof()
    asyncio.get_running_loop().call_later(_LINGER_S, connection.transport.close)


def _encode(status: int, why: str) -> bytes:
    body = msgspec.json.encode({"meta": {"error": why}}) + b"\n"
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json; charset=utf-8\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    ).encode("ascii") + body


def _declared(headers: list[tuple[bytes, bytes]]) -> int:
    """How long the body says it is; 0 when it does not say, or no number."""
    for name, value in headers:
        if name == _LENGTH:
            return int(value) if value.isdigit() else 0
    return 0


def _room_for_connections() -> int:
    """As many as this process may have open, less some; 0 where nobody counts."""
    if sys.platform == "win32":
        return 0
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else max(16, soft - _SPARE_FILES)


def use_all_files() -> None:
    """Let this process open as many files, connections among them, as it may be allowed to."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # a system's own ceiling, below what it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
