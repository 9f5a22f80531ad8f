"""throttle: 429 beyond a rate, counted on the workspace's clock."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from fakeio.core.weather import Answer, Chance, Effect
from fakeio.faults.status import Status

MOST_PER_S = 1_000_000


class Throttle(Effect, frozen=True, kw_only=True):
    """A bucket that holds one second's worth, at least one request, and refills steadily; `per_s` 0 lets none pass.

    `retry_after`: as in `status`. Requests within the rate are not struck: `times` counts the 429s.
    """

    kind: ClassVar[str] = "throttle"
    per_s: Annotated[float, msgspec.Meta(ge=0, le=MOST_PER_S)]
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | Annotated[str, msgspec.Meta(pattern=r"^[ -~]*\Z")] | None = None

    def exceeded(self, memory: dict[str, float], now: float) -> bool:
        """Take one from the bucket; True when there is none. A clock that was set back refills nothing."""
        if self.per_s == 0:
            return True
        most = max(1.0, self.per_s)
        passed_s = max(0.0, now - memory.get("at", now))
        left = min(most, memory.get("left", most) + passed_s * self.per_s)
        memory["at"] = now
        # a refill in many small steps may fall short of one by a rounding error
        empty = left < 1 - 1e-6
        memory["left"] = left if empty else max(0.0, left - 1)
        return empty

    def act(self, api: str, chance: Chance) -> Answer:
        return Status(status=429, retry_after=self.retry_after).act(api, chance)
