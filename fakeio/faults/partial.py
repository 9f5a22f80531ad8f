"""partial: some items of a v2 batch fail with a 207 entry, and their neighbours are applied."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from fakeio.core.weather import BEFORE_COMMIT, Chance, Effect, FailItems


class Partial(Effect, frozen=True, kw_only=True):
    """`indices` count the items from 0; those past the end of a batch mean nothing.

    Strikes and counts `/api/v2/batch` alone, whatever its match says.
    """

    kind: ClassVar[str] = "partial"
    moments: ClassVar[tuple[str, ...]] = (BEFORE_COMMIT,)
    only_path: ClassVar[str | None] = "/api/v2/batch"
    indices: Annotated[list[Annotated[int, msgspec.Meta(ge=0)]], msgspec.Meta(min_length=1)]

    def act(self, api: str, chance: Chance) -> FailItems:
        return FailItems(frozenset(self.indices))
