"""Engine and fake on one clock: hours of waiting, tried in milliseconds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakeio import Fake, WorkspaceHandle
from scenarios.clocks import WorkspaceClock
from sync.core.report import Ended, EventsReport
from sync.core.sending import RetryPolicy
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.run_cohort import CohortOptions, run_cohort
from sync.run_events import EventsOptions, run_events
from tests.integration.event_engine import Engine, row

HOUR_S = 3_600
STEADFAST = RetryPolicy(retries=1_000, base_s=1, cap_s=600, budget_s=6 * HOUR_S)


@pytest.fixture
def workspace(fake: Fake) -> Iterator[WorkspaceHandle]:
    workspace = fake.new_workspace(seed={"people": [{"id": "42"}, {"id": "43"}]})
    yield workspace
    workspace.raise_first_error()


@pytest.fixture
def clock(workspace: WorkspaceHandle) -> WorkspaceClock:
    return WorkspaceClock(workspace)


def deliver(engine: Engine, clock: WorkspaceClock, policy: RetryPolicy = STEADFAST) -> Ended:
    with Ledger.open(engine.path) as ledger:
        console = Console(quiet=True, stream=io.StringIO())
        return run_events(
            EventsOptions(source=str(engine.file)), engine.settings(), ledger, console, policy=policy, clock=clock
        )


def events_report(ended: Ended) -> EventsReport:
    assert isinstance(ended.report, EventsReport)
    return ended.report


def test_an_outage_of_four_hours_is_waited_out(
    fake: Fake, workspace: WorkspaceHandle, clock: WorkspaceClock, tmp_path: Path
) -> None:
    engine = Engine(fake, workspace, tmp_path)
    engine.export(*(row(n) for n in range(10)))
    began = clock.now()
    outage = workspace.fault("status", status=503)
    clock.plan(4 * HOUR_S, outage.remove)
    ended = deliver(engine, clock)
    assert (ended.exit_code, events_report(ended).delivered) == (0, 10)
    assert len(workspace.events(name="order")) == 10
    refused = [request for request in workspace.requests if request.faults]
    assert len(refused) == outage.fired >= 10
    assert clock.now() - began == pytest.approx(clock.slept)
    assert 4 * HOUR_S <= clock.slept <= 5 * HOUR_S


def test_an_outage_that_outlasts_the_engines_patience_is_told(
    fake: Fake, workspace: WorkspaceHandle, clock: WorkspaceClock, tmp_path: Path
) -> None:
    engine = Engine(fake, workspace, tmp_path)
    engine.export(row(1))
    workspace.fault("status", status=503, match={"path": "*batch"})
    ended = deliver(engine, clock)
    report = events_report(ended)
    assert (ended.exit_code, report.delivered, report.expired + report.pending) == (1, 0, 1)
    assert STEADFAST.budget_s / 2 <= clock.slept <= STEADFAST.budget_s


def deliver_cohort(
    fake: Fake, workspace: WorkspaceHandle, clock: WorkspaceClock, folder: Path, policy: RetryPolicy
) -> Ended:
    """Two people, with no rate of our own at the App API."""
    file = folder / "cohort.csv"
    file.write_text("user_id\n42\n43\n")
    engine = Engine(fake, workspace, folder)
    settings = engine.settings(app_api_key=workspace.app_api_key, app_rate_per_s=0.0)
    options = CohortOptions(source=str(file), name="vip")
    with Ledger.open(engine.path) as ledger:
        console = Console(quiet=True, stream=io.StringIO())
        return run_cohort(options, settings, ledger, console, policy=policy, clock=clock)


def test_a_throttle_and_what_it_asks_for_are_on_the_same_clock(
    fake: Fake, workspace: WorkspaceHandle, clock: WorkspaceClock, tmp_path: Path
) -> None:
    throttle = workspace.fault("throttle", per_s=1, retry_after=2, match={"api": "app"})
    ended = deliver_cohort(fake, workspace, clock, tmp_path, STEADFAST)
    assert ended.exit_code == 0
    assert [member["id"] for member in workspace.segments[0].members] == ["42", "43"]
    assert throttle.fired >= 1
    # the engine asked again when it had waited as long as it was told to, and never in vain
    assert round(clock.slept, 3) >= 2 * throttle.fired


@pytest.mark.parametrize("fault", [None, {"per_s": 1}, {"per_s": 1, "retry_after": 7}])
def test_where_one_request_a_second_is_allowed_the_segment_is_made_all_the_same(
    fake: Fake, workspace: WorkspaceHandle, clock: WorkspaceClock, tmp_path: Path, fault: dict[str, int] | None
) -> None:
    if fault is None:
        workspace.update_settings(rate_limits="enforced", app_rate_limit=1)
    else:
        workspace.fault("throttle", **fault, match={"api": "app"})
    ended = deliver_cohort(fake, workspace, clock, tmp_path, RetryPolicy())
    makings = [one.status for one in workspace.requests if (one.method, one.path) == ("POST", "/v1/segments")]
    assert (ended.exit_code, makings[-1], set(makings[:-1])) == (0, 200, {429})
    assert len(workspace.segments) == 1


def test_what_fails_is_tried_again_eight_times_unless_told_otherwise(
    fake: Fake, workspace: WorkspaceHandle, clock: WorkspaceClock, tmp_path: Path
) -> None:
    workspace.fault("status", status=500, match={"path": "*/add_customers"})
    ended = deliver_cohort(fake, workspace, clock, tmp_path, RetryPolicy())
    tries = [one for one in workspace.requests if one.path.endswith("/add_customers")]
    assert (ended.exit_code, len(tries)) == (1, 1 + 8)
    assert clock.slept <= RetryPolicy().budget_s


def test_what_is_planned_happens_in_its_order_and_at_its_time(
    workspace: WorkspaceHandle, clock: WorkspaceClock
) -> None:
    began, seen = clock.now(), []
    clock.plan(5, lambda: seen.append(("second", clock.now() - began)))
    clock.plan(2, lambda: seen.append(("first", clock.now() - began)))
    clock.plan(9, lambda: seen.append(("never", clock.now() - began)))
    clock.sleep(7)
    assert (seen, clock.monotonic() - began, clock.slept) == ([("first", 2), ("second", 5)], 7, 7)
