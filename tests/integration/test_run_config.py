"""Scheduled syncs of a configuration: slots, restarts, what ends a schedule, notifications, the command."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync.core.errors import ConfigError
from sync.core.page import render
from sync.core.report import Ended
from sync.edge.config_file import project_of, read_configuration, settings_of
from sync.edge.ledger import Ledger
from sync.edge.notifying import check_address, notify
from sync.run_cohort import run_cohort
from tests.integration.event_engine import row
from tests.integration.scheduled_syncs import PATIENCE_S, Scheduled, command


# -- slots ------------------------------------------------------------------------------------------------------------
def test_a_new_sync_runs_at_once_and_then_at_its_slot_whatever_is_restarted(scheduled: Scheduled) -> None:
    assert scheduled.tick() == ["cohort", "events"]
    assert scheduled.tick() == []
    scheduled.clock.advance(3599)
    assert scheduled.tick() == []
    scheduled.clock.advance(1)
    assert scheduled.tick() == ["cohort"]
    assert scheduled.tick() == []
    scheduled.clock.advance(3 * 3600)
    assert scheduled.tick() == ["cohort"]
    assert scheduled.engine.members() == {"a"}


def test_a_run_of_events_carries_the_name_of_its_sync(scheduled: Scheduled) -> None:
    (ended,) = scheduled.runner("orders").run_all()
    assert (ended.report.sync, render(ended).splitlines()[0]) == ("orders", "events orders: success (exit code 0)")
    with Ledger.open(scheduled.engine.path) as ledger:
        assert [one.run_id for one in ledger.runs("orders")] == [ended.report.run_id]


PULLED = """
[syncs.signups]
kind = "events"
source = "shop"
destination = "production"
cadence = "{cadence}"
events = ["signup"]

[syncs.refunds]
kind = "events"
source = "shop"
destination = "production"
cadence = "{cadence}"
events = ["refund"]
"""


def test_every_sync_reads_the_export_from_where_it_ended_itself(scheduled: Scheduled) -> None:
    at = {"event_time": "2026-05-01 08:10:00.000000", "server_upload_time": "2026-05-01 08:11:00.000000"}
    scheduled.amplitude.events += [row(n, event_type=name, **at) for n, name in enumerate(("signup", "refund"))]
    scheduled.write("hourly", PULLED.format(cadence="hourly"))
    ended = scheduled.runner("signups", "refunds").run_all()
    assert [(one.report.sync, one.exit_code) for one in ended] == [("signups", 0), ("refunds", 0)]
    assert [event.name for event in scheduled.engine.workspace.events()] == ["signup", "refund"]


def test_a_one_time_sync_is_never_repeated(scheduled: Scheduled) -> None:
    scheduled.tick()
    scheduled.clock.advance(86_400 * 365)
    assert scheduled.tick() == ["cohort"]


def test_an_edited_sync_runs_at_once(scheduled: Scheduled) -> None:
    scheduled.tick()
    scheduled.write("daily")
    assert scheduled.tick() == ["cohort"]


class Signalled(httpx.BaseTransport):
    """Where a signal comes with the first request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt


def killed(*_: object, **__: object) -> Ended:
    raise KeyboardInterrupt


@pytest.mark.parametrize("cut_off", [killed, partial(run_cohort, network=Signalled())], ids=["before it", "in it"])
def test_a_run_that_was_cut_off_is_still_due(
    scheduled: Scheduled, monkeypatch: pytest.MonkeyPatch, cut_off: Callable[..., Ended]
) -> None:
    with monkeypatch.context() as cut:
        cut.setattr("sync.running.run_cohort", cut_off)
        with pytest.raises(KeyboardInterrupt):
            scheduled.tick()
    assert scheduled.tick() == ["cohort", "events"]


def test_named_syncs_run_now_and_count_as_their_slot(scheduled: Scheduled) -> None:
    assert [one.report.kind for one in scheduled.runner("vip").run_all()] == ["cohort"]
    assert scheduled.tick() == ["events"]
    assert [one.report.kind for one in scheduled.runner("vip").run_all()] == ["cohort"]


def test_the_scheduler_sleeps_until_the_next_slot_and_not_longer_than_a_minute(scheduled: Scheduled) -> None:
    ran: list[str] = []

    def told(name: str, ended: Ended, disabled: bool) -> None:
        ran.append(name)
        if len(ran) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scheduled.runner(told=told).run_forever()
    assert ran == ["vip", "orders", "vip", "vip"]
    assert sum(scheduled.clock.slept) == 7200
    assert max(scheduled.clock.slept) <= 60


def test_a_clock_that_goes_hours_ahead_and_is_put_right_stops_no_schedule(scheduled: Scheduled) -> None:
    assert scheduled.tick() == ["cohort", "events"]
    scheduled.clock.advance(50 * 3600)
    assert [scheduled.tick(), scheduled.tick()] == [["cohort"], []]
    scheduled.clock.advance(-49 * 3600)
    assert [scheduled.tick(), scheduled.tick()] == [["cohort"], []]
    scheduled.clock.advance(3599)
    assert scheduled.tick() == []
    scheduled.clock.advance(1)
    assert [scheduled.tick(), scheduled.tick()] == [["cohort"], []]


@pytest.mark.parametrize("hours", [-5, 5], ids=["back", "ahead"])
def test_a_scheduler_whose_clock_jumps_while_it_sleeps_runs_once_and_goes_on(scheduled: Scheduled, hours: int) -> None:
    ran: list[tuple[str, float]] = []
    began = scheduled.clock()

    def told(name: str, ended: Ended, disabled: bool) -> None:
        ran.append((name, scheduled.clock() - began))
        if len(ran) == 2:
            scheduled.clock.advance(hours * 3600)
        if len(ran) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scheduled.runner(told=told).run_forever()
    at = hours * 3600.0
    assert ran[2] == ("vip", at)
    assert ran[3] == ("vip", at + 3600)


def test_the_scheduler_ends_when_nothing_will_be_due(scheduled: Scheduled) -> None:
    scheduled.runner("orders").run_forever()
    assert "no sync will be due any more" in scheduled.engine.said.getvalue()


def test_what_is_waited_for_in_a_run_passes_on_the_same_clock(scheduled: Scheduled) -> None:
    scheduled.engine.workspace.fault("status", status=429, retry_after=7, times=1, match={"path": "*/region"})
    assert [one.exit_code for one in scheduled.runner("vip").run_all()] == [0]
    assert sum(scheduled.clock.slept) >= 7


# -- what ends a schedule ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("gone", ["archived", "deleted"])
def test_an_archived_cohort_ends_its_schedule_and_is_told_once(scheduled: Scheduled, gone: str) -> None:
    scheduled.tick()
    cohort = scheduled.amplitude.cohorts["abc"]
    if gone == "archived":
        cohort.archived = True
    else:
        del scheduled.amplitude.cohorts["abc"]
    told: list[tuple[str, int, bool]] = []
    for _ in range(3):
        scheduled.clock.advance(3600)
        scheduled.runner(
            told=lambda name, ended, disabled: told.append((name, ended.exit_code, disabled))
        ).run_due()  # fmt: skip
    assert told == [("vip", 3, True)]
    assert scheduled.engine.members() == {"a"}
    cohort.archived = False
    scheduled.amplitude.cohorts["abc"] = cohort
    assert [one.exit_code for one in scheduled.runner("vip").run_all()] == [0]


def test_a_named_run_that_ends_well_does_not_leave_a_schedule_ended(scheduled: Scheduled) -> None:
    scheduled.tick()
    scheduled.amplitude.cohorts["abc"].archived = True
    scheduled.clock.advance(3600)
    scheduled.tick()
    scheduled.amplitude.cohorts["abc"].archived = False
    scheduled.runner("vip").run_all()
    scheduled.clock.advance(3600)
    assert scheduled.tick() == ["cohort"]


def test_other_failures_wait_for_the_next_slot(scheduled: Scheduled) -> None:
    scheduled.environ["AMPLITUDE_SECRET_KEY"] = "wrong"
    assert [one.exit_code for one in scheduled.runner().run_due()] == [3, 0]
    scheduled.environ["AMPLITUDE_SECRET_KEY"] = scheduled.amplitude.secret_key
    assert scheduled.tick() == []
    scheduled.clock.advance(3600)
    assert scheduled.tick() == ["cohort"]


# -- settings ---------------------------------------------------------------------------------------------------------
def test_flags_win_over_the_environment_and_that_over_the_file(scheduled: Scheduled) -> None:
    scheduled.path.write_text(scheduled.path.read_text().replace("[engine]", "[engine]\ntrack_rate = 5\nworkers = 3"))
    configuration = read_configuration(scheduled.path)
    target = configuration.destinations["production"]
    environ = {key: value for key, value in scheduled.environ.items() if not key.startswith("CIO_")}
    plain = settings_of(configuration, target, environ, {})
    assert (plain.track_rate_per_s, plain.app_rate_per_s, plain.workers) == (5, 10, 3)
    assert (plain.site_id, plain.state_path) == (scheduled.engine.workspace.site_id, scheduled.engine.path)
    assert settings_of(configuration, target, {**environ, "CIO_TRACK_RATE": "7"}, {}).track_rate_per_s == 7
    flagged = settings_of(configuration, target, {**environ, "CIO_TRACK_RATE": "7"}, {"track_rate": "9"})
    assert flagged.track_rate_per_s == 9


def test_a_variable_that_is_not_set_is_named_as_the_file_names_it(scheduled: Scheduled) -> None:
    configuration = read_configuration(scheduled.path)
    with pytest.raises(ConfigError, match="PROD_SITE_ID and PROD_TRACK_KEY and PROD_APP_KEY are not set"):
        settings_of(configuration, configuration.destinations["production"], {}, {})
    with pytest.raises(ConfigError, match="AMPLITUDE_API_KEY and AMPLITUDE_SECRET_KEY are not set"):
        project_of(configuration.sources["shop"], {})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"PROD_APP_KEY": "0" * 32}, "PROD_APP_KEY was refused", id="the App API's key"),
        pytest.param({"PROD_TRACK_KEY": "x"}, "PROD_SITE_ID and PROD_TRACK_KEY were refused", id="those of Track"),
        pytest.param({"CIO_REGION": "eu"}, "belong to the US region, but `region` is eu", id="the region"),
        pytest.param({"SHOP_SECRET": "x"}, "SHOP_SECRET does not belong to SHOP_KEY", id="those of Amplitude"),
    ],
)
def test_what_was_refused_is_named_as_the_file_names_it(scheduled: Scheduled, change: Any, said: str) -> None:
    named = 'amplitude = "us"\napi_key = "SHOP_KEY"\nsecret_key = "SHOP_SECRET"'
    scheduled.path.write_text(scheduled.path.read_text().replace('amplitude = "us"', named))
    for own, usual in (("SHOP_KEY", "AMPLITUDE_API_KEY"), ("SHOP_SECRET", "AMPLITUDE_SECRET_KEY")):
        scheduled.environ[own] = scheduled.environ.pop(usual)
    scheduled.environ.update(change)
    (ended,) = scheduled.runner("vip").run_all()
    assert ended.error is not None
    assert said in ended.error.message
    assert not re.search("CIO_|AMPLITUDE_", f"{ended.error.message} {ended.error.hint}")
    with Ledger.open(scheduled.engine.path) as ledger:
        assert said.encode() in (ledger.runs("vip")[0].report or b"")


def test_what_can_be_no_credential_is_named_as_the_file_names_it(scheduled: Scheduled) -> None:
    configuration = read_configuration(scheduled.path)
    target = configuration.destinations["production"]
    with pytest.raises(ConfigError) as refused:
        settings_of(configuration, target, {**scheduled.environ, "PROD_APP_KEY": "two words"}, {})
    assert refused.value.message == "PROD_APP_KEY holds a space or a letter that no credential has"


def test_a_state_file_lies_from_where_the_configuration_is(
    scheduled: Scheduled, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = f'state = "{scheduled.engine.path}"'
    scheduled.path.write_text(scheduled.path.read_text().replace(state, 'state = "kept/own.db"'))
    monkeypatch.chdir("/")
    assert read_configuration(scheduled.path).engine.state == str(scheduled.path.parent / "kept" / "own.db")


@pytest.mark.parametrize(
    "content",
    [None, b"\xff", b"[x", b"x = 1", b"x = " + b"[" * 9_999],
    ids=["missing", "not text", "not TOML", "strange", "brackets without end"],
)
def test_a_file_that_can_not_be_read_is_a_configuration_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "sync.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError):
        read_configuration(path)


# -- notifications ----------------------------------------------------------------------------------------------------
class Hook:
    """A webhook that keeps what it is told; `statuses` are its next answers, 200 after that."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Silence."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    one = Hook()
    yield one
    one.close()


def ended(scheduled: Scheduled) -> Ended:
    return scheduled.runner("orders").run_all()[0]


def test_a_webhook_is_told_counts_and_tried_again(scheduled: Scheduled, hook: Hook) -> None:
    hook.statuses = [500]
    assert notify(hook.url, "orders", ended(scheduled), disabled=False, pause_s=0) == ""
    assert [one["sync"] for one in hook.told] == ["orders", "orders"]
    told = hook.told[1]
    assert (told["status"], told["exit_code"], told["report"]["delivered"]) == ("success", 0, 1)
    assert scheduled.engine.workspace.site_id not in json.dumps(told)


def test_a_webhook_that_does_not_take_it_is_told_of(scheduled: Scheduled, hook: Hook) -> None:
    hook.statuses = [404] * 3
    end = ended(scheduled)
    assert notify(hook.url, "orders", end, disabled=False, pause_s=0) == "it answered 404"
    hook.close()
    assert notify(hook.url, "orders", end, disabled=False, pause_s=0) == "could not connect"


@pytest.mark.parametrize("address", ["", "hooks.example.com", "ftp://x/y", "http://", "http://[", "x" * 10])
def test_an_address_that_is_none_is_not_quoted(address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_address("OPS_WEBHOOK", address)
    assert refused.value.message == "OPS_WEBHOOK holds no http or https address"


# -- the command ------------------------------------------------------------------------------------------------------
def test_once_runs_what_is_due_tells_one_object_and_ends_with_the_gravest_code(
    scheduled: Scheduled, hook: Hook
) -> None:
    scheduled.amplitude.put_cohort("abc", ["a", "nobody"])
    scheduled.write("hourly", '[notifications]\nwebhook = "OPS_WEBHOOK"\n')
    out, said = command(scheduled, "--once", "--json", OPS_WEBHOOK=hook.url).communicate(timeout=PATIENCE_S)
    told = json.loads(out)
    assert (told["kind"], told["status"], sorted(told["runs"])) == ("run", "partial", ["orders", "vip"]), said
    assert (told["runs"]["vip"]["not_found"], told["runs"]["orders"]["delivered"]) == (1, 1)
    assert [one["sync"] for one in hook.told] == ["vip"]
    again = command(scheduled, "--once", OPS_WEBHOOK=hook.url)
    assert (again.communicate(timeout=PATIENCE_S)[0], again.returncode) == ("", 0)


def test_a_scheduler_runs_until_a_signal_and_ends_well(scheduled: Scheduled) -> None:
    process = command(scheduled)
    assert process.stdout is not None
    told = (line for line in process.stdout if ": success" in line)  # each run is told once it has ended
    assert {next(told, "").partition(":")[0] for _ in range(2)} == {"cohort vip", "events orders"}
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert [event.data["n"] for event in scheduled.engine.workspace.events()] == [1]
    with Ledger.open(scheduled.engine.path) as ledger:
        assert sorted(one.kind for one in ledger.runs()) == ["cohort", "events"]


@pytest.mark.parametrize(
    ("arguments", "variables", "says"),
    [
        pytest.param(["nobody"], {}, "no sync 'nobody'", id="an unknown sync"),
        pytest.param(["--once"], {"PROD_SITE_ID": ""}, "PROD_SITE_ID is not set", id="a missing variable"),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(
    scheduled: Scheduled, arguments: list[str], variables: dict[str, str], says: str
) -> None:
    process = command(scheduled, *arguments, **variables)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, says in said) == (2, True), said
    assert scheduled.engine.workspace.requests == []
