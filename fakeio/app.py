"""The application: its routes, and what is needed to serve them.

Product requests are found by a walk over the raw path; Starlette serves the control API alone. Only the routes of the
Track API are here from the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.types import ASGIApp

from fakeio.app_track import TRACK_ROUTES
from fakeio.edge.asgi import ProductApp
from fakeio.edge.control import build_control
from fakeio.edge.exchange import Universe
from fakeio.edge.registry import US, Options, Registry
from fakeio.edge.routing import Route, Router


def _other_routes() -> Iterable[Route]:
    # here, since a server should start fast, and this is half of everything
    from fakeio.app_routes import OTHER_ROUTES

    return OTHER_ROUTES


_ROUTER = Router(TRACK_ROUTES, _other_routes)


def build_universe(
    options: Options | None = None, *, region: str = US, settings: Mapping[str, Any] | None = None,
    seed: Mapping[str, Any] | None = None,
) -> Universe:  # fmt: skip
    """A server's state with its default workspace; `settings` and `seed` are the default workspace's alone.

    Raises BadSetting and SeedError.
    """
    return Universe(Registry(options, region=region, settings=settings, seed=seed), _ROUTER)


def build_app(universe: Universe, *, host: str = "127.0.0.1", token: str | None = None) -> ASGIApp:
    """The ASGI app of one server: product routes and the control API. `host` and `token` guard the latter."""
    return ProductApp(universe, build_control(universe, host=host, token=token))
