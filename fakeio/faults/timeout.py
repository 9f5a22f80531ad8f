"""timeout: the request is never answered."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from fakeio.core.weather import Chance, Effect, Hold

LONGEST_S = 86_400


class Timeout(Effect, frozen=True, kw_only=True):
    """Held until the client leaves; with `seconds` (of real time) the connection is closed after that long.

    At `before_parse` and `before_commit` nothing is applied, not even later; at `after_commit` everything was.
    """

    kind: ClassVar[str] = "timeout"
    seconds: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)] | None = None

    def act(self, api: str, chance: Chance) -> Hold:
        return Hold(self.seconds)
