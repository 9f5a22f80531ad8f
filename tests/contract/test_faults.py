"""Every kind of fault at every moment, over a real socket and in process: what is seen, and what was applied."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from tests.contract import handling

APPLIED: list[str] = ["1"]
NOTHING: list[str] = []
PATIENT_S = 30
IMPATIENT = httpx.Timeout(PATIENT_S, read=0.1)

fake, space = handling.fake, handling.space


@pytest.fixture(params=["socket", "in process"])
def client(request: pytest.FixtureRequest, fake: Fake) -> Iterator[httpx.Client]:
    transport = fake.transport if request.param == "in process" else httpx.HTTPTransport()
    with httpx.Client(transport=transport, base_url=fake.url, timeout=PATIENT_S) as client:
        yield client


def identify(client: httpx.Client, space: WorkspaceHandle) -> httpx.Response:
    return client.put("/api/v1/customers/1", json={"plan": "pro"}, auth=(space.site_id, space.track_api_key))


def ids(space: WorkspaceHandle) -> list[str | None]:
    return [person.id for person in space.people]


@pytest.mark.parametrize(("when", "people"), [
    pytest.param("before_parse", NOTHING, id="before parsing"),
    pytest.param("before_commit", NOTHING, id="before the commit"),
    pytest.param("after_commit", APPLIED, id="after the commit"),
])
def test_a_status_is_answered(client: httpx.Client, space: WorkspaceHandle, when: str, people: list[str]) -> None:
    space.fault("status", status=503, body={"why": "busy"}, retry_after=7, when=when)
    answer = identify(client, space)
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"why": "busy"}, "7")
    assert ids(space) == people
    (request,) = space.requests
    assert (request.status, request.faults) == (503, ["status"])


@pytest.mark.parametrize(("kind", "when", "error", "people"), [
    pytest.param("reset", "before_parse", httpx.ReadError, NOTHING, id="reset before parsing"),
    pytest.param("reset", "before_commit", httpx.ReadError, NOTHING, id="reset before the commit"),
    pytest.param("reset", "after_commit", httpx.ReadError, APPLIED, id="reset after the commit"),
    pytest.param("close", "before_parse", httpx.RemoteProtocolError, NOTHING, id="close before parsing"),
    pytest.param("close", "before_commit", httpx.RemoteProtocolError, NOTHING, id="close before the commit"),
    pytest.param("close", "after_commit", httpx.RemoteProtocolError, APPLIED, id="close after the commit"),
    pytest.param("lose_reply", None, httpx.RemoteProtocolError, APPLIED, id="a lost reply"),
])
def test_a_connection_is_cut(
    client: httpx.Client, space: WorkspaceHandle, kind: str, when: str | None, error: type[Exception], people: list[str]
) -> None:
    space.fault(kind, when=when, times=1)
    with pytest.raises(error):
        identify(client, space)
    assert ids(space) == people
    assert identify(client, space).status_code == 200
    assert [(request.status, request.faults) for request in space.requests] == [(None, [kind]), (200, [])]


@pytest.mark.parametrize("when", ["before_parse", "before_commit", "after_commit"])
def test_latency_delays_the_answer_and_changes_nothing_else(
    client: httpx.Client, space: WorkspaceHandle, when: str
) -> None:
    space.fault("latency", seconds=0.05, jitter=0.01, when=when)
    answer = identify(client, space)
    assert (answer.status_code, answer.text, ids(space)) == (200, "{}\n", APPLIED)
    (request,) = space.requests
    assert request.duration_ms >= 45  # an event loop counts in whole milliseconds, and may be one early


def test_a_client_without_patience_gives_up_on_latency(client: httpx.Client, space: WorkspaceHandle) -> None:
    with space.fault("latency", seconds=3600), pytest.raises(httpx.ReadTimeout):
        client.put("/api/v1/customers/1", json={}, auth=(space.site_id, space.track_api_key), timeout=IMPATIENT)
    assert identify(client, space).status_code == 200


def test_a_request_whose_client_gave_up_is_applied_all_the_same(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.fault("latency", seconds=3600, times=1)  # as long as the client is there
    with pytest.raises(httpx.ReadTimeout):
        client.put("/api/v1/customers/1", json={}, auth=(space.site_id, space.track_api_key), timeout=IMPATIENT)
    deadline = time.monotonic() + PATIENT_S
    while ids(space) != APPLIED:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_fault_of_one_workspace_spares_the_others(client: httpx.Client, fake: Fake, space: WorkspaceHandle) -> None:
    space.fault("status", status=503)
    assert identify(client, fake.new_workspace()).status_code == 200
    assert identify(client, space).status_code == 503


@pytest.mark.parametrize(("fields", "statuses"), [
    pytest.param({"times": 2}, [503, 503, 200, 200], id="times"),
    pytest.param({"match": {"nth": 2}}, [200, 503, 200, 200], id="nth"),
    pytest.param({"match": {"every": 2}}, [200, 503, 200, 503], id="every"),
    pytest.param({"match": {"path": "/api/v1/customers/*", "method": "PUT"}}, [503] * 4, id="path and method"),
    pytest.param({"match": {"api": "app"}}, [200] * 4, id="another api"),
    pytest.param({"match": {"probability": 1, "seed": 7}}, [503] * 4, id="certainty"),
    pytest.param({"match": {"probability": 0}}, [200] * 4, id="impossibility"),
])
def test_the_schedule_is_kept(
    client: httpx.Client, space: WorkspaceHandle, fields: dict[str, Any], statuses: list[int]
) -> None:
    space.fault("status", status=503, **fields)
    assert [identify(client, space).status_code for _ in statuses] == statuses


def test_the_same_seed_tells_the_same_story(client: httpx.Client, fake: Fake) -> None:
    def story(seed: int) -> list[int]:
        space = fake.new_workspace()
        space.fault("status", status=503, match={"probability": 0.5, "seed": seed})
        return [identify(client, space).status_code for _ in range(24)]

    assert story(1) == story(1)
    assert set(story(1)) == {200, 503}
    assert story(1) != story(2)


def test_credentials_are_judged_only_after_a_fault_before_parsing(
    client: httpx.Client, space: WorkspaceHandle
) -> None:
    def with_a_wrong_key() -> int:
        return client.put("/api/v1/customers/1", json={}, auth=(space.site_id, "wrong")).status_code

    space.fault("status", status=503, when="before_parse", times=1)
    assert [with_a_wrong_key(), with_a_wrong_key()] == [503, 401]


@pytest.mark.parametrize(("kind", "was_reset"), [("reset", True), ("close", False), ("lose_reply", False)])
def test_the_socket_itself_says_how_it_ended(fake: Fake, space: WorkspaceHandle, kind: str, was_reset: bool) -> None:
    space.fault(kind)
    at = urlsplit(fake.url)
    pair = base64.b64encode(f"{space.site_id}:{space.track_api_key}".encode()).decode()
    head = f"PUT /api/v1/customers/1 HTTP/1.1\r\nhost: {at.netloc}\r\nauthorization: Basic {pair}\r\n"
    with socket.create_connection((at.hostname, at.port), timeout=PATIENT_S) as link:
        link.sendall(f"{head}content-length: 2\r\n\r\n{{}}".encode())
        assert ended_by_reset(link) is was_reset


def ended_by_reset(link: socket.socket) -> bool:
    """Whether the peer ended the connection with a reset; False for an orderly end without a byte."""
    try:
        assert link.recv(1) == b""
    except ConnectionResetError:
        return True
    return False
