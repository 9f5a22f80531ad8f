"""Seeds of what a workspace's people have made: templates, broadcasts, topics, collections, snippets,
reporting webhooks.

A row is the struct of its kind in `content.py`, or the error says what is wrong with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from fakeio.core.content import (
    CHANNELS,
    NEWSLETTER_TYPES,
    Action,
    Broadcast,
    Collection,
    Newsletter,
    Snippet,
    Template,
    TemplateContent,
    Thing,
    Topic,
    Webhook,
)
from fakeio.core.filters import parse_filter
from fakeio.core.outcomes import Refused
from fakeio.core.plain import as_plain
from fakeio.core.shelf import Shelf

if TYPE_CHECKING:  # the workspace imports what this module imports
    from fakeio.core.workspace import Workspace

KINDS: dict[str, type[Thing]] = {
    "templates": Template, "topics": Topic, "collections": Collection, "broadcasts": Broadcast, "webhooks": Webhook,
    "newsletters": Newsletter,
}  # fmt: skip
SNIPPETS = "snippets"
CONTENT_KEYS = (*KINDS, SNIPPETS)


def plant_row(space: Workspace, key: str, row: Any, now: float) -> None:
    """Put one row in; raises ValueError with what is wrong."""
    if key == SNIPPETS:
        snippet = convert(row, Snippet, int(now))
        space.content.snippets[snippet.name] = snippet
        return
    if KINDS[key] is Collection and isinstance(row, dict) and "data" in row:
        row = {"rows": row["data"], **{name: value for name, value in row.items() if name != "data"}}  # as in the API
    thing = convert(row, KINDS[key], int(now))
    _complete(thing)
    shelf: Shelf[Any] = getattr(space.content, key)
    shelf.add(thing)


def convert(row: Any, kind: type[Any], now: int) -> Any:
    """The struct of a row, made and changed `now` unless it says when; raises ValueError."""
    if not isinstance(row, dict):
        raise ValueError("an object is expected")
    made = {name: now for name in ("created_at", "updated_at") if name in kind.__struct_fields__}
    try:
        return msgspec.convert({**made, **row}, kind)
    except msgspec.ValidationError as bad:
        fields = ", ".join(kind.__struct_fields__)
        raise ValueError(f"{bad} (its fields are {fields})") from bad


def _complete(thing: Thing) -> None:
    """Fill in what follows from the rest, and check what a type can't say."""
    if isinstance(thing, Template):
        if thing.type not in CHANNELS:
            raise ValueError(f"a template's type is one of {', '.join(CHANNELS)}, not {thing.type!r}")
        thing.contents = _numbered(thing.contents) or [TemplateContent(id=1)]
    elif isinstance(thing, Newsletter):
        if thing.type not in NEWSLETTER_TYPES:
            raise ValueError(f"a newsletter's type is one of {', '.join(NEWSLETTER_TYPES)}, not {thing.type!r}")
        _check_recipients(thing.recipients)
    elif isinstance(thing, Broadcast):
        _check_recipients(thing.recipients)
        thing.actions = _numbered(thing.actions) or [Action(id=1)]


def _check_recipients(recipients: dict[str, Any] | None) -> None:
    wanted = None if recipients is None else parse_filter(recipients)
    if isinstance(wanted, Refused):
        raise ValueError(f"recipients: {wanted.message}")


def _numbered(parts: list[Any]) -> list[Any]:
    """Parts without a number get their place in the list."""
    for at, part in enumerate(parts):
        part.id = part.id or at + 1
    return parts


def shown_content(space: Workspace) -> dict[str, Any]:
    """The rows that make an equal workspace."""
    content = space.content
    shown = {key: [as_plain(thing) for thing in getattr(content, key)] for key in KINDS}
    return {**shown, SNIPPETS: [as_plain(snippet) for snippet in content.snippets.values()]}
