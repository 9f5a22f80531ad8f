"""What the commands that talk to a running server share: their options, their client, and how answers are printed."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from fakeio.cli_text import CommandFailed, sentence, table, write
from fakeio.client import DEFAULT_URL, CallFailed, ControlClient

Run = Callable[[argparse.Namespace], int]


def add_call_command(commands: Any, name: str, run: Run, says: str) -> argparse.ArgumentParser:
    """A command with `--url`, `--workspace`, `--control-token` and `--json`."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=says, description=sentence(says))
    parser.set_defaults(run=calling(run))
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_server_options(parser)
    return parser


def calling(run: Run) -> Run:
    """The command, with a call that comes to nothing said as any other failure: raises CommandFailed."""

    @wraps(run)
    def run_and_tell(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except CallFailed as failed:
            raise CommandFailed(str(failed)) from failed

    return run_and_tell


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Which server, which of its workspaces."""
    url = os.environ.get("FAKEIO_URL") or DEFAULT_URL
    parser.add_argument("--url", default=url, help="origin of the running server (FAKEIO_URL; default %(default)s)")
    parser.add_argument("--workspace", default="default", metavar="W", help="workspace id (default: default)")
    token = os.environ.get("FAKEIO_CONTROL_TOKEN")
    parser.add_argument("--control-token", default=token, metavar="T", help="FAKEIO_CONTROL_TOKEN")


def client_of(options: argparse.Namespace) -> ControlClient:
    return ControlClient(options.url, workspace=options.workspace, token=options.control_token)


def say_done(options: argparse.Namespace) -> int:
    """The end of a command that has nothing to tell."""
    if options.json:
        write_json({"ok": True})
    return 0


def write_json(document: Any) -> int:
    write(json.dumps(document, ensure_ascii=False))
    return 0


def write_rows(plural: str, rows: Iterable[Any], **more: Any) -> int:
    return write_json({plural: list(rows), **more})


def write_table(headings: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> int:
    write(table(headings, list(rows)))
    return 0


def read_json(path: str, what: str) -> Any:
    """The JSON of a file, `-` being standard input; raises CommandFailed when there is none to read."""
    try:
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as file:
            return json.load(file)
    except OSError as error:
        raise CommandFailed(f"{what} {path} can't be read: {error.strerror}", status=2) from error
    except (ValueError, RecursionError) as error:
        raise CommandFailed(f"{what} {path} is no JSON: {error}", status=2) from error


def parse_value(text: str) -> Any:
    """A value of the command line: JSON where it can be, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
