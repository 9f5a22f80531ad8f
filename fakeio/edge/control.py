"""The door to the control API, `/_fakeio/…`: where it is, and that it is built when somebody first knocks.

Most servers are started for their product routes and must start fast; the framework that serves the control API, and
its forty routes, are imported by the first request for them. They are in `control_app.py`.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from fakeio.edge.exchange import Universe

PREFIX = "/_fakeio"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on that address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Desk(NamedTuple):
    """Where the control API sits: the server it looks into, and who may call.

    `host` is the address the server is bound to; `token` what a caller must send, if anything.
    """

    universe: Universe
    host: str = "127.0.0.1"
    token: str | None = None


def build_control(universe: Universe, *, host: str = "127.0.0.1", token: str | None = None) -> ASGIApp:
    """The ASGI app of the control API. It expects the whole path, `/_fakeio` included.

    `host` is the address the server is bound to; with `token`, every call must carry it in `X-Fakeio-Token`.
    """
    return _BuiltWhenCalled(Desk(universe, host, token))


class _BuiltWhenCalled:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            from fakeio.edge.control_app import build  # see above: not before somebody asks

            self._app = build(self._desk)
        await self._app(scope, receive, send)
