"""The `check` command: proves each credential on its own and says which one is wrong."""

from __future__ import annotations

from collections.abc import Callable

from sync.amplitude_pull import Project
from sync.core.amplitude import CohortInfo
from sync.core.errors import SyncError
from sync.core.sending import RetryPolicy
from sync.core.wire_account import Account
from sync.destination import Destination
from sync.edge.amplitude_settings import VARIABLES as AMPLITUDE_VARIABLES
from sync.edge.console import Console
from sync.edge.settings import Settings
from sync.edge.transport import Network

PATIENCE = RetryPolicy(retries=3, base_s=0.5, budget_s=20.0)  # somebody is watching


def check(
    settings: Settings, console: Console, *, network: Network | None = None, project: Project | None = None
) -> int:
    """Tell a line for each credential; returns the worst exit code. Writes nothing anywhere.

    `project` is the Amplitude project to prove as well, if there is one.
    """
    settings.require("site_id", "track_api_key", "app_api_key")
    with Destination(settings, console, policy=PATIENCE, network=network) as destination:
        account: list[Account | None] = []
        track = _prove(lambda: account.append(destination.connect()))
        console.tell(_track_line(track, account, destination.region))
        app = _prove(lambda: destination.prove_app_key(account[0] if account else None))
        console.tell(f"App API    {_wrong(app) if app else 'ok: CIO_APP_API_KEY works'}")
    pull = None if project is None else _check_project(project, console)
    return max((error.exit_code for error in (track, app, pull) if error is not None), default=0)


def _check_project(project: Project, console: Console) -> SyncError | None:
    listed: list[CohortInfo] = []
    keys = f"{AMPLITUDE_VARIABLES['api_key']} and {AMPLITUDE_VARIABLES['secret_key']}"

    def prove() -> None:
        with project.open(None, console) as amplitude:
            listed.extend(amplitude.cohorts())

    error = _prove(prove)
    good = f"ok: {keys} work; {len(listed)} cohorts can be read"
    console.tell(f"Amplitude  {_wrong(error) if error else good}")
    return error


def _prove(step: Callable[[], None]) -> SyncError | None:
    try:
        step()
    except SyncError as error:
        return error
    return None


def _track_line(error: SyncError | None, account: list[Account | None], region: str) -> str:
    if error is not None:
        return f"Track API  {_wrong(error)}"
    known = account[0] if account else None
    workspace = f", workspace {known.environment_id}" if known is not None and known.environment_id is not None else ""
    return f"Track API  ok: CIO_SITE_ID and CIO_TRACK_API_KEY work; region {(region or 'unknown').upper()}{workspace}"


def _wrong(error: SyncError) -> str:
    return f"WRONG: {error.message}. {error.hint}".rstrip()
