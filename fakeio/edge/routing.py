"""Which route a method and a raw path mean: a walk through a tree of path segments, never a regular expression.

Decides on the path as received: it is split first and decoded afterwards, so `a%2Fb` is one segment. What a route does
is its handler's business; the routes themselves are listed in `app_track.py` and `app_routes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

from fakeio.edge.http import RawRequest
from fakeio.edge.work import Handler

TRACK, APP, PIPELINES = "track", "app", "pipelines"
BASIC, KEY, SEND, OPEN = "basic", "key", "send", "open"  # who may call: Track pair, App API key, a sender, anybody
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")


class Quota(NamedTuple):
    """How often one operation may be called beside the general rate: `most` times in `window_s` seconds."""

    most: int
    window_s: int
    tells_when: bool  # whether the refusal says when to try again


class Route(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One operation of the published APIs.

    `path` is a template with `{name}` for a segment; `tier` 1 is what a sync needs, 3 the rest.
    """

    method: str
    path: str
    api: str
    operation: str
    grade: str
    tier: int
    handler: Handler
    imitated: bool = True
    auth: str = BASIC
    limited: bool = True  # counts against the rate limit
    anywhere: bool = False  # answers on both regional hosts, whatever the credentials' region
    blank_segment: bool = False  # an empty segment is this route's business, not an unknown route
    delivery: Callable[[RawRequest, list[str]], str | None] | None = None  # the delivery id that places a request
    routed: bool = True  # False: only a row of the table, one of several things that another row's path can do
    quota: Quota | None = None  # a limit of its own
    fetches: bool = False  # its handler may need a file from elsewhere before there is work: an `Errand`
    minimum: bool = False  # answers in the documented shape, but holds nothing


class Found(NamedTuple):
    """A route and the raw segments that its template leaves open. `known_path`: only the method is wrong."""

    route: Route | None
    segments: list[str]
    known_path: bool = True


class _Node:
    __slots__ = ("children", "routes", "wild")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.wild: _Node | None = None
        self.routes: dict[str, Route] = {}


class Router:
    """Routes by path segment, then by method.

    `others` tells the rest of them, and is asked by the first request that `routes` have no answer for. No path of
    `routes` may be one of theirs too. Safe to use from several threads.
    """

    def __init__(self, routes: Iterable[Route], others: Callable[[], Iterable[Route]] | None = None) -> None:
        self._first = tuple(routes)
        self._others = others
        self._routes = self._first if others is None else None
        self._root = _tree(self._first)

    @property
    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        if self._routes is None:
            assert self._others is not None, "only those are ever missing"
            routes = (*self._first, *self._others())
            # whole trees are swapped, and before anybody is told: two threads may both do this, to the same end
            self._root = _tree(routes)
            self._routes = routes
        return self._routes

    def find(self, method: str, path: str) -> Found:
        """The route of that method and percent-encoded path."""
        root = self._root
        found = _walk(root, method, path)
        if found.route is None and self.routes and self._root is not root:
            return _walk(self._root, method, path)
        return found


def _tree(routes: Iterable[Route]) -> _Node:
    root = _Node()
    for route in routes:
        if route.routed:
            _plant(root, route)
    return root


def _plant(root: _Node, route: Route) -> None:
    node = root
    for part in route.path.split("/")[1:]:
        if part.startswith("{"):
            node.wild = node.wild or _Node()
            node = node.wild
        else:
            node = node.children.setdefault(part, _Node())
    if route.method in node.routes:
        raise ValueError(f"two routes for {route.method} {route.path}")
    node.routes[route.method] = route


def _walk(node: _Node, method: str, path: str) -> Found:
    open_segments: list[str] = []
    for part in path.split("/")[1:]:
        child = node.children.get(part)
        if child is None:
            child = node.wild
            if child is None:
                return _UNKNOWN
            open_segments.append(part)
        node = child
    route = node.routes.get(method)
    if route is None:
        return Found(None, open_segments, known_path=bool(node.routes))
    if "" in open_segments and not route.blank_segment:
        return _UNKNOWN
    return Found(route, open_segments)


_UNKNOWN = Found(None, [], known_path=False)


def decode_segment(raw: str) -> str | None:
    """One path segment with its escapes resolved once; None for bad escapes or bytes that are no UTF-8.

    A plus is a plus.
    """
    if "%" not in raw:
        return raw
    if _BAD_ESCAPE.search(raw):
        return None
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return None
