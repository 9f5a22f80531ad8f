"""Cohorts pulled from Amplitude: computations, links, gzip, the quota, what is remembered, what is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import io

import pytest

from scenarios.amplitude import MONTHLY_REQUESTS, Trouble
from sync.cli import main
from sync.cli_check import check
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.amplitude_settings import read_amplitude_settings
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from tests.integration.amplitude_project import Pull, stopped
from tests.integration.cohort_engine import counts


# -- the way of a cohort ----------------------------------------------------------------------------------------------
def test_a_cohort_is_asked_for_waited_for_and_delivered(pull: Pull) -> None:
    report = pull.report()
    assert (report.status, counts(report)) == ("success", {"added": 3})
    assert pull.engine.members() == {"a", "b", "c"}
    assert report.segment.name == "[Amplitude] vip: abc"
    assert [one.path.rsplit("/", 2)[-2:] for one in pull.fake.asked if "/api/5" in one.path] == [
        ["request", "abc"],
        *[["request-status", "job000001"]] * 3,
        ["job000001", "file"],
    ]
    assert pull.clock.slept == [2.0, 3.0]  # 202, 202, 200: the waits between looks grow


def test_the_credentials_never_reach_the_storage(pull: Pull) -> None:
    pull.report()
    stored = [one for one in pull.fake.asked if one.path.startswith("/storage")]
    assert [("authorization" in one.headers) for one in stored] == [False]
    assert all("authorization" in one.headers for one in pull.fake.asked if one not in stored)


@pytest.mark.parametrize("by_link", [True, False], ids=["by link", "in the answer"])
@pytest.mark.parametrize("gzip_header", [True, False], ids=["header", "no header"])
def test_gzip_is_read_with_and_without_its_header(pull: Pull, by_link: bool, gzip_header: bool) -> None:
    pull.fake.by_link, pull.fake.gzip_header = by_link, gzip_header
    assert counts(pull.report()) == {"added": 3}


def test_a_mapped_property_is_asked_for_by_name(pull: Pull) -> None:
    cohort = pull.fake.put_cohort("abc", ["1", "2"])
    cohort.rows = [("1", "u1", {"crm id": "a"}), ("2", "u2", {"crm id": ""})]
    report = pull.report(id_column="crm id")
    assert report.status == "partial"
    assert (counts(report)["added"], report.skipped) == (1, {"unresolved_mapping": 1})
    assert pull.engine.members() == {"a"}
    assert [one.query for one in pull.fake.asked if one.path.endswith("request/abc")] == ["props=1&propKeys=crm%20id"]


# -- links and cut files ----------------------------------------------------------------------------------------------
def test_an_expired_link_is_replaced_by_a_fresh_one_without_another_request(pull: Pull) -> None:
    pull.fake.troubles.append(Trouble("/storage/*", status=403, times=2))
    assert counts(pull.report()) == {"added": 3}
    assert len(pull.asked("/file")) == 3
    assert pull.fake.requests_spent == 1


def test_a_link_to_plain_http_elsewhere_is_not_followed_from_https(pull: Pull) -> None:
    pull.fake.troubles.append(Trouble("*/file", status=302, headers={"location": "ftp://127.0.0.1/x"}, times=9))
    assert "link to the file can't be used" in stopped(pull).message


def test_a_download_that_breaks_off_is_tried_again(pull: Pull) -> None:
    pull.fake.troubles.append(Trouble("/storage/*", cut_bytes=10))
    assert counts(pull.report()) == {"added": 3}


def test_a_gzip_that_was_cut_before_it_was_stored_stops_the_run(pull: Pull) -> None:
    pull.report()
    pull.fake.put_cohort("abc", ["a"] * 30)
    pull.fake.troubles.append(Trouble("/storage/*", status=200, body=b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"))
    assert stopped(pull).code == "snapshot_incomplete"
    assert pull.engine.members() == {"a", "b", "c"}


# -- what is remembered -----------------------------------------------------------------------------------------------
def test_a_cohort_that_was_not_computed_anew_is_not_asked_for(pull: Pull) -> None:
    pull.fake.put_cohort("abc", ["a", "a", "b", "", "nobody"])
    first = pull.report()
    again = pull.report()
    assert pull.fake.requests_spent == 1
    skipped = {"unresolved_mapping": 1}
    assert counts(first) == {"added": 2, "not_found": 1, "skipped": skipped, "collapsed_duplicates": 1}
    assert (again.source_rows, again.in_cohort, again.skipped) == (first.source_rows, first.in_cohort, first.skipped)
    assert (again.already_members, again.not_found, again.status) == (2, 1, "partial")
    pull.engine.people("nobody")  # who appears later is found from memory too
    assert counts(pull.report())["added"] == 1
    assert pull.fake.requests_spent == 1


def test_a_new_computation_is_downloaded(pull: Pull) -> None:
    pull.report()
    pull.fake.put_cohort("abc", ["b", "c", "d"])
    report = pull.report()
    assert (report.added, report.removed) == (1, 1)
    assert pull.engine.members() == {"b", "c", "d"}
    assert pull.fake.requests_spent == 2


def test_a_full_run_asks_whatever_is_remembered(pull: Pull) -> None:
    pull.report()
    pull.report(full=True)
    assert pull.fake.requests_spent == 2


def test_a_segment_is_made_anew_from_memory(pull: Pull) -> None:
    pull.fake.put_cohort("abc", ["a", "b", "nobody"])
    pull.report()
    pull.engine.delete_segment(1)
    assert counts(pull.report(recreate=True)) == {"added": 2, "not_found": 1}
    assert counts(pull.report(recreate=True)) == {"already_members": 2, "not_found": 1}
    assert (pull.engine.members(2), pull.fake.requests_spent) == ({"a", "b"}, 1)


def test_a_file_in_between_makes_the_memory_worthless(pull: Pull) -> None:
    pull.report()
    pull.engine.report("a", "d", name="vip", cohort_id="abc")
    assert pull.engine.members() == {"a", "d"}
    pull.report()
    assert pull.engine.members() == {"a", "b", "c"}
    assert pull.fake.requests_spent == 2


def test_refused_people_are_not_forgotten_by_reading_from_memory(pull: Pull) -> None:
    pull.engine.workspace.fault("status", match={"path": "*/add_customers*"}, status=400)
    assert pull.report().refused
    pull.engine.workspace.clear_faults()
    assert counts(pull.report()) == {"added": 3}


def test_a_cohort_that_is_not_listed_is_downloaded_every_time(pull: Pull) -> None:
    pull.fake.cohorts["abc"].published = False
    pull.report()
    assert counts(pull.report()) == {"already_members": 3}
    assert pull.fake.requests_spent == 2


# -- a computation that outlives a run --------------------------------------------------------------------------------
def test_a_computation_that_takes_too_long_is_resumed(pull: Pull) -> None:
    pull.fake.polls_until_ready = 80
    error = stopped(pull)
    assert error.reason == "cohort_not_ready"
    assert sum(pull.clock.slept) <= 900
    polls = len(pull.asked("request-status"))
    assert polls <= 70
    pull.fake.polls_until_ready = 0
    assert counts(pull.report()) == {"added": 3}
    assert pull.fake.requests_spent == 1
    assert set(pull.asked("request-status")) == {"/api/5/cohorts/request-status/job000001"}


def test_a_resumed_computation_older_than_the_cohort_is_not_taken_for_the_newest(pull: Pull) -> None:
    pull.fake.polls_until_ready = 80
    stopped(pull)
    pull.clock.advance(3600)
    pull.fake.put_cohort("abc", ["a", "b", "c"], last_computed=int(pull.clock()))
    pull.report()
    pull.fake.polls_until_ready = 0
    pull.report()
    assert pull.fake.requests_spent == 2


def test_a_forgotten_computation_is_asked_for_again(pull: Pull) -> None:
    pull.fake.polls_until_ready = 80
    stopped(pull)
    pull.fake.polls_until_ready = 0
    pull.fake.troubles.append(Trouble("*/request-status/job000001", status=410))
    assert counts(pull.report()) == {"added": 3}
    assert pull.fake.requests_spent == 2


def test_after_seven_days_a_computation_is_not_even_looked_for(pull: Pull) -> None:
    pull.fake.polls_until_ready = 80
    stopped(pull)
    pull.fake.polls_until_ready = 0
    pull.clock.advance(7 * 86400)
    pull.fake.asked.clear()
    pull.report()
    assert pull.asked("job000001") == []


def test_a_computation_that_failed_is_not_waited_for_and_not_asked_again(pull: Pull) -> None:
    body = b'{"request_id":"job000001","cohort_id":"abc","async_status":"JOB FAILED"}'
    pull.fake.troubles.append(Trouble("*/request-status/*", status=200, body=body))
    assert (stopped(pull).reason, pull.clock.slept) == ("cohort_failed", [])
    assert counts(pull.report()) == {"added": 3}
    assert pull.fake.requests_spent == 2


def test_a_computation_that_is_gone_at_once_is_an_error(pull: Pull) -> None:
    pull.fake.troubles.append(Trouble("*/request-status/*", status=404, times=5))
    assert "forgot" in stopped(pull).message


# -- the quota --------------------------------------------------------------------------------------------------------
def spend(pull: Pull, count: int) -> None:
    with Ledger.open(pull.engine.path) as ledger:
        memory = AmplitudeLedger(ledger, pull.settings.project)
        assert all(memory.spend_request(pull.clock()) for _ in range(count))


def test_the_last_request_of_the_month_is_used_and_the_next_refused_here(pull: Pull) -> None:
    spend(pull, MONTHLY_REQUESTS - 1)
    pull.report()
    pull.fake.put_cohort("abc", ["a"])
    pull.fake.asked.clear()
    error = stopped(pull)
    assert (error.reason, "2026-06-01" in error.hint) == ("cohort_quota", True)
    assert pull.asked("/request/") == []


def test_a_new_month_starts_the_count_anew(pull: Pull) -> None:
    spend(pull, MONTHLY_REQUESTS)
    assert stopped(pull).reason == "cohort_quota"
    pull.clock.advance(31 * 86400)
    assert counts(pull.report()) == {"added": 3}


@pytest.mark.parametrize("status", [400, 404], ids=["bad", "unknown"])
def test_a_refused_request_does_not_count(pull: Pull, status: int) -> None:
    pull.fake.troubles.append(Trouble("*/request/abc", status=status))
    stopped(pull)
    with Ledger.open(pull.engine.path) as ledger:
        assert AmplitudeLedger(ledger, pull.settings.project).spent(pull.clock()) == 0


def test_a_request_in_doubt_counts(pull: Pull) -> None:
    pull.fake.troubles.append(Trouble("*/request/abc", status=503, times=9))
    stopped(pull)
    with Ledger.open(pull.engine.path) as ledger:
        assert AmplitudeLedger(ledger, pull.settings.project).spent(pull.clock()) == 1


# -- refusals ---------------------------------------------------------------------------------------------------------
def test_a_wrong_key_points_to_the_key_and_the_region(pull: Pull) -> None:
    pull.fake.api_key = "c" * 32
    error = stopped(pull)
    assert "AMPLITUDE_API_KEY" in error.message
    assert "AMPLITUDE_REGION" in error.hint


def test_a_wrong_secret_points_to_the_secret(pull: Pull) -> None:
    pull.fake.secret_key = "c" * 32
    assert "AMPLITUDE_SECRET_KEY" in stopped(pull).message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"archived": True}, "cohort_archived", id="archived"),
        pytest.param({"group": "company"}, "cohort_of_groups", id="of groups"),
        pytest.param({"size": 9, "rows": []}, "cohort_size", id="no rows of nine"),
    ],
)
def test_a_cohort_that_can_not_be_right_stops_the_run(pull: Pull, changes: dict[str, object], code: str) -> None:
    pull.report()
    cohort = pull.fake.put_cohort("abc", ["a"])
    for name, value in changes.items():
        setattr(cohort, name, value)
    assert stopped(pull).reason == code
    assert pull.engine.members() == {"a", "b", "c"}


def test_an_unknown_cohort_stops_the_run(pull: Pull) -> None:
    assert stopped(pull, source="amplitude:xyz").reason == "cohort_unknown"


def test_another_count_than_amplitudes_is_told(pull: Pull) -> None:
    pull.fake.put_cohort("abc", ["a", "b"], size=3)
    pull.report()
    assert "has 2 rows, and Amplitude counts 3 people" in pull.engine.said.getvalue()


PAGE = {"content-type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble("*/cohorts", status=404), id="no list at all"),
        pytest.param(Trouble("*/cohorts", status=403, body=b"<html>sign in</html>"), id="a page for the list"),
        pytest.param(Trouble("*/request/abc", status=404, headers=PAGE), id="a page for the request"),
        pytest.param(Trouble("*/request-status/*", status=403, body=b"<html>"), id="a page for the computation"),
        pytest.param(Trouble("*/file", status=404, body=b"<html>"), id="a page for the file"),
    ],
)
def test_an_answer_of_somebody_else_says_nothing_of_the_cohort(pull: Pull, trouble: Trouble) -> None:
    pull.fake.troubles.append(trouble)
    assert stopped(pull).reason == "amplitude_elsewhere"
    assert counts(pull.report()) == {"added": 3}
    assert pull.fake.requests_spent == 1  # a computation under way is gone on with


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble("*/cohorts", status=502, body=b"<html>", times=2), id="a gateway's page"),
        pytest.param(Trouble("*/cohorts", status=200, body=b"<html>"), id="a page that says 200"),
        pytest.param(Trouble("*/request/abc", status=429, times=3), id="told to slow down"),
        pytest.param(Trouble("*/request-status/*", status=200, body=b"{"), id="half an answer"),
        pytest.param(Trouble("*/request-status/*", cut_bytes=3), id="an answer that breaks off"),
        pytest.param(Trouble("/storage/*", status=503, times=3), id="a storage in trouble"),
    ],
)
def test_passing_trouble_is_waited_out(pull: Pull, trouble: Trouble) -> None:
    pull.fake.troubles.append(trouble)
    assert counts(pull.report()) == {"added": 3}
    assert trouble.times == 0


def test_trouble_that_stays_ends_in_one_clear_error(pull: Pull) -> None:
    pull.fake.troubles.append(Trouble("*/cohorts", status=503, times=99))
    error = stopped(pull)
    assert error.reason == "amplitude_unreachable"
    assert "Amplitude" in error.message
    assert "Customer.io" not in error.message


# -- check and configuration ------------------------------------------------------------------------------------------
def test_check_proves_the_project_too(pull: Pull) -> None:
    told = ((pull.fake.secret_key, 0, "1 cohorts can be read"), ("wrong", 3, "AMPLITUDE_SECRET_KEY"))
    for secret, code, says in told:
        out = io.StringIO()
        settings = dataclasses.replace(pull.settings, secret_key=secret)
        with contextlib.redirect_stdout(out):
            found = check(pull.engine.settings(), Console(stream=out), project=pull.project(settings=settings))
        assert (found, out.getvalue().count("ok:") == 3 - bool(code), says in out.getvalue()) == (code, True, True)


def test_the_commands_read_the_project_from_the_environment(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = pull.engine
    pull.fake.polls_until_ready = 0
    for name, value in {
        "CIO_SITE_ID": engine.workspace.site_id, "CIO_TRACK_API_KEY": engine.workspace.track_api_key,
        "CIO_APP_API_KEY": engine.workspace.app_api_key, "CIO_TRACK_URL": engine.url, "CIO_APP_URL": engine.url,
        "CIO_SYNC_STATE": str(engine.path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    for name in ("AMPLITUDE_API_KEY", "AMPLITUDE_SECRET_KEY", "AMPLITUDE_URL", "AMPLITUDE_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert main(["cohort", "amplitude:abc", "--name", "vip"]) == 2
    assert main(["events", "amplitude:export"]) == 2
    for name, value in pull.fake.environment(pull.settings.url).items():
        monkeypatch.setenv(name, value)
    assert main(["check"]) == 0
    assert main(["cohort", "amplitude:abc", "--name", "vip"]) == 0
    assert engine.members() == {"a", "b", "c"}
    monkeypatch.setenv("AMPLITUDE_REGION", "mars")
    assert main(["cohort", "amplitude:abc", "--name", "vip"]) == 2


def test_a_cohort_without_an_id_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as refused:
        main(["cohort", "amplitude:", "--name", "vip"])
    assert refused.value.code == 2


def test_a_region_has_its_own_host() -> None:
    origins = {region: read_amplitude_settings({"AMPLITUDE_REGION": region}).origin for region in ("", "us", "EU")}
    assert origins == {
        "": "https://amplitude.com", "us": "https://amplitude.com", "EU": "https://analytics.eu.amplitude.com"
    }  # fmt: skip


# -- a dry run --------------------------------------------------------------------------------------------------------
def test_a_dry_run_writes_nothing(pull: Pull) -> None:
    report = pull.report(dry_run=True)
    assert (report.mode, counts(report)) == ("dry_run", {"added": 3})
    assert not pull.engine.path.exists()
    assert pull.engine.writes() == 0


def test_a_dry_run_over_an_older_ledger_sees_no_memory(pull: Pull) -> None:
    pull.report()
    with Ledger.open(pull.engine.path) as ledger:
        ledger.connection.execute("PRAGMA user_version = 1")
    assert counts(pull.report(dry_run=True)) == {"already_members": 3}


def test_no_key_and_no_person_is_ever_said(pull: Pull) -> None:
    pull.fake.put_cohort("abc", ["a", "secret-person"], size=9)
    pull.report()
    pull.fake.troubles.append(Trouble("*", status=403, body=b'{"error":{"metadata":{"details":"no"}}}', times=9))
    pull.run(full=True)
    said = pull.engine.said.getvalue()
    for secret in (pull.fake.api_key, pull.fake.secret_key, "secret-person", "X-Amz-Signature"):
        assert secret not in said
