"""The commands that talk to a running server through its control API, and how their answers look at a terminal.

Uses the standard library's client: these commands should answer at once, and every one is a single small call.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fakeio.cli_text import CommandFailed, table, write

if TYPE_CHECKING:
    from urllib.error import HTTPError

DEFAULT_URL = "http://127.0.0.1:7099"
_PATIENCE_S = 30
_PAGE = 1000


class ControlClient:
    """One running server's control API. `url` is its origin."""

    def __init__(self, url: str, token: str | None, workspace: str = "default") -> None:
        self.url = url.rstrip("/")
        self._base = f"/_fakeio/workspaces/{quote(workspace, safe='')}"
        self._token = token

    def call(self, method: str, path: str, document: Any = None) -> Any:
        """The JSON of one answer, None for 204; raises CommandFailed with what to do."""
        # here, since `serve` and the tables share this parser and need no HTTP client
        from urllib.error import HTTPError
        from urllib.request import ProxyHandler, Request, build_opener

        body = None if document is None else json.dumps(document).encode()
        headers = {"content-type": "application/json"}
        if self._token:
            headers["x-fakeio-token"] = self._token
        try:
            request = Request(self.url + self._base + path, body, headers, method=method)
            # never through a proxy: the server is here, or named on purpose
            with build_opener(ProxyHandler({})).open(request, timeout=_PATIENCE_S) as answer:
                content = answer.read()
                return json.loads(content) if content else None
        except HTTPError as refused:
            raise CommandFailed(_told(refused)) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise CommandFailed(f"no fake answers at {self.url} ({reason}); start one with: fakeio serve") from None

    def rows(self, path: str, plural: str, query: Mapping[str, str | None] | None = None) -> Iterator[Any]:
        """Every row of a list, page after page."""
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        start: str | None = "0"
        while start is not None:
            page = self.call("GET", f"{path}?{urlencode({**asked, 'limit': _PAGE, 'start': start})}")
            yield from page[plural]
            start = page["next"]


def add_client_commands(commands: Any) -> None:
    """Declare them on the parser's subcommands."""
    requests = _command(commands, "requests", show_requests, "what arrived, and what became of it")
    requests.add_argument("--api", choices=("track", "app", "pipelines"))
    requests.add_argument("--path", metavar="GLOB", help="percent-encoded path; * stands for anything")
    requests.add_argument("--status", metavar="N", help="only this status")
    explain = _command(commands, "explain", explain_request, "what became of one request, by which rule, and why")
    explain.add_argument("n", metavar="N", help="its number, as `fakeio requests` shows it")
    people = _command(commands, "people", show_people, "who is in the workspace")
    people.add_argument("--id")
    people.add_argument("--email")
    people.add_argument("--q", metavar="TEXT", help="anywhere in an id, email or cio_id")
    segments = _command(commands, "segments", show_segments, "the segments, or the members of one")
    segments.add_argument("segment", nargs="?", metavar="ID", help="list this segment's members")
    _command(commands, "reset", reset, "return the workspace to its state right after creation", json_option=False)
    clock = _command(commands, "clock", turn_clock, "show or turn the workspace's clock")
    clock.add_argument("action", nargs="?", choices=("show", "set", "advance", "real", "manual"), default="show")
    clock.add_argument("seconds", nargs="?", type=float, help="set: Unix time; advance: how far")
    fault = _command(commands, "fault", change_faults, "show, add, remove or clear faults")
    fault.add_argument("action", nargs="?", choices=("list", "add", "remove", "clear"), default="list")
    fault.add_argument(
        "details", nargs="*", metavar="KIND FIELD=VALUE | ID",
        help="add: for example `add status status=503 times=1 match.path=/api/v1/*`; remove: the id",
    )  # fmt: skip


def _command(commands: Any, name: str, run: Any, says: str, *, json_option: bool = True) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=says, description=says.capitalize() + ".")
    parser.set_defaults(run=run)
    url = os.environ.get("FAKEIO_URL") or DEFAULT_URL
    parser.add_argument("--url", default=url, help="origin of the running server (FAKEIO_URL; default %(default)s)")
    parser.add_argument("--workspace", default="default", metavar="W", help="workspace id (default: default)")
    token = os.environ.get("FAKEIO_CONTROL_TOKEN")
    parser.add_argument("--control-token", default=token, metavar="T", help="FAKEIO_CONTROL_TOKEN")
    if json_option:
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def show_requests(options: argparse.Namespace) -> int:
    query = {"api": options.api, "path": options.path, "status": options.status}
    found = _client(options).rows("/requests", "requests", query)
    if options.json:
        return _as_json("requests", found)
    rows = [(row["n"], row["method"], row["path"], row["status"] or row["cut"] or "held", _fates(row)) for row in found]
    return _as_table(("n", "method", "path", "status", "operations"), rows)


def explain_request(options: argparse.Namespace) -> int:
    told = _client(options).call("GET", f"/requests/{quote(options.n, safe='')}/explain")
    if options.json:
        write(json.dumps(told, ensure_ascii=False))
        return 0
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
    found = _client(options).rows("/people", "people", {"id": options.id, "email": options.email, "q": options.q})
    if options.json:
        return _as_json("people", found)
    rows = [
        (p["cio_id"], p["id"] or "", p["email"] or "", ",".join(map(str, p["segments"])), len(p["attributes"]))
        for p in found
    ]
    return _as_table(("cio_id", "id", "email", "segments", "attributes"), rows)


def show_segments(options: argparse.Namespace) -> int:
    client = _client(options)
    if options.segment is not None:
        members = client.rows(f"/segments/{quote(options.segment, safe='')}/members", "members")
        if options.json:
            return _as_json("members", members)
        return _as_table(("cio_id", "id", "email"), [(m["cio_id"], m["id"] or "", m["email"] or "") for m in members])
    found = client.rows("/segments", "segments")
    if options.json:
        return _as_json("segments", found)
    return _as_table(("id", "type", "members", "name"), [(s["id"], s["type"], s["count"], s["name"]) for s in found])


def reset(options: argparse.Namespace) -> int:
    _client(options).call("POST", "/reset")
    return 0


def turn_clock(options: argparse.Namespace) -> int:
    client = _client(options)
    if options.action in ("set", "advance"):
        if options.seconds is None:
            raise CommandFailed(f"say how many seconds: fakeio clock {options.action} 3600", status=2)
        field = "now" if options.action == "set" else "advance"
        clock = client.call("PUT", "/clock", {field: options.seconds})
    elif options.action == "show":
        clock = client.call("GET", "/clock")
    else:
        clock = client.call("PUT", "/clock", {"mode": options.action})
    write(json.dumps(clock) if options.json else f"{clock['now']:.3f} {clock['mode']}")
    return 0


def change_faults(options: argparse.Namespace) -> int:
    client = _client(options)
    if options.action == "add":
        fault = client.call("POST", "/faults", parse_fault(options.details))
        write(json.dumps(fault) if options.json else f"fault {fault['id']} is in force")
    elif options.action == "remove":
        for fault_id in options.details or _need_an_id():
            client.call("DELETE", f"/faults/{quote(fault_id, safe='')}")
    elif options.action == "clear":
        client.call("DELETE", "/faults")
    else:
        return _show_faults(client.rows("/faults", "faults"), options)
    return 0


def _show_faults(found: Iterable[Any], options: argparse.Namespace) -> int:
    if options.json:
        return _as_json("faults", found)
    rows = [(row["id"], row["kind"], row["when"], json.dumps(row["match"]), row["seen"], row["fired"]) for row in found]
    return _as_table(("id", "kind", "when", "match", "seen", "fired"), rows)


def parse_fault(details: list[str]) -> dict[str, Any]:
    """`status status=503 match.path=/api/*` as the JSON of a fault; values are JSON where they can be, else text."""
    if not details:
        raise CommandFailed("say which kind: fakeio fault add status status=503", status=2)
    fault: dict[str, Any] = {"kind": details[0]}
    for detail in details[1:]:
        name, equals, text = detail.partition("=")
        if not equals:
            raise CommandFailed(f"{detail!r} is no FIELD=VALUE", status=2)
        outer, dot, inner = name.partition(".")
        target = fault.setdefault(outer, {}) if dot else fault
        if not isinstance(target, dict):
            raise CommandFailed(f"{outer} has a value already", status=2)
        target[inner if dot else name] = _value(text)
    return fault


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _need_an_id() -> list[str]:
    raise CommandFailed("say which fault: fakeio fault remove 1", status=2)


def _client(options: argparse.Namespace) -> ControlClient:
    return ControlClient(options.url, options.control_token, options.workspace)


def _told(refused: HTTPError) -> str:
    try:
        error = json.loads(refused.read())["error"]
        return f"{error['message']}; {error['hint']}"
    except (ValueError, KeyError, TypeError):
        return f"the server at {refused.url} answered {refused.code}, not like a fake; check --url"


def _fates(row: dict[str, Any]) -> str:
    return "; ".join(_fate(operation) for operation in row["operations"][:3]) + _more(len(row["operations"]) - 3)


def _fate(operation: dict[str, Any]) -> str:
    why = f" ({operation['explanation']})" if operation["explanation"] else ""
    return f"{operation['operation']} {operation['outcome']}{why}"


def _more(count: int) -> str:
    return f"; and {count} more" if count > 0 else ""


def _as_json(plural: str, rows: Iterable[Any]) -> int:
    write(json.dumps({plural: list(rows)}, ensure_ascii=False))
    return 0


def _as_table(headings: tuple[str, ...], rows: list[tuple[Any, ...]]) -> int:
    write(table(headings, rows))
    return 0
