"""The fake in Python: the package, the server in a thread, the transport that needs no socket, and its own bugs."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

import fakeio
from fakeio import Fake, WorkspaceHandle
from tests.contract import handling, plain
from tests.contract.handling import identify

fake, space, client = handling.fake, handling.space, handling.client
PATIENCE_S = 30
HEAVY = ("uvicorn", "starlette", "cryptography", "hypothesis", "httpx", "rich", "msgspec", "sqlite_utils", "asyncio")


# ---- the package -----------------------------------------------------------------------------------------------------

def test_the_public_names_are_these() -> None:
    assert sorted(fakeio.__all__) == ["Fake", "WorkspaceHandle", "asgi_app", "limits", "respx_router"]
    assert set(fakeio.__all__) <= set(dir(fakeio))
    with pytest.raises(AttributeError, match="no attribute 'Faek'"):
        _ = fakeio.Faek  # type: ignore[attr-defined]  # a checker is to say the same


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
        assert plain.get(f"{fake.url}/auth", auth=auth).status_code == 200
        url = fake.url
    with pytest.raises(httpx.ConnectError):
        plain.get(f"{url}/auth")
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

    with httpx.Client(base_url=fake.url, verify=False, trust_env=False) as real:
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

    with httpx.Client(base_url=fake.url, verify=False, trust_env=False) as real:
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
