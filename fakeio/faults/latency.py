"""latency: wait before answering, then answer as usual."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from fakeio.core.weather import Chance, Effect, Pause

LONGEST_S = 86_400
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]


class Latency(Effect, frozen=True, kw_only=True):
    """Seconds of real time. `jitter` adds up to so many more, drawn evenly from the fault's own seed."""

    kind: ClassVar[str] = "latency"
    seconds: _Seconds
    jitter: _Seconds = 0.0

    def act(self, api: str, chance: Chance) -> Pause:
        return Pause(self.seconds + self.jitter * chance.draw())
