"""What one connection may take: the limits as values. `server_guard.py` keeps them."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """0 lifts a limit. `head_bytes` and `body_bytes` are those of one request, `control_body_bytes` of a control call.

    A request has `head_s` from its first byte until its head is whole, and `request_s` until all of it is there.
    `idle_s`: a connection on which nothing was ever asked. `connections`: beyond these, idle ones are closed; 0: as
    many as this process may have open.
    """

    head_bytes: int = 64 * 1024
    body_bytes: int = 64 * 1024 * 1024
    control_body_bytes: int = 2 * 1024 * 1024 * 1024
    head_s: float = 60
    request_s: float = 600
    idle_s: float = 75
    connections: int = 0
