"""A workspace's state with its clock, out of this server and back in: what a snapshot is, and what restoring does.

The clock belongs to it only when it stands still; the tape, the faults and the credentials never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakeio.core.restoring import restore
from fakeio.core.seed_error import SeedError
from fakeio.core.snapshots import take
from fakeio.edge.clock import MANUAL
from fakeio.edge.registry import CLOCK, HostedWorkspace, stopped_at


def read_snapshot(hosted: HostedWorkspace) -> dict[str, Any]:
    """The whole state as one JSON document. The caller holds the lock, and has swept."""
    document = take(hosted.state)
    if hosted.clock.mode == MANUAL:
        document[CLOCK] = {"now": hosted.clock.now(), "mode": MANUAL}
    return document


def put_snapshot(hosted: HostedWorkspace, document: Any) -> None:
    """Make the workspace what a snapshot says; raises SeedError, and then nothing has changed."""
    if not isinstance(document, Mapping):
        raise SeedError("a snapshot is a JSON object")
    with hosted.lock:
        stopped = stopped_at(document)
        state = hosted.blank()
        rest = {key: value for key, value in document.items() if key != CLOCK}
        restore(state, rest, hosted.clock.now() if stopped is None else stopped)
        hosted.state = state
        if stopped is not None:
            hosted.clock.set(stopped)
        elif hosted.clock.mode == MANUAL:
            hosted.clock.reset()
        if hosted.journal is not None:
            hosted.journal.rewrite()
