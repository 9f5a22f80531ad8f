"""The values between a handler and the exchange: a call as it came in, and what is to be done about it.

A handler only parses. It returns `Work` (operations, and how to word their outcomes) or `Answered` (refused while
parsing, nothing to commit); the exchange alone applies, so that a fault can strike between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from fakeio.core.operations import Operation
from fakeio.core.outcomes import Ignored, Outcome, Refused
from fakeio.core.settings import Settings
from fakeio.core.workspace import Workspace
from fakeio.edge.fetching import Fetched
from fakeio.edge.http import RawRequest, Reply
from fakeio.edge.registry import HostedWorkspace, Registry
from fakeio.edge.tape import Done


class Call(msgspec.Struct, gc=False):
    """A request that found its route and its workspace. `segments` are the path's open ones, decoded.

    `n` is its number on the tape; `registry` knows the account's other workspaces.
    """

    registry: Registry
    hosted: HostedWorkspace
    request: RawRequest
    segments: list[str]
    n: int

    @property
    def settings(self) -> Settings:
        return self.hosted.state.settings


class Settled(msgspec.Struct, frozen=True, gc=False):
    """An operation whose fate an edge decided alone: it broke a wire rule, or is not imitated."""

    name: str
    outcome: Refused | Ignored


class After(msgspec.Struct, frozen=True, gc=False):
    """An operation that is carried out only when nothing before it in its request, or batch item, was refused."""

    operation: Operation

    @property
    def name(self) -> str:
        return self.operation.name


Item = Operation | Settled | After


class Answered(msgspec.Struct, frozen=True, gc=False):
    """An answer and what the tape says about it. From a handler: nothing is committed."""

    reply: Reply
    done: tuple[Done, ...] = ()


class Work(msgspec.Struct, frozen=True, gc=False):
    """What to apply, in order, and how to answer.

    `render` runs under the workspace's lock, after the items, and may read the state. When it is the state that refuses
    (nobody of that name), it says so with `Answered`. `rows`: the place in its batch that each item came from.
    """

    items: Sequence[Item]
    render: Callable[[Sequence[Outcome | None], Workspace], Reply | Answered]
    rows: Sequence[int] = ()


class Errand(msgspec.Struct, frozen=True, gc=False):
    """A file is needed before there is work: from where, and what to do with whatever comes of fetching it."""

    url: str
    then: Callable[[Fetched], Work | Answered]


Handler = Callable[[Call], Work | Answered | Errand]


def refuse(operation: str, refused: Refused, reply: Reply) -> Answered:
    """One operation refused while parsing."""
    return Answered(reply, ((operation, refused),))
