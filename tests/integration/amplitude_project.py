"""A fake Amplitude on two ports and an engine that reads it: what the pull tests share."""

from __future__ import annotations

from typing import Any

from conftest import HandTurnedClock
from scenarios.amplitude import FakeAmplitude
from scenarios.amplitude_server import AmplitudeServer
from sync.amplitude_pull import Project
from sync.core.errors import SourceError
from sync.core.report import CohortReport, Ended
from sync.core.sending import RetryPolicy
from sync.edge.amplitude_settings import AmplitudeSettings
from sync.edge.console import Console
from sync.run_cohort import CohortOptions, run_cohort
from tests.integration.cohort_engine import HASTE, Engine
from tests.integration.ledgers import opened


class EngineClock:
    """The hand-turned clock, as the engine wants one."""

    def __init__(self, clock: HandTurnedClock) -> None:
        self.now = self.monotonic = clock
        self.sleep = clock.sleep


class Pull:
    """A project, and an engine that pulls cohort `abc` of it."""

    def __init__(self, fake: FakeAmplitude, url: str, engine: Engine, clock: HandTurnedClock) -> None:
        self.fake = fake
        self.engine = engine
        self.clock = clock
        self.settings = AmplitudeSettings(api_key=fake.api_key, secret_key=fake.secret_key, url=url)

    def project(self, **changes: Any) -> Project:
        patience = RetryPolicy(retries=4, base_s=15, cap_s=120, budget_s=600)
        values: dict[str, Any] = {
            "settings": self.settings, "policy": patience, "clock": EngineClock(self.clock), **changes
        }  # fmt: skip
        return Project(**values)

    def run(self, *, source: str = "amplitude:abc", changes: dict[str, Any] | None = None, **flags: Any) -> Ended:
        options = CohortOptions(source=source, **{"name": "vip", **flags})
        engine = self.engine
        with opened(engine.path, dry_run=options.dry_run) as ledger:
            return run_cohort(
                options, engine.settings(), ledger, Console(stream=engine.said), policy=HASTE,
                project=self.project(**changes or {}),
            )  # fmt: skip

    def report(self, **flags: Any) -> CohortReport:
        """The report of a run that must come to its end."""
        ended = self.run(**flags)
        assert isinstance(ended.report, CohortReport)
        assert ended.error is None, ended.error
        return ended.report

    def asked(self, part: str) -> list[str]:
        """The paths asked for that hold `part`, in order."""
        return [one.path for one in self.fake.asked if part in one.path]


def pulling(server: AmplitudeServer, engine: Engine, clock: HandTurnedClock) -> Pull:
    """A project of its own on that server, and the engine that reads it."""
    project = FakeAmplitude(now=clock)
    server.play(project)
    return Pull(project, server.url, engine, clock)


def stopped(pull: Pull, **flags: object) -> SourceError:
    """The error of a run that the source ends, after which the segment is untouched."""
    before = pull.engine.writes()
    ended = pull.run(**flags)  # type: ignore[arg-type]  # the flags of a run
    assert isinstance(ended.error, SourceError), ended
    assert ended.exit_code == 3
    assert pull.engine.writes() == before
    return ended.error
