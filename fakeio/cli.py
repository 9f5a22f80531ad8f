"""The command `fakeio`: which subcommands there are. Each lives in a `cli_*.py` beside this file.

Starting fast matters more here than anywhere: whatever only one command needs is imported by that command, and who
starts a server does not even wait for the others to be declared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from fakeio.cli_exec import add_exec_command
from fakeio.cli_serve import add_serve_command
from fakeio.cli_text import CommandFailed, complain, end_streams, forget, write

_ABOUT = "A Customer.io that runs on a laptop and in CI."
_STARTING = {"serve": add_serve_command, "exec": add_exec_command}  # the commands that start a server


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 it could not be done, 2 usage or configuration."""
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
    except SystemExit as told:  # the help, the version, or what is wrong with the command
        raise SystemExit(end_streams(told.code if isinstance(told.code, int) else 0)) from None
    return end_streams(code)


def _run(given: Sequence[str]) -> int:
    try:
        options = build_parser(next(iter(given), None)).parse_args(given)
        return int(options.run(options))
    except CommandFailed as failed:
        complain(failed.message)
        return failed.status
    except BrokenPipeError:  # whoever read our output has seen enough
        forget(sys.stdout)
        return 0


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Every command and option that may follow where `command` comes first; without one, all there are.

    Raises SystemExit(2) when an environment variable holds nonsense.
    """
    parser = argparse.ArgumentParser(prog="fakeio", description=_ABOUT)
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    if command in _STARTING:
        _STARTING[command](commands)
        return parser
    # here, since a server that is started has no use for the others, and for the client that they bring
    from fakeio.cli_client import add_client_commands
    from fakeio.cli_tables import add_table_commands

    for add in (*_STARTING.values(), add_table_commands, add_client_commands):
        add(commands)
    return parser


class _Version(argparse.Action):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, nargs=0)

    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        from fakeio.edge.control_server import version  # reading the installed version takes longer than starting

        write(f"fakeio {version()}")
        parser.exit()
