"""The `cohort` command: its flags, and one run of them."""

from __future__ import annotations

import argparse
import contextlib
import os

from sync.amplitude_pull import Project
from sync.cohort_pass import VERIFY
from sync.cohort_source import AMPLITUDE, cohort_id_of
from sync.core.intents import ID_TYPES
from sync.core.report import Ended
from sync.edge.amplitude_settings import read_amplitude_settings
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.settings import Settings
from sync.run_cohort import CohortOptions, run_cohort


def add_cohort_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "source", type=_source, metavar="SOURCE",
        help="a file or glob (Amplitude cohort CSV, plain or gzip, JSONL or Parquet), or amplitude:COHORT_ID",
    )
    add("--name", required=True, type=filled, metavar="NAME", help="names the sync and its segment, [Amplitude] NAME")
    add("--cohort-id", default="", metavar="ID", help="added to the segment's name (the COHORT_ID)")
    add("--id-column", default="user_id", type=filled, metavar="COLUMN", help="where the identifiers are (user_id)")
    add("--id-type", default="id", choices=ID_TYPES, help="what kind of Customer.io identifier they are (id)")
    add("--segment-id", type=_segment_id, metavar="N", help="use this manual segment, whoever made it")
    add("--full", action="store_true", help="send everybody again; also confirms a changed column or id type")
    add("--recreate", action="store_true", help="make a new segment if somebody deleted ours")
    add("--verify", default="membership", choices=VERIFY, help="how to confirm: read all members, search, not at all")
    add_removal_arguments(parser)
    add("--dry-run", action="store_true", help="say what would happen; send no write, write no file")


def add_removal_arguments(parser: argparse.ArgumentParser) -> None:
    """What lifts the guards against removing too many."""
    add = parser.add_argument
    add("--max-removal-share", default=0.5, type=_share, metavar="SHARE", help="stop if more members would leave (0.5)")
    add("--allow-empty", action="store_true", help="let an empty cohort empty the segment")


def cohort(arguments: argparse.Namespace, settings: Settings, console: Console) -> Ended:
    """One run. Raises ConfigError when nothing could be started."""
    options = CohortOptions(**{name: getattr(arguments, name) for name in CohortOptions.__dataclass_fields__})
    settings.require("site_id", "track_api_key", "app_api_key")
    with contextlib.ExitStack() as stack:
        ledger = Ledger.peek(settings.state_path) if options.dry_run else Ledger.open(settings.state_path)
        if ledger is not None:
            stack.enter_context(ledger)
        return run_cohort(options, settings, ledger, console, project=project_of(options.source))


def project_of(source: str) -> Project | None:
    """The Amplitude project that the environment names, for a source that reads one. Raises ConfigError."""
    if not source.startswith(AMPLITUDE):
        return None
    return Project(settings=read_amplitude_settings(os.environ))


def _source(value: str) -> str:
    if value.startswith(AMPLITUDE) and not cohort_id_of(value):
        raise argparse.ArgumentTypeError("write amplitude:COHORT_ID")
    if value == "-":
        raise argparse.ArgumentTypeError("a cohort is not read from a pipe, where half of it would look like all of it")
    return filled(value)


def filled(value: str) -> str:
    """A name as it was typed. Raises ArgumentTypeError for a blank one."""
    if not value.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return value


def _segment_id(value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise argparse.ArgumentTypeError("a segment's id is a whole number above 0")
    return int(value)


def _share(value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError("a share is a number from 0 to 1")
    return share
