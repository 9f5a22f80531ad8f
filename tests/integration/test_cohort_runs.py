"""Cohort runs against a live fake: first, changed and repeated runs, segments, guards, mappings, credentials."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fakeio import Fake
from sync.core.intents import CohortIntent
from sync.core.report import CohortReport, Ended
from sync.edge.ledger import Ledger
from tests.integration.cohort_engine import Engine, counts


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server


@pytest.fixture
def engine(fake: Fake, tmp_path: Path) -> Iterator[Engine]:
    workspace = fake.new_workspace()
    yield Engine(fake, workspace, tmp_path)
    workspace.raise_first_error()


# -- the diff ---------------------------------------------------------------------------------------------------------
def test_a_first_run_makes_the_segment_and_fills_it(engine: Engine) -> None:
    engine.people("a", "b", "c")
    report = engine.report("a", "b", "c", cohort_id="abc")
    assert (report.status, report.mode, counts(report)) == ("success", "full", {"added": 3})
    assert engine.members() == {"a", "b", "c"}
    segment = engine.workspace.segment(1)
    assert segment.name == report.segment.name == "[Amplitude] vip: abc"
    assert (report.segment.id, report.segment.created) == (1, True)
    assert "cio-sync:" in segment.description.split()[-1]
    assert report.requests == len(engine.workspace.requests)


def test_a_changed_cohort_sends_only_what_changed(engine: Engine) -> None:
    engine.people("a", "b", "c", "d")
    engine.report("a", "b", "c")
    report = engine.report("b", "c", "d")
    assert (report.mode, counts(report)) == ("incremental", {"already_members": 2, "added": 1, "removed": 1})
    assert (engine.calls("add"), engine.calls("remove")) == ([["a", "c", "b"], ["d"]], [["a"]])
    assert engine.members() == {"b", "c", "d"}


def test_an_unchanged_cohort_makes_no_membership_call(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b", "nobody")
    before = engine.writes()
    for _ in range(2):
        report = engine.report("a", "b", "nobody")
        assert counts(report) == {"already_members": 2, "not_found": 1}
    assert engine.writes() == before


@pytest.mark.parametrize(
    ("count", "sizes"), [(1_000, [1_000]), (1_001, [1_000, 1]), (2_501, [1_000, 1_000, 501])]
)
def test_calls_hold_at_most_a_thousand_ids(engine: Engine, count: int, sizes: list[int]) -> None:
    ids = [f"user-{n}" for n in range(count)]
    engine.people(*ids)
    assert counts(engine.report(*ids)) == {"added": count}
    calls = engine.calls("add")
    assert [len(call) for call in calls] == sizes
    assert sorted(one for call in calls for one in call) == sorted(ids)


def test_every_row_of_the_file_has_a_fate(engine: Engine) -> None:
    engine.people("a", "b")
    report = engine.report("a", "a", "", "b", "x" * 151, "nobody")
    assert (report.status, report.source_rows, report.in_cohort) == ("partial", 6, 3)
    assert counts(report) == {
        "added": 2, "not_found": 1, "collapsed_duplicates": 1, "skipped": {"unresolved_mapping": 1, "id_too_long": 1}
    }


def test_two_rows_of_one_id_leave_only_when_both_left(engine: Engine) -> None:
    engine.people("x", "y")
    engine.report("x", "x", "y")
    assert counts(engine.report("x", "y")) == {"already_members": 2}
    assert counts(engine.report("y")) == {"already_members": 1, "removed": 1}
    assert engine.members() == {"y"}


@pytest.mark.parametrize("odd", ["00123", " 123", "1e3", "true", "null", "🦊", "a,b", "a/b?c#d", "ä" * 75, "cio_x"])
def test_an_id_arrives_to_the_byte(engine: Engine, odd: str) -> None:
    engine.people(odd)
    assert counts(engine.report(odd)) == {"added": 1}
    assert engine.members() == {odd}


def test_email_is_one_person_whatever_its_case(engine: Engine) -> None:
    engine.workspace.add_people([{"email": "Ann@Example.com"}, {"email": "bob@example.com"}])
    report = engine.report("ANN@example.com", "ann@EXAMPLE.com", "bob@example.com", id_type="email")
    assert counts(report) == {"added": 2, "collapsed_duplicates": 1}
    assert counts(engine.report(id_type="email")) == {"already_members": 2, "collapsed_duplicates": 1}


def test_a_cio_id_is_sent_without_its_prefix(engine: Engine) -> None:
    person = engine.workspace.add_person(id="a")
    assert counts(engine.report(f"cio_{person.cio_id}", id_type="cio_id")) == {"added": 1}
    assert engine.calls("add") == [[person.cio_id]]


# -- people come and go -----------------------------------------------------------------------------------------------
def test_who_comes_late_is_added_although_the_cohort_did_not_change(engine: Engine) -> None:
    engine.people("a")
    assert counts(engine.report("a", "d")) == {"added": 1, "not_found": 1}
    engine.people("d")
    assert counts(engine.report("a", "d")) == {"already_members": 1, "added": 1}
    assert engine.members() == {"a", "d"}


def test_who_was_deleted_and_came_back_is_put_back(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    engine.delete_person("a")
    assert counts(engine.report("a", "b")) == {"already_members": 1, "not_found": 1}
    engine.people("a")
    assert counts(engine.report("a", "b")) == {"already_members": 1, "added": 1}
    assert engine.members() == {"a", "b"}


def test_who_is_suppressed_is_not_found_and_nothing_loops(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    engine.suppress("a")
    for _ in range(2):
        assert counts(engine.report("a", "b")) == {"already_members": 1, "not_found": 1}
    assert engine.members() == {"b"}


def test_who_was_taken_out_by_hand_is_put_back_and_who_was_put_in_stays(engine: Engine) -> None:
    engine.people("a", "b", "z")
    engine.report("a", "b")
    engine.edit_by_hand("remove", "a")
    engine.edit_by_hand("add", "z")
    assert counts(engine.report("a", "b")) == {"already_members": 1, "added": 1}
    assert engine.members() == {"a", "b", "z"}


# -- segments ---------------------------------------------------------------------------------------------------------
def test_a_segment_that_somebody_else_made_is_not_taken(engine: Engine) -> None:
    engine.workspace.add_segment(name="[Amplitude] vip")
    engine.people("a")
    ended = engine.run("a")
    assert (ended.exit_code, ended.report.status) == (4, "failed")
    assert ended.error is not None
    assert "--segment-id 1" in ended.error.hint
    assert engine.writes() == 0
    assert len(engine.workspace.segments) == 1


def test_an_adopted_segment_keeps_its_own_people(engine: Engine) -> None:
    engine.workspace.add_segment(name="[Amplitude] vip")
    engine.people("a", "b", "theirs")
    engine.edit_by_hand("add", "theirs")
    engine.edit_by_hand("add", "a")
    assert counts(engine.report("a", "b", segment_id=1)) == {"already_members": 1, "added": 1}
    assert counts(engine.report("a", segment_id=1)) == {"already_members": 1, "removed": 1}
    assert counts(engine.report("a")) == {"already_members": 1}
    assert engine.members() == {"a", "theirs"}
    assert len(engine.workspace.segments) == 1


def test_a_deleted_segment_stops_the_run_unless_it_may_be_made_again(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    engine.delete_segment(1)
    ended = engine.run("a", "b")
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (4, "segment_gone")
    assert ended.error is not None
    assert "--recreate" in ended.error.hint
    report = engine.report("a", "b", recreate=True)
    assert (report.segment.id, report.segment.created, counts(report)) == (2, True, {"added": 2})
    assert engine.members(2) == {"a", "b"}
    assert counts(engine.report("a", "b")) == {"already_members": 2}


@pytest.mark.parametrize("flags", [{"segment_id": 1}, {}], ids=["named", "found by its marker"])
def test_a_data_driven_segment_is_refused_before_anybody_is_sent(engine: Engine, flags: dict[str, Any]) -> None:
    description = CohortIntent(engine.workspace.site_id, "vip").description
    conditions = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
    engine.workspace.add_segment(name="theirs", type="dynamic", conditions=conditions, description=description)
    ended = engine.run("a", **flags)
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (4, "segment_data_driven")
    assert engine.writes() == 0


def test_a_segment_id_that_nobody_has_is_refused(engine: Engine) -> None:
    ended = engine.run("a", segment_id=99)
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (4, "segment_unknown")


def test_a_renamed_cohort_keeps_its_segment(engine: Engine) -> None:
    engine.people("a")
    engine.report("a", cohort_id="abc")
    report = engine.report("a", cohort_id="renamed")
    assert (report.segment.id, counts(report), len(engine.workspace.segments)) == (1, {"already_members": 1}, 1)


def test_a_lost_ledger_finds_its_segment_again_and_changes_only_what_differs(engine: Engine) -> None:
    engine.people("a", "b", "c")
    engine.report("a", "b")
    engine.path.unlink()
    report = engine.report("b", "c")
    assert (report.segment.id, report.segment.created) == (1, False)
    assert counts(report) == {"already_members": 1, "added": 1, "removed": 1}
    assert engine.calls("add")[1:] == [["c"]]
    assert engine.members() == {"b", "c"}


def test_two_syncs_do_not_touch_each_other(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    engine.report(name="other")
    engine.report("a")
    assert (engine.members(1), engine.members(2)) == ({"a"}, {"a", "b"})


# -- guards -----------------------------------------------------------------------------------------------------------
def stopped(ended: Ended, reason: str) -> None:
    assert ended.error is not None
    assert (ended.exit_code, ended.report.status, ended.error.reason) == (5, "stopped", reason)


def test_an_empty_cohort_stops_unless_it_is_meant(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    engine.cohort()
    before = engine.workspace.requests
    stopped(engine.run(), "suspicious_empty")
    assert len(engine.workspace.requests) == len(before)
    assert counts(engine.report(allow_empty=True)) == {"removed": 2}
    assert engine.members() == set()


def test_too_many_removals_stop_unless_they_are_meant(engine: Engine) -> None:
    everybody = [f"user-{n}" for n in range(20)]
    engine.people(*everybody)
    engine.report(*everybody)
    before = engine.writes()
    ended = engine.run(*everybody[:9])
    stopped(ended, "suspicious_removals")
    assert isinstance(ended.report, CohortReport)
    assert counts(ended.report) == {"already_members": 9}
    assert engine.writes() == before
    assert engine.members() == set(everybody)
    assert counts(engine.report(*everybody[:9], max_removal_share=0.55)) == {"already_members": 9, "removed": 11}


@pytest.mark.parametrize(
    "flags", [{"id_column": "email"}, {"id_type": "email"}], ids=["another column", "another id type"]
)
def test_a_changed_mapping_stops_until_confirmed_and_then_moves_all(engine: Engine, flags: dict[str, Any]) -> None:
    people = [{"id": f"user-{n}", "email": f"u{n}@example.com"} for n in range(12)]
    engine.workspace.add_people(people)
    engine.report(*(one["id"] for one in people))
    new = [one["email"] if "id_type" in flags else f"other-{n}" for n, one in enumerate(people)]
    engine.people(*(one for one in new if "@" not in one))
    before = engine.writes()
    stopped(engine.run(*new, **flags), "mapping_changed")
    assert engine.writes() == before
    report = engine.report(*new, **flags, full=True)
    assert counts(report) == {"added": 12, "removed": 12}
    expected = {f"user-{n}" for n in range(12)} if "id_type" in flags else set(new)
    assert engine.members() == expected
    assert counts(engine.report(*new, **flags)) == {"already_members": 12}
    assert len(engine.workspace.segments) == 1


def test_a_dry_run_of_a_changed_mapping_tells_both_sides(engine: Engine) -> None:
    engine.workspace.add_people([{"id": "a", "email": "a@example.com"}, {"id": "b", "email": "b@example.com"}])
    engine.report("a", "b")
    before = engine.writes()
    report = engine.report("a@example.com", id_type="email", full=True, dry_run=True)
    assert (counts(report), engine.writes()) == ({"added": 1, "removed": 2}, before)


def test_a_changed_mapping_to_a_segment_that_is_gone_starts_anew(engine: Engine) -> None:
    engine.workspace.add_people([{"id": "a", "email": "a@example.com"}])
    engine.report("a")
    engine.delete_segment(1)
    report = engine.report("a@example.com", id_type="email", full=True, recreate=True)
    assert (report.segment.id, counts(report)) == (2, {"added": 1})


def test_nobody_is_added_before_all_old_identifiers_are_out(engine: Engine) -> None:
    engine.workspace.add_people([{"id": "a", "email": "a@example.com"}])
    engine.report("a")
    fault = engine.workspace.fault("status", status=500, match={"path": "*/remove_customers"})
    ended = engine.run("a@example.com", id_type="email", full=True)
    assert (ended.exit_code, ended.report.status, len(engine.calls("add"))) == (1, "partial", 1)
    fault.remove()
    assert counts(engine.report("a@example.com", id_type="email", full=True)) == {"added": 1, "removed": 1}
    assert counts(engine.report("a@example.com", id_type="email")) == {"already_members": 1}


def test_a_changed_mapping_is_noticed_without_a_ledger_too(engine: Engine) -> None:
    engine.workspace.add_people([{"id": "a", "email": "a@example.com"}])
    engine.report("a")
    engine.path.unlink()
    stopped(engine.run("a@example.com", id_type="email"), "mapping_changed")
    assert counts(engine.report("a@example.com", id_type="email", full=True)) == {"already_members": 1}
    assert len(engine.workspace.segments) == 1


def test_a_full_run_sends_everybody_again(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    report = engine.report("a", "b", full=True)
    assert (report.mode, counts(report)) == ("full", {"already_members": 2})
    assert len(engine.calls("add")) == 2


# -- looking without touching -----------------------------------------------------------------------------------------
def test_a_dry_run_writes_nothing_anywhere(engine: Engine, tmp_path: Path) -> None:
    engine.people("a", "b")
    report = engine.report("a", "b", "nobody", dry_run=True)
    assert (report.mode, report.segment.id, counts(report)) == ("dry_run", None, {"added": 3})
    assert [one.name for one in tmp_path.iterdir()] == ["cohort.csv"]
    assert {one.method for one in engine.workspace.requests} == {"GET"}


def test_a_dry_run_tells_what_would_change(engine: Engine, tmp_path: Path) -> None:
    engine.people("a", "b", "c")
    engine.report("a", "b", "nobody")
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    writes = engine.writes()
    report = engine.report("b", "c", "nobody", dry_run=True)
    assert counts(report) == {"already_members": 1, "added": 1, "not_found": 1, "removed": 1}
    assert engine.writes() == writes
    after = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    assert after | {"cohort.csv": b""} == before | {"cohort.csv": b""}


# -- looking back -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verify", ["membership", "search"])
def test_both_ways_of_looking_back_find_the_same(engine: Engine, verify: str) -> None:
    engine.people("a", "b", "c")
    assert counts(engine.report("a", "b", "nobody", verify=verify)) == {"added": 2, "not_found": 1}
    report = engine.report("b", "c", "nobody", verify=verify)
    assert counts(report) == {"already_members": 1, "added": 1, "not_found": 1, "removed": 1}
    engine.people("nobody")
    assert counts(engine.report("b", "c", "nobody", verify=verify)) == {"already_members": 2, "added": 1}
    assert engine.members() == {"b", "c", "nobody"}


def test_without_looking_back_accepted_is_added(engine: Engine) -> None:
    engine.people("a")
    report = engine.report("a", "nobody", verify="none")
    assert (report.status, counts(report)) == ("success", {"added": 2})
    assert counts(engine.report("a", verify="none")) == {"already_members": 1, "removed": 1}
    assert not [one for one in engine.workspace.requests if "membership" in one.path or one.path == "/v1/customers"]


def test_what_can_only_be_seen_later_is_pending_and_then_a_member(engine: Engine) -> None:
    engine.people("a")
    fault = engine.workspace.fault("status", status=200, match={"path": "*add_customers"})  # accepted, never applied
    report = engine.report("a")
    assert (report.status, counts(report)) == ("partial", {"pending": 1})
    fault.remove()
    assert counts(engine.report("a")) == {"added": 1}


# -- credentials and regions ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"site_id": "0" * 20}, "CIO_SITE_ID", id="site id"),
        pytest.param({"track_api_key": "0" * 20}, "CIO_TRACK_API_KEY", id="track key"),
        pytest.param({"app_api_key": "0" * 32}, "CIO_APP_API_KEY", id="app key"),
    ],
)
def test_a_wrong_credential_is_named_and_nobody_is_sent(engine: Engine, change: dict[str, str], named: str) -> None:
    ended = engine.run("a", settings=engine.settings(**change))
    assert ended.error is not None
    assert (ended.exit_code, ended.error.reason) == (4, "credentials_refused")
    assert named in ended.error.message
    assert engine.writes() == 0
    assert not set(change.values()) & set(ended.error.message.split())


def test_a_key_that_is_taken_away_in_mid_run_stops_it_at_once(engine: Engine) -> None:
    ids = [f"user-{n}" for n in range(2_500)]
    engine.people(*ids)
    fault = engine.workspace.fault("status", status=401, match={"path": "*add_customers", "nth": 2})
    ended = engine.run(*ids)
    assert (ended.exit_code, ended.report.status, len(engine.calls("add"))) == (4, "failed", 2)
    assert isinstance(ended.report, CohortReport)
    assert counts(ended.report) == {"pending": 2_500}
    fault.remove()
    assert counts(engine.report(*ids)) == {"added": 2_500}


@pytest.mark.parametrize(("home", "configured"), [("eu", "us"), ("us", "eu")])
def test_another_region_than_configured_is_refused_before_anything_leaves(
    fake: Fake, tmp_path: Path, home: str, configured: str
) -> None:
    engine = Engine(fake, fake.new_workspace(region=home), tmp_path)
    ended = engine.run("a", settings=engine.settings(region=configured))
    assert ended.error is not None
    assert (ended.exit_code, ended.error.reason) == (4, "wrong_region")
    assert f"{home.upper()} region" in ended.error.message
    assert f"CIO_REGION={home}" in ended.error.hint
    assert [one.path for one in engine.workspace.requests] == ["/api/v1/accounts/region"]
    assert counts(engine.report("a", settings=engine.settings(region=home))) == {"not_found": 1}


# -- the ledger's memory of runs --------------------------------------------------------------------------------------
def test_every_run_is_remembered_with_its_report(engine: Engine) -> None:
    engine.people("a")
    first = engine.run("a")
    engine.file.unlink()
    second = engine.run()
    with Ledger.open(engine.path) as ledger:
        remembered = ledger.runs("vip")
    assert [(run.run_id, run.exit_code, run.status) for run in remembered] == [
        (second.report.run_id, 3, "failed"), (first.report.run_id, 0, "success")
    ]
    assert remembered[1].report is not None
    assert msgspec.json.decode(remembered[1].report, type=CohortReport) == first.report


