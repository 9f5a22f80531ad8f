"""`fakeio fork` and `fakeio diff`: a second workspace with the same state, and what two differ in."""

from __future__ import annotations

import argparse
import json
from typing import Any

from fakeio.cli_calls import add_call_command, client_of, write_json, write_rows, write_table
from fakeio.cli_text import write

_WIDEST = 60  # characters of a value in a table


def add_state_commands(commands: Any) -> None:
    """Declare them on the parser's subcommands."""
    fork = add_call_command(commands, "fork", fork_workspace, "make a second workspace with the same state")
    fork.add_argument("--name", help="what to call it")
    diff = add_call_command(commands, "diff", show_differences, "what two workspaces differ in")
    diff.add_argument("other", metavar="W2", help="id of the other workspace")


def fork_workspace(options: argparse.Namespace) -> int:
    made = client_of(options).fork(**({} if options.name is None else {"name": options.name}))
    if options.json:
        return write_json(made)
    for name in ("id", "name", "site_id", "track_api_key", "app_api_key"):
        write(f"{name:<15}{made[name]}")
    return 0


def show_differences(options: argparse.Namespace) -> int:
    """0 when there are none, 1 when there are some, as `diff` does."""
    found = list(client_of(options).diff(options.other))
    if options.json:
        write_rows("differences", found)
    elif found:
        rows = [(row["path"], _side(row, "left"), _side(row, "right")) for row in found]
        write_table(("path", "left", "right"), rows)
    return 1 if found else 0


def _side(row: dict[str, Any], side: str) -> str:
    if side not in row:
        return "(none)"
    text = json.dumps(row[side], ensure_ascii=False)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."
