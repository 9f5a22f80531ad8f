"""`cio-sync` as a process: exit codes, one object under --json, interrupts, leases, and what never shows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partialmethod
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fakeio import Fake
from fakeio.testing import WorkspaceHandle
from sync import cli_check
from sync.cli import main
from sync.edge.ledger import Ledger

PATIENCE_S = 60


@pytest.fixture
def workspace(fake: Fake) -> Iterator[WorkspaceHandle]:
    handle = fake.new_workspace(name="cli")
    yield handle
    handle.raise_first_error()


@pytest.fixture
def environment(fake: Fake, workspace: WorkspaceHandle, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CIO_", "AMPLITUDE_"))}
    return {
        **kept, "CIO_SITE_ID": workspace.site_id, "CIO_TRACK_API_KEY": workspace.track_api_key,
        "CIO_APP_API_KEY": workspace.app_api_key, "CIO_TRACK_URL": fake.url, "CIO_APP_URL": fake.url,
        "CIO_SYNC_STATE": str(tmp_path / "ledger.db"),
    }  # fmt: skip


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), env=environment | changes, capture_output=True, text=True, timeout=PATIENCE_S,
            check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def here(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The same without a process of its own: for what does not depend on there being one."""

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as patch:
            for name, value in {**environment, **changes}.items():
                patch.setenv(name, value)
            try:
                code = main(arguments)
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
        told = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, told.out, told.err)

    return run


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sync", *arguments]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cohort.csv"
    path.write_text('"amplitude_id","user_id"\r\n"1","a"\r\n"2","b"\r\n', newline="")
    return path


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one object on stdout, and nothing beside it."""
    (line,) = done.stdout.splitlines()
    document: dict[str, Any] = json.loads(line)
    return document


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["cohort", "", "--name", "vip"], "SOURCE: must not be empty", id="no cohort"),
        pytest.param(["cohort", "-", "--name", "vip"], "not read from a pipe", id="a cohort from standard input"),
        pytest.param(["events", " "], "SOURCE: must not be empty", id="no export"),
    ],
)
def test_a_source_that_can_not_be_meant_is_a_usage_error(here: Run, arguments: list[str], says: str) -> None:
    done = here(*arguments)
    assert (done.returncode, says in done.stderr) == (2, True)


def test_a_run_for_a_person_is_a_page_on_stdout(run: Run, workspace: WorkspaceHandle, file: Path) -> None:
    workspace.add_people([{"id": "a"}, {"id": "b"}])
    done = run("cohort", str(file), "--name", "vip")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cohort vip: success (exit code 0)\n")
    assert "made segment 1" in done.stderr


def test_a_dry_run_foretells_what_the_run_then_takes(here: Run, workspace: WorkspaceHandle, file: Path) -> None:
    workspace.add_people([{"id": "a"}, {"id": "b"}])
    dry = here("cohort", str(file), "--name", "vip", "--dry-run")
    assert "would be added                                     2" in dry.stdout
    assert dry.stderr == "a run would make about 6 requests, which take about 1.2 s at the rates allowed\n"
    assert report(here("cohort", str(file), "--name", "vip", "--json"))["requests"] == 6


@pytest.mark.parametrize(("person", "code", "status"), [("b", 0, "success"), ("other", 1, "partial")])
def test_json_is_one_object_with_the_exit_code_that_fits(
    here: Run, workspace: WorkspaceHandle, file: Path, person: str, code: int, status: str
) -> None:
    workspace.add_people([{"id": "a"}, {"id": person}])
    done = here("cohort", str(file), "--name", "vip", "--json")
    assert (done.returncode, report(done)["status"], done.stderr) == (code, status, "")
    assert "error" not in report(done)


def test_the_source_failed_is_3(here: Run, workspace: WorkspaceHandle, tmp_path: Path) -> None:
    done = here("cohort", str(tmp_path / "nothing.csv"), "--name", "vip", "--json")
    assert (done.returncode, report(done)["status"], report(done)["error"]["code"]) == (3, "failed", "source_failed")
    assert workspace.requests == []


def test_wrong_credentials_are_4(here: Run, file: Path) -> None:
    done = here("cohort", str(file), "--name", "vip", "--json", CIO_APP_API_KEY="0" * 32)
    assert (done.returncode, report(done)["error"]["code"]) == (4, "credentials_refused")
    assert "CIO_APP_API_KEY" in report(done)["error"]["message"]
    assert "0" * 32 not in done.stdout + done.stderr


def test_a_guard_is_5(run: Run, file: Path) -> None:
    file.write_text('"amplitude_id","user_id"\r\n', newline="")
    done = run("cohort", str(file), "--name", "vip", "--json")
    told = report(done)
    assert (done.returncode, told["status"], told["error"]["code"]) == (5, "stopped", "suspicious_empty")


@pytest.mark.parametrize(
    ("arguments", "changes", "words"),
    [
        pytest.param([], {}, "COMMAND", id="no command"),
        pytest.param(["cohort", "x.csv"], {}, "--name", id="no name"),
        pytest.param(["cohort", "x.csv", "--name", " "], {}, "empty", id="a blank name"),
        pytest.param(["cohort", "x.csv", "--name", "v", "--id-type", "phone"], {}, "phone", id="no such id type"),
        pytest.param(["cohort", "x.csv", "--name", "v", "--segment-id", "0"], {}, "segment", id="no such segment id"),
        pytest.param(["cohort", "x.csv", "--name", "v", "--max-removal-share", "2"], {}, "share", id="no such share"),
        pytest.param(["cohort", "x.csv", "--name", "v", "--track-rate", "x"], {}, "track rate", id="no such rate"),
        pytest.param(["cohort", "x.csv", "--name", "v", "--api-key", "x"], {}, "--api-key", id="secrets are no flags"),
        pytest.param(["cohort", "x.csv", "--name", "v"], {"CIO_SITE_ID": ""}, "CIO_SITE_ID", id="no site id"),
        pytest.param(["cohort", "x.csv", "--name", "v"], {"CIO_REGION": "moon"}, "CIO_REGION", id="no such region"),
        pytest.param(["cohort", "x.csv", "--name", "v"], {"CIO_SYNC_STATE": "/dev/null/x"}, "/null/x", id="no ledger"),
        pytest.param(["show", "nothing"], {}, "state file", id="no ledger to look into"),
    ],
)
def test_what_is_wrong_with_the_command_is_2_and_on_stderr(
    here: Run, arguments: list[str], changes: dict[str, str], words: str
) -> None:
    done = here(*arguments, "--json" if arguments[:1] == ["cohort"] else "--", **changes)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_130_and_the_next_run_goes_on(
    run: Run, environment: dict[str, str], workspace: WorkspaceHandle, file: Path, number: signal.Signals
) -> None:
    workspace.add_people([{"id": "a"}, {"id": "b"}])
    fault = workspace.fault("latency", seconds=PATIENCE_S, match={"path": "*/add_customers"})
    with subprocess.Popen(
        command("cohort", str(file), "--name", "vip", "--json"), env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        until(lambda: fault.seen > 0)
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE_S)
    document = json.loads(out)
    assert (process.returncode, document["status"], document["error"]["code"]) == (130, "stopped", "interrupted")
    assert (document["in_cohort"], document["pending"]) == (2, 2)
    fault.remove()
    assert report(run("cohort", str(file), "--name", "vip", "--json"))["added"] == 2


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_two_processes_never_run_one_sync_at_once(
    here: Run, environment: dict[str, str], workspace: WorkspaceHandle, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ledger, "lease", partialmethod(Ledger.lease, wait_s=0.05))
    workspace.add_people([{"id": "a"}, {"id": "b"}])
    fault = workspace.fault("latency", seconds=PATIENCE_S, match={"path": "*/add_customers"})
    with subprocess.Popen(command("cohort", str(file), "--name", "vip"), env=environment) as first:
        until(lambda: fault.seen > 0)
        second = here("cohort", str(file), "--name", "vip", "--json")
        assert (second.returncode, report(second)["error"]["code"]) == (5, "lease_held")
        assert fault.seen == 1
        first.kill()
    fault.remove()
    assert report(here("cohort", str(file), "--name", "vip", "--json"))["added"] == 2


def test_the_version_is_told_without_any_credentials(here: Run) -> None:
    told = here("--version", CIO_SITE_ID="")
    assert (told.returncode, told.stdout) == (0, f"cio-sync {version('fakeio')}\n")


def test_check_names_each_credential(here: Run) -> None:
    good = here("check")
    assert (good.returncode, good.stdout.count("ok:"), "region US" in good.stdout) == (0, 2, True)
    wrong_app = here("check", CIO_APP_API_KEY="0" * 32)
    assert (wrong_app.returncode, wrong_app.stdout.count("ok:"), wrong_app.stdout.count("WRONG:")) == (4, 1, 1)
    assert "CIO_APP_API_KEY" in wrong_app.stdout
    wrong_track = here("check", CIO_TRACK_API_KEY="0" * 20)
    assert (wrong_track.returncode, "CIO_TRACK_API_KEY" in wrong_track.stdout) == (4, True)
    assert "0" * 20 not in wrong_track.stdout + wrong_track.stderr


def test_check_calls_no_credential_wrong_where_nobody_answers(here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_check, "PATIENCE", msgspec.structs.replace(cli_check.PATIENCE, base_s=0.01))
    nobody = here("check", CIO_TRACK_URL="http://127.0.0.1:9", CIO_APP_URL="http://127.0.0.1:9")
    assert (nobody.returncode, nobody.stdout.count("UNKNOWN:"), "WRONG" in nobody.stdout) == (1, 2, False)


def test_check_notices_a_key_of_another_workspace(here: Run, fake: Fake) -> None:
    done = here("check", CIO_APP_API_KEY=fake.new_workspace().app_api_key)
    assert (done.returncode, "not for workspace" in done.stdout) == (4, True)


def test_check_names_the_right_region(here: Run) -> None:
    done = here("check", CIO_REGION="eu")
    assert (done.returncode, "CIO_REGION=us" in done.stdout) == (4, True)


def test_the_past_can_be_read(here: Run, workspace: WorkspaceHandle, file: Path) -> None:
    workspace.add_people([{"id": "a"}])
    workspace.fault("status", status=400, body={"meta": {"errors": ["no"]}}, match={"path": "*/add_customers"})
    told = report(here("cohort", str(file), "--name", "vip", "--json"))
    history = here("history", "vip")
    assert (history.returncode, told["run_id"] in history.stdout, "partial" in history.stdout) == (0, True, True)
    assert here("history", "other").stdout == ""
    (listed,) = json.loads(here("history", "--json").stdout)["runs"]
    kept = {key: value for key, value in listed.items() if not key.endswith("_at")}
    assert kept == {"run_id": told["run_id"], "kind": "cohort", "sync": "vip", "status": "partial", "exit_code": 1}
    shown = here("show", told["run_id"])
    assert shown.stdout.startswith("cohort vip: partial (exit code 1)\n")
    assert '{"id":"a"}' not in shown.stdout
    assert '{"id":"a"}' in here("show", told["run_id"], "--people").stdout
    assert json.loads(here("show", told["run_id"], "--json").stdout) == told
    assert here("show", told["run_id"], "--html", str(file.with_suffix(".html"))).returncode == 0
    assert "cohort vip: partial (exit code 1)</h1>" in file.with_suffix(".html").read_text()
    assert here("show", told["run_id"], "--html", str(file / "x")).returncode == 2
    failed = json.loads(here("failed", "--json").stdout)["failed"]
    assert {(one["run_id"], one["kind"], one["reason"], one["message"]) for one in failed} == {
        (told["run_id"], "cohort", "http_400", "no")
    }
    assert sorted(one["item"]["id"] for one in failed) == ["a", "b"]
    assert here("failed", told["run_id"]).stdout.count("http_400") == 2
    for nothing in (here("show", "nothing"), here("failed", "nothing"), here("failed", "nothing", "--json")):
        assert (nothing.returncode, nothing.stdout) == (2, "")
        assert "no run 'nothing' is remembered" in nothing.stderr


def test_a_damaged_ledger_is_2_and_no_trace(
    here: Run, workspace: WorkspaceHandle, file: Path, tmp_path: Path
) -> None:
    workspace.add_people([{"id": "a"}])
    assert here("cohort", str(file), "--name", "vip").returncode == 1
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(ledger.read_bytes()[:4096] + b"\xff" * 40_000)
    for command_line in (["cohort", str(file), "--name", "vip", "--json"], ["history"], ["failed", "--json"]):
        done = here(*command_line)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert "state file" in done.stderr


def test_no_person_and_no_secret_in_what_a_run_says(
    here: Run, workspace: WorkspaceHandle, tmp_path: Path
) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text("amplitude_id,user_id\n1,ann@example.com\n2,bob-the-secret\n")
    workspace.add_people([{"id": "ann@example.com"}])
    workspace.fault("status", status=400, match={"path": "*/add_customers"})
    for flags in ([], ["--json"], ["--dry-run"]):
        done = here("cohort", str(path), "--name", "vip", *flags)
        for text in ("ann@", "bob-", workspace.track_api_key, workspace.app_api_key):
            assert text not in done.stdout + done.stderr


def test_who_was_not_found_is_named_when_people_are_asked_for(
    here: Run, workspace: WorkspaceHandle, file: Path
) -> None:
    workspace.add_people([{"id": "a"}])
    first, newest = (report(here("cohort", str(file), "--name", "vip", "--json")) for _ in range(2))
    assert (first["not_found"], newest["not_found"]) == (1, 1)
    letter = {"run_id": newest["run_id"], "kind": "cohort", "reason": "not_found", "field": "", "message": ""}
    shown = here("show", newest["run_id"], "--people", "--json")
    assert json.loads(shown.stdout) == newest | {"people": [letter | {"item": {"id": "b"}}]}
    assert here("show", newest["run_id"], "--people").stdout.endswith('  cohort  not_found  {"id":"b"}\n')
    older = here("show", first["run_id"], "--people")
    assert ('{"id":"b"}' in older.stdout, newest["run_id"] in older.stderr) == (False, True)
    assert json.loads(here("show", first["run_id"], "--people", "--json").stdout) == first | {"people": []}


def test_a_run_of_events_names_nobody_who_was_not_found(here: Run, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text('{"event_type":"order","event_time":"2026-07-14 10:00:00"}')
    told = report(here("events", str(tmp_path / "e.json"), "--json"))
    (letter,) = json.loads(here("show", told["run_id"], "--people", "--json").stdout)["people"]
    assert letter["reason"] == "missing_identifier"
