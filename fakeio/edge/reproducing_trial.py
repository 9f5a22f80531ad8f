"""Sends recorded requests to a workspace of its own, in process, to learn which of them end as they did.

A reproduction that says "this fails" must fail: where one request needs those before it, or state that nobody can
recover, that shows here and is said in the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from fakeio.edge.exchange import Universe, run_exchange
from fakeio.edge.http import RawRequest, Reply
from fakeio.edge.registry import HostedWorkspace
from fakeio.edge.reproducing import Sent, in_words

MOST = 2_000  # requests tried; a server has others to answer


def end_otherwise(
    recorded: Sequence[Sent], seed: Mapping[str, Any], region: str, faults: Mapping[int, dict[str, Any]],
    universe: Universe, now: float,
) -> list[int]:  # fmt: skip
    """The numbers of those that have ended otherwise by `now` in a workspace that starts with `seed`.

    `universe` is a server that nobody else uses. Raises SeedError, BadSetting.
    """
    hosted = universe.registry.create(region=region, seed=seed)
    hosted.state.settings = hosted.state.settings.with_({"fetch_from": "nowhere"})  # nothing outside is asked again
    tried = [(sent, *_send(universe, hosted, sent, faults.get(sent.n))) for sent in recorded]
    hosted.state.sweep(now)
    return [sent.n for sent, status, n in tried if not _as_recorded(hosted, sent, status, n)]


def _send(
    universe: Universe, hosted: HostedWorkspace, sent: Sent, fault: dict[str, Any] | None
) -> tuple[int | None, int | None]:
    """The status it got, and its number on the workspace's tape; None for one that belongs to no workspace."""
    hosted.clock.set(sent.at)
    if fault is not None:
        hosted.weather.add({**fault, "times": 1})
    before = hosted.tape.last
    steps = run_exchange(universe, _addressed(sent, hosted))
    try:
        while True:
            next(steps)  # waits are for people
    except StopIteration as stop:
        status = stop.value.status if isinstance(stop.value, Reply) else None
    return status, hosted.tape.last if hosted.tape.last > before else None


def _addressed(sent: Sent, hosted: HostedWorkspace) -> RawRequest:
    path, _, query = sent.target.partition("?")
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.headers]
    if sent.key is not None:
        own = msgspec.structs.asdict(hosted.credentials)
        headers.append((b"authorization", sent.key.header(own.__getitem__).encode("latin-1")))
    return RawRequest(sent.method, path, query.encode("latin-1"), tuple(headers), sent.body)


def _as_recorded(hosted: HostedWorkspace, sent: Sent, status: int | None, n: int | None) -> bool:
    exchange = None if n is None else hosted.tape.get(n)
    outcomes = sent.outcomes if exchange is None else tuple(in_words(*done) for done in exchange.operations)
    return (status, outcomes) == (sent.status, sent.outcomes)
