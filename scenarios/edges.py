"""Values that sit on a published limit: at it, one under and one over, in plain and in multi-byte text.

Made from the fake's table of published limits, so a limit that moves takes its edges along.
"""

from __future__ import annotations

from functools import cache

from fakeio import limits

#: Characters of one to four bytes; a reader who counts characters gets three of the four wrong.
_RULERS = ("x", "é", "漢", "😀")


@cache
def limit(rule: str) -> int:
    """The harshest reading of one published limit; raises KeyError for a rule nobody published."""
    return {row.rule: row.strict for row in limits()}[rule]


def texts_of(size_bytes: int) -> tuple[str, ...]:
    """Texts of exactly that many bytes, one for each width of character."""
    return tuple(_exactly(size_bytes, ruler) for ruler in _RULERS)


def id_edges(*, fitting: bool) -> tuple[str, ...]:
    """Ids at and one under the limit, or one over it."""
    return _around(limit("track.person.id"), fitting=fitting)


def event_name_edges(*, fitting: bool) -> tuple[str, ...]:
    """Event names at and one under the limit, or one over it."""
    return _around(limit("track.event.name"), fitting=fitting)


def _around(most: int, *, fitting: bool) -> tuple[str, ...]:
    return (*texts_of(most - 1), *texts_of(most)) if fitting else texts_of(most + 1)


def _exactly(size_bytes: int, ruler: str) -> str:
    width = len(ruler.encode())
    return ruler * (size_bytes // width) + "x" * (size_bytes % width)
