"""delay_visibility: accepted and answered now, visible later on the workspace's clock."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from fakeio.core.weather import BEFORE_COMMIT, Chance, Effect, Postpone

LONGEST_S = 366 * 86_400


class DelayVisibility(Effect, frozen=True, kw_only=True):
    """Seconds on the workspace's clock. Track only: the App API's own writes are never postponed."""

    kind: ClassVar[str] = "delay_visibility"
    moments: ClassVar[tuple[str, ...]] = (BEFORE_COMMIT,)
    seconds: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]

    def act(self, api: str, chance: Chance) -> Postpone:
        return Postpone(self.seconds)
