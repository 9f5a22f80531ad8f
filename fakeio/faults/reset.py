"""reset: the client's connection is reset (TCP RST) instead of answered."""

from __future__ import annotations

from typing import ClassVar

from fakeio.core.weather import RESET, Chance, Effect, Sever


class Reset(Effect, frozen=True, kw_only=True):
    """At `before_parse` and `before_commit` nothing was applied; at `after_commit` everything was."""

    kind: ClassVar[str] = "reset"

    def act(self, api: str, chance: Chance) -> Sever:
        return Sever(RESET)
