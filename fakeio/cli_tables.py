"""`fakeio limits`, `routes` and `settings`: what the fake knows about the service, for reading or as `--json`.

Needs no running server: the rows are the very ones the server enforces.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from fakeio.cli_calls import add_server_options, calling
from fakeio.cli_conditions import change_settings
from fakeio.cli_text import sentence, table, write


def add_table_commands(commands: Any) -> None:
    """Declare them on the parser's subcommands; `settings` shows and changes those of a running server too."""
    parsers: dict[str, argparse.ArgumentParser] = {}
    for name, run, says in (
        ("limits", show_limits, "the published limits of Customer.io"),
        ("routes", show_routes, "every published route, and how well it is imitated"),
        ("settings", show_settings, "the settings and switches of a workspace"),
    ):
        parsers[name] = parser = commands.add_parser(name, help=says, description=sentence(says))
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
        parser.set_defaults(run=run)
    settings = parsers["settings"]
    settings.set_defaults(run=calling(show_settings))
    settings.add_argument("action", nargs="?", choices=("catalogue", "show", "set"), default="catalogue",
                          help="show or set: those of a workspace of a running server")  # fmt: skip
    settings.add_argument("changes", nargs="*", metavar="NAME=VALUE", help="set: for example rate_limits=off")
    add_server_options(settings)


def show_limits(options: argparse.Namespace) -> int:
    from fakeio.edge.control_server import limit_rows  # only these commands should wait for it

    rows = limit_rows()
    shown = [(r["rule"], _bracket(r["strict"], r["lenient"]), r["unit"], r["breach"], r["says"]) for r in rows]
    return _print(options, "limits", rows, ("rule", "limit", "unit", "beyond it", "says"), shown)


def show_routes(options: argparse.Namespace) -> int:
    from fakeio.app_routes import ROUTES  # only this command should wait for it
    from fakeio.edge.control_server import route_row

    rows = [route_row(route) for route in ROUTES]
    shown = [
        (r["api"], r["method"], r["path"], f"{r['grade']} (minimum)" if r["minimum"] else r["grade"]) for r in rows
    ]
    return _print(options, "routes", rows, ("api", "method", "path", "grade"), shown)


def show_settings(options: argparse.Namespace) -> int:
    if options.action != "catalogue":
        return change_settings(options)
    from fakeio.edge.control_server import setting_rows  # only these commands should wait for it

    rows = setting_rows()
    shown = [(r["name"], json.dumps(r["default"]), _choices(r), r["grade"], r["says"]) for r in rows]
    return _print(options, "settings", rows, ("name", "default", "choices", "grade", "says"), shown)


def _print(
    options: argparse.Namespace, plural: str, rows: list[dict[str, Any]], headings: tuple[str, ...],
    shown: list[tuple[Any, ...]],
) -> int:  # fmt: skip
    write(json.dumps({plural: rows}, ensure_ascii=False) if options.json else table(headings, shown))
    return 0


def _bracket(strict: int, lenient: int) -> str:
    return str(strict) if strict == lenient else f"{strict} to {lenient}"


def _choices(row: dict[str, Any]) -> str:
    number = "a number" if row["name"].endswith("_s") else "a whole number"
    return " | ".join(map(json.dumps, row["choices"])) or number
