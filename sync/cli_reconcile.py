"""The `reconcile` command: its flags, and one look at a segment."""

from __future__ import annotations

import argparse

from sync.cli_cohort import add_removal_arguments
from sync.core.errors import ConfigError
from sync.core.report import Ended
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.settings import Settings
from sync.run_reconcile import ReconcileOptions, run_reconcile


def add_reconcile_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a cohort sync, as `cio-sync cohort --name` or `run` called it")
    parser.add_argument(
        "--repair", action="store_true",
        help="put back who is missing, and take out who does not belong, also those whom somebody put in by hand",
    )
    add_removal_arguments(parser)


def reconcile(arguments: argparse.Namespace, settings: Settings, console: Console) -> Ended:
    """One look. Raises ConfigError when nothing could be started."""
    options = ReconcileOptions(**{name: getattr(arguments, name) for name in ReconcileOptions.__dataclass_fields__})
    settings.require("site_id", "track_api_key", "app_api_key")
    ledger = Ledger.peek(settings.state_path)
    if ledger is None:
        raise ConfigError(
            f"there is no state file {settings.state_path}, so no sync is remembered",
            hint="name another file in CIO_SYNC_STATE, or run the cohort first",
        )
    if options.repair:
        ledger.close()
        ledger = Ledger.open(settings.state_path)
    with ledger:
        return run_reconcile(options, settings, ledger, console)
