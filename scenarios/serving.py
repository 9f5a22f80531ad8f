"""`cio-scenarios serve`: a fake Customer.io and a fake Amplitude side by side, wired, with the samples in both.

The environment it prints is all that `cio-sync` needs to go from one to the other. Its ledger is of this run alone:
the workspace is new each time, and a ledger that remembers the one before would only wonder where its segment is.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from fakeio import Fake
from fakeio.client import DEFAULT_URL
from scenarios.amplitude import Cohort, CohortRow, FakeAmplitude
from scenarios.amplitude_server import AmplitudeServer
from scenarios.catalogue.case import RunError
from scenarios.samples.formats import parse_cohort, parse_export
from scenarios.samples.population import COHORT_ID, COHORT_NAME, MONDAY_NOON, TUESDAY_NOON

FOLDER = Path(__file__).parent / "samples"
#: Whatever the calendar says, the export's hours are over.
_AFTER = datetime.fromisoformat(TUESDAY_NOON).timestamp() + 86_400
_DEFAULT_PORT = int(DEFAULT_URL.rpartition(":")[2])


class Stand(NamedTuple):
    """Both services, running. `environment` is what the engine reads."""

    url: str
    amplitude_url: str
    environment: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """As JSON, with the id of this process."""
        cohort = {"id": COHORT_ID, "name": COHORT_NAME}
        return {**self._asdict(), "pid": os.getpid(), "cohorts": [cohort]}


@contextmanager
def serve_both(port: int | None = None) -> Iterator[Stand]:
    """Run both until the end of the block. Without a port the fake takes its usual one, or another when that is taken.

    Raises RunError when a port that was asked for is taken.
    """
    folder = tempfile.mkdtemp(prefix="cio-scenarios-")
    seed = json.loads((FOLDER / "people.json").read_text(encoding="utf-8"))
    try:
        project = sample_project()
        with _fake(port, seed) as fake, AmplitudeServer(project) as amplitude:
            state = str(Path(folder) / "ledger.db")
            yield _stand(fake, amplitude.url, {"CIO_SYNC_STATE": state, **project.environment(amplitude.url)})
    finally:
        shutil.rmtree(folder)


def sample_project() -> FakeAmplitude:
    """Monday's cohort and the export of the samples, as a project."""
    project = FakeAmplitude(now=lambda: max(time.time(), _AFTER))
    project.polls_until_ready = 0
    users = parse_cohort((FOLDER / "cohort-monday.csv").read_bytes())
    amplitude_ids = parse_cohort((FOLDER / "cohort-monday.csv").read_bytes(), "amplitude_id")
    rows: list[CohortRow] = [(number, user, {}) for number, user in zip(amplitude_ids, users, strict=True)]
    project.cohorts[COHORT_ID] = Cohort(COHORT_ID, COHORT_NAME, rows)
    export = parse_export((FOLDER / "export.zip").read_bytes())
    project.events = [row for _, _, row in export if isinstance(row, dict)]
    return project


def tell_stand(stand: Stand) -> str:
    """What to type next, to be copied into a shell."""
    exports = "\n".join(f"export {name}={value}" for name, value in stand.environment.items())
    return (
        f"fake Customer.io at {stand.url}\nfake Amplitude at {stand.amplitude_url}\n\n{exports}\n\n"
        f"cio-sync check\ncio-sync cohort amplitude:{COHORT_ID} --name vip\n"
        f"cio-sync events amplitude:export --since {MONDAY_NOON[:10]} --until 2026-08-19\n"
    )


def _fake(port: int | None, seed: dict[str, Any]) -> Fake:
    settings = {"rate_limits": "enforced"}
    try:
        return Fake(port=_DEFAULT_PORT if port is None else port, seed=seed, settings=settings)
    except OSError as error:
        if port is not None:
            why = error.strerror or error
            raise RunError(f"port {port} can't be had ({why}); --port 0 takes a free one") from None
        return Fake(seed=seed, settings=settings)


def _stand(fake: Fake, amplitude_url: str, rest: dict[str, str]) -> Stand:
    workspace = fake.workspace
    environment = {
        "CIO_SITE_ID": workspace.site_id, "CIO_TRACK_API_KEY": workspace.track_api_key,
        "CIO_APP_API_KEY": workspace.app_api_key, "CIO_TRACK_URL": str(fake.url), "CIO_APP_URL": str(fake.url),
        "FAKEIO_URL": str(fake.url), **rest,
    }  # fmt: skip
    return Stand(str(fake.url), amplitude_url, environment)
