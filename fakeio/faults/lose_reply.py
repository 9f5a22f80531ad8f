"""lose_reply: the request is applied, then the connection is closed without an answer. It finds the most bugs."""

from __future__ import annotations

from typing import ClassVar

from fakeio.core.weather import AFTER_COMMIT, CLOSE, Chance, Effect, Sever


class LoseReply(Effect, frozen=True, kw_only=True):
    """The same as `close` at `after_commit`, under the name people look for."""

    kind: ClassVar[str] = "lose_reply"
    moments: ClassVar[tuple[str, ...]] = (AFTER_COMMIT,)
    moment: ClassVar[str] = AFTER_COMMIT

    def act(self, api: str, chance: Chance) -> Sever:
        return Sever(CLOSE)
