"""Which route a method and a raw path mean: a walk through a tree of path segments, never a regular expression.

Decides on the path as received: it is split first and decoded afterwards, so `a%2Fb` is one segment. What a route does
is its handler's business; the routes themselves are listed in `app.py`.
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
    """Routes by path segment, then by method."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            if route.routed:
                self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        for part in route.path.split("/")[1:]:
            if part.startswith("{"):
                node.wild = node.wild or _Node()
                node = node.wild
            else:
                node = node.children.setdefault(part, _Node())
        if route.method in node.routes:
            raise ValueError(f"two routes for {route.method} {route.path}")
        node.routes[route.method] = route

    def find(self, method: str, path: str) -> Found:
        """The route of that method and percent-encoded path."""
        node = self._root
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
