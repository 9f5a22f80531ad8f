"""The options of `cio-scenarios list`, `show`, `run`, `report` and `serve`. Brings nothing, so help comes at once."""

from __future__ import annotations

import argparse
from pathlib import Path

CONSENT = "CIO_SCENARIOS_LIVE"


def add_list_arguments(parser: argparse.ArgumentParser) -> None:
    _tags(parser)
    _json(parser)


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    _json(parser)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*")
    parser.add_argument("--file", metavar="FILE", type=Path, action="append", default=[], help="a case of your own")
    parser.add_argument("--url", help="a fake that is running; each case gets a workspace of its own there")
    _tags(parser)
    _json(parser)
    live = parser.add_argument_group("a real workspace")
    live.add_argument("--live", action="store_true", help="ask the workspace whose credentials are in CIO_*")
    live.add_argument("--yes", action="store_true", help=f"consent to writing there (or {CONSENT}=yes, or type it)")
    live.add_argument("--clean", metavar="PREFIX", help="only delete what a run under this prefix has left behind")
    live.add_argument("--report", metavar="FILE", type=Path, help="write what the run has taught, as JSON")


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path)


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", metavar="P", type=int, help="of the fake Customer.io; 0: a free one (7099 if free)")
    _json(parser)


def _tags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", metavar="T", action="append", default=[], help="only cases of this tag or grade")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")
