"""A respx router that leads a test's httpx calls to the six real hosts into a fake, in process.

Clients of any kind are caught where respx catches them, unmodified; what they meet is `fake.transport`: the same state,
the same tape, and the httpx errors that a fault on a socket would cause. Every other host is left to respx.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

from fakeio.edge.regions import GATES

if TYPE_CHECKING:
    import httpx
    import respx

    from fakeio.edge.transport import FakeTransport
    from fakeio.testing import Fake

HOSTS = tuple(sorted(host.decode("ascii") for host in GATES))
ROUTE = "fakeio"

_AWAITED: ContextVar[bool] = ContextVar("an async client is waiting for the answer", default=False)


def respx_router(
    fake: Fake, *, assert_all_called: bool = False, assert_all_mocked: bool = True, **options: Any
) -> respx.MockRouter:
    """A router with one route, named `fakeio`, for the six hosts of Customer.io, https or http.

    Use it as any other: `with respx_router(fake) as router: …`, and add routes of your own for other hosts. A request
    to a host without a route raises respx's AllMockedAssertionError, unless `assert_all_mocked` is False; `options` are
    those of `respx.MockRouter`. The fake needs not be called, unless `assert_all_called`. Raises ModuleNotFoundError
    where respx is not installed.
    """
    router = _router_class()(assert_all_called=assert_all_called, assert_all_mocked=assert_all_mocked, **options)
    router.route(host__in=HOSTS, name=ROUTE).mock(side_effect=_Entrance(fake.transport))
    return router


class _Entrance:
    """What the route does with a request: an answer for a client that waits, a coroutine for one that awaits."""

    def __init__(self, transport: FakeTransport) -> None:
        self._transport = transport

    def __call__(self, request: httpx.Request) -> Any:
        door = self._transport
        return door.handle_async_request(request) if _AWAITED.get() else door.handle_request(request)


@cache
def _router_class() -> type[respx.MockRouter]:
    try:
        import respx  # not before somebody asks: it is no part of the base installation
    except ModuleNotFoundError as missing:
        hint = "respx_router needs respx, which comes with the extra `test`: pip install 'fakeio[test]'"
        raise ModuleNotFoundError(hint, name="respx") from missing

    class FakeRouter(respx.MockRouter):
        """A router that tells its routes whether the answer is awaited; respx itself tells them nothing."""

        def resolve(self, request: httpx.Request) -> Any:
            with _awaited(value=False):
                return super().resolve(request)

        async def aresolve(self, request: httpx.Request) -> Any:
            with _awaited(value=True):
                return await super().aresolve(request)

    return FakeRouter


@contextmanager
def _awaited(*, value: bool) -> Iterator[None]:
    token = _AWAITED.set(value)
    try:
        yield
    finally:
        _AWAITED.reset(token)
