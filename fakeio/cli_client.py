"""The commands that look into a running server through its control API, and how its answers look at a terminal.

Those that change something are in `cli_conditions.py`; those that hand out and run reproductions in `cli_replay.py`;
those about two workspaces in `cli_state.py`.
"""

from __future__ import annotations

import argparse
from typing import Any

from fakeio.cli_calls import add_call_command, client_of, write_json, write_rows, write_table
from fakeio.cli_conditions import add_condition_commands
from fakeio.cli_replay import add_replay_commands
from fakeio.cli_state import add_state_commands
from fakeio.cli_text import complain, write


def add_client_commands(commands: Any) -> None:
    """Declare them on the parser's subcommands."""
    requests = add_call_command(commands, "requests", show_requests, "what arrived, and what became of it")
    requests.add_argument("--api", choices=("track", "app", "pipelines"))
    requests.add_argument("--path", metavar="GLOB", help="percent-encoded path; * stands for anything")
    requests.add_argument("--method", metavar="M")
    requests.add_argument("--status", metavar="N", help="only this status")
    add_call_command(commands, "ignored", show_ignored, "what was accepted and changed nothing, and why")
    says = "what became of one request, by which rule, and why"
    explain = add_call_command(commands, "explain", explain_request, says)
    explain.add_argument("n", metavar="N", help="its number, as `fakeio requests` shows it")
    people = add_call_command(commands, "people", show_people, "who is in the workspace")
    people.add_argument("--id")
    people.add_argument("--email")
    people.add_argument("--q", metavar="TEXT", help="anywhere in an id, email or cio_id")
    segments = add_call_command(commands, "segments", show_segments, "the segments, or the members of one")
    segments.add_argument("segment", nargs="?", metavar="ID", help="list this segment's members")
    add_condition_commands(commands)
    add_replay_commands(commands)
    add_state_commands(commands)


def show_requests(options: argparse.Namespace) -> int:
    client = client_of(options)
    found = client.requests(api=options.api, path=options.path, method=options.method, status=options.status)
    if options.json:
        return write_rows("requests", found, dropped=client.dropped())
    rows = [(row["n"], row["method"], row["path"], row["status"] or row["cut"] or "held", _fates(row)) for row in found]
    write_table(("n", "method", "path", "status", "operations"), rows)
    dropped = client.dropped()
    if dropped:
        complain(f"the tape has dropped {dropped} older exchanges (fakeio serve --tape-limit, --tape-bytes)")
    return 0


def show_ignored(options: argparse.Namespace) -> int:
    found = client_of(options).ignored()
    if options.json:
        return write_rows("ignored", found)
    rows = [(row["request"], row["operation"], row["rule"], row["effect"], row["explanation"]) for row in found]
    return write_table(("request", "operation", "rule", "effect", "explanation"), rows)


def explain_request(options: argparse.Namespace) -> int:
    told = client_of(options).explain(options.n)
    if options.json:
        return write_json(told)
    write(f"request {told['n']}: {told['method']} {told['path']} answered {told['status'] or 'nothing'}")
    for at, operation in enumerate(told["operations"], 1):
        write(f"  {at}. {_fate(operation)}")
        if operation["rule"]:
            write(f"     rule {operation['rule']}: {operation['says']} [{operation['grade']}; {operation['source']}]")
        for line in operation["near_misses"]:
            write(f"     did you mean: {line}")
    for line in told["hints"]:
        write(f"  note: {line}")
    return 0


def show_people(options: argparse.Namespace) -> int:
    found = client_of(options).people(id=options.id, email=options.email, q=options.q)
    if options.json:
        return write_rows("people", found)
    rows = [
        (p["cio_id"], p["id"] or "", p["email"] or "", ",".join(map(str, p["segments"])), len(p["attributes"]))
        for p in found
    ]
    return write_table(("cio_id", "id", "email", "segments", "attributes"), rows)


def show_segments(options: argparse.Namespace) -> int:
    client = client_of(options)
    if options.segment is not None:
        members = client.members(options.segment)
        if options.json:
            return write_rows("members", members)
        return write_table(("cio_id", "id", "email"), [(m["cio_id"], m["id"] or "", m["email"] or "") for m in members])
    found = client.segments()
    if options.json:
        return write_rows("segments", found)
    return write_table(("id", "type", "members", "name"), [(s["id"], s["type"], s["count"], s["name"]) for s in found])


def _fates(row: dict[str, Any]) -> str:
    return "; ".join(_fate(operation) for operation in row["operations"][:3]) + _more(len(row["operations"]) - 3)


def _fate(operation: dict[str, Any]) -> str:
    why = f" ({operation['explanation']})" if operation["explanation"] else ""
    return f"{operation['operation']} {operation['outcome']}{why}"


def _more(count: int) -> str:
    return f"; and {count} more" if count > 0 else ""
