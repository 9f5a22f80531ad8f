"""Cohort runs against a live fake: first, changed and repeated, people who come and go, credentials."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from fakeio import Fake
from sync.cohort_source import FileSource
from sync.core.errors import LeaseHeld
from sync.core.facts import SnapshotFacts
from sync.core.report import CohortReport
from sync.edge.ledger import Ledger
from sync.edge.membership import Spool
from tests.integration.cohort_engine import Engine, counts


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


def test_of_whom_two_ids_name_the_one_that_should_be_in_has_the_last_word(engine: Engine) -> None:
    engine.people("a", "b")
    engine.report("a")
    engine.report("b")
    changes = [one.path.rpartition("/")[2] for one in engine.workspace.requests if one.path.endswith("_customers")]
    assert changes == ["add_customers", "remove_customers", "add_customers"]


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


def test_a_value_that_changes_is_one_leaving_and_one_joining(engine: Engine) -> None:
    engine.people("x", "y", "z")
    engine.report("x", "x", "z")  # two users of Amplitude share x
    assert counts(engine.report("y", "x", "z")) == {"already_members": 2, "added": 1}
    assert counts(engine.report("y", "y", "z")) == {"already_members": 2, "removed": 1, "collapsed_duplicates": 1}
    assert (engine.calls("add")[1:], engine.calls("remove")) == ([["y"]], [["x"]])


@pytest.mark.parametrize(
    "odd", ["00123", " 123", "1e3", "true", "null", "🦊", "a,b", 'a"b', "a\r\nb", "a/b?c#d", "ä" * 75, "cio_x"]
)
def test_an_id_arrives_to_the_byte(engine: Engine, odd: str) -> None:
    engine.people(odd)
    assert counts(engine.report(odd)) == {"added": 1}
    assert engine.members() == {odd}


@pytest.mark.parametrize(("id_type", "warned"), [("id", True), ("cio_id", False)])
def test_an_id_that_looks_like_a_cio_id_is_sent_and_told(engine: Engine, id_type: str, warned: bool) -> None:
    engine.people("cio_x")
    engine.report("cio_x", "cia_x", "cip_x", id_type=id_type)
    assert ("1 identifiers start with cio_" in engine.said.getvalue()) is warned
    engine.said.truncate(0)
    engine.report("cio_x", "cia_x", id_type=id_type)
    assert "cio_" not in engine.said.getvalue(), "told when it is sent, not at every run"


def test_case_tells_two_ids_apart(engine: Engine) -> None:
    engine.people("ann", "Ann")
    assert counts(engine.report("ann", "Ann", "ANN")) == {"added": 2, "not_found": 1}
    assert engine.members() == {"ann", "Ann"}


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


def test_who_was_merged_away_is_not_made_again(engine: Engine) -> None:
    engine.people("a", "b", "c")
    engine.report("a", "c")
    engine.merge("b", "a")
    people = sorted(str(person.id) for person in engine.workspace.people)
    before = engine.writes()
    for _ in range(2):
        assert counts(engine.report("a", "c")) == {"already_members": 1, "not_found": 1}
    assert (engine.writes(), people) == (before, ["b", "c"])
    assert sorted(str(person.id) for person in engine.workspace.people) == people


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
    assert engine.said.getvalue() == "1 members were put there by somebody else and are left alone\n"


# -- one at a time ----------------------------------------------------------------------------------------------------
def test_a_run_that_waits_for_another_reads_its_source_only_then(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reading(source: FileSource, spool: Spool) -> SnapshotFacts:
        key = f"cohort {engine.workspace.site_id} vip"
        with Ledger.open(engine.path) as another, pytest.raises(LeaseHeld), another.lease(key, wait_s=0):
            raise AssertionError("another run may come in between, with a younger cohort")
        return read(source, spool)

    read = FileSource.read
    monkeypatch.setattr(FileSource, "read", reading)
    engine.people("a")
    assert counts(engine.report("a")) == {"added": 1}


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
    assert engine.workspace.requests[-1].path.endswith("/add_customers"), "and nothing else is asked for"
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


