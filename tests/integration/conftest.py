"""What the tests of the engine share: a live fake and a fake Amplitude for each module, an engine for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import HandTurnedClock
from fakeio import Fake
from scenarios.amplitude import FakeAmplitude
from scenarios.amplitude_server import AmplitudeServer
from tests.integration import cohort_engine
from tests.integration.amplitude_project import Pull, pulling
from tests.integration.listening_engine import Listening
from tests.integration.scheduled_syncs import Scheduled


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server


@pytest.fixture(scope="module")
def amplitude() -> Iterator[AmplitudeServer]:
    with AmplitudeServer(FakeAmplitude()) as running:
        yield running


@pytest.fixture
def engine(request: pytest.FixtureRequest, fake: Fake, tmp_path: Path) -> Iterator[Any]:
    """The Engine that the test's module imports, for cohorts or for events, aimed at a workspace of its own."""
    workspace = fake.new_workspace()
    yield request.module.Engine(fake, workspace, tmp_path)
    workspace.raise_first_error()


@pytest.fixture
def listening(fake: Fake, tmp_path: Path, clock: HandTurnedClock) -> Iterator[Listening]:
    """A receiver whose worker works when it is told to, and three people to push about."""
    workspace = fake.new_workspace()
    one = Listening(cohort_engine.Engine(fake, workspace, tmp_path), clock)
    one.engine.people("a", "b", "c")
    yield one
    one.inbox.close()
    workspace.raise_first_error()


@pytest.fixture
def pull(fake: Fake, amplitude: AmplitudeServer, tmp_path: Path, clock: HandTurnedClock) -> Iterator[Pull]:
    """A project with one cohort, and an engine that pulls it."""
    workspace = fake.new_workspace()
    one = pulling(amplitude, cohort_engine.Engine(fake, workspace, tmp_path), clock)
    one.engine.people("a", "b", "c", "d")
    one.fake.put_cohort("abc", ["a", "b", "c"])
    yield one
    workspace.raise_first_error()


@pytest.fixture
def scheduled(fake: Fake, amplitude: AmplitudeServer, tmp_path: Path, clock: HandTurnedClock) -> Iterator[Scheduled]:
    """A cohort of an Amplitude project and an export, on an hourly and a one-time schedule."""
    workspace = fake.new_workspace()
    project = FakeAmplitude(now=clock)
    project.polls_until_ready = 0
    amplitude.play(project)
    one = Scheduled(cohort_engine.Engine(fake, workspace, tmp_path), project, amplitude.url, clock)
    one.engine.people("a", "b")
    project.put_cohort("abc", ["a"])
    yield one
    workspace.raise_first_error()
