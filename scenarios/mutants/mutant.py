"""What a mutant is: one or two functions of the fake or of the engine, and what stands in their place.

As data, so that lists of them can be printed, chosen from and checked. Putting one in force is `applying.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

FAKE, ENGINE = "fake", "engine"
ROOMS = (FAKE, ENGINE)

#: Gets the function that it stands in for, then that function's own arguments.
Wrong = Callable[..., Any]


class Patch(NamedTuple):
    """`target` is `module:function` or `module:Class.method`, private ones too."""

    target: str
    wrong: Wrong

    @property
    def module(self) -> str:
        """Where its function is at home."""
        return self.target.partition(":")[0]


class Mutant(NamedTuple):
    """One wrong variant. `words` say what it does; `source` who has this bug, or which fact it gets wrong."""

    name: str
    room: str
    words: str
    source: str
    patches: tuple[Patch, ...]


class Collection:
    """The mutants of one room, in the order in which they were written down."""

    def __init__(self, room: str) -> None:
        self.room = room
        self._mutants: dict[str, Mutant] = {}

    @property
    def mutants(self) -> tuple[Mutant, ...]:
        """All of them."""
        return tuple(self._mutants.values())

    def mutant(self, name: str, target: str, words: str, source: str) -> Callable[[Wrong], Wrong]:
        """Decorates the function that stands in for `target`. Raises ValueError for a name that is taken."""

        def keep(wrong: Wrong) -> Wrong:
            if name in self._mutants:
                raise ValueError(f"there are two mutants called {name}")
            self._mutants[name] = Mutant(name, self.room, words, source, (Patch(target, wrong),))
            return wrong

        return keep

    def also(self, name: str, target: str) -> Callable[[Wrong], Wrong]:
        """Decorates one more function of a mutant that is there already."""

        def keep(wrong: Wrong) -> Wrong:
            mutant = self._mutants[name]
            self._mutants[name] = mutant._replace(patches=(*mutant.patches, Patch(target, wrong)))
            return wrong

        return keep


def of(original: Any, name: str) -> Any:
    """Something that the original's module knows by that name; so no mutant imports what it spoils."""
    return original.__globals__[name]
