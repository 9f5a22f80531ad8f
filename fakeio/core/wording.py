"""Failures in words: a headline, then paragraphs with a label in the margin, no wider than a terminal.

Decides how much of anything is shown: a value is clipped, a line is wrapped, a list ends with how many more there are.
The same input gives the same text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WIDTH = 88  # columns; a test runner puts a few of its own before them
MARGIN = 14
NEAR_MISSES = 3  # the closest ones
DIFFERENCES = 5  # of one near miss
LISTED = 20  # of a list that is the point of a failure
_LONGEST_HEADLINE = 240
LONGEST_WHY = 140  # characters of an explanation, which may quote what was sent
_LONGEST_VALUE = 60
_LONGEST_PATH = 56


class Report:
    """A text that grows by paragraphs. `str(report)` is the whole of it."""

    def __init__(self, headline: str) -> None:
        self._lines = [clipped(_printable(headline), _LONGEST_HEADLINE)]

    def add(self, label: str, *lines: str) -> None:
        """A paragraph; the label stands in the margin of its first line."""
        for line in lines:
            for part in textwrap.wrap(_printable(line), WIDTH - MARGIN, subsequent_indent="  ", break_on_hyphens=False):
                self._lines.append(f"  {label:<{MARGIN - 3}} {part}".rstrip())
                label = ""

    def __str__(self) -> str:
        return "\n".join(self._lines)


def _printable(text: str) -> str:
    """The text with an escape for every character that would move a terminal's cursor, or worse."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def clipped(text: str, most: int = _LONGEST_VALUE) -> str:
    """At most that many characters; one that is cut says so by its last."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def shown(value: Any) -> str:
    """A value as Python writes it, clipped."""
    return clipped(repr(value))


def path_shown(path: str) -> str:
    """A request's path, clipped."""
    return clipped(path, _LONGEST_PATH)


def several(count: int, one: str, many: str | None = None) -> str:
    """`1 request`, `2 requests`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def first(lines: Sequence[str], most: int) -> list[str]:
    """The first so many, and how many more there are."""
    more = len(lines) - most
    return [*lines] if more <= 0 else [*lines[:most], f"… and {more:,} more"]


def pairs(values: Mapping[str, Any]) -> str:
    """`name 'order', id '42'`: what was wanted, in one line."""
    return ", ".join(f"{name} {shown(value)}" for name, value in values.items())


def tally(names: Iterable[str]) -> str:
    """`2 × person.unknown, 1 × event.duplicate`: most frequent first, then by name."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count:,} × {name}" for name, count in ordered)
