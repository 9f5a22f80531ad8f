"""close: the connection is closed in good order, before the status line of an answer."""

from __future__ import annotations

from typing import ClassVar

from fakeio.core.weather import CLOSE, Chance, Effect, Sever


class Close(Effect, frozen=True, kw_only=True):
    """At `before_parse` and `before_commit` nothing was applied; at `after_commit` everything was."""

    kind: ClassVar[str] = "close"

    def act(self, api: str, chance: Chance) -> Sever:
        return Sever(CLOSE)
