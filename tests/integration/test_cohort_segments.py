"""Which segment a cohort run takes, what makes it stop, and what a changed mapping does; against a live fake."""

from __future__ import annotations

from typing import Any

import pytest

from sync.core.intents import CohortIntent
from sync.core.report import CohortReport, Ended
from tests.integration.cohort_engine import Engine, counts


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
    assert engine.said.getvalue() == "", "that they are there is what was asked for"


def test_two_syncs_of_one_segment_are_told_of_each_other(engine: Engine) -> None:
    engine.people("a", "b", "c")
    engine.report("a", "b")
    assert engine.said.getvalue() == ""
    for flags in ({"segment_id": 1, "dry_run": True}, {"segment_id": 1}, {}):
        engine.said.truncate(0)
        engine.report("b", "c", name="other", **flags)
        assert "segment 1 is filled by 'vip' too" in engine.said.getvalue()
    assert engine.members() == {"a", "b", "c"}
    engine.said.truncate(0)
    engine.report("a")
    assert "segment 1 is filled by 'other' too" in engine.said.getvalue()
    assert engine.members() == {"a", "c"}


def test_a_sync_that_is_given_another_segment_tells_of_the_one_it_leaves(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    engine.workspace.add_segment(name="theirs")
    engine.report("a", segment_id=2)
    assert engine.said.getvalue() == "this sync filled segment 1 until now; whoever is still in that one stays\n"
    engine.report("a")
    assert (engine.members(1), engine.members(2)) == ({"a", "b"}, {"a"})
    assert engine.said.getvalue().count("\n") == 1


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


def test_the_stored_segment_is_refused_once_it_is_data_driven(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a")
    before = engine.writes()
    answer = {"segment": {"id": 1, "name": "[Amplitude] vip", "type": "dynamic"}}
    with engine.workspace.fault("status", status=200, body=answer, match={"path": "/v1/segments/1"}):
        ended = engine.run("b")
    assert (ended.exit_code, ended.error is not None and ended.error.reason) == (4, "segment_data_driven")
    assert engine.writes() == before


def test_a_segment_that_took_the_name_of_the_deleted_one_is_not_written_to(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a")
    engine.delete_segment(1)
    engine.workspace.add_segment(name="[Amplitude] vip")
    before = engine.writes()
    reasons = [ended.error and ended.error.reason for ended in (engine.run("b"), engine.run("b", recreate=True))]
    assert (reasons, engine.writes()) == (["segment_gone", "segment_name_taken"], before)


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


def test_a_lost_ledger_knows_its_own_segment_by_its_id_too(engine: Engine) -> None:
    engine.people("a", "b", "c")
    engine.report("a", "b")
    engine.path.unlink()
    assert counts(engine.report("b", "c", segment_id=1)) == {"already_members": 1, "added": 1, "removed": 1}
    engine.path.unlink()
    stopped(engine.run("b@example.com", id_type="email", segment_id=1), "mapping_changed")
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
    flags = {"id_type": "email", "full": True, "recreate": True}
    foretold = engine.report("a@example.com", dry_run=True, **flags)
    report = engine.report("a@example.com", **flags)
    assert (report.segment.id, counts(report), counts(foretold)) == (2, {"added": 1}, {"added": 1})


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


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("status", [429, 425, 408, 504])
def test_a_segment_is_made_once_though_told_to_come_back_when_it_was_made(
    engine: Engine, status: int, times: int
) -> None:
    engine.people("a")
    trouble = {"status": status, "retry_after": 0, "when": "after_commit"}
    engine.workspace.fault("status", **trouble, match={"path": "/v1/segments", "method": "POST"}, times=times)
    report = engine.report("a")
    assert (counts(report), report.segment.created, len(engine.workspace.segments)) == ({"added": 1}, True, 1)
    makings = [one for one in engine.workspace.requests if (one.method, one.path) == ("POST", "/v1/segments")]
    assert len(makings) == 1


def test_a_segment_is_made_after_some_429s(engine: Engine) -> None:
    engine.people("a")
    throttled = {"path": "/v1/segments", "method": "POST"}
    engine.workspace.fault("status", status=429, retry_after=0, match=throttled, times=4)
    assert (counts(engine.report("a")), len(engine.workspace.segments)) == ({"added": 1}, 1)


def test_a_full_run_sends_everybody_again(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a", "b")
    report = engine.report("a", "b", full=True)
    assert (report.mode, counts(report)) == ("full", {"already_members": 2})
    assert len(engine.calls("add")) == 2
