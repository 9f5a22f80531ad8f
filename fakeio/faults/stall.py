"""stall: the answer stops in the middle of its body, and goes on later."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from fakeio.core.weather import Chance, Effect, Stall

LONGEST_S = 86_400


class Stalled(Effect, frozen=True, kw_only=True):
    """`seconds` of real time of silence after so many bytes of the body, and always before its last one.

    The answer is the request's own, so the request is carried out, whatever the moment.
    """

    kind: ClassVar[str] = "stall"
    after_bytes: Annotated[int, msgspec.Meta(ge=0)]
    seconds: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]

    def act(self, api: str, chance: Chance) -> Stall:
        return Stall(self.after_bytes, self.seconds)
