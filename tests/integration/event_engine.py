"""An events engine aimed at one workspace of a live fake: what the events tests share."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import httpx

from fakeio import Fake
from fakeio.testing import WorkspaceHandle
from sync.core.mapping import Rules
from sync.core.report import Ended, EventsReport
from sync.core.sending import RetryPolicy
from sync.edge.console import Console
from sync.edge.ledger import DeadLetter, Ledger
from sync.edge.settings import Settings
from sync.edge.transport import Network
from sync.run_events import EventsOptions, run_events
from tests.integration.ledgers import opened

HASTE = RetryPolicy(retries=8, base_s=0.001, cap_s=0.005, budget_s=30)
IMPATIENT = RetryPolicy(retries=1, base_s=0.001, cap_s=0.001, budget_s=1)
BATCH_PATH = "/api/v2/batch"
PATIENCE_S = 60.0  # for a thread that is about to end


def row(number: int = 0, **columns: Any) -> dict[str, Any]:
    """An ordinary export row; `number` tells it from others."""
    return {
        "event_type": "order", "event_time": f"2026-07-14 10:00:{number % 60:02}.500000", "user_id": "42",
        "device_id": "d-1", "$insert_id": f"insert-{number}", "uuid": f"uuid-{number}", "app": 187520,
        "event_properties": {"n": number}, "user_properties": {}, "group_properties": {}, "groups": {}, **columns,
    }  # fmt: skip


class Engine:
    """The engine aimed at one workspace, with a ledger and a source of its own."""

    def __init__(self, fake: Fake, workspace: WorkspaceHandle, folder: Path) -> None:
        self.workspace = workspace
        self.path = folder / "ledger.db"
        self.file = folder / "export.json"
        self.url = fake.url
        self.said = io.StringIO()

    def settings(self, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "site_id": self.workspace.site_id, "track_api_key": self.workspace.track_api_key, "track_url": self.url,
            "app_url": self.url, "track_rate_per_s": 0.0, "state_path": self.path, **changes,
        }  # fmt: skip
        return Settings(**values)

    def export(self, *rows: dict[str, Any] | bytes) -> Path:
        """Write these rows, or lines as they are, as the source."""
        lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in rows]
        self.file.write_bytes(b"\n".join([*lines, b""]))
        return self.file

    def run(
        self, *rows: dict[str, Any] | bytes, settings: Settings | None = None, policy: RetryPolicy = HASTE,
        network: Network | None = None, dry_run: bool = False, source: str = "", **rules: Any,
    ) -> Ended:  # fmt: skip
        """One run over an export of `rows`; without any, over the source as it is."""
        if rows:
            self.export(*rows)
        options = EventsOptions(source=source or str(self.file), rules=Rules(**rules), dry_run=dry_run)
        console = Console(quiet=True, stream=self.said)
        with _Kept(network) as kept, opened(self.path, dry_run=dry_run) as ledger:
            return run_events(options, settings or self.settings(), ledger, console, policy=policy, network=kept)

    def report(self, *rows: dict[str, Any] | bytes, **how: Any) -> EventsReport:
        """The report of a run that must come to its end."""
        ended = self.run(*rows, **how)
        assert isinstance(ended.report, EventsReport)
        assert ended.error is None, ended.error
        return ended.report

    def numbers(self) -> list[int]:
        """The numbers of the rows whose events are at the workspace, in order of arrival."""
        return [event.data["n"] for event in self.workspace.events()]

    def letters(self) -> list[DeadLetter]:
        """What was given up, in order."""
        with Ledger.open(self.path) as ledger:
            return list(ledger.dead_letters())

    def sent(self) -> list[str]:
        """The paths of all requests that carried events, in order."""
        return [one.path for one in self.workspace.requests if one.method == "POST"]


class _Kept(httpx.BaseTransport):
    """A network that outlives the run, as a courier still under way does when the run is killed.

    With a process, both would be gone; here they end in order, and no connection is opened after the last was closed.
    """

    def __init__(self, network: httpx.BaseTransport | None) -> None:
        # without TLS there is nothing to verify, and loading the system's roots takes longer than a run
        self._network = network or httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._network.handle_request(request)

    def close(self) -> None:
        """Not yet."""

    def __exit__(self, *_: object) -> None:
        for thread in threading.enumerate():
            if thread.name.startswith("courier"):
                thread.join(PATIENCE_S)
        self._network.close()


def counts(report: EventsReport) -> dict[str, object]:
    """Of the counts of events, those that are not zero."""
    keys = ("received", "filtered", "delivered", "duplicates", "discarded", "refused", "expired", "pending")
    return {key: value for key in keys if (value := getattr(report, key))}


def wide(*numbers: int) -> list[dict[str, Any]]:
    """Rows of which about 25 fill a batch."""
    return [row(n, event_properties={"n": n, "text": "x" * 19_000}) for n in numbers]


def ended_report(ended: Ended) -> EventsReport:
    """The report of a run that may have been stopped."""
    assert isinstance(ended.report, EventsReport)
    return ended.report
