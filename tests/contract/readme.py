"""README.md taken apart: its fenced blocks, the parts between two marks, its links, its tables.

A block opened with `python` or `bash` is run by `test_docs.py`; `python test` is run as a test file; `sh`, `console`
and `text` are for reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fakeio.core.limits import Limit

_FENCE = re.compile(r"^```([a-z ]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")


class Block(NamedTuple):
    """One fenced block: what it is opened with, its text, and the heading it stands under."""

    kind: str
    text: str
    heading: str


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order. A heading inside a block is a comment, not a heading."""
    headings = [(found.start(), found[1]) for found in _HEADING.finditer(_FENCE.sub(_blanked, page))]
    return [Block(found[1], found[2], _last_before(found.start(), headings)) for found in _FENCE.finditer(page)]


def _blanked(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _last_before(place: int, headings: Iterable[tuple[int, str]]) -> str:
    return [text for start, text in headings if start < place][-1]


def between(page: str, mark: str) -> str:
    """What stands between `<!-- mark -->` and `<!-- /mark -->`, without the lines of the marks."""
    return page.split(f"<!-- {mark} -->\n", 1)[1].split(f"<!-- /{mark} -->\n", 1)[0]


def links(page: str) -> list[str]:
    """The targets of all links that stay within the project."""
    return [target for target in _LINK.findall(page) if not target.startswith(("http://", "https://"))]


def limits_table(rows: Iterable[Limit]) -> str:
    """The published limits as README shows them."""
    head = ["| rule | at most | in | one over is | in words |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *(_limit_row(row) for row in rows)]) + "\n"


def _limit_row(row: Limit) -> str:
    figure = f"{row.strict:,}" if row.strict == row.lenient else f"{row.strict:,} to {row.lenient:,}"
    return f"| `{row.rule}` | {figure} | {row.unit} | {row.breach} | {row.says} |"


def write_limits_table(path: Path, rows: Iterable[Limit]) -> None:
    """Puts the current table into a page."""
    page = path.read_text(encoding="utf-8")
    path.write_text(page.replace(between(page, "limits"), limits_table(rows)), encoding="utf-8")
