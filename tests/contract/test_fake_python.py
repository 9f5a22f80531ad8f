"""The fake in Python: the server in a thread, workspaces in hand, and the transport that needs no socket."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

import fakeio
from fakeio import Fake, WorkspaceHandle

PATIENCE_S = 30
HEAVY = ("uvicorn", "starlette", "cryptography", "hypothesis", "httpx", "rich", "msgspec", "sqlite_utils", "asyncio")


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as fake:
        yield fake


@pytest.fixture
def space(fake: Fake) -> Iterator[WorkspaceHandle]:
    handle = fake.new_workspace()
    yield handle
    handle.raise_first_error()


@pytest.fixture
def client(fake: Fake) -> Iterator[httpx.Client]:
    with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
        yield client


def track(client: httpx.Client, space: WorkspaceHandle, method: str, path: str, document: Any) -> httpx.Response:
    return client.request(method, f"/api/v1{path}", json=document, auth=(space.site_id, space.track_api_key))


def identify(client: httpx.Client, space: WorkspaceHandle, identifier: str, **attributes: Any) -> httpx.Response:
    return track(client, space, "PUT", f"/customers/{identifier}", attributes)


# ---- the package -----------------------------------------------------------------------------------------------------


def test_the_public_names_are_these() -> None:
    assert sorted(fakeio.__all__) == ["Fake", "WorkspaceHandle", "asgi_app", "limits"]
    assert set(fakeio.__all__) <= set(dir(fakeio))
    with pytest.raises(AttributeError, match="no attribute 'Faek'"):
        _ = fakeio.Faek


def test_importing_the_package_imports_next_to_nothing() -> None:
    asks = f"import sys, fakeio; print([name for name in {HEAVY} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert told.stdout == "[]\n"


def test_serving_needs_no_certificates_no_tables_and_no_machines() -> None:
    asks = "import sys, fakeio.cli, fakeio.app, fakeio.server; print([name for name in {} if name in sys.modules])"
    unneeded = ("cryptography", "hypothesis", "rich", "httpx", "sqlite_utils", "urllib.request", "respx")
    told = subprocess.run(
        [sys.executable, "-c", asks.format(unneeded)], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert told.stdout == "[]\n"


def test_the_limits_are_rows_with_their_evidence() -> None:
    rows = {limit.rule: limit for limit in fakeio.limits()}
    assert (rows["track.event.name"].strict, rows["track.event.name"].unit) == (100, "bytes")
    assert all(limit.strict <= limit.lenient and limit.source for limit in fakeio.limits())


# ---- the server ------------------------------------------------------------------------------------------------------


def test_a_fake_listens_until_it_is_closed() -> None:
    with Fake() as fake:
        auth = (fake.workspace.site_id, fake.workspace.track_api_key)
        assert httpx.get(f"{fake.url}/auth", auth=auth, trust_env=False).status_code == 200
        url = fake.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/auth", trust_env=False)
    fake.close()


def test_https_starts_when_somebody_asks_for_it() -> None:
    with Fake() as fake:
        context = ssl.create_default_context(cafile=fake.ca_file)
        with httpx.Client(verify=context, trust_env=False) as client:
            assert identify(client_at(client, fake.https_url), fake.workspace, "1").status_code == 200
        assert fake.workspace.person(id="1") is not None
        ca_file = Path(fake.ca_file)
        assert (fake.https_url[:8], ca_file.exists()) == ("https://", True)
    assert not ca_file.exists()


def client_at(client: httpx.Client, url: str) -> httpx.Client:
    client.base_url = url
    return client


def test_two_fakes_know_nothing_of_each_other() -> None:
    with Fake() as one, Fake() as other:
        one.workspace.add_person(id="1")
        assert (len(one.workspace.people), len(other.workspace.people)) == (1, 0)
        assert one.url != other.url


def test_a_fake_starts_with_its_region_seed_and_settings() -> None:
    seed = {"people": [{"id": "42", "attributes": {"plan": "pro"}}]}
    with Fake(region="eu", seed=seed, settings={"auto_merge": False, "rate_limits": "enforced"}) as fake:
        assert (fake.workspace.region, [person.id for person in fake.workspace.people]) == ("eu", ["42"])
        assert fake.workspace.settings["rate_limits"] == "enforced"
        assert fake.new_workspace().settings["auto_merge"] is False


@pytest.mark.parametrize(("options", "says"), [
    pytest.param({"region": "mars"}, "region", id="region"),
    pytest.param({"settings": {"colour": 1}}, "no setting 'colour'", id="setting"),
    pytest.param({"seed": {"people": 7}}, "people is a list", id="seed"),
])
def test_a_fake_that_cannot_be_raises_value_error(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Fake(**options)


def test_a_port_that_is_taken_raises_os_error(fake: Fake) -> None:
    with pytest.raises(OSError, match="taken"):
        Fake(port=int(fake.url.rpartition(":")[2]))


def test_rate_limits_are_off_unless_asked_for(client: httpx.Client, fake: Fake) -> None:
    def statuses(space: WorkspaceHandle) -> set[int]:
        key = {"authorization": f"Bearer {space.app_api_key}"}
        return {client.get("/v1/segments", headers=key).status_code for _ in range(11)}

    strict = fake.new_workspace(settings={"rate_limits": "enforced"})
    strict.clock.set(1_777_636_800)
    assert (statuses(fake.new_workspace()), statuses(strict)) == ({200}, {200, 429})


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


# ---- assertions ------------------------------------------------------------------------------------------------------


def test_an_event_that_arrived_is_returned(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "42", email="a@example.com")
    track(client, space, "POST", "/customers/42/events", {"name": "order", "data": {"total": 2}})
    track(client, space, "POST", "/customers/42/events", {"name": "order", "data": {"total": 3, "sku": "x"}})
    event = space.assert_event(id="42", name="order", data={"total": 3})
    assert event.data == {"total": 3, "sku": "x"}
    assert space.assert_event("order", email="a@example.com").data["total"] == 2
    assert [each.data["total"] for each in space.events(name="order", person="42")] == [2, 3]


def test_an_event_that_did_not_arrive_is_told_with_the_nearest_misses(
    client: httpx.Client, space: WorkspaceHandle
) -> None:
    track(client, space, "POST", "/customers/42/events", {"name": "order", "data": {"total": 4}, "id": "01A"})
    track(client, space, "POST", "/customers/7/events", {"name": "visit"})
    track(client, space, "POST", "/customers/42/events", {"name": "order", "data": {"total": 3}, "id": "01A"})
    with pytest.raises(AssertionError) as failure:
        space.assert_event(id="42", name="order", data={"total": 3})
    told = str(failure.value).splitlines()
    assert told[0].endswith("2 arrived in all")
    assert told[1:3] == ["  near miss: 'order' of 42", "    data.total is 4, expected 3"]
    assert "    name is 'visit', expected 'order'" in told
    assert "    data.total is missing, expected 3" in told
    assert told[-1].startswith("  ignored: record_event: ")
    assert told[-1].endswith("(event.duplicate)")


def test_a_field_no_event_has_is_a_mistake_of_the_test(space: WorkspaceHandle) -> None:
    with pytest.raises(TypeError, match="an event has no 'colour'"):
        space.assert_event("order", colour="red")


def test_an_event_of_nobody_matches_nobody_in_particular(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/events", {"name": "visit", "anonymous_id": "anon"})
    assert space.assert_event("visit", anonymous_id="anon", person=None).person is None
    with pytest.raises(AssertionError, match="of nobody"):
        space.assert_event("visit", id="1")


# ---- without a socket ------------------------------------------------------------------------------------------------


def test_the_transport_and_the_socket_answer_alike(client: httpx.Client, fake: Fake) -> None:
    def said(client: httpx.Client) -> list[Any]:
        space = fake.new_workspace()
        auth = (space.site_id, space.track_api_key)
        key = {"authorization": f"Bearer {space.app_api_key}"}
        space.clock.set(1_777_636_800)
        answers = [
            client.put("/api/v1/customers/a%2Fb", json={"plan": "pro"}, auth=auth),
            client.put("/api/v1/customers/1", json={"plan": "x" * 1001}, auth=auth),
            client.put("/api/v1/customers/1", content=b"{", auth=auth),
            client.get("/v1/customers", params={"email": "a@example.com"}, headers=key),
            client.get("/auth", auth=("x", "y")),
            client.post("/v1/segments", json={"segment": {"name": "VIP"}}, headers=key),
            client.delete("/v1/segments/1", headers=key),
            client.get("/nowhere"),
            client.get("/_fakeio/nowhere"),
        ]
        assert [person.id for person in space.people] == ["a/b"]
        return [(each.status_code, each.content, clean(each.headers)) for each in answers]

    def clean(headers: httpx.Headers) -> list[tuple[str, str]]:
        return sorted((name, value) for name, value in headers.items() if name != "date")

    with httpx.Client(base_url=fake.url, trust_env=False) as real:
        assert said(client) == said(real)


def test_the_transport_serves_async_clients_too(fake: Fake, space: WorkspaceHandle) -> None:
    async def talk() -> list[int]:
        async with httpx.AsyncClient(transport=fake.transport, base_url=fake.url) as client:
            auth = (space.site_id, space.track_api_key)
            space.fault("latency", seconds=0.01, times=1)
            space.fault("reset", match={"nth": 3})
            first = await client.put("/api/v1/customers/1", json={"plan": "pro"}, auth=auth)
            control = await client.get(f"/_fakeio/workspaces/{space.id}/people")
            second = await client.put("/api/v1/customers/2", json={}, auth=auth)
            with pytest.raises(httpx.ReadError):
                await client.put("/api/v1/customers/3", json={}, auth=auth)
            return [first.status_code, control.status_code, second.status_code]

    assert asyncio.run(talk()) == [200, 200, 200]
    assert [person.id for person in space.people] == ["1", "2"]


def test_a_sync_client_works_inside_a_running_loop(client: httpx.Client, space: WorkspaceHandle) -> None:
    async def talk() -> int:
        return client.get(f"/_fakeio/workspaces/{space.id}").status_code

    assert asyncio.run(talk()) == 200


def test_the_app_itself_can_be_had() -> None:
    app = fakeio.asgi_app(region="eu", seed={"people": [{"id": "42"}]}, settings={"auto_merge": False})

    async def talk() -> Any:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get("/_fakeio/workspaces/default/people")).json()["people"]

    assert [person["id"] for person in asyncio.run(talk())] == ["42"]


def test_mutations_from_every_door_are_serialised(client: httpx.Client, fake: Fake, space: WorkspaceHandle) -> None:
    def through(client: httpx.Client, first: int) -> None:
        for n in range(first, 120, 3):
            identify(client, space, "one", **{f"a{n}": n})

    def by_hand() -> None:
        for n in range(2, 120, 3):
            space.add_person(id="one", attributes={f"a{n}": n})

    with httpx.Client(base_url=fake.url, trust_env=False) as real:
        threads = [threading.Thread(target=through, args=(client, 0)), threading.Thread(target=through, args=(real, 1)),
                   threading.Thread(target=by_hand)]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
    (person,) = space.people
    assert person.attributes == {f"a{n}": n for n in range(120)}


# ---- the fake's own bugs ---------------------------------------------------------------------------------------------


def test_a_bug_inside_the_fake_is_raised_once(
    client: httpx.Client, fake: Fake, space: WorkspaceHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*anything: Any, **more: Any) -> Any:
        raise RuntimeError("a bug of the fake")

    for door in ("apply", "accept"):
        monkeypatch.setattr(type(space._hosted.state), door, broken)
    assert identify(client, space, "1").status_code == 500
    with pytest.raises(RuntimeError, match="a bug of the fake"):
        fake.raise_first_error()
    fake.raise_first_error()
    space.raise_first_error()
