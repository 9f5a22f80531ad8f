"""What is loaded when: a server that starts, or serves Track's calls alone, waits for nothing that it has no use for.

Time is not measured here (`tests/benchmarks/f3_start.py` does): the processes are asked which modules they imported.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest

from fakeio.app_routes import OTHER_ROUTES, ROUTES
from fakeio.app_track import TRACK_ROUTES
from fakeio.cli import build_parser
from fakeio.edge.app_api.strictness import KEYS
from fakeio.edge.routing import Found, Route, Router
from tests.contract.serving import FAKEIO, PATIENCE_S, SITE, TRACK_KEY, own

# each with everything below it
LATE = (
    "fakeio.app_routes", "fakeio.edge.app_api", "fakeio.edge.published", "fakeio.edge.rewording",  # routes, errors
    "fakeio.core.managing", "fakeio.core.sends", "fakeio.core.broadcasts", "fakeio.core.newsletters",  # what they do
    "fakeio.core.building", "fakeio.core.conditions",  # data-driven segments
    "fakeio.core.seeding", "fakeio.core.restoring", "fakeio.core.snapshots",  # seeds, snapshots
    "fakeio.edge.journal", "fakeio.edge.store", "sqlite3",  # --data
    "fakeio.faults", "fakeio.edge.control_app", "starlette.applications",  # the control API
    "fakeio.client", "fakeio.cli_client", "fakeio.cli_tables", "fakeio.cli_exec_run", "fakeio.replaying",  # others
    "cryptography", "httpx", "rich", "secrets", "tomllib", "importlib.metadata",
)  # fmt: skip
PERSON = "/api/v1/customers/42"
CALLS = [
    ("PUT", PERSON, {"email": "a@example.com"}),
    ("POST", f"{PERSON}/events", {"name": "order"}),
    ("POST", "/api/v1/events", {"name": "visit", "anonymous_id": "a1"}),
    ("PUT", f"{PERSON}/devices", {"device": {"id": "d", "platform": "ios"}}),
    ("DELETE", f"{PERSON}/devices/d", None),
    ("POST", "/api/v1/merge_customers", {"primary": {"id": "42"}, "secondary": {"id": "43"}}),
    ("POST", "/api/v1/segments/7/add_customers", {"ids": ["42"]}),
    ("POST", "/api/v1/forms/f/submit", {"data": {"email": "b@example.com"}}),
    ("POST", "/unsubscribe/d1", {"unsubscribe": True}),
    ("POST", "/api/v1/metrics", {"delivery_id": "d1", "metric": "opened", "timestamp": 1}),
    ("POST", "/api/v2/entity", {"type": "object", "action": "identify",
                                "identifiers": {"object_type_id": "1", "object_id": "a"}}),
    ("POST", "/api/v2/batch", {"batch": [{"type": "person", "action": "identify", "identifiers": {"id": "9"}}]}),
    ("POST", f"{PERSON}/suppress", None),
    ("POST", f"{PERSON}/unsuppress", None),
    ("DELETE", PERSON, None),
]  # fmt: skip


def late_ones(reported: str) -> list[str]:
    """Which of those a process imported, by what `-X importtime` wrote."""
    names = [line.rpartition("|")[2].strip() for line in reported.splitlines() if line.startswith("import time:")]
    assert "fakeio.server" in names, "the report is one"
    return [name for name in names if any(name == late or name.startswith(f"{late}.") for late in LATE)]


def test_a_server_that_starts_and_serves_track_loads_nothing_that_this_does_not_need(tmp_path: Path) -> None:
    report = tmp_path / "imported"
    command = [*FAKEIO, "serve", "--port", "0", "--json"]
    # a process that measures its coverage imports for that too
    environment = own({"PYTHONPROFILEIMPORTTIME": "1", "COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""})
    with (
        report.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process,
    ):
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            assert late_ones(report.read_text()) == []
            with httpx.Client(base_url=url, auth=(SITE, TRACK_KEY), timeout=PATIENCE_S) as client:
                for method, path, body in CALLS:
                    assert client.request(method, path, json=body).is_success, path
                assert late_ones(report.read_text()) == []
                client.get("/v1/segments")
                assert "fakeio.app_routes" in late_ones(report.read_text())
        finally:
            process.kill()


def test_a_fake_for_a_test_loads_no_client_and_nothing_of_the_app_api_before_it_is_called() -> None:
    late = ("fakeio.app_routes", "fakeio.edge.app_api", "fakeio.faults", "starlette.applications", "httpx", "rich")
    asks = (
        "import sys\nfrom fakeio import Fake\nwith Fake() as fake: fake.new_workspace().people\n"
        f"print([name for name in {late} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert told.stdout == "[]\n"


@pytest.mark.parametrize("name", LATE)
def test_there_is_such_a_module_as(name: str) -> None:
    assert importlib.util.find_spec(name) is not None


# ---- the router ------------------------------------------------------------------------------------------------------

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")
WHOLE = Router(ROUTES)


def paths_of(route: Route) -> list[str]:
    """Paths that its template fits, nearly fits, or just does not."""
    path = "/".join("x" if part.startswith("{") else part for part in route.path.split("/"))
    blank = "/".join("" if part.startswith("{") else part for part in route.path.split("/"))
    return [path, blank, f"{path}/more", path.rpartition("/")[0]]


def test_what_a_router_finds_before_it_has_the_rest_is_what_it_finds_after() -> None:
    first = Router(TRACK_ROUTES)
    asked = [(method, path) for route in ROUTES for path in paths_of(route) for method in METHODS]
    early = [one for one in asked if first.find(*one).route is not None]
    assert {WHOLE.find(*one).route for one in early} == set(TRACK_ROUTES)
    assert [first.find(*one) for one in early] == [WHOLE.find(*one) for one in early]


def test_a_router_asks_for_the_rest_once_and_only_for_a_path_that_it_does_not_have() -> None:
    asked: list[int] = []

    def others() -> Iterable[Route]:
        asked.append(1)
        return OTHER_ROUTES

    router = Router(TRACK_ROUTES, others)
    assert router.find("PUT", PERSON).route is not None
    assert asked == []
    for path in ("/nowhere", "/v1/segments", "/nowhere"):
        router.find("GET", path)
    assert (asked, router.routes) == ([1], ROUTES)


def test_two_requests_that_load_the_rest_at_once_both_find_their_route() -> None:
    both = threading.Barrier(2, timeout=PATIENCE_S)
    found: list[Found] = []

    def others() -> Iterable[Route]:
        both.wait()  # each has begun before either has an answer
        return OTHER_ROUTES

    router = Router(TRACK_ROUTES, others)
    threads = [threading.Thread(target=lambda: found.append(router.find("GET", "/v1/segments"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert found == [WHOLE.find("GET", "/v1/segments")] * 2
    assert router.routes == ROUTES


def test_no_route_of_track_has_keys_to_be_judged_by() -> None:
    assert {route.operation for route in TRACK_ROUTES} & set(KEYS) == set(), "it would have to go through `strictly`"


# ---- the command line ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("given", [["serve", "--port", "0", "--json"], ["exec", "--region", "eu", "--", "true"]])
def test_a_command_declared_alone_reads_its_options_as_among_the_others(given: list[str]) -> None:
    assert build_parser(given[0]).parse_args(given) == build_parser().parse_args(given)


def test_a_command_that_nobody_knows_is_told_all_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser("serv").parse_args(["serv"])
    told = capsys.readouterr().err
    assert all(f"'{name}'" in told for name in ("serve", "exec", "routes", "people", "replay"))
