"""slow_body: the answer arrives whole, at a few bytes a second."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from fakeio.core.weather import Chance, Effect, Slow


class SlowBody(Effect, frozen=True, kw_only=True):
    """Bytes of the body per second of real time; the head comes at once.

    The answer is the request's own, so the request is carried out, whatever the moment.
    """

    kind: ClassVar[str] = "slow_body"
    bytes_per_s: Annotated[float, msgspec.Meta(gt=0, le=1e12)]

    def act(self, api: str, chance: Chance) -> Slow:
        return Slow(self.bytes_per_s)
