"""Settings that remember which of them were asked for, so that somebody can find out what a result depends on.

Used only while a test run sweeps the switches: ordinary settings know nothing of this and pay nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakeio.core.settings import Settings


class WatchedSettings(Settings):
    """Settings that put the name of each one that is read into `read`, unless somebody has chosen it on purpose.

    What a caller changes with `with_` is chosen: from then on the result depends on the caller, not on our reading.
    """

    __slots__ = ("_chosen", "_read")

    def __init__(
        self, values: Mapping[str, Any], read: set[str], chosen: frozenset[str] = frozenset()
    ) -> None:  # fmt: skip
        self._read = read
        self._chosen = chosen
        super().__init__(values)
        for name in self._values:
            del self.__dict__[name]  # so that every read goes through `__getattr__`

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if name not in self._chosen:
            self._read.add(name)
        return value

    def with_(self, changes: Mapping[str, Any]) -> WatchedSettings:
        """These settings with some replaced, watched by the same; raises BadSetting."""
        return WatchedSettings({**self.as_dict(), **changes}, self._read, self._chosen | changes.keys())
