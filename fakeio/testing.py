"""`Fake`: a whole Customer.io for a test, on a free port, in a thread; and the same without any socket.

Starts with rate limits off, since a test that means to meet them says so (`settings={"rate_limits": "enforced"}`).
What can be done with one of its workspaces is `workspace_handle.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

from fakeio.app import build_app, build_universe
from fakeio.core.limits import LIMITS, Limit
from fakeio.edge.control import build_control, is_loopback
from fakeio.edge.registry import US, Options
from fakeio.edge.tape import DEFAULT_LIMIT, DEFAULT_LIMIT_BYTES
from fakeio.server import ThreadedServer, Tls
from fakeio.workspace_handle import WorkspaceHandle

if TYPE_CHECKING:
    from fakeio.edge.tls import Certificates
    from fakeio.edge.transport import FakeTransport

__all__ = ["Fake", "WorkspaceHandle", "asgi_app", "limits"]

_CALM = {"rate_limits": "off"}


class Fake:
    """A server with a default workspace. A context manager; `close` does the same as its end.

    `settings` are those of every workspace it will have, `seed` what the default one starts with. Each workspace keeps
    its newest `tape_limit` exchanges, and no more than `tape_bytes` of them. A `host` that is not loopback needs a
    `control_token`, which control calls then carry in `X-Fakeio-Token`. Raises OSError when the port is taken,
    ValueError for settings or a seed that can't be.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, region: str = US,
        settings: Mapping[str, Any] | None = None, seed: Mapping[str, Any] | None = None,
        tape_limit: int = DEFAULT_LIMIT, tape_bytes: int = DEFAULT_LIMIT_BYTES, control_token: str | None = None,
    ) -> None:  # fmt: skip
        if control_token is None and not is_loopback(host):
            raise ValueError(f"listening on {host} would let the network change this fake; pass a control_token")
        options = Options(settings=_calm(settings), tape_limit=tape_limit, tape_limit_bytes=tape_bytes)
        self._universe = build_universe(options, region=region, seed=seed)
        self._app = build_app(self._universe, host=host, token=control_token)
        self._host = host
        self._token = control_token
        self._starting_tls = threading.Lock()
        self._tls_server: ThreadedServer | None = None
        self._certificates: Certificates | None = None
        self._server = ThreadedServer(self._app, host=host, port=port)
        self._server.start()

    @property
    def url(self) -> str:
        """Where it listens for HTTP, an origin without a path."""
        return self._server.bound.url

    @property
    def https_url(self) -> str:
        """Where it listens for HTTPS; the listener starts when somebody first asks."""
        url = self._with_tls().bound.https_url
        assert url is not None
        return url

    @property
    def ca_file(self) -> str:
        """What a client of `https_url` has to trust: a PEM file, removed at `close`."""
        self._with_tls()
        assert self._certificates is not None
        return str(self._certificates.ca_file)

    @cached_property
    def workspace(self) -> WorkspaceHandle:
        """The default workspace, with the published credentials."""
        return WorkspaceHandle(self._universe.registry.default, self._universe, self.url)

    def new_workspace(
        self, *, name: str | None = None, region: str = US, account: str | None = None,
        settings: Mapping[str, Any] | None = None, seed: Mapping[str, Any] | None = None,
    ) -> WorkspaceHandle:  # fmt: skip
        """An empty workspace with credentials of its own, isolated from all others; raises ValueError."""
        hosted = self._universe.registry.create(
            name=name, region=region, account=account, settings=settings, seed=seed
        )
        return WorkspaceHandle(hosted, self._universe, self.url)

    def remove_workspace(self, handle: WorkspaceHandle) -> None:
        """Forget a workspace; its credentials open nothing any more. Raises ValueError for the default one."""
        hosted = self._universe.registry.get(handle.id)
        if hosted is not None:
            self._universe.registry.remove(hosted)

    @cached_property
    def transport(self) -> FakeTransport:
        """For `httpx.Client(transport=…)` and `httpx.AsyncClient(transport=…)`: the same fake, without a socket."""
        # here, since httpx takes longer to import than all the rest, and who calls over a socket may have no use for it
        from fakeio.edge.transport import FakeTransport

        control = build_control(self._universe, host=self._host, token=self._token)
        return FakeTransport(self._universe, control)

    def raise_first_error(self) -> None:
        """Raise the first exception that nobody expected inside the fake, in whichever workspace: a bug of the fake."""
        for hosted in self._universe.registry:  # of which there may be thousands, and after every test
            if hosted.errors:
                WorkspaceHandle(hosted, self._universe).raise_first_error()

    def close(self) -> None:
        """Stop listening and remove the certificates; twice is harmless."""
        self._server.stop()
        if self._tls_server is not None:
            self._tls_server.stop()
        if self._certificates is not None:
            self._certificates.close()

    def __enter__(self) -> Fake:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _with_tls(self) -> ThreadedServer:
        with self._starting_tls:
            if self._tls_server is None:
                # here, since making certificates needs a large library and few tests need certificates
                from fakeio.edge.tls import Certificates

                self._certificates = Certificates([self._host])
                tls = Tls(self._certificates.cert_file, self._certificates.key_file)
                server = ThreadedServer(self._app, host=self._host, tls=tls)
                server.start()
                self._tls_server = server
            return self._tls_server


def asgi_app(
    fake: Fake | None = None, *, region: str | None = None, settings: Mapping[str, Any] | None = None,
    seed: Mapping[str, Any] | None = None,
) -> ASGIApp:  # fmt: skip
    """A fake as an ASGI application, for a server or a client of your own, or to be mounted in another application.

    Of a `fake`, it is one more door to the same workspaces and tapes. Without one it is a whole universe of its own,
    to be looked into by the control API: `region`, `settings` and `seed` are then the default workspace's, and rate
    limits are off unless the settings say otherwise. Raises ValueError for settings or a seed that can't be, TypeError
    for both a fake and any of these.
    """
    if fake is None:
        return build_app(build_universe(Options(settings=_calm(settings)), region=region or US, seed=seed))
    if (region, settings, seed) != (None, None, None):
        raise TypeError("a fake has its region, settings and seed already; name one or the other")
    return fake._app


def limits() -> tuple[Limit, ...]:
    """The published limits of Customer.io as rows: each a bracket from its strictest to its kindest reading."""
    return LIMITS


def _calm(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**_CALM, **(settings or {})}
