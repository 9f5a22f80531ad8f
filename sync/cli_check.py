"""The `check` command: proves each credential on its own and says which one is wrong."""

from __future__ import annotations

from collections.abc import Callable

from sync.core.errors import SyncError
from sync.core.sending import RetryPolicy
from sync.core.wire_account import Account
from sync.destination import Destination
from sync.edge.console import Console
from sync.edge.settings import Settings
from sync.edge.transport import Network

PATIENCE = RetryPolicy(retries=3, base_s=0.5, budget_s=20.0)  # somebody is watching


def check(settings: Settings, console: Console, *, network: Network | None = None) -> int:
    """Tell a line for each credential; returns the worst exit code. Writes nothing anywhere."""
    settings.require("site_id", "track_api_key", "app_api_key")
    with Destination(settings, console, policy=PATIENCE, network=network) as destination:
        account: list[Account | None] = []
        track = _prove(lambda: account.append(destination.connect()))
        console.tell(_track_line(track, account, destination.region))
        app = _prove(lambda: destination.prove_app_key(account[0] if account else None))
        console.tell(f"App API    {_wrong(app) if app else 'ok: CIO_APP_API_KEY works'}")
    return max((error.exit_code for error in (track, app) if error is not None), default=0)


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
