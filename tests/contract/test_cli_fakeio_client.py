"""The command `fakeio` beside `serve`: the tables, and what a running server is asked.

The server is a process. The commands run in this one, but for two: what they print and how they end is what matters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from fakeio import limits
from tests.contract import plain
from tests.contract.serving import APP_KEY, SITE, TRACK_KEY, Served, identify, run, run_here, serving, url_of

# ---- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "field"), [("limits", "rule"), ("routes", "grade"), ("settings", "default")])
def test_tables_are_printed_for_reading_and_as_json(command: str, field: str) -> None:
    table, as_json = run_here(command), run_here(command, "--json")
    rows = json.loads(as_json.stdout)[command]
    assert (table.returncode, as_json.returncode) == (0, 0)
    assert len(table.stdout.splitlines()) == len(rows) + 1
    assert all(field in row for row in rows)


def test_the_limits_of_the_command_are_those_of_the_library() -> None:
    rows = json.loads(run_here("limits", "--json").stdout)["limits"]
    assert [(row["rule"], row["strict"], row["lenient"]) for row in rows] == [
        (limit.rule, limit.strict, limit.lenient) for limit in limits()
    ]


def test_routes_that_are_not_built_say_so() -> None:
    routes = json.loads(run_here("routes", "--json").stdout)["routes"]
    grades = {(route["method"], route["path"]): route["grade"] for route in routes}
    assert grades["POST", "/v1/identify"] == "not imitated"
    assert grades["PUT", "/api/v1/customers/{identifier}"] != "not imitated"


def test_routes_that_hold_nothing_say_so() -> None:
    as_json, table = json.loads(run_here("routes", "--json").stdout)["routes"], run_here("routes").stdout.splitlines()
    minimum = {(route["method"], route["path"]) for route in as_json if route["minimum"]}
    assert {("GET", "/v1/campaigns"), ("GET", "/v1/assets"), ("POST", "/v1/live_notifications/start")} <= minimum
    marked = {(line.split()[1], line.split()[2]) for line in table if "(minimum)" in line}
    assert marked == minimum


@pytest.mark.parametrize("arguments", [[], ["storm"], ["limits", "--colour"]])
def test_a_command_nobody_knows_is_refused_with_2(arguments: list[str]) -> None:
    ended = run_here(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "usage" in ended.stderr


def test_the_version_is_told() -> None:
    ended = run("--version")
    assert (ended.returncode, ended.stdout[:8]) == (0, "fakeio 0")


# ---- talking to a running server -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--quiet") as served:
        yield served


@pytest.fixture
def at(served: Served) -> dict[str, str]:
    """The environment that points commands at a running server with an empty workspace."""
    url = url_of(served)
    plain.post(f"{url}/_fakeio/workspaces/default/reset").raise_for_status()
    return {"FAKEIO_URL": url}


def test_requests_and_people_are_listed(at: dict[str, str]) -> None:
    identify(at["FAKEIO_URL"], "a%2Fb", email="a@example.com")
    plain.delete(f"{at['FAKEIO_URL']}/api/v1/customers/nobody", auth=(SITE, TRACK_KEY))
    requests = run_here("requests", environment=at).stdout.splitlines()
    assert len(requests) == 3
    assert ("/api/v1/customers/a%2Fb" in requests[1], "identify applied" in requests[1]) == (True, True)
    assert "delete_person ignored" in requests[2]
    people = run_here("people", environment=at).stdout.splitlines()
    assert len(people) == 2
    assert "a@example.com" in people[1]
    (person,) = json.loads(run_here("people", "--q", "EXAMPLE", "--json", environment=at).stdout)["people"]
    assert person["id"] == "a/b"
    failed = json.loads(run_here("requests", "--status", "503", "--json", environment=at).stdout)
    assert failed == {"requests": [], "dropped": 0}


def test_an_id_cannot_send_commands_to_the_terminal(at: dict[str, str]) -> None:
    identify(at["FAKEIO_URL"], "%1B%5B2J%0A")
    listed = run_here("people", environment=at).stdout
    assert "\x1b" not in listed
    assert len(listed.splitlines()) == 2
    assert r"\x1b[2J\n" in listed


def test_segments_and_their_members_are_listed(at: dict[str, str]) -> None:
    url = at["FAKEIO_URL"]
    identify(url, "1")
    named = {"segment": {"name": "VIP"}}
    plain.post(f"{url}/v1/segments", json=named, headers={"authorization": f"Bearer {APP_KEY}"})
    plain.post(f"{url}/api/v1/segments/1/add_customers", json={"ids": ["1"]}, auth=(SITE, TRACK_KEY))
    (segment,) = json.loads(run_here("segments", "--json", environment=at).stdout)["segments"]
    assert (segment["name"], segment["count"]) == ("VIP", 1)
    assert "VIP" in run_here("segments", environment=at).stdout
    (member,) = json.loads(run_here("segments", "1", "--json", environment=at).stdout)["members"]
    assert member["id"] == "1"
    assert len(run_here("segments", "1", environment=at).stdout.splitlines()) == 2


def test_faults_are_added_listed_removed_and_cleared(at: dict[str, str]) -> None:
    added = run_here("fault", "add", "status", "status=503", "times=1", "match.path=/api/*", environment=at)
    assert (added.returncode, added.stderr) == (0, "")
    (fault,) = json.loads(run_here("fault", "--json", environment=at).stdout)["faults"]
    assert {"kind": "status", "status": 503, "times": 1, "match": {"path": "/api/*"}}.items() <= fault.items()
    assert [identify(at["FAKEIO_URL"]).status_code for _ in range(2)] == [503, 200]
    assert len(run_here("fault", environment=at).stdout.splitlines()) == 2
    assert run_here("fault", "remove", str(fault["id"]), environment=at).returncode == 0
    run_here("fault", "add", "reset", environment=at)
    assert run_here("fault", "clear", environment=at).returncode == 0
    assert json.loads(run_here("fault", "--json", environment=at).stdout) == {"faults": []}


def test_the_clock_is_shown_and_turned(at: dict[str, str]) -> None:
    assert run_here("clock", "set", "1000", environment=at).stdout == "1000.000 manual\n"
    assert run_here("clock", "advance", "60", environment=at).stdout == "1060.000 manual\n"
    assert json.loads(run_here("clock", "--json", environment=at).stdout) == {"now": 1060.0, "mode": "manual"}
    assert run_here("clock", "real", environment=at).stdout.endswith(" real\n")


def test_a_workspace_is_reset(at: dict[str, str]) -> None:
    identify(at["FAKEIO_URL"])
    assert run_here("reset", environment=at).returncode == 0
    assert json.loads(run_here("people", "--json", environment=at).stdout) == {"people": []}


def test_long_lists_are_fetched_page_by_page(at: dict[str, str]) -> None:
    rows = [{"id": str(n)} for n in range(1001)]
    plain.post(f"{at['FAKEIO_URL']}/_fakeio/workspaces/default/people", json={"people": rows})
    people = json.loads(run_here("people", "--json", environment=at).stdout)["people"]
    assert [person["id"] for person in people] == [row["id"] for row in rows]


@pytest.mark.parametrize(("arguments", "code", "says"), [
    pytest.param(["people", "--workspace", "77"], 1, "no workspace '77'", id="an unknown workspace"),
    pytest.param(["fault", "remove", "77"], 1, "no fault 77", id="an unknown fault"),
    pytest.param(["fault", "remove"], 2, "which fault", id="no fault"),
    pytest.param(["fault", "add"], 2, "which kind", id="no kind"),
    pytest.param(["fault", "add", "storm"], 1, "no kind 'storm'", id="an unknown kind"),
    pytest.param(["fault", "add", "status", "503"], 2, "no FIELD=VALUE", id="no field"),
    pytest.param(["fault", "add", "status", "match=1", "match.path=x"], 2, "match has a value", id="a value twice"),
    pytest.param(["clock", "advance"], 2, "how many seconds", id="no seconds"),
    pytest.param(["segments", "VIP"], 1, "whole number", id="a segment by name"),
    pytest.param(["requests", "--status", "ok"], 1, "whole number", id="a status in words"),
])
def test_what_cannot_be_done_is_said_in_one_line(
    at: dict[str, str], arguments: list[str], code: int, says: str
) -> None:
    ended = run_here(*arguments, environment=at)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (code, "", 1)
    assert says in ended.stderr


def test_nobody_there_is_said_with_what_to_do() -> None:
    with plain.deserted() as url:
        ended = run("people", "--url", url)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "fakeio serve" in ended.stderr


def test_a_server_that_is_no_fake_is_told_apart(at: dict[str, str]) -> None:
    ended = run_here("people", "--url", f"{at['FAKEIO_URL']}/elsewhere")
    assert ended.returncode == 1
    assert "check --url" in ended.stderr
