"""Going on where another process stopped: the workspaces of a data file, as they were when it last answered.

Credentials, settings, seeds and clocks come back with the state; the tape and the faults do not, and neither does who
was blamed for what, since that is told in numbers of the tape. Numbers of requests go on, so that none means two.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fakeio.core.restoring import restore
from fakeio.edge.credentials import Credentials
from fakeio.edge.exchange import Universe
from fakeio.edge.journal import replay
from fakeio.edge.registry import HostedWorkspace, Registry
from fakeio.edge.store import Store, Stored, StoreError


class _About(msgspec.Struct):
    """What the file says about a workspace beside its state."""

    name: str
    region: str
    account: str
    credentials: Credentials
    settings: dict[str, Any]
    seed: dict[str, Any]
    clock: dict[str, float | None]
    numbered: int = 0  # requests so far, or a few more


def recover(universe: Universe, store: Store) -> None:
    """Bring back what the file holds, and keep in it what happens from now on; raises StoreError."""
    registry = universe.registry
    known = [_bring_back(registry, stored, store.path) for stored in store.read()]
    registry.keep_in(store)
    for hosted, entries_bytes in known or [(registry.default, 1)]:
        if entries_bytes and hosted.journal is not None:
            hosted.journal.rewrite()
    universe.store = store
    store.start()


def leave(universe: Universe) -> None:
    """Before the file is closed, when nothing more comes: say where the numbers of requests have come to."""
    for hosted in universe.registry:
        with hosted.lock:
            if hosted.journal is not None:
                hosted.journal.stop()


def _bring_back(registry: Registry, stored: Stored, path: str) -> tuple[HostedWorkspace, int]:
    try:
        about = msgspec.json.decode(stored.about, type=_About)
        hosted = _hosted(registry, stored.id, about)
        state = hosted.blank()
        restore(state, msgspec.json.decode(stored.snapshot), hosted.clock.now())
        hosted.state = state
        hosted.clock.restore(about.clock)
        hosted.tape.go_on_after(about.numbered)
        return hosted, replay(hosted, stored.entries)
    except (ValueError, KeyError, TypeError) as bad:
        raise StoreError(f"workspace {stored.id} of {path} can't be read back: {bad}") from bad


def _hosted(registry: Registry, id: int, about: _About) -> HostedWorkspace:
    """The default workspace keeps the seed and the settings that this server was started with, for a reset."""
    if id != registry.default.id:
        return registry.create(
            id=id, name=about.name, region=about.region, account=about.account, credentials=about.credentials,
            settings=about.settings, seed=about.seed,
        )  # fmt: skip
    if registry.default.region != about.region:
        raise ValueError(f"its region is {about.region}; start with --region {about.region}, or with another file")
    return registry.default
