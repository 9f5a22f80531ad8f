"""What must become of one row, before anybody asks who exists: the truth's reading of a cohort row and of an event.

Numbers are typed from the vendor's pages once more and bytes measured once more; nothing here comes from engine or
fake. `truth.py` builds on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

RESERVED = {"recipient", "from_address", "reply_to"}
NOT_ACTIVITY = {"$identify", "$groupidentify"}


def cohort_fate(value: str) -> str:
    """`cohort`, or the reason why the row names nobody."""
    if not value.strip():
        return "unresolved_mapping"
    return "cohort" if len(value.encode()) <= 150 else "id_too_long"


def event_fate(row: Any) -> str:
    """`delivered`, `filtered`, or the reason why not."""
    if not isinstance(row, dict):
        return "bad_row"
    name, user = row["event_type"].strip(), row["user_id"] or ""
    if name in NOT_ACTIVITY:
        return "filtered"
    size = len(own_properties(row["event_properties"]).encode())
    flaws = {
        "missing_identifier": not user.strip(),
        "id_too_long": len(user.encode()) > 150,
        "event_name_blank": not name,
        "event_name_too_long": len(name.encode()) > 100,
        "bad_timestamp": seconds(row["event_time"]) is None,
        "event_too_large": size > 100_000,
        # by its own path, and such a segment of a path is a step of it (RFC 3986 section 5.2.4)
        "identifier_ambiguous": user in (".", "..") and size > 32_000,
    }
    return next((reason for reason, found in flaws.items() if found), "delivered")


def looks_like_email(value: str) -> bool:
    """Such a value means the person with that email; everything else is an id."""
    return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", value) is not None


def seconds(text: Any) -> int | None:
    """`2026-08-17 09:00:00.125` and its cousins as whole Unix seconds, UTC; None for what is no time."""
    plain = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?Z?", str(text))
    try:
        return int(datetime.fromisoformat(f"{plain[1]}T{plain[2]}").replace(tzinfo=UTC).timestamp()) if plain else None
    except ValueError:
        return None


def own_properties(properties: Mapping[str, Any]) -> str:
    """An event's own properties as they should arrive, as canonical JSON: none that redirects mail.

    Nulls are left out on both sides of a comparison: nobody says whether a null is a value at Customer.io.
    """
    kept = {key: value for key, value in properties.items() if key not in RESERVED and value is not None}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
