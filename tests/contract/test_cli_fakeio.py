"""`fakeio serve`: its ready line, its exit codes, its options and its words when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path
from unittest import mock

import httpx
import pytest

from fakeio.cli import build_parser
from tests.contract import plain
from tests.contract.serving import (
    APP_KEY,
    FAKEIO,
    PATIENCE_S,
    READY,
    SITE,
    TRACK_KEY,
    identify,
    own,
    run,
    run_here,
    serving,
    url_of,
)


@pytest.mark.parametrize(("command", "first"), [
    ("serve", "Run a Customer.io until SIGINT or SIGTERM."),
    ("exec", "Run a command whose calls to Customer.io reach a private fake."),
    ("limits", "The published limits of Customer.io."),
    ("snapshot", "Print, save or load the whole state as JSON."),
])
def test_the_help_of_a_command_begins_with_what_it_does(
    command: str, first: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        build_parser().parse_args([command, "--help"])
    assert first in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_answers_and_stops_with_0(number: int) -> None:
    with serving() as served:
        assert identify(url_of(served)).status_code == 200
        assert served.stop(number) == 0


def test_the_first_line_is_followed_by_directions_unless_quiet() -> None:
    with serving() as served:
        assert SITE in served.read_line()
        served.stop()
    with serving("--quiet") as served:
        assert READY.match(served.first_line)
        assert served.stop() == 0
        assert served.read_line() == ""


def test_as_json_it_says_everything_in_one_object() -> None:
    with serving("--json") as served:
        ready = served.ready
        assert ready == {
            "url": ready["url"], "https_url": None, "ca_file": None, "pid": served.process.pid,
            "workspace": {
                "id": 1, "name": "default", "region": "us", "account": "account 1", "site_id": SITE,
                "track_api_key": TRACK_KEY, "app_api_key": APP_KEY, "pipelines_write_key": "f0000000000000000004",
                "service_token": "sa_live_f0000000000000000005", "webhook_signing_key": "f0000000000000000006",
            },
        }  # fmt: skip
        assert identify(ready["url"]).status_code == 200
        assert served.stop() == 0
        assert served.read_line() == ""


def test_a_request_in_flight_is_answered_before_it_stops() -> None:
    with serving("--quiet") as served:
        url = url_of(served)
        fault = {"kind": "latency", "seconds": 0.5}
        plain.post(f"{url}/_fakeio/workspaces/default/faults", json=fault).raise_for_status()
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(identify(url)))
        asking.start()
        until_it_is_held(url)
        assert served.stop() == 0
        asking.join(PATIENCE_S)
        assert [answer.status_code for answer in answers] == [200]


def until_it_is_held(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not plain.get(f"{url}/_fakeio/workspaces/default/requests").json()["requests"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_request_held_for_an_hour_does_not_keep_it_from_stopping() -> None:
    with serving("--quiet") as served:
        url = url_of(served)
        fault = {"kind": "latency", "seconds": 3600}
        plain.post(f"{url}/_fakeio/workspaces/default/faults", json=fault).raise_for_status()
        failures: list[httpx.HTTPError] = []

        def ask() -> None:
            try:
                identify(url)
            except httpx.HTTPError as failure:
                failures.append(failure)

        asking = threading.Thread(target=ask)
        asking.start()
        until_it_is_held(url)
        assert served.stop() == 0
        asking.join(PATIENCE_S)
        assert len(failures) == 1


def test_https_is_served_beside_http_with_a_certificate_of_this_run() -> None:
    with serving("--tls", "--json") as served:
        ready = served.ready
        context = ssl.create_default_context(cafile=ready["ca_file"])
        with httpx.Client(verify=context, trust_env=False) as client:
            answer = client.get(f"{ready['https_url']}/auth", auth=(SITE, TRACK_KEY))
        assert (answer.status_code, identify(ready["url"]).status_code) == (200, 200)
        assert served.stop() == 0


def test_the_default_workspace_starts_with_its_region_seed_and_settings(tmp_path: Path) -> None:
    seed, settings = tmp_path / "seed.json", tmp_path / "settings.toml"
    seed.write_text(json.dumps({"people": [{"id": "42", "attributes": {"plan": "pro"}}]}))
    settings.write_text('auto_merge = false\nrate_limits = "off"\n')
    with serving("--region", "eu", "--seed", str(seed), "--settings", str(settings), "--json") as served:
        assert served.ready["workspace"]["region"] == "eu"
        here = f"{served.ready['url']}/_fakeio/workspaces/default"
        plain.post(f"{here}/reset").raise_for_status()
        people = plain.get(f"{here}/people").json()["people"]
        found = plain.get(f"{here}/settings").json()
    assert [(person["id"], person["attributes"]) for person in people] == [("42", {"plan": "pro"})]
    assert (found["auto_merge"], found["rate_limits"]) == (False, "off")


def test_rate_limits_are_enforced_unless_told_otherwise() -> None:
    with serving("--quiet") as served:
        settings = plain.get(f"{url_of(served)}/_fakeio/workspaces/default/settings").json()
    assert settings["rate_limits"] == "enforced"


def test_every_option_can_come_from_the_environment(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"people": [{"id": "42"}]}))
    environment = {
        "FAKEIO_REGION": "eu", "FAKEIO_SEED": str(seed), "FAKEIO_JSON": "1", "FAKEIO_TLS": "yes", "FAKEIO_TAPE": "off",
        "FAKEIO_CONTROL_TOKEN": "secret", "FAKEIO_TAPE_LIMIT": "5", "FAKEIO_QUIET": "0", "FAKEIO_HOST": "127.0.0.1",
    }  # fmt: skip
    with serving(environment=environment) as served:
        ready = served.ready
        assert (ready["workspace"]["region"], ready["https_url"][:8]) == ("eu", "https://")
        people = f"{ready['url']}/_fakeio/workspaces/default/people"
        assert plain.get(people).status_code == 401
        found = plain.get(people, headers={"X-Fakeio-Token": "secret"}).json()["people"]
        assert [person["id"] for person in found] == ["42"]


OPTIONS = {
    "host": "127.0.0.2", "port": "7", "region": "eu", "seed": "seed.json", "settings": "settings.toml",
    "data": "fake.db", "data_sync": "off", "tls_port": "8", "control_token": "secret", "tape_limit": "9",
    "tape_bytes": "10", "tape": "off", "head_bytes": "11", "body_bytes": "12", "control_body_bytes": "13",
    "head_s": "1.5", "request_s": "14", "idle_s": "0", "connections": "15",
}  # fmt: skip
FLAGS = {"tls", "json", "quiet"}  # read above


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_means_the_same_in_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [variable for variable in os.environ if variable.startswith("FAKEIO_")]:
        monkeypatch.delenv(variable)
    parsed = build_parser().parse_args(["serve", f"--{name.replace('_', '-')}", OPTIONS[name]])
    usual = build_parser().parse_args(["serve"])
    assert set(vars(usual)) - {"run", "version"} == {*OPTIONS, *FLAGS}, "every option has a row"
    monkeypatch.setenv(f"FAKEIO_{name.upper()}", OPTIONS[name])
    assert usual != build_parser().parse_args(["serve"]) == parsed


def test_the_command_line_wins_over_the_environment() -> None:
    with serving("--region", "us", "--json", environment={"FAKEIO_REGION": "eu"}) as served:
        assert served.ready["workspace"]["region"] == "us"


@pytest.mark.parametrize(("options", "kept", "dropped"), [
    pytest.param(["--tape-limit", "2"], [2, 3], 1, id="a count"),
    pytest.param(["--tape-bytes", "1"], [], 3, id="bytes"),
    pytest.param(["--tape", "off"], [], 0, id="off"),
])
def test_the_tape_is_bounded_by(options: list[str], kept: list[int], dropped: int) -> None:
    with serving("--quiet", *options) as served:
        url = url_of(served)
        for _ in range(3):
            identify(url)
        tape = plain.get(f"{url}/_fakeio/workspaces/default/requests").json()
    assert ([row["n"] for row in tape["requests"]], tape["dropped"]) == (kept, dropped)


def test_open_to_the_network_it_wants_a_token_from_every_control_call() -> None:
    with serving("--host", "0.0.0.0", "--control-token", "secret", "--json") as served:
        health = f"{served.ready['url']}/_fakeio/health"
        tokens = (None, "wrong", "secret")
        answers = [
            plain.get(health, headers={} if token is None else {"X-Fakeio-Token": token})
            for token in tokens
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 200]
        assert identify(served.ready["url"]).status_code == 200


def test_whoever_has_seen_enough_makes_no_error() -> None:
    """As in `fakeio limits | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        usual = own({"PYTHONUNBUFFERED": ""})  # what is not yet written is then kept, and tried again at the end
        ended = subprocess.run(
            [*FAKEIO, "limits"], env=usual, stdout=nobody, stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False
        )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        ended = run("serve", "--port", port)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert port in ended.stderr
    assert "taken" in ended.stderr


def refused(*options: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`fakeio serve` in this process, which it must not get as far as listening in."""
    with mock.patch("fakeio.server.serve", side_effect=AssertionError("it was not refused")):
        return run_here("serve", *options, environment=environment)


@pytest.mark.parametrize(("options", "environment", "says"), [
    pytest.param(["--host", "0.0.0.0"], {}, "--control-token", id="open to the network without a token"),
    pytest.param(["--host", ""], {}, "listening on every address would", id="no host"),
    pytest.param(["--data", "/nonexistent/x.db"], {}, "can't be opened", id="no folder for a data file"),
    pytest.param(["--port", "70000"], {}, "'70000' is no port", id="no port"),
    pytest.param(["--port", "-1"], {}, "port", id="a negative port"),
    pytest.param(["--region", "mars"], {}, "regions are us and eu", id="no region"),
    pytest.param(["--tape", "maybe"], {}, "neither on nor off", id="neither on nor off"),
    pytest.param(["--tape-limit", "many"], {}, "no whole number", id="a limit in words"),
    pytest.param(["--control-token", "sécret"], {}, "printable ASCII", id="a token no header can carry"),
    pytest.param(["--seed", "/nonexistent/seed.json"], {}, "can't be read", id="no seed file"),
    pytest.param(["--settings", "/nonexistent/s.toml"], {}, "can't be read", id="no settings file"),
    pytest.param(["--colour"], {}, "unrecognized arguments", id="an unknown option"),
    pytest.param([], {"FAKEIO_PORT": "x"}, "to 65535 (from FAKEIO_PORT)", id="no port in the environment"),
    pytest.param([], {"FAKEIO_TLS": "maybe"}, "FAKEIO_TLS is 'maybe'", id="no flag in the environment"),
    pytest.param([], {"FAKEIO_DATA": "/nonexistent/x.db"}, "can't be opened", id="a data file in the environment"),
    pytest.param([], {"FAKEIO_DATA_SYNC": "maybe"}, "neither full nor off", id="no mode in the environment"),
])
def test_what_cannot_work_is_refused_with_2(options: list[str], environment: dict[str, str], says: str) -> None:
    ended = refused(*options, environment=environment)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("content", "says"), [
    pytest.param("{", "can't be understood", id="no JSON"),
    pytest.param("[]", "a seed is a JSON object", id="no object"),
    pytest.param('{"peeple": []}', "no key 'peeple'", id="an unknown key"),
    pytest.param('{"people": [{"name": "x"}]}', "people[0]", id="no person"),
    pytest.param('{"settings": {"colour": 1}}', "no setting 'colour'", id="no setting"),
    pytest.param('{"people": 7}', "people is a list", id="no list"),
    pytest.param("\xff", "can't be understood", id="no UTF-8"),
])
def test_a_bad_seed_is_refused_with_2_and_named(tmp_path: Path, content: str, says: str) -> None:
    seed = tmp_path / "seed.json"
    seed.write_bytes(content.encode("latin-1"))
    ended = refused("--port", "0", "--seed", str(seed))
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert says in ended.stderr
    assert "seed.json" in ended.stderr


@pytest.mark.parametrize(("content", "says"), [
    pytest.param("auto_merge", "can't be understood", id="no TOML"),
    pytest.param("colour = 1", "no setting 'colour'", id="no setting"),
    pytest.param('auto_merge = "perhaps"', "auto_merge is one of", id="no choice"),
])
def test_bad_settings_are_refused_with_2_and_named(tmp_path: Path, content: str, says: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(content)
    ended = refused("--port", "0", "--settings", str(settings))
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert says in ended.stderr
    assert "settings.toml" in ended.stderr
