"""The `check` command: proves each credential on its own and says which one is wrong."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sync.amplitude_pull import Project
from sync.core.amplitude import CohortInfo
from sync.core.errors import SyncError
from sync.core.sending import RetryPolicy
from sync.core.wire_account import Account
from sync.destination import Destination
from sync.edge.amplitude_settings import VARIABLES as AMPLITUDE_VARIABLES
from sync.edge.amplitude_settings import read_amplitude_settings
from sync.edge.console import Console
from sync.edge.settings import Settings
from sync.edge.streams import heard_or_not
from sync.edge.transport import Network

PATIENCE = RetryPolicy(retries=3, base_s=0.5, budget_s=20.0)  # somebody is watching


class Proof(NamedTuple):
    """What was proved, the error if it was not, and what to say if it was."""

    what: str
    error: SyncError | None
    said: str


def check_all(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """The credentials of Customer.io, and those of Amplitude where one of them is set."""
    wanted = any(os.environ.get(AMPLITUDE_VARIABLES[key]) for key in ("api_key", "secret_key"))
    project = Project(settings=read_amplitude_settings(os.environ), policy=PATIENCE) if wanted else None
    return check(settings, console, project=project)


def check(
    settings: Settings, console: Console, *, network: Network | None = None, project: Project | None = None
) -> int:
    """Tell a line for each credential; returns the worst exit code. Writes nothing anywhere.

    `project` is the Amplitude project to prove as well, if there is one.
    """
    settings.require("site_id", "track_api_key", "app_api_key")
    with Destination(settings, console, policy=PATIENCE, network=network) as destination:
        proofs = list(prove_destination(destination))
    if project is not None:
        proofs.append(prove_project(project, console))
    with heard_or_not():
        for what, error, said in proofs:
            console.tell(f"{what:<10} {_wrong(error) if error else f'ok: {said}'}")
    return max((proof.error.exit_code for proof in proofs if proof.error is not None), default=0)


def prove_destination(destination: Destination) -> Iterator[Proof]:
    """The Track credentials and the region, then the key of the App API."""
    account: list[Account | None] = []
    error = _prove(lambda: account.append(destination.connect()))
    known = account[0] if account else None
    workspace = f", workspace {known.environment_id}" if known is not None and known.environment_id is not None else ""
    region = (destination.region or "unknown").upper()
    yield Proof("Track API", error, f"CIO_SITE_ID and CIO_TRACK_API_KEY work; region {region}{workspace}")
    yield Proof("App API", _prove(lambda: destination.prove_app_key(known)), "CIO_APP_API_KEY works")


def prove_project(project: Project, console: Console) -> Proof:
    """The keys of an Amplitude project."""
    listed: list[CohortInfo] = []

    def prove() -> None:
        with project.open(None, console) as amplitude:
            listed.extend(amplitude.cohorts())

    error = _prove(prove)
    keys = f"{AMPLITUDE_VARIABLES['api_key']} and {AMPLITUDE_VARIABLES['secret_key']}"
    return Proof("Amplitude", error, f"{keys} work; {len(listed)} cohorts can be read")


def _prove(step: Callable[[], None]) -> SyncError | None:
    try:
        step()
    except SyncError as error:
        return error
    return None


def _wrong(error: SyncError) -> str:
    """A credential is wrong when somebody refused it; where nobody answered, that says nothing about it."""
    return f"{'WRONG' if error.exit_code > 1 else 'UNKNOWN'}: {error.message}. {error.hint}".rstrip()
