"""The engine inside this process, through its public functions: for machines that run it hundreds of times.

Everything is real but the patience: waits between tries are milliseconds, and no rate holds it back. Each run opens
and closes its ledger, as a process would.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scenarios.engine import EngineRun, parse_report
from sync.cli_cohort import add_cohort_arguments
from sync.cli_events import add_events_arguments, parse_rules
from sync.core.errors import ConfigError
from sync.core.report import Ended, encode
from sync.core.sending import RetryPolicy
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.settings import Settings, read_settings
from sync.run_cohort import CohortOptions, run_cohort
from sync.run_events import EventsOptions, run_events

HASTE = RetryPolicy(retries=8, base_s=0.001, cap_s=0.005, budget_s=30.0)


def run_cohort_file(file: Path, name: str, own: Mapping[str, str]) -> EngineRun:
    """`cio-sync cohort FILE --name NAME` with the guards against sudden changes lifted. `own`: the environment."""
    options = CohortOptions(source=str(file), name=name, allow_empty=True, max_removal_share=1.0)
    return _run(own, lambda settings, ledger, console: run_cohort(options, settings, ledger, console, policy=HASTE))


def run_events_file(file: Path, own: Mapping[str, str]) -> EngineRun:
    """`cio-sync events FILE`."""
    options = EventsOptions(source=str(file))
    return _run(own, lambda settings, ledger, console: run_events(options, settings, ledger, console, policy=HASTE))


def run_as_typed(arguments: Sequence[str], own: Mapping[str, str]) -> EngineRun:
    """`cio-sync cohort …` or `cio-sync events …` with the flags as typed; the usual patience shortened as above."""
    command, *flags = arguments
    parser = argparse.ArgumentParser(prog=f"cio-sync {command}", allow_abbrev=False)
    (add_events_arguments if command == "events" else add_cohort_arguments)(parser)
    typed = parser.parse_args(flags)
    if command == "events":
        events = EventsOptions(source=typed.source, rules=parse_rules(typed), dry_run=typed.dry_run)
        return _run(own, lambda settings, ledger, console: run_events(events, settings, ledger, console, policy=HASTE))
    cohort = CohortOptions(**{name: getattr(typed, name) for name in CohortOptions.__dataclass_fields__})
    return _run(own, lambda settings, ledger, console: run_cohort(cohort, settings, ledger, console, policy=HASTE))


def _run(own: Mapping[str, str], run: Callable[[Settings, Ledger, Console], Ended]) -> EngineRun:
    said = io.StringIO()
    settings = read_settings(own, track_rate="0", app_rate="0")
    try:
        with Ledger.open(settings.state_path) as ledger:
            ended = run(settings, ledger, Console(quiet=True, stream=said))
    except ConfigError as error:  # what the command would print in place of a report
        return EngineRun(error.exit_code, {}, f"{said.getvalue()}{error.message}")
    why = ended.error.message if ended.error else ""
    return EngineRun(ended.exit_code, parse_report(encode(ended.report).decode()), f"{said.getvalue()}{why}")
