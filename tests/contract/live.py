"""A live fake for the contract tests of its edges: one server a module, one fresh workspace a test, real sockets.

Modules name the fixtures they use: `live, site = fixtures.live, fixtures.site`. Built below the public `Fake`, so that
the edges are tested without the harness that stands on them.
"""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from fakeio.app import build_app, build_universe
from fakeio.core.outcomes import Applied, Ignored, Refused
from fakeio.edge.exchange import Universe
from fakeio.edge.registry import HostedWorkspace, Options
from fakeio.edge.tape import Exchange
from fakeio.server import ThreadedServer

PATIENCE_S = 30  # a bound on hanging, never a measure
NOW = 1_780_000_000.0


class Live:
    """A running server and what is behind it."""

    def __init__(self, universe: Universe, server: ThreadedServer) -> None:
        self.universe = universe
        self.url = server.bound.url
        self.port = server.bound.port
        self._sites: list[Site] = []

    def site(self, **options: Any) -> Site:
        """A fresh workspace, rate limits off unless its settings say otherwise."""
        found = Site(self, self.universe.registry.create(**options))
        self._sites.append(found)
        return found

    def shared(self) -> Site:
        """One workspace for all the examples of a property, which must not care what is in it."""
        return self._sites[0] if self._sites else self.site()

    def close(self) -> None:
        """Close the clients of every workspace."""
        for site in self._sites:
            site.track.close()
            site.app.close()

    def ask(self, raw: bytes) -> bytes:
        """Bytes to the server as they are, and everything it sends until it closes."""
        with closing(socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)) as connection:
            connection.sendall(raw)
            return b"".join(iter(lambda: connection.recv(65536), b""))


class Site:
    """One workspace as its clients see it (`track`, `app`) and as it really is (`hosted`)."""

    def __init__(self, live: Live, hosted: HostedWorkspace) -> None:
        keys = hosted.credentials
        self.live = live
        self.hosted = hosted
        self.basic = (keys.site_id, keys.track_api_key)
        self.bearer = f"Bearer {keys.app_api_key}"
        # without TLS there is nothing to verify, and loading the system's roots takes longer than most tests
        self.track = httpx.Client(base_url=live.url, auth=self.basic, timeout=PATIENCE_S, verify=False)
        self.app = httpx.Client(
            base_url=live.url, headers={"authorization": self.bearer}, timeout=PATIENCE_S, verify=False
        )

    def identify(self, identifier: str, **attributes: Any) -> httpx.Response:
        """Identify by a path segment that needs no escaping."""
        return self.track.put(f"/api/v1/customers/{identifier}", json=attributes)

    def stop_clock(self) -> None:
        """From now on the workspace's time is NOW until a test moves it."""
        self.hosted.clock.set(NOW)

    def people(self) -> list[dict[str, Any]]:
        """Everybody, in order of creation: identifiers that are set, and attributes."""
        return [
            {**{kind: value for kind in ("id", "email") if (value := getattr(person, kind)) is not None},
             **person.attributes}
            for person in self.hosted.state.people
        ]  # fmt: skip

    def events(self) -> list[tuple[str | None, str, str, bytes]]:
        """Every event: whose (id, email or None), its type, name and data."""
        people = self.hosted.state.people
        found = []
        for event in self.hosted.state.events():
            owner = people.get(event.person) if event.person else None
            whose = (owner.id or owner.email) if owner is not None else None
            found.append((whose, event.type, event.name, event.data))
        return found

    def last(self) -> Exchange:
        """The newest exchange on the tape."""
        exchange = self.hosted.tape.get(self.hosted.tape.last)
        assert exchange is not None
        return exchange

    def outcomes(self) -> list[tuple[str, str, str | None]]:
        """What the newest request came to: (operation, outcome, rule)."""
        return [_told(name, outcome) for name, outcome in self.last().operations]

    def cio_id(self, identifier: str) -> str:
        """The cio_id of the person with that id or email."""
        people = self.hosted.state.people
        return next(one.cio_id for one in people if identifier in (one.id, one.email))


def _told(name: str, outcome: Any) -> tuple[str, str, str | None]:
    if isinstance(outcome, Applied):
        return name, "applied", None
    assert isinstance(outcome, Ignored | Refused)
    return name, "ignored" if isinstance(outcome, Ignored) else "refused", outcome.rule


def basic_header(user: str, password: str) -> bytes:
    """An `Authorization` line as raw bytes."""
    return b"Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()) + b"\r\n"


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """One server for the tests of a module. A bug of the fake's own fails the module."""
    universe = build_universe(Options(settings={"rate_limits": "off"}))
    with ThreadedServer(build_app(universe)) as server:
        running = Live(universe, server)
        yield running
        running.close()
    assert [error for hosted in universe.registry for error in hosted.errors] == []


@pytest.fixture
def site(live: Live) -> Site:
    """A workspace nobody else uses."""
    return live.site()
