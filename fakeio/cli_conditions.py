"""The commands that change a workspace of a running server: its faults, clock, settings and state as a whole."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
from collections.abc import Iterable
from typing import Any

from fakeio.cli_calls import (
    add_call_command,
    client_of,
    parse_value,
    read_json,
    say_done,
    write_json,
    write_rows,
    write_table,
)
from fakeio.cli_text import CommandFailed, write


def add_condition_commands(commands: Any) -> None:
    """Declare them on the parser's subcommands."""
    add_call_command(commands, "reset", reset, "return the workspace to its state right after creation")
    add_call_command(commands, "flush", flush, "make everything accepted visible")
    clock = add_call_command(commands, "clock", turn_clock, "show or turn the workspace's clock")
    clock.add_argument("action", nargs="?", choices=("show", "set", "advance", "real", "manual"), default="show")
    clock.add_argument("seconds", nargs="?", type=_seconds, help="set: Unix time; advance: such as 90, 30m, 72h, 2d")
    snapshot = add_call_command(commands, "snapshot", move_snapshot, "print, save or load the whole state as JSON")
    snapshot.add_argument("action", nargs="?", choices=("show", "save", "load"), default="show")
    snapshot.add_argument("file", nargs="?", metavar="FILE", help="save: where to; load: where from (- for stdin)")
    fault = add_call_command(commands, "fault", change_faults, "show, add, load, remove or clear faults")
    fault.add_argument("action", nargs="?", choices=("list", "add", "load", "remove", "clear"), default="list")
    fault.add_argument(
        "details", nargs="*", metavar="KIND FIELD=VALUE | FILE | ID",
        help="add: for example `add status status=503 times=1 match.path=/api/v1/*`; "
        "load: a plan in JSON, as `list --json` prints it, in place of all others; remove: the id",
    )  # fmt: skip


def reset(options: argparse.Namespace) -> int:
    client_of(options).reset()
    return say_done(options)


def flush(options: argparse.Namespace) -> int:
    client_of(options).flush()
    return say_done(options)


def turn_clock(options: argparse.Namespace) -> int:
    client = client_of(options)
    if options.action in ("set", "advance"):
        if options.seconds is None:
            raise CommandFailed(f"say how many seconds: fakeio clock {options.action} 3600", status=2)
        clock = client.turn_clock(**{"now" if options.action == "set" else "advance": options.seconds})
    elif options.action == "show":
        clock = client.clock()
    else:
        clock = client.turn_clock(mode=options.action)
    write(json.dumps(clock) if options.json else f"{clock['now']:.3f} {clock['mode']}")
    return 0


def move_snapshot(options: argparse.Namespace) -> int:
    client = client_of(options)
    if options.action == "show":
        return write_json(client.snapshot())
    if options.file is None:
        raise CommandFailed(f"say which file: fakeio snapshot {options.action} state.json", status=2)
    if options.action == "load":
        client.restore(read_json(options.file, "the snapshot"))
    else:
        _save(options.file, client.snapshot())
    return say_done(options)


_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _seconds(text: str) -> float:
    unit_s = _UNITS_S.get(text[-1:])
    with contextlib.suppress(ValueError):
        if math.isfinite(seconds := float(text if unit_s is None else text[:-1]) * (unit_s or 1)):
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r:.40} is no number of seconds, nor one with m, h or d behind it")


def _save(path: str, document: Any) -> None:
    """Where nobody else can read it: a snapshot is about people."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False)
    except OSError as error:
        raise CommandFailed(f"the snapshot {path} can't be written: {error.strerror}", status=2) from error


def change_settings(options: argparse.Namespace) -> int:
    """`settings show` and `settings set NAME=VALUE …` (then those alone), of a workspace of a running server."""
    client = client_of(options)
    changes = _parse_changes(options.changes) if options.action == "set" else {}
    settings = client.update_settings(changes) if changes else client.settings()
    if changes:
        settings = {name: settings[name] for name in changes}
    if options.json:
        return write_json({"settings": settings})
    return write_table(("name", "value"), [(name, json.dumps(value)) for name, value in settings.items()])


def _parse_changes(texts: list[str]) -> dict[str, Any]:
    if not texts:
        raise CommandFailed("say which: fakeio settings set rate_limits=off", status=2)
    return dict(_field(text) for text in texts)


def _field(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandFailed(f"{text!r} is no FIELD=VALUE", status=2)
    return name, parse_value(value)


def change_faults(options: argparse.Namespace) -> int:
    client = client_of(options)
    if options.action == "list":
        return _show_faults(client.faults(), options)
    if options.action == "add":
        fault = client.add_fault(parse_fault(options.details))
        write(json.dumps(fault) if options.json else f"fault {fault['id']} is in force")
        return 0
    if options.action == "load":
        loaded = client.replace_faults(read_plan(options.details))
        count = "1 fault is" if len(loaded) == 1 else f"{len(loaded)} faults are"
        write(json.dumps({"faults": loaded}) if options.json else f"{count} in force")
        return 0
    if options.action == "remove":
        for fault_id in options.details or _need_an_id():
            client.remove_fault(fault_id)
    else:
        client.clear_faults()
    return say_done(options)


def _show_faults(found: Iterable[Any], options: argparse.Namespace) -> int:
    if options.json:
        return write_rows("faults", found)
    rows = [(row["id"], row["kind"], row["when"], json.dumps(row["match"]), row["seen"], row["fired"]) for row in found]
    return write_table(("id", "kind", "when", "match", "seen", "fired"), rows)


def parse_fault(details: list[str]) -> dict[str, Any]:
    """`status status=503 match.path=/api/*` as the JSON of a fault; values are JSON where they can be, else text."""
    if not details:
        raise CommandFailed("say which kind: fakeio fault add status status=503", status=2)
    fault: dict[str, Any] = {"kind": details[0]}
    for detail in details[1:]:
        name, value = _field(detail)
        outer, dot, inner = name.partition(".")
        target = fault.setdefault(outer, {}) if dot else fault
        if not isinstance(target, dict):
            raise CommandFailed(f"{outer} has a value already", status=2)
        target[inner if dot else name] = value
    return fault


def read_plan(details: list[str]) -> dict[str, Any]:
    """A plan of faults from a JSON file: `{"faults": […]}`, or the list alone, or one fault; raises CommandFailed."""
    if len(details) != 1:
        raise CommandFailed("say which file: fakeio fault load plan.json", status=2)
    plan = read_json(details[0], "the plan")
    if isinstance(plan, dict) and "faults" in plan:
        return plan
    return {"faults": plan if isinstance(plan, list) else [plan]}


def _need_an_id() -> list[str]:
    raise CommandFailed("say which fault: fakeio fault remove 1", status=2)
