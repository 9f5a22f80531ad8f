"""drop: the usual answer, and nothing was applied. The loss that no status tells of."""

from __future__ import annotations

from typing import ClassVar

from fakeio.core.weather import BEFORE_COMMIT, Chance, Drop, Effect


class Dropped(Effect, frozen=True, kw_only=True):
    """What a request that is wrong is told stays as it was; whatever else it asks for is lost."""

    kind: ClassVar[str] = "drop"
    moments: ClassVar[tuple[str, ...]] = (BEFORE_COMMIT,)

    def act(self, api: str, chance: Chance) -> Drop:
        return Drop()
