"""`cio-sync reconcile`: what differs is told without a write, and with --repair made right."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakeio import Fake
from sync.cli import main
from sync.core.errors import ConfigError
from sync.core.report import Ended, ReconcileReport
from sync.core.sending import RetryPolicy
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.transport import Network
from sync.run_reconcile import ReconcileOptions, run_reconcile
from tests.integration.cohort_engine import HASTE, Engine, counts
from tests.integration.test_cohort_faults import IMPATIENT, Commits, Countdown, Killed, engine_in

NO_DRIFT = {"missing": 0, "leftover": 0, "strangers": 0}


def reconcile(
    engine: Engine, name: str = "vip", *, policy: RetryPolicy = HASTE, network: Network | None = None, **flags: Any
) -> Ended:
    options = ReconcileOptions(name=name, **flags)
    ledger = Ledger.open(engine.path) if options.repair else Ledger.peek(engine.path)
    assert ledger is not None
    with ledger:
        console = Console(stream=engine.said)
        return run_reconcile(options, engine.settings(), ledger, console, policy=policy, network=network)


def looked(engine: Engine, **flags: Any) -> tuple[int, dict[str, object], dict[str, int]]:
    """The exit code, the counts and the drift of a look that came to its end."""
    ended = reconcile(engine, **flags)
    assert ended.error is None
    assert isinstance(ended.report, ReconcileReport)
    return ended.exit_code, counts(ended.report), ended.report.drift


def test_a_segment_as_it_was_agreed_is_no_drift(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b", "nobody")
    before = (engine.writes(), engine.path.read_bytes())
    assert looked(engine) == (0, {"already_members": 2, "not_found": 1}, NO_DRIFT)
    assert (engine.writes(), engine.path.read_bytes()) == before
    assert looked(engine, repair=True) == (0, {"already_members": 2, "not_found": 1}, NO_DRIFT)
    assert engine.writes() == before[0]


def test_edits_by_hand_are_told_and_repaired(engine: Engine) -> None:
    engine.people("a", "b", "z")
    engine.report("a", "b")
    engine.edit_by_hand("remove", "a")
    engine.edit_by_hand("add", "z")
    before = (engine.writes(), engine.path.read_bytes())
    drift = {"missing": 1, "leftover": 0, "strangers": 1}
    expected = {"already_members": 1, "added": 1, "removed": 1}
    assert looked(engine) == (1, expected, drift)
    assert (engine.writes(), engine.path.read_bytes(), engine.members()) == (*before, {"b", "z"})
    assert looked(engine, repair=True) == (0, expected, drift)
    assert engine.members() == {"a", "b"}
    assert looked(engine) == (0, {"already_members": 2}, NO_DRIFT)
    assert counts(engine.report("a", "b")) == {"already_members": 2}


def test_who_came_late_is_missing_and_who_left_the_workspace_is_not(engine: Engine) -> None:
    engine.people("a", "gone")
    engine.report("a", "gone", "late")
    engine.people("late")
    engine.delete_person("gone")
    assert looked(engine) == (
        1, {"already_members": 1, "added": 1, "not_found": 1}, {"missing": 1, "leftover": 0, "strangers": 0}
    )  # fmt: skip
    assert looked(engine, repair=True)[0] == 0
    assert engine.members() == {"a", "late"}


def test_a_removal_in_doubt_is_leftover(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    with engine.workspace.fault("status", status=500, match={"path": "*/remove_customers"}):
        assert engine.run("a", policy=IMPATIENT).exit_code == 1
    assert looked(engine)[2] == {"missing": 0, "leftover": 1, "strangers": 0}
    assert looked(engine, repair=True)[:2] == (0, {"already_members": 1, "removed": 1})
    assert engine.members() == {"a"}


def test_who_joined_by_a_merge_is_taken_out(engine: Engine) -> None:
    engine.people("a", "b", "c")
    engine.report("a", "c")
    engine.merge("b", "a")
    assert engine.members() == {"b", "c"}
    assert looked(engine, repair=True) == (
        0, {"already_members": 1, "not_found": 1, "removed": 1}, {"missing": 0, "leftover": 0, "strangers": 1}
    )  # fmt: skip
    assert engine.members() == {"c"}
    assert {person.id for person in engine.workspace.people} == {"b", "c"}


def test_in_an_adopted_segment_others_belong_to_its_owner(engine: Engine) -> None:
    engine.people("a", "b", "theirs")
    engine.workspace.add_segment("theirs")
    engine.edit_by_hand("add", "theirs")
    engine.report("a", "b", segment_id=1)
    assert looked(engine) == (0, {"already_members": 2}, NO_DRIFT)
    engine.edit_by_hand("remove", "a")
    assert looked(engine, repair=True)[:2] == (0, {"already_members": 1, "added": 1})
    assert engine.members() == {"a", "b", "theirs"}
    assert "1 members belong to the owner of the segment" in engine.said.getvalue()
    with engine.workspace.fault("status", status=500, match={"path": "*/remove_customers"}):
        assert engine.run("a", policy=IMPATIENT).exit_code == 1
    assert looked(engine, repair=True) == (
        0, {"already_members": 1, "removed": 1}, {"missing": 0, "leftover": 1, "strangers": 0}
    )  # fmt: skip
    assert engine.members() == {"a", "theirs"}


def test_in_a_segment_of_two_syncs_a_repair_takes_out_nobody_of_the_other(engine: Engine) -> None:
    engine.people("a", "b", "c")
    engine.report("a", "b")
    engine.report("b", "c", name="other", segment_id=1)
    engine.edit_by_hand("remove", "a")
    assert looked(engine, repair=True) == (
        0, {"already_members": 1, "added": 1}, {"missing": 1, "leftover": 0, "strangers": 0}
    )  # fmt: skip
    assert engine.members() == {"a", "b", "c"}
    assert "1 members may be of 'other', and are left alone" in engine.said.getvalue()


def test_too_many_removals_stop_a_repair_until_they_are_meant(engine: Engine) -> None:
    strangers = [f"z{n}" for n in range(10)]
    engine.people("a", "b", *strangers)
    engine.report("a", "b")
    for one in strangers:
        engine.edit_by_hand("add", one)
    before = engine.writes()
    ended = reconcile(engine, repair=True)
    assert (ended.exit_code, ended.error and ended.error.reason) == (5, "suspicious_removals")
    assert isinstance(ended.report, ReconcileReport)
    assert counts(ended.report) == {"already_members": 2}
    assert (engine.writes(), looked(engine)[2]["strangers"]) == (before, 10)
    assert looked(engine, repair=True, max_removal_share=1.0)[:2] == (0, {"already_members": 2, "removed": 10})
    assert engine.members() == {"a", "b"}


def test_an_empty_cohort_can_be_repaired_when_it_is_meant(engine: Engine) -> None:
    engine.people("a", "z")
    engine.report("a")
    engine.cohort()
    engine.report(allow_empty=True)
    engine.edit_by_hand("add", "z")
    assert looked(engine, repair=True, allow_empty=True)[:2] == (0, {"removed": 1})


# -- trouble ----------------------------------------------------------------------------------------------------------
def test_what_can_not_be_repaired_is_told_and_done_next_time(engine: Engine) -> None:
    engine.people("a", "b", "z")
    engine.report("a", "b")
    engine.edit_by_hand("remove", "a")
    engine.edit_by_hand("add", "z")
    fault = engine.workspace.fault("status", status=503, match={"path": "*/*_customers"})
    ended = reconcile(engine, repair=True, policy=IMPATIENT)
    assert (ended.exit_code, ended.report.status) == (1, "partial")
    assert isinstance(ended.report, ReconcileReport)
    assert counts(ended.report) == {"already_members": 1, "pending": 1}
    assert ended.error is not None
    assert "1 people" in ended.error.message
    fault.remove()
    assert looked(engine, repair=True)[0] == 0
    assert engine.members() == {"a", "b"}


def test_who_is_refused_stays_a_dead_letter_until_a_cohort_run_names_them_again(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    engine.edit_by_hand("remove", "a")
    with engine.workspace.fault("status", status=400, match={"path": "*/add_customers"}):
        assert looked(engine, repair=True)[:2] == (1, {"already_members": 1, "refused": {"http_400": 1}})
    with Ledger.open(engine.path) as ledger:
        assert [one.reason for one in ledger.dead_letters(only_open=True)] == ["http_400"]
    assert looked(engine, repair=True)[0] == 0
    with Ledger.open(engine.path) as ledger:
        assert len(list(ledger.dead_letters(only_open=True))) == 1
    assert counts(engine.report("a", "b")) == {"already_members": 1, "added": 1}
    with Ledger.open(engine.path) as ledger:
        assert list(ledger.dead_letters(only_open=True)) == []


@pytest.mark.parametrize("repair", [False, True])
def test_a_segment_that_is_gone_or_no_longer_manual_is_an_error(engine: Engine, repair: bool) -> None:
    engine.people("a")
    engine.report("a")
    with engine.workspace.fault(
        "status", status=200, body={"segment": {"id": 1, "type": "dynamic"}}, match={"path": "/v1/segments/1"}
    ):
        ended = reconcile(engine, repair=repair)
        assert (ended.exit_code, ended.error and ended.error.reason) == (4, "segment_data_driven")
    engine.delete_segment(1)
    ended = reconcile(engine, repair=repair)
    assert (ended.exit_code, ended.error and ended.error.reason) == (4, "segment_gone")
    assert isinstance(ended.report, ReconcileReport)
    assert counts(ended.report) == {"pending": 1}


def test_a_repair_that_waits_for_a_run_goes_by_what_that_agreed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Waits(AbstractContextManager[None]):
        def __init__(self, *_: object) -> None:
            monkeypatch.undo()

        def __enter__(self) -> None:
            engine.delete_segment(1)
            engine.report("a@example.com", id_type="email", full=True, recreate=True)

        def __exit__(self, *_: object) -> None:
            """The test is over."""

    engine.workspace.add_people([{"id": "a", "email": "a@example.com"}, {"id": "b"}])
    engine.report("a", "b")
    monkeypatch.setattr(Ledger, "lease", Waits)
    ended = reconcile(engine, repair=True)
    assert isinstance(ended.report, ReconcileReport)
    assert (ended.exit_code, ended.report.segment.id, counts(ended.report)) == (0, 2, {"already_members": 1})
    assert engine.members(2) == {"a"}


def test_a_signal_stops_a_repair(engine: Engine) -> None:
    class Stop(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise KeyboardInterrupt

    engine.people("a")
    engine.report("a")
    ended = reconcile(engine, repair=True, network=Stop())
    assert (ended.exit_code, ended.report.status) == (130, "stopped")


@pytest.mark.parametrize("name", ["vap", "new"])
def test_a_name_without_a_segment_is_an_error_that_names_those_that_have_one(engine: Engine, name: str) -> None:
    engine.people("a")
    engine.report("a")
    with engine.workspace.fault("status", status=400, match={"path": "/v1/segments", "method": "POST"}):
        assert engine.run("a", name="new").exit_code == 4
    with pytest.raises(ConfigError) as error:
        reconcile(engine, name)
    assert error.value.exit_code == 2
    assert {"vap": "'new', 'vip'" in error.value.hint, "new": "no segment yet" in error.value.message}[name]


# -- killed at every step ---------------------------------------------------------------------------------------------
def repaired_in_spite_of(engine: Engine, network: httpx.BaseTransport, commits: Commits | None = None) -> bool:
    """A repair that is killed somewhere, then one that is not. False: nobody was killed."""
    engine.people("a", "b", "z")
    engine.report("a", "b", "nobody")
    engine.edit_by_hand("remove", "a")
    engine.edit_by_hand("add", "z")
    if commits is not None:
        network = commits.arm()
    killed = False
    try:
        reconcile(engine, repair=True, network=network)
    except Killed:
        killed = True
    if commits is not None:
        commits.spare()
    assert looked(engine, repair=True)[0] == 0
    assert engine.members() == {"a", "b"}
    assert looked(engine) == (0, {"already_members": 2, "not_found": 1}, NO_DRIFT)
    return killed


def test_a_repair_killed_at_any_request_is_ended_by_the_next(fake: Fake, tmp_path: Path) -> None:
    steps = 1
    while repaired_in_spite_of(engine_in(fake, tmp_path / str(steps)), Countdown(steps, after=False)):
        steps += 1
    assert steps > 7


def test_a_repair_killed_at_any_commit_is_ended_by_the_next(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = Commits(after=False)
    monkeypatch.setattr(Ledger, "atomic", commits.atomic)
    steps = 1
    while repaired_in_spite_of(
        engine_in(fake, tmp_path / str(steps)), httpx.HTTPTransport(verify=False), commits.armed_later(steps)
    ):
        steps += 1
    assert steps > 4


# -- at a terminal ----------------------------------------------------------------------------------------------------
@pytest.fixture
def shell(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    settings = engine.settings()
    for name, value in (
        ("CIO_SITE_ID", settings.site_id), ("CIO_TRACK_API_KEY", settings.track_api_key),
        ("CIO_APP_API_KEY", settings.app_api_key), ("CIO_TRACK_URL", engine.url), ("CIO_APP_URL", engine.url),
        ("CIO_SYNC_STATE", str(engine.path)), ("CIO_TRACK_RATE", "0"), ("CIO_APP_RATE", "0"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    return engine


def test_the_command_tells_prints_and_remembers(shell: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "vip"]) == 2
    assert "no sync is remembered" in capsys.readouterr().err
    shell.people("a", "z")
    shell.report("a")
    shell.edit_by_hand("add", "z")
    assert main(["reconcile", "vip", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["kind"], report["mode"], report["status"], report["removed"]) == (
        "reconcile", "dry_run", "partial", 1
    )  # fmt: skip
    assert main(["reconcile", "vip", "--repair"]) == 0
    page = capsys.readouterr().out
    assert "reconcile vip: success" in page
    assert "strangers" in page
    assert main(["history"]) == 0
    run = next(line.split()[2] for line in capsys.readouterr().out.splitlines() if " reconcile " in line)
    assert main(["show", run]) == 0
    assert capsys.readouterr().out.splitlines()[0] == page.splitlines()[0]
    assert main(["reconcile", "nobody"]) == 2
    assert "'vip'" in capsys.readouterr().err
