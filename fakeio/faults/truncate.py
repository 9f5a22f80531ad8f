"""truncate: the connection is closed in the middle of the answer's body."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from fakeio.core.weather import Chance, Effect, Truncate


class Truncated(Effect, frozen=True, kw_only=True):
    """So many bytes of the body arrive, at most all but the last; the head promises the whole.

    At `after_commit` everything was applied; before, nothing was: the client reads the beginning of an answer to
    something that did not happen.
    """

    kind: ClassVar[str] = "truncate"
    bytes: Annotated[int, msgspec.Meta(ge=0)]

    def act(self, api: str, chance: Chance) -> Truncate:
        return Truncate(self.bytes)
