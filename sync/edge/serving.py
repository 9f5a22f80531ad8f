"""uvicorn on one port: binds first, says where, serves until a signal, then stops without losing what it accepted."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from sync.core.errors import ConfigError

GRACE_S = 5  # for requests in flight when a signal comes
MOST_AT_ONCE = 256  # connections, whether anything is asked on them or not
SILENCE_S = 10.0  # for a request to come on a connection: those on which none does would soon be all there may be
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def serve(app: ASGIApp, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called with the url once connections are accepted; `port` 0 picks one.

    Raises ConfigError when the address can't be used.
    """
    config = Config(
        app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=MOST_AT_ONCE, server_header=False, http=Impatient,
    )  # fmt: skip
    with _listening(host, port) as listener:
        server = _Server(config, lambda: ready(_url(host, listener.getsockname()[1])))
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it has stopped
            server.run(sockets=[listener])


class Impatient(AutoHTTPProtocol):  # type: ignore[misc, valid-type] # it is the better of two that are installed
    """Closes a connection on which nothing is asked: uvicorn itself waits for ever for a first request."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._look(object())

    def _look(self, before: object) -> None:
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is before:
            self.transport.close()
        else:
            self._looking = self.loop.call_later(SILENCE_S, self._look, self.cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._looking.cancel()
        super().connection_lost(exc)


class _Server(Server):
    def __init__(self, config: Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else "can't be used"
        hint = "choose another --host or --port, 0 for any"
        raise ConfigError(f"the address {host}:{port} {why}", hint=hint) from error
    return listener


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
