"""The `reconcile` command: its flags, and one look at a segment, at the destination of a configuration or of the
environment."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from sync.cli_cohort import add_removal_arguments
from sync.core.configuration import Configuration, Sync, choose
from sync.core.errors import ConfigError
from sync.core.report import Ended
from sync.edge.config_file import read_configuration, settings_of
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.settings import Settings
from sync.run_reconcile import ReconcileOptions, run_reconcile

DEFAULT_CONFIG, DEFAULT_SHARE = Path("sync.toml"), 0.5
PACE_FLAGS = ("track_rate", "app_rate", "workers")


def add_reconcile_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a cohort sync, as `cio-sync cohort --name` or `run` called it")
    parser.add_argument(
        "--config", type=Path, metavar="FILE",
        help="the configuration whose sync NAME is (sync.toml, where CIO_SITE_ID is not set)",
    )
    parser.add_argument(
        "--repair", action="store_true",
        help="put back who is missing, and take out who does not belong, also those whom somebody put in by hand",
    )
    add_removal_arguments(parser)
    parser.set_defaults(max_removal_share=None)  # that of the configuration's table, else 0.5


def reconcile(arguments: argparse.Namespace, settings: Settings, console: Console) -> Ended:
    """One look. Raises ConfigError when nothing could be started."""
    options, settings = _wanted(arguments, settings)
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


def _wanted(arguments: argparse.Namespace, settings: Settings) -> tuple[ReconcileOptions, Settings]:
    """What to look at and how to reach it. Raises ConfigError."""
    name, share, allow_empty = arguments.name, arguments.max_removal_share, arguments.allow_empty
    path = arguments.config or (DEFAULT_CONFIG if not settings.site_id and DEFAULT_CONFIG.exists() else None)
    if path is not None:
        configuration = read_configuration(path)
        table, sync = _cohort_sync(configuration, arguments.name)
        flags = {flag: getattr(arguments, flag) for flag in PACE_FLAGS}
        settings = settings_of(configuration, configuration.destinations[sync.destination], os.environ, flags)
        name = sync.name or table
        share = sync.max_removal_share if share is None else share
        allow_empty = allow_empty or sync.allow_empty
    options = ReconcileOptions(
        name=name, repair=arguments.repair, max_removal_share=DEFAULT_SHARE if share is None else share,
        allow_empty=allow_empty,
    )  # fmt: skip
    return options, settings


def _cohort_sync(configuration: Configuration, name: str) -> tuple[str, Sync]:
    """The table of a cohort sync, by its own name, else by the one it gives its segment. Raises ConfigError."""
    renamed = [table for table, sync in configuration.syncs.items() if sync.name == name]
    if name not in configuration.syncs and len(renamed) == 1:
        name = renamed[0]
    sync = choose(configuration, [name])[name]
    if sync.kind != "cohort":
        raise ConfigError(f"{name!r} is a sync of {sync.kind}: only a cohort's segment can drift", hint="name another")
    return name, sync
