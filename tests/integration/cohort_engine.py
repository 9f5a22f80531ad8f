"""A cohort engine aimed at one workspace of a live fake: what the cohort tests share."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx

from fakeio import Fake
from fakeio.testing import WorkspaceHandle
from sync.core.report import CohortReport, Ended
from sync.core.sending import RetryPolicy
from sync.edge.console import Console
from sync.edge.settings import Settings
from sync.edge.transport import Network
from sync.run_cohort import CohortOptions, run_cohort
from tests.integration.ledgers import opened

HASTE = RetryPolicy(retries=8, base_s=0.001, cap_s=0.005, budget_s=30)


class Engine:
    """The engine aimed at one workspace, with a ledger of its own."""

    def __init__(self, fake: Fake, workspace: WorkspaceHandle, folder: Path) -> None:
        self.workspace = workspace
        self.path = folder / "ledger.db"
        self.file = folder / "cohort.csv"
        self.url = fake.url
        self.said = io.StringIO()

    def settings(self, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "site_id": self.workspace.site_id, "track_api_key": self.workspace.track_api_key,
            "app_api_key": self.workspace.app_api_key, "track_url": self.url, "app_url": self.url,
            "track_rate_per_s": 0.0, "app_rate_per_s": 0.0, "state_path": self.path, **changes,
        }  # fmt: skip
        return Settings(**values)

    def cohort(self, *ids: str, column: str = "user_id") -> None:
        quoted = (one.replace('"', '""') for one in ids)
        lines = "".join(f'"{n}","{one}"\r\n' for n, one in enumerate(quoted))
        self.file.write_text(f'"amplitude_id","{column}"\r\n{lines}', newline="")

    def run(
        self, *ids: str, settings: Settings | None = None, policy: RetryPolicy = HASTE, network: Network | None = None,
        name: str = "vip", **flags: Any,
    ) -> Ended:  # fmt: skip
        """One run over a cohort of `ids`; without any, over the file as it is."""
        if ids:
            self.cohort(*ids, column=flags.get("id_column", "user_id"))
        options = CohortOptions(source=str(self.file), name=name, **flags)
        console = Console(quiet=True, stream=self.said)
        with opened(self.path, dry_run=options.dry_run) as ledger:
            return run_cohort(options, settings or self.settings(), ledger, console, policy=policy, network=network)

    def report(self, *ids: str, **flags: Any) -> CohortReport:
        """The report of a run that must come to its end."""
        ended = self.run(*ids, **flags)
        assert isinstance(ended.report, CohortReport)
        assert ended.error is None or ended.exit_code == 1, ended.error
        return ended.report

    def members(self, segment_id: int = 1) -> set[str]:
        return {who.id or who.email or who.cio_id for who in self.workspace.segment(segment_id).members}

    def people(self, *ids: str) -> None:
        self.workspace.add_people([{"id": one} for one in ids])

    def calls(self, verb: str) -> list[list[str]]:
        """The ids of every call that wanted to change membership, in order."""
        return [one.body["ids"] for one in self.workspace.requests if one.path.endswith(f"/{verb}_customers")]

    def writes(self) -> int:
        return len(self.calls("add")) + len(self.calls("remove"))

    # -- somebody else, behind the engine's back ----------------------------------------------------------------------
    def delete_person(self, one: str) -> None:
        self._track("DELETE", f"/api/v1/customers/{one}")

    def suppress(self, one: str) -> None:
        self._track("POST", f"/api/v1/customers/{one}/suppress")

    def merge(self, primary: str, secondary: str) -> None:
        self._track("POST", "/api/v1/merge_customers", {"primary": {"id": primary}, "secondary": {"id": secondary}})

    def edit_by_hand(self, verb: str, one: str) -> None:
        """Add or remove one member of segment 1, as somebody at the product's own page would."""
        self._track("POST", f"/api/v1/segments/1/{verb}_customers", {"ids": [one]})

    def delete_segment(self, segment_id: int) -> None:
        headers = {"authorization": f"Bearer {self.workspace.app_api_key}"}
        self._ask("DELETE", f"/v1/segments/{segment_id}", headers=headers)

    def _track(self, method: str, path: str, body: object = None) -> None:
        auth = (self.workspace.site_id, self.workspace.track_api_key)
        self._ask(method, path, json=body, auth=auth)

    def _ask(self, method: str, path: str, **more: Any) -> None:
        # without TLS there is nothing to verify, and loading the system's roots takes longer than the request
        httpx.request(method, f"{self.url}{path}", verify=False, trust_env=False, **more).raise_for_status()


def counts(report: CohortReport) -> dict[str, object]:
    """Of the membership counts, those that are not zero."""
    keys = ("already_members", "added", "not_found", "pending", "removed", "refused", "skipped", "collapsed_duplicates")
    return {key: value for key in keys if (value := getattr(report, key))}
