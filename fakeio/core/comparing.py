"""What two workspaces differ in, field by field, told from their snapshots.

People go by id, else email, else cio_id, so that two workspaces that were filled separately can be compared; objects by
type and id, lines of the log by number, everything else by its own id or name. Left out is what nobody can ask a
workspace for: when each attribute was written, how far things are counted, what is remembered of what is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

CHANGED, ONLY_LEFT, ONLY_RIGHT = "changed", "only_left", "only_right"
_KEPT_TO_ITSELF = ("version", "known", "counters")
_BOOKKEEPING = frozenset(("number", "written", "places", "last_place"))
_SORTED = msgspec.json.Encoder(order="sorted")

Rows = list[dict[str, Any]]


def compare(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The differences of two snapshots, in an order that is always the same.

    Each is `{"path", "kind", "left"?, "right"?}`: `kind` is changed, only_left or only_right; a thing that only one has
    is told as a whole. `path` names a thing and a field of it, joined by `/`; a `/` in a name is written `~1`, a `~` as
    `~0`.
    """
    yield from _differences(_readable(left), _readable(right), "")


def _differences(left: Mapping[str, Any], right: Mapping[str, Any], path: str) -> Iterator[dict[str, Any]]:
    for name, mine in left.items():
        where = f"{path}{_escaped(name)}"
        if name not in right:
            yield {"path": where, "kind": ONLY_LEFT, "left": mine}
            continue
        theirs = right[name]
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            yield from _differences(mine, theirs, f"{where}/")
        elif not _same(mine, theirs):
            yield {"path": where, "kind": CHANGED, "left": mine, "right": theirs}
    for name, theirs in right.items():
        if name not in left:
            yield {"path": f"{path}{_escaped(name)}", "kind": ONLY_RIGHT, "right": theirs}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _same(mine: Any, theirs: Any) -> bool:
    """Equal as JSON: 1, 1.0 and true are three values, and the order of keys is none."""
    return mine is theirs or _SORTED.encode(mine) == _SORTED.encode(theirs)


def _readable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Every list as things by name, and people named the same wherever they come up."""
    names = {row["cio_id"]: _name_of(row) for row in document["people"]}
    shown: dict[str, Any] = {}
    for section, value in document.items():
        if section == "waiting":
            shown[section] = {kind: dict(_numbered(rows)) for kind, rows in value.items()}
        elif isinstance(value, list):
            shown[section] = _by_name(section, value, names)
        elif section not in _KEPT_TO_ITSELF:
            shown[section] = value
    return shown


def _name_of(row: Mapping[str, Any]) -> str:
    name = row.get("id") or row.get("email")
    return str(name) if name else f"cio_{row['cio_id']}"


def _by_name(section: str, rows: Rows, names: Mapping[str, str]) -> dict[str, Any]:
    label = _LABELS.get(section, _own_id)
    return {label(row, names): _row(row, names) for row in rows}


def _numbered(rows: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((str(at), row) for at, row in enumerate(rows, 1))


def _row(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in _BOOKKEEPING}
    if isinstance(shown.get("person"), str):
        shown["person"] = names.get(shown["person"], f"cio_{shown['person']}")
    if "devices" in shown:
        shown["devices"] = {device["token"]: device for device in shown["devices"]}
    if "members" in shown:
        shown["members"] = {names[member["cio_id"]]: True for member in shown["members"]}
    if "relationships" in shown:
        shown["relationships"] = {_linked(link, names): link["attributes"] for link in shown["relationships"]}
    return shown


def _linked(link: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return names[link["cio_id"]] if "cio_id" in link else f"anonymous {link['anonymous_id']}"


def _own_id(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return str(row["id"])


_LABELS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], str]] = {
    "people": lambda row, names: names[row["cio_id"]],
    "objects": lambda row, names: f"{row['object_type_id']}:{row['object_id']}",
    "events": lambda row, names: str(row["number"]),
    "activities": lambda row, names: str(row["number"]),
    "snippets": lambda row, names: str(row["name"]),
    "suppressions": lambda row, names: " ".join(
        f"{kind}:{value}" for pair in row["identifiers"] for kind, value in pair.items()
    ),
}
