"""One row of the table of App API routes, with what most of them share filled in.

Each module of this package lists its own routes; `app_routes.py` collects them.
"""

from __future__ import annotations

from fakeio.core.settings import DOCUMENTED
from fakeio.edge.routing import APP, KEY, Quota, Route
from fakeio.edge.work import Handler


def app_route(
    method: str, path: str, operation: str, handler: Handler, *, tier: int = 2, grade: str = DOCUMENTED,
    limited: bool = True, auth: str = KEY, quota: Quota | None = None, fetches: bool = False, minimum: bool = False,
) -> Route:  # fmt: skip
    """An imitated operation of the App API; the words are those of `Route`."""
    return Route(
        method=method, path=path, api=APP, operation=operation, grade=grade, tier=tier, handler=handler, auth=auth,
        limited=limited, quota=quota, fetches=fetches, minimum=minimum,
    )  # fmt: skip
