"""What is odd about a request as it was sent, though it was answered: a prefix too many, a key of the other dialect.

Looked for only when a person asks why. Nothing here changes an outcome, and no value of a body is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from fakeio.core.activities import EVENT_TYPES
from fakeio.core.identifiers import CIO_PREFIX

_DOUBLED = CIO_PREFIX * 2


def oddities(path: str, body: Any) -> Iterator[str]:
    """One sentence for each; `path` as received, `body` as parsed."""
    if any(unquote(segment).startswith(_DOUBLED) for segment in path.split("/")):
        yield f"the prefix {CIO_PREFIX!r} is doubled in the path: a cio_id has it once"
    if not isinstance(body, dict):
        return
    if path.startswith("/api/v1/") and path.endswith("/events") and "attributes" in body and "data" not in body:
        yield "attributes is v2's word for what an event carries: v1 reads data, and kept none of it"
    if path == "/api/v2/entity" and _has_data(body):
        yield _V2_DATA
    if path == "/api/v2/batch" and isinstance(body.get("batch"), list):
        found = [str(at) for at, item in enumerate(body["batch"]) if isinstance(item, dict) and _has_data(item)]
        if found:
            yield f"{_V2_DATA} (items {', '.join(found[:10])}{', …' if len(found) > 10 else ''})"


_V2_DATA = "data is v1's word for what an event carries: v2 reads attributes, and kept none of it"


def _has_data(item: dict[str, Any]) -> bool:
    """An event of v2 with what v1 would call its data, and without what v2 would."""
    event = item.get("type") == "person" and item.get("action") in EVENT_TYPES
    return event and "data" in item and "attributes" not in item
