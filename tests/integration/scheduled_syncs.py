"""A configuration with two syncs, and what runs it: what the tests of `cio-sync run` share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from conftest import HandTurnedClock
from scenarios.amplitude import FakeAmplitude
from sync.core.configuration import choose
from sync.edge.config_file import read_configuration
from sync.edge.console import Console
from sync.running import Runner, Surroundings
from tests.integration.amplitude_project import EngineClock
from tests.integration.cohort_engine import HASTE, Engine
from tests.integration.event_engine import row

PATIENCE_S = 60.0
DESTINATION = """
[destinations.production]
site_id = "PROD_SITE_ID"
track_api_key = "PROD_TRACK_KEY"
app_api_key = "PROD_APP_KEY"
track_url = "{url}"
app_url = "{url}"
"""
FILE = DESTINATION + """
[engine]
state = "{state}"

[sources.shop]
amplitude = "us"

[sources.files]
files = "export.json"

[syncs.vip]
kind = "cohort"
source = "shop"
cohort = "abc"
destination = "production"
cadence = "{cadence}"

[syncs.orders]
kind = "events"
source = "files"
destination = "production"
cadence = "once"
"""


class Scheduled:
    """A configuration file, and a runner that a restart replaces."""

    def __init__(self, engine: Engine, amplitude: FakeAmplitude, url: str, clock: HandTurnedClock) -> None:
        self.engine = engine
        self.amplitude = amplitude
        self.clock = clock
        self.path = engine.path.with_name("sync.toml")
        self.environ = {
            "PROD_SITE_ID": engine.workspace.site_id, "PROD_TRACK_KEY": engine.workspace.track_api_key,
            "PROD_APP_KEY": engine.workspace.app_api_key, "CIO_TRACK_RATE": "0", "CIO_APP_RATE": "0",
            **amplitude.environment(url),
        }  # fmt: skip
        self.write("hourly")
        engine.path.with_name("export.json").write_text(json.dumps(row(1)))

    def write(self, cadence: str, more: str = "") -> None:
        text = FILE.format(state=self.engine.path, url=self.engine.url, cadence=cadence)
        self.path.write_text(text + more)

    def runner(self, *names: str, told: Any = lambda name, ended, disabled: None) -> Runner:
        configuration = read_configuration(self.path)
        around = Surroundings(
            folder=self.path.parent, environ=self.environ, clock=EngineClock(self.clock), policy=HASTE
        )
        return Runner(configuration, choose(configuration, list(names)), around, Console(stream=self.engine.said), told)

    def tick(self) -> list[str]:
        """The kinds of what was due, by a process that has just started."""
        return [one.report.kind for one in self.runner().run_due()]


def command(scheduled: Scheduled, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CIO_", "AMPLITUDE_"))}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "sync", "run", "--config", str(scheduled.path), *arguments],
        env={**kept, **scheduled.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
