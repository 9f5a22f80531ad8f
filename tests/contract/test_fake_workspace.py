"""A workspace in the hands of a test: seeding, looking, turning the clock, changing the weather, asserting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from tests.contract import handling
from tests.contract.handling import identify, track

fake, space, client = handling.fake, handling.space, handling.client


# ---- workspaces ------------------------------------------------------------------------------------------------------

def test_new_workspaces_are_isolated_and_removable(client: httpx.Client, fake: Fake) -> None:
    one, other = fake.new_workspace(name="shop", region="eu"), fake.new_workspace()
    assert (one.name, one.region, one.url) == ("shop", "eu", fake.url)
    assert len({one.site_id, other.site_id, one.track_api_key, one.app_api_key, one.pipelines_write_key}) == 5
    identify(client, one, "1")
    assert ([person.id for person in one.people], other.people) == (["1"], [])
    fake.remove_workspace(one)
    assert identify(client, one, "1").status_code == 401
    with pytest.raises(ValueError, match="default workspace"):
        fake.remove_workspace(fake.workspace)


def test_people_are_added_and_found(space: WorkspaceHandle) -> None:
    device = {"token": "t", "platform": "ios", "last_used": 5}
    added = space.add_person(id="42", email="a@example.com", attributes={"plan": "pro", "seats": 3}, devices=[device])
    assert space.person(id="42") == space.person(email="A@example.com") == space.person(cio_id=added.cio_id) == added
    assert space.person(cio_id=f"cio_{added.cio_id}") == added
    assert (added.attributes["plan"], added["attributes"]["seats"], added.devices[0].token) == ("pro", 3, "t")
    assert (added.unsubscribed, added.segments, added["email"]) == (False, [], "a@example.com")
    assert dict(added)["id"] == "42"
    assert space.person(id="nobody") is None
    space.add_person(id="42", attributes={"plan": "free"})
    found = space.person(id="42")
    assert found is not None
    assert found.attributes == {"plan": "free", "seats": 3}
    with pytest.raises(KeyError):
        _ = added["colour"]


@pytest.mark.parametrize(("named", "error"), [
    pytest.param({}, TypeError, id="nothing"),
    pytest.param({"id": "1", "email": "a@example.com"}, TypeError, id="two things"),
])
def test_a_person_is_asked_for_by_one_identifier(
    space: WorkspaceHandle, named: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error, match="exactly one"):
        space.person(**named)


@pytest.mark.parametrize("row", [
    pytest.param({}, id="no identifier"), pytest.param({"id": 7}, id="a number"),
    pytest.param({"id": "1", "attributes": {"when": object()}}, id="a value JSON has not"),
    pytest.param({"id": "\ud800"}, id="text JSON cannot carry"),
])  # fmt: skip
def test_a_person_that_cannot_be_raises_value_error(space: WorkspaceHandle, row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        space.add_people([row])
    assert space.people == []


def test_the_workspace_shares_nothing_with_the_test(space: WorkspaceHandle) -> None:
    attributes: dict[str, Any] = {"tags": ["a"]}
    added = space.add_person(id="1", attributes=attributes)
    attributes["tags"].append("b")
    added.attributes["plan"] = "pro"
    found = space.person(id="1")
    assert found is not None
    assert found.attributes == {"tags": ["a"]}


def test_segments_and_their_members_are_seen(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_people([{"id": "1", "email": "a@example.com"}, {"id": "2"}])
    made = space.add_segment("VIP", description="the best")
    conditions = {"attribute": {"field": "plan", "operator": "exists"}}
    dynamic = space.add_segment("Pros", type="dynamic", conditions=conditions)
    track(client, space, "POST", f"/segments/{made.id}/add_customers", {"ids": ["2", "1"]})
    vip = space.segment(made.id)
    assert ([who.id for who in vip.members], vip.members[1].email, vip.count) == (["2", "1"], "a@example.com", 2)
    assert [(segment.name, segment.type) for segment in space.segments] == [("VIP", "manual"), ("Pros", "dynamic")]
    assert space.segment(dynamic.id).conditions == conditions
    with pytest.raises(LookupError, match="there are: 1, 2"):
        space.segment(7)


def test_requests_and_what_was_ignored_are_seen(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "1", plan="pro")
    track(client, space, "DELETE", "/customers/nobody", {})
    assert [(each.n, each.method, each.path, each.status) for each in space.requests] == [
        (1, "PUT", "/api/v1/customers/1", 200), (2, "DELETE", "/api/v1/customers/nobody", 200),
    ]  # fmt: skip
    first = space.requests[0]
    assert (first.body, first["operations"][0]["outcome"], first.operations[0].operation) == (
        {"plan": "pro"}, "applied", "identify",
    )  # fmt: skip
    assert [(each.request, each.rule, each.effect) for each in space.ignored] == [(2, "person.unknown", "dropped")]


def test_a_reset_brings_the_beginning_back(client: httpx.Client, fake: Fake) -> None:
    space = fake.new_workspace(seed={"people": [{"id": "seeded"}]})
    site_id = space.site_id
    identify(client, space, "1")
    space.fault("status", status=503)
    space.clock.set(5)
    space.reset()
    assert ([person.id for person in space.people], space.requests, space.clock.mode) == (["seeded"], [], "real")
    assert (space.site_id, identify(client, space, "1").status_code) == (site_id, 200)


def test_settings_change_from_the_next_request_on(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.update_settings(event_creates_person=False)
    track(client, space, "POST", "/customers/1/events", {"name": "order"})
    assert (space.settings["event_creates_person"], space.people) == (False, [])
    with pytest.raises(ValueError, match="no setting 'colour'"):
        space.update_settings(colour=1)


# ---- clock and weather -----------------------------------------------------------------------------------------------

def test_a_clock_is_turned_by_hand(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.clock.set(datetime(2026, 5, 1, 12, tzinfo=UTC))
    assert (space.clock.now(), space.clock.mode) == (1_777_636_800, "manual")
    space.clock.advance(days=1, hours=2, minutes=3, seconds=4)
    assert space.clock.now() == 1_777_636_800 + 93_784
    identify(client, space, "1")
    person = space.person(id="1")
    assert person is not None
    assert person.created_at == 1_777_636_800 + 93_784
    space.clock.use("real")
    before = space.clock.now()
    space.clock.advance(hours=1)
    assert (space.clock.mode, space.clock.now() >= before + 3600) == ("real", True)


def test_what_is_due_falls_due_when_the_clock_is_advanced(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/events", {"name": "visit", "anonymous_id": "anon"})
    assert len(space.events()) == 1
    space.clock.advance(days=31)
    assert space.events() == []


@pytest.mark.parametrize(("turn", "says"), [
    pytest.param(lambda clock: clock.advance(hours=-1), "at least 0", id="back in time"),
    pytest.param(lambda clock: clock.set(float("nan")), "now is nan", id="no number"),
    pytest.param(lambda clock: clock.set(datetime(2026, 5, 1)), "time zone", id="no time zone"),  # noqa: DTZ001 the point
    pytest.param(lambda clock: clock.use("fast"), "mode is 'fast'", id="no mode"),
])
def test_a_clock_that_cannot_be_raises_value_error(space: WorkspaceHandle, turn: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        turn(space.clock)


def test_a_fault_counts_and_is_taken_away(client: httpx.Client, space: WorkspaceHandle) -> None:
    with space.fault("status", status=503, match={"every": 2}) as fault:
        statuses = [identify(client, space, "1").status_code for _ in range(3)]
    assert (statuses, fault.seen, fault.fired, fault.id) == ([200, 503, 200], 3, 1, 1)
    fault.remove()
    space.fault("status", status=500)
    space.clear_faults()
    assert [identify(client, space, "1").status_code for _ in range(2)] == [200, 200]
    with pytest.raises(ValueError, match="no kind 'storm'"):
        space.fault("storm")
