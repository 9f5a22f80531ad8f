"""Keys in the order they joined, and places in that order that survive others joining and leaving.

A pager holds the place of the last key it handed out; everything that stays put is met exactly once, whatever joins or
leaves between two pages. Joining again puts a key at the end.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence

_COMPACT_FROM = 1024  # places; below this, holes are not worth a rebuild


class Roster:
    """Members (strings) with their places (whole numbers from 1, ever growing)."""

    __slots__ = ("_keys", "_last", "_lent", "_place_of", "_places")

    def __init__(self) -> None:
        self._place_of: dict[str, int] = {}
        self._places = array("q")
        self._keys: list[str | None] = []
        self._last = 0
        self._lent = False  # another roster reads the same containers: copy them before writing

    def fork(self) -> Roster:
        """The same members and places; each of the two makes a copy of its own before it changes anything."""
        other = Roster()
        other._place_of, other._places, other._keys, other._last = self._place_of, self._places, self._keys, self._last
        self._lent = other._lent = True
        return other

    def _own(self) -> None:
        self._place_of, self._places, self._keys = self._place_of.copy(), self._places[:], self._keys.copy()
        self._lent = False

    def __len__(self) -> int:
        return len(self._place_of)

    def __contains__(self, key: str) -> bool:
        return key in self._place_of

    def __iter__(self) -> Iterator[str]:
        return iter(self._place_of)

    def add(self, key: str) -> bool:
        """Put `key` at the end; False when it is in already."""
        if key in self._place_of:
            return False
        if self._lent:
            self._own()
        self._last += 1
        self._place_of[key] = self._last
        self._places.append(self._last)
        self._keys.append(key)
        return True

    def discard(self, key: str) -> bool:
        """Take `key` out; False when it was not in."""
        if key not in self._place_of:
            return False
        if self._lent:
            self._own()
        place = self._place_of.pop(key)
        self._keys[bisect_right(self._places, place) - 1] = None
        if len(self._keys) > _COMPACT_FROM and len(self._keys) > 2 * len(self._place_of):
            self._compact()
        return True

    def put_first(self, keys: Sequence[str]) -> None:
        """Those of `keys` that are in, in this order, before all others; only while nobody holds a place."""
        wanted = dict.fromkeys(key for key in keys if key in self._place_of)
        rest = [key for key in self._place_of if key not in wanted]
        for key in (*wanted, *rest):
            self.discard(key)
            self.add(key)

    def after(self, place: int, limit: int) -> list[tuple[int, str]]:
        """At most `limit` members behind `place` (0: from the start), with their places."""
        found: list[tuple[int, str]] = []
        for at in range(bisect_right(self._places, place), len(self._keys)):
            if len(found) >= limit:
                break
            key = self._keys[at]
            if key is not None:
                found.append((self._places[at], key))
        return found

    @property
    def last(self) -> int:
        """The place of whoever joined last, a member or not."""
        return self._last

    def places(self) -> list[int]:
        """The places of all members, in order."""
        return list(self._place_of.values())

    def leave_out(self, last: int) -> None:
        """Give out no place up to this one any more."""
        self._last = max(self._last, last)

    def _compact(self) -> None:
        self._places = array("q", self._place_of.values())
        self._keys = list(self._place_of)
