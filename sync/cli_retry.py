"""The `retry` command: dead letters of event runs are sent again."""

from __future__ import annotations

import argparse

from sync.cli_runs import remembered
from sync.core.report import Ended
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.settings import Settings
from sync.run_retry import run_retry


def add_retry_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN|all", help="the events run whose dead letters to send again, or all")


def retry(arguments: argparse.Namespace, settings: Settings, console: Console) -> Ended:
    """Replay dead letters. Raises ConfigError when nothing could be started."""
    settings.require("site_id", "track_api_key")
    remembered(settings).close()  # says so where there is none
    with Ledger.open(settings.state_path) as ledger:
        return run_retry(arguments.run, settings, ledger, console)
