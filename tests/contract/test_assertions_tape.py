"""Assertions on the tape: silent ignores, budgets, calls; and what they say when the tape has lost something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from tests.contract import handling
from tests.contract.handling import failure, identify, track

fake, space, client = handling.fake, handling.space, handling.client

NOON = 1_777_636_800


# ---- silent ignores --------------------------------------------------------------------------------------------------

def test_everything_accepted_and_ignored_is_listed(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "1", plan="pro")
    space.assert_no_silent_ignores()
    identify(client, space, "1", plan="pro")
    track(client, space, "DELETE", "/customers/nobody", {})
    track(client, space, "POST", "/customers/1/events", {"name": ""})
    assert failure(space.assert_no_silent_ignores).splitlines() == [
        "2 operations were accepted and ignored",
        "  request 2   PUT /api/v1/customers/1: identify ignored: the person already has these",
        "                values [person.unchanged]",
        "  request 3   DELETE /api/v1/customers/nobody: delete_person ignored: nobody has id",
        "                'nobody' [person.unknown]",
        "  in all      1 × person.unchanged, 1 × person.unknown",
    ]


def test_some_rules_may_be_allowed(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "DELETE", "/customers/nobody", {})
    space.assert_no_silent_ignores(allow=["person.unknown"])
    with pytest.raises(ValueError, match=r"nothing is ignored by rule 'person.unkown'; the rules are person\."):
        space.assert_no_silent_ignores(allow=["person.unkown"])
    with pytest.raises(ValueError, match=r"nothing is ignored by rule 'track\.person\.id'"):
        space.assert_no_silent_ignores(allow=["track.person.id"])


def test_a_long_list_ends_with_how_many_more(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_segment("VIP")
    track(client, space, "POST", "/segments/1/add_customers", {"ids": [str(n) for n in range(1_000)]})
    told = failure(space.assert_no_silent_ignores).splitlines()
    assert told[0] == "1,000 operations were accepted and ignored"
    assert told[-2:] == [
        "              … and 980 more: workspace.ignored has them all",
        "  in all      1,000 × segment.person_unknown",
    ]
    assert len(told) <= 45


def test_what_is_still_on_its_way_is_not_called_harmless(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.update_settings(propagation_delay_s=60)
    identify(client, space, "1")
    assert failure(space.assert_no_silent_ignores).splitlines() == [
        "what becomes of 1 accepted operation is not known yet",
        "  waiting     1 operation not processed yet: move the clock on, or flush() first",
    ]
    space.flush()
    space.assert_no_silent_ignores()


# ---- budgets ---------------------------------------------------------------------------------------------------------

def spend(client: httpx.Client, space: WorkspaceHandle) -> None:
    """5 requests at noon, 3 of them within a second; 1 a minute later. 2 change nothing."""
    space.clock.set(NOON)
    identify(client, space, "1", plan="pro")
    space.clock.advance(seconds=0.5)
    identify(client, space, "1", plan="pro")
    space.clock.advance(seconds=0.499)
    track(client, space, "DELETE", "/customers/nobody", {})
    space.clock.advance(seconds=0.001)
    client.get("/v1/segments", headers={"authorization": f"Bearer {space.app_api_key}"})
    identify(client, space, "2")
    space.clock.advance(minutes=1)
    client.put("/api/v1/customers/1", json={}, auth=(space.site_id, "wrong"))


def test_what_is_within_the_budget_passes(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.assert_budget(requests=0, noop=0, peak_track_rps=0)
    spend(client, space)
    space.assert_budget(requests=6, noop=2, peak_track_rps=3)
    space._hosted.tape.clear()
    space.assert_budget(requests=0)


def test_what_is_over_the_budget_is_told_with_the_requests(client: httpx.Client, space: WorkspaceHandle) -> None:
    spend(client, space)
    assert failure(lambda: space.assert_budget(requests=5, noop=1, peak_track_rps=2)).splitlines() == [
        "over the budget: requests 6, at most 5; noop 2, at most 1; peak_track_rps 3, at most 2",
        "  requests    4 × PUT /api/v1/customers/{identifier}",
        "              1 × DELETE /api/v1/customers/{identifier}",
        "              1 × GET /v1/segments",
        "  noop        request 2: PUT /api/v1/customers/1: the person already has these values",
        "                [person.unchanged]",
        "              request 3: DELETE /api/v1/customers/nobody: nobody has id 'nobody'",
        "                [person.unknown]",
        "  busiest     3 requests within one second from 1777636800.000: requests 1 to 3",
    ]


@pytest.mark.parametrize(("budget", "over"), [
    pytest.param({"requests": 5}, "requests 6", id="requests"),
    pytest.param({"noop": 1}, "noop 2", id="no-ops"),
    pytest.param({"peak_track_rps": 2.5}, "peak_track_rps 3", id="peak"),
])
def test_each_limit_stands_alone(
    client: httpx.Client, space: WorkspaceHandle, budget: dict[str, Any], over: str
) -> None:
    spend(client, space)
    told = failure(lambda: space.assert_budget(**budget)).splitlines()[0]
    assert told.startswith(f"over the budget: {over}, at most ")
    assert ";" not in told


def test_an_answer_of_a_fault_is_no_waste(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.fault("status", status=200, times=1)
    identify(client, space, "1", plan="pro")
    space.assert_budget(noop=0, requests=1)


def test_half_a_batch_is_no_waste_and_a_whole_one_is(client: httpx.Client, space: WorkspaceHandle) -> None:
    def send(*ids: str) -> None:
        items = [{"type": "person", "action": "delete", "identifiers": {"id": who}} for who in ids]
        client.post("/api/v2/batch", json={"batch": items}, auth=(space.site_id, space.track_api_key))

    identify(client, space, "1")
    send("1", "2")
    space.assert_budget(noop=0)
    send("1", "2")
    told = failure(lambda: space.assert_budget(noop=0))
    assert "request 3: POST /api/v2/batch: nobody has id '1' [person.unknown], and 1" in told


def test_a_request_that_is_still_on_its_way_is_not_called_useful(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_person(id="1", attributes={"plan": "pro"})
    space.update_settings(propagation_delay_s=60)
    identify(client, space, "1", plan="pro")
    space.assert_budget(requests=1)
    assert failure(lambda: space.assert_budget(noop=0)).splitlines() == [
        "how many requests changed nothing can't be told yet",
        "  waiting     1 operation not processed yet: move the clock on, or flush() first",
    ]
    space.flush()
    assert failure(lambda: space.assert_budget(noop=0)).startswith("over the budget: noop 1")


@pytest.mark.parametrize(("budget", "error", "says"), [
    pytest.param({}, TypeError, "limits something", id="nothing"),
    pytest.param({"noop": -1}, ValueError, "noop is at least 0", id="less than nothing"),
])
def test_a_budget_that_cannot_be_is_a_mistake_of_the_test(
    space: WorkspaceHandle, budget: dict[str, int], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        space.assert_budget(**budget)


# ---- calls -----------------------------------------------------------------------------------------------------------

def test_calls_are_counted_and_returned(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "1", plan="pro", seats=3)
    identify(client, space, "2", plan="basic")
    found = space.verify(method="put", path="/api/v1/customers/*", body={"plan": "pro"})
    assert (found.ok, found.matched, [request.n for request in found.requests]) == (True, 1, [1])
    assert space.verify(times=2).matched == 2
    assert space.verify(method="DELETE", times=0).requests == []
    assert space.verify(at_least=1, at_most=2).matched == 2


@pytest.mark.parametrize(("expected", "headline"), [
    pytest.param({"body": {"plan": "free"}}, "no request like this, expected at least 1", id="none"),
    pytest.param({"times": 1}, "2 requests like this, expected exactly 1", id="another number"),
    pytest.param({"at_most": 1}, "2 requests like this, expected at most 1", id="too many"),
    pytest.param({"at_least": 3}, "2 requests like this, expected at least 3", id="too few"),
    pytest.param({"at_least": 3, "at_most": 4}, "2 requests like this, expected 3 to 4", id="outside"),
])
def test_a_number_that_differs_is_told(
    client: httpx.Client, space: WorkspaceHandle, expected: dict[str, Any], headline: str
) -> None:
    identify(client, space, "1", plan="pro")
    identify(client, space, "2", plan="basic")
    told = failure(lambda: space.verify(**expected))
    assert told.splitlines()[0] == headline
    answer = client.post(f"/_fakeio/workspaces/{space.id}/verify", json=expected, headers={"host": "127.0.0.1"}).json()
    assert (answer["ok"], answer["explanation"], answer["dropped"]) == (False, told, 0)


def test_the_nearest_calls_are_shown_with_what_differs(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "1", plan="pro")
    identify(client, space, "2", plan="basic", seats=3)
    wanted = {"plan": "pro", "seats": 3, "vip": True}
    assert failure(lambda: space.verify(method="put", path="/api/v1/customers/2", body=wanted)).splitlines() == [
        "no request like this, expected at least 1",
        "  wanted      PUT /api/v1/customers/2, body {'plan': 'pro', 'seats': 3, 'vip': True}",
        "  near miss   request 2: PUT /api/v1/customers/2, answered 200",
        "              body.plan is 'basic', expected 'pro'",
        "              body.vip is missing, expected True",
        "  near miss   request 1: PUT /api/v1/customers/1, answered 200",
        "              path is '/api/v1/customers/1', expected '/api/v1/customers/2'",
        "              body.seats is missing, expected 3",
        "              body.vip is missing, expected True",
        "  in all      2 requests on the tape",
    ]


def test_too_many_calls_are_shown(client: httpx.Client, space: WorkspaceHandle) -> None:
    for n in range(5):
        identify(client, space, str(n))
    told = failure(lambda: space.verify(method="PUT", at_most=2)).splitlines()
    assert told[1:3] == ["  wanted      PUT any path", "  match       request 1: PUT /api/v1/customers/0, answered 200"]
    assert told[-2:] == ["              … and 2 more", "  in all      5 requests on the tape"]


# ---- what the tape has dropped ---------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def forgetful() -> Iterator[Fake]:
    with Fake(tape_limit=3) as fake:
        yield fake


@pytest.fixture
def short(forgetful: Fake) -> WorkspaceHandle:
    """A workspace that has dropped two of five requests."""
    handle = forgetful.new_workspace()
    with httpx.Client(transport=forgetful.transport, base_url=forgetful.url) as client:
        for n in range(5):
            identify(client, handle, str(n))
    return handle


DROPPED = "the tape has dropped 2 exchanges (it keeps 3 exchanges, 67,108,864 bytes);"


@pytest.mark.parametrize("assertion", [
    pytest.param(lambda space: space.assert_no_silent_ignores(), id="silent ignores"),
    pytest.param(lambda space: space.assert_budget(requests=10), id="budget"),
    pytest.param(lambda space: space.verify(times=3), id="an exact number"),
    pytest.param(lambda space: space.verify(at_most=10), id="a greatest number"),
    pytest.param(lambda space: space.verify(at_least=4), id="more than there are"),
    pytest.param(lambda space: space.verify(path="/api/v1/customers/0"), id="one that was dropped"),
])
def test_what_needs_a_dropped_exchange_fails_and_says_how_to_keep_more(short: WorkspaceHandle, assertion: Any) -> None:
    told = " ".join(failure(lambda: assertion(short)).split())
    assert DROPPED in told
    assert "raise its bounds: Fake(tape_limit=…, tape_bytes=…), or fakeio serve --tape-limit N" in told


@pytest.mark.parametrize("assertion", [
    pytest.param(lambda space: space.verify(at_least=3), id="enough are left"),
    pytest.param(lambda space: space.assert_person(id="0"), id="the state knows"),
])
def test_what_can_be_told_all_the_same_is_told(short: WorkspaceHandle, assertion: Any) -> None:
    assertion(short)


def test_a_certain_failure_is_told_as_one(short: WorkspaceHandle) -> None:
    assert failure(lambda: short.verify(at_most=2)).startswith("3 requests like this, expected at most 2")


def test_an_explanation_says_that_it_may_lack_something(short: WorkspaceHandle) -> None:
    for assertion in (lambda: short.assert_event("order"), lambda: short.assert_person(id="9")):
        assert DROPPED in " ".join(failure(assertion).split())


def test_a_cleared_tape_begins_anew(short: WorkspaceHandle) -> None:
    short._hosted.tape.clear()
    short.assert_no_silent_ignores()
    short.verify(times=0)


def test_a_tape_that_is_off_can_answer_for_nothing(space: WorkspaceHandle) -> None:
    space._hosted.tape.recording = False
    assert "--tape on" in failure(space.assert_no_silent_ignores)
    assert "the tape is off" in failure(lambda: space.verify(times=0))
