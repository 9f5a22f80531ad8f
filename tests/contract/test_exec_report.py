"""What `fakeio exec` tells at the end: expectations and their near misses, what arrived, and connections in vain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakeio.app import build_universe
from fakeio.app_routes import ROUTES
from fakeio.cli_exec_report import parse_expected, read_expected, summarise, unmet
from fakeio.cli_text import CommandFailed
from fakeio.edge.control import build_control
from fakeio.edge.exchange import Universe
from fakeio.edge.proxy import Proxy
from fakeio.edge.registry import Options
from fakeio.edge.transport import FakeTransport
from tests.contract.serving import SITE, TRACK_KEY

SEED = {
    "people": [{"id": "1", "email": "ann@example.com", "attributes": {"plan": "pro"}}, {"email": "bob@example.com"}],
    "segments": [{"id": 7, "name": "vip", "type": "manual", "members": [{"id": "1"}]}],
}


def client_of(universe: Universe) -> httpx.Client:
    """A client of the six hosts."""
    transport = FakeTransport(universe, build_control(universe, host="127.0.0.1"))
    return httpx.Client(transport=transport, auth=(SITE, TRACK_KEY), base_url="https://track.customer.io/api/v1/")


@pytest.fixture
def universe() -> Universe:
    """A workspace with two people, a segment and two events, one of nobody."""
    made = build_universe(Options(), seed=SEED)
    with client_of(made) as client:
        client.post("customers/1/events", json={"name": "order", "data": {"total": 3, "items": ["a"]}})
        client.post("events", json={"name": "visit", "anonymous_id": "x"})
    return made


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy(http_port=1, https_port=1) as idle:
        yield idle


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"people": [{"id": "1"}, {"email": "ann@example.com"}, {"segments": [7]}]}, id="the same person"),
        pytest.param({"people": [{}]}, id="anybody"),
        pytest.param({"events": [{"name": "order", "data": {"items": ["a"]}}, {"person": None}]}, id="events"),
        pytest.param({"events": [{"id": "1", "person": {"email": "ann@example.com"}}]}, id="an event of a person"),
        pytest.param({"segments": [{"id": 7, "count": 1, "members": [{"email": "ann@example.com"}]}]}, id="a segment"),
    ],
)
def test_an_expectation_is_met_by_anything_that_has_its_parts(universe: Universe, expected: Any) -> None:
    assert unmet(universe.registry.default, parse_expected(expected)) == []


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        pytest.param({"people": [{"id": "1", "attributes": {"plan": "free"}}]},
                     ['expected: no person has {"id": "1", "attributes": {"plan": "free"}}; none of 2 does',
                      "  near miss: 1", "    attributes.plan is 'pro', expected 'free'",
                      "  near miss: bob@example.com", "    id is None, expected '1'",
                      "    attributes.plan is missing, expected 'free'"], id="a person"),
        pytest.param({"events": [{"name": "order", "id": "2"}]},
                     ['expected: no event has {"name": "order", "person": {"id": "2"}}; none of 2 does',
                      "  near miss: 'order' of 1", "    person.id is '1', expected '2'",
                      "  near miss: 'visit' of nobody", "    name is 'visit', expected 'order'",
                      "    person is None, expected {'id': '2'}"], id="an event"),
        pytest.param({"segments": [{"name": "vip", "count": 2}]},
                     ['expected: no segment has {"name": "vip", "count": 2}; none of 1 does',
                      "  near miss: segment 7, 'vip'", "    count is 1, expected 2"], id="a segment"),
    ],
)  # fmt: skip
def test_an_expectation_that_is_not_met_shows_what_came_closest(
    universe: Universe, expected: Any, told: list[str]
) -> None:
    assert unmet(universe.registry.default, expected) == told


def test_an_expectation_of_what_there_is_none_of_says_so() -> None:
    told = ['expected: no event has {"name": "order"}; there are none']
    assert unmet(build_universe().registry.default, {"events": [{"name": "order"}]}) == told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[]", "expectations are a JSON object with people, events and segments", id="a list"),
        pytest.param('{"persons": []}', "there is no 'persons' to expect; there are people, events and segments",
                     id="an unknown key"),
        pytest.param('{"people": {"id": "1"}}', "people is not a list of objects", id="no list"),
        pytest.param('{"events": ["order"]}', "events is not a list of objects", id="no objects"),
        pytest.param("{", "can't be understood", id="no JSON"),
    ],
)  # fmt: skip
def test_expectations_that_can_not_be_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "expect.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandFailed, match=message) as refused:
        read_expected(str(path))
    assert refused.value.status == 2


def test_what_arrived_is_told_by_host_and_by_fate(universe: Universe, proxy: Proxy) -> None:
    with client_of(universe) as client:
        client.put("customers/1", json={"plan": "free"})
        client.delete("https://track-eu.customer.io/api/v1/customers/1")
    assert summarise(universe.registry, proxy) == [
        "4 requests arrived: 1 at track-eu.customer.io, 3 at track.customer.io",
        "3 applied, 1 refused",
        "refused: delete_person by route.region, request 4: credentials of region us on the eu host",
    ]


def test_a_summary_stays_short(proxy: Proxy) -> None:
    universe = build_universe()
    routes = {route.operation: route for route in ROUTES if route.api == "app" and "{" not in route.path}
    with client_of(universe) as client:
        for route in list(routes.values())[:14]:
            client.request(route.method, f"https://api.customer.io{route.path}", auth=("nobody", "nothing"))
    lines = summarise(universe.registry, proxy)
    assert lines[:2] == ["14 requests arrived: 14 at api.customer.io", "14 refused"]
    assert [line.partition(" by ")[0] for line in lines[2:]] == [
        *(f"refused: {name}" for name in list(routes)[:10]), "refused: and for 4 reasons more",
    ]  # fmt: skip


def test_operations_that_are_held_back_are_counted(proxy: Proxy) -> None:
    universe = build_universe(settings={"propagation_delay_s": 60})
    with client_of(universe) as client:
        client.put("customers/1", json={})
    assert summarise(universe.registry, proxy) == ["1 request arrived: 1 at track.customer.io", "1 pending"]


def test_connections_in_vain_are_told(proxy: Proxy) -> None:
    proxy.tunnels.update({"track.customer.io": 2, "api.customer.io": 1})
    proxy.refused.update({"example.com": 3})
    universe = build_universe()
    with client_of(universe) as client:
        client.get("https://api.customer.io/v1/workspaces", headers={"host": "API.customer.io:443"})
    in_vain = "2 connections but no request; a client that trusts only its own list of authorities ends so"
    assert summarise(universe.registry, proxy)[-2:] == [
        "example.com was refused 3 times; let it through with --allow-host example.com",
        f"track.customer.io: {in_vain}",
    ]


def test_what_the_tape_lost_and_what_nobody_expected_is_told(proxy: Proxy) -> None:
    universe = build_universe(Options(tape_limit=1))
    try:
        raise KeyError("somebody's name")
    except KeyError as error:
        universe.registry.default.errors.append(error)
    universe.registry.default.errors.append(ValueError("raised nowhere"))
    with client_of(universe) as client:
        client.put("customers/1", json={})
        client.put("customers/1", json={})
    lines = summarise(universe.registry, proxy)
    place = rf"{Path(__file__).name}:\d+"
    assert lines[-3] == "workspace default: 1 request no longer on the tape, not counted"
    assert re.fullmatch(f"unexpected inside the fake, a bug of its own: KeyError at {place}", lines[-2])
    assert lines[-1] == "unexpected inside the fake, a bug of its own: ValueError"
