"""`fakeio exec -- CMD`: its options. What it does is `cli_exec_run.py`, which nothing else has to wait for."""

from __future__ import annotations

import argparse
from typing import Any

from fakeio.cli_text import sentence


def add_exec_command(commands: Any) -> None:
    """Declare it on the parser's subcommands."""
    says = "run a command whose calls to Customer.io reach a private fake"
    usage = "%(prog)s [--seed FILE] [--expect FILE] [--allow-host H]… -- CMD ARG…"
    parser = commands.add_parser("exec", help=says, description=sentence(says), usage=usage)
    parser.set_defaults(run=run_exec)
    parser.add_argument("--seed", metavar="FILE", help="JSON to start the workspace with")
    parser.add_argument("--expect", metavar="FILE", help="JSON of people, events and segments that must be there after")
    parser.add_argument("--region", choices=("us", "eu"), default="us", help="region of the workspace (default: us)")
    parser.add_argument(
        "--allow-host", metavar="H", action="append", default=[],
        type=_host,
        help="another host that the command may reach by proxy; * stands for anything; repeatable",
    )  # fmt: skip
    parser.add_argument("command", metavar="CMD", nargs=argparse.REMAINDER, help="the command and its arguments")


def run_exec(options: argparse.Namespace) -> int:
    """Run the command; returns what `fakeio exec` exits with."""
    # here, since what a server, a proxy and certificates need takes long to import
    from fakeio.cli_exec_run import run_exec as run

    return run(options)


def _host(text: str) -> str:
    if not text or "/" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no host; write its name alone, for example api.example.com")
    return text
