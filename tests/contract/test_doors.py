"""Every door leads into one fake: the socket, the transport, the ASGI app, and respx before an unmodified client."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from fakeio import Fake, WorkspaceHandle, asgi_app, respx_router
from fakeio.respx_bridge import HOSTS
from tests.contract import handling

fake, space, client = handling.fake, handling.space, handling.client
TRACK = "https://track.customer.io"
PATIENCE_S = 30


def auth_of(space: WorkspaceHandle) -> dict[str, str]:
    pair = f"{space.site_id}:{space.track_api_key}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def by_socket(fake: Fake, ask: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
    with httpx.Client(base_url=fake.url, trust_env=False) as client:
        return ask(client)


def by_transport(fake: Fake, ask: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
    with httpx.Client(transport=fake.transport, base_url=TRACK) as client:
        return ask(client)


def by_app(fake: Fake, ask: Callable[[Any], Any]) -> httpx.Response:
    return through(asgi_app(fake), "http://testserver", ask)


def by_mounted_app(fake: Fake, ask: Callable[[Any], Any]) -> httpx.Response:
    app = Starlette(routes=[Mount("/doubles/cio", asgi_app(fake))])
    return through(app, "http://testserver/doubles/cio", ask)


def by_respx(fake: Fake, ask: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
    with respx_router(fake), httpx.Client(base_url=TRACK) as client:
        return ask(client)


def by_async_transport(fake: Fake, ask: Callable[[Any], Any]) -> httpx.Response:
    return asyncio.run(awaited(httpx.AsyncClient(transport=fake.transport, base_url=TRACK), ask))


def by_async_respx(fake: Fake, ask: Callable[[Any], Any]) -> httpx.Response:
    with respx_router(fake):
        return asyncio.run(awaited(httpx.AsyncClient(base_url=TRACK), ask))


def through(app: ASGIApp, url: str, ask: Callable[[Any], Any]) -> httpx.Response:
    """One request to an ASGI app, without a socket."""
    return asyncio.run(awaited(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url), ask))


async def awaited(client: httpx.AsyncClient, ask: Callable[[Any], Any]) -> httpx.Response:
    async with client:
        answer: httpx.Response = await ask(client)
        return answer


DOORS = (by_socket, by_transport, by_app, by_mounted_app, by_respx, by_async_transport, by_async_respx)


def test_all_doors_lead_to_the_same_state_and_the_same_tape(fake: Fake, space: WorkspaceHandle) -> None:
    headers = auth_of(space)
    answers = []
    for n, door in enumerate(DOORS):
        answers.append(door(fake, lambda client, n=n: client.put(  # type: ignore[misc]  # a default binds the turn
            f"/api/v1/customers/person%20{n}", json={"turn": n}, headers=headers)))  # fmt: skip
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, answers[0].content)] * len(DOORS)
    assert [(person.id, person.attributes["turn"]) for person in space.people] == [
        (f"person {n}", n) for n in range(len(DOORS))
    ]
    assert [(request.n, request.path, request.status) for request in space.requests] == [
        (n + 1, f"/api/v1/customers/person%20{n}", 200) for n in range(len(DOORS))
    ]
    space.assert_budget(requests=len(DOORS), noop=0)


@pytest.mark.parametrize("door", [door for door in DOORS if door not in (by_app, by_mounted_app)])
@pytest.mark.parametrize(("kind", "fields", "error"), [
    pytest.param("reset", {}, httpx.ReadError, id="reset"),
    pytest.param("close", {}, httpx.RemoteProtocolError, id="closed before the status line"),
    pytest.param("lose_reply", {}, httpx.RemoteProtocolError, id="done, and the answer lost"),
    pytest.param("truncate", {"bytes": 1}, httpx.RemoteProtocolError, id="ended in the middle of the body"),
    pytest.param("timeout", {"seconds": 0.05}, httpx.RemoteProtocolError, id="silent, then closed"),
])
def test_a_fault_of_the_socket_is_the_same_error_behind_every_door(
    fake: Fake, space: WorkspaceHandle, door: Any, kind: str, fields: dict[str, Any], error: type[Exception]
) -> None:
    space.fault(kind, times=1, **fields)
    headers = auth_of(space)
    with pytest.raises(error):
        door(fake, lambda client: client.put("/api/v1/customers/1", json={}, headers=headers))
    assert (space.person(id="1") is not None) == (kind == "lose_reply")


# ---- the app alone ---------------------------------------------------------------------------------------------------

def test_a_mounted_app_has_its_control_api_too(space: WorkspaceHandle, fake: Fake) -> None:
    space.add_person(id="42")
    app = Starlette(routes=[Mount("/cio", asgi_app(fake))])
    path = f"/cio/_fakeio/workspaces/{space.id}/people"
    answer = through(app, "http://127.0.0.1", lambda client: client.get(path))
    assert [person["id"] for person in answer.json()["people"]] == ["42"]


def test_an_app_of_a_fake_takes_nothing_that_the_fake_has_already(fake: Fake) -> None:
    with pytest.raises(TypeError, match="one or the other"):
        asgi_app(fake, region="eu")


def test_apps_without_a_fake_share_nothing() -> None:
    def people(app: ASGIApp) -> list[Any]:
        path = "/_fakeio/workspaces/default/people"
        found: list[Any] = through(app, "http://127.0.0.1", lambda client: client.get(path)).json()["people"]
        return found

    one, other = asgi_app(seed={"people": [{"id": "1"}]}), asgi_app()
    assert (len(people(one)), len(people(other))) == (1, 0)


# ---- respx -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("host", HOSTS)
def test_each_of_the_six_hosts_leads_into_the_fake(fake: Fake, host: str) -> None:
    space = fake.new_workspace(region="eu" if "-eu" in host else "us")
    with respx_router(fake) as router, httpx.Client() as client:
        key = {"authorization": f"Bearer {space.app_api_key}"} if host.startswith("api") else auth_of(space)
        path = {"api": "/v1/segments", "tra": "/auth", "cdp": "/v1/track"}[host[:3]]
        answer = client.get(f"https://{host}{path}", headers=key)
        assert (answer.status_code, router["fakeio"].call_count) == (404 if host.startswith("cdp") else 200, 1)
        assert answer.headers["strict-transport-security"]
    assert len(HOSTS) == 6


def test_other_hosts_are_left_to_respx(fake: Fake) -> None:
    with respx_router(fake) as router:
        router.get("https://example.com/").respond(418)
        assert httpx.get("https://example.com/").status_code == 418
        with pytest.raises(respx.models.AllMockedAssertionError):
            httpx.get("https://example.org/")
    with respx_router(fake, assert_all_mocked=False):
        assert httpx.get("https://example.org/").status_code == 200
    with pytest.raises(AssertionError, match="not called"), respx_router(fake, assert_all_called=True):
        pass


def test_a_host_may_be_let_through(fake: Fake) -> None:
    with respx_router(fake) as router:
        router.route(host="127.0.0.1").pass_through()
        assert httpx.get(f"{fake.url}/_fakeio/health", trust_env=False).json()["status"] == "ok"


def test_a_slow_answer_makes_only_its_own_task_wait(fake: Fake, space: WorkspaceHandle) -> None:
    space.fault("latency", seconds=3_600, match={"nth": 1})
    headers = auth_of(space)

    async def both() -> list[str]:
        done: list[str] = []

        async def ask(client: httpx.AsyncClient, name: str) -> None:
            await client.put(f"{TRACK}/api/v1/customers/{name}", json={}, headers=headers)
            done.append(name)

        async with httpx.AsyncClient() as client:
            first = asyncio.create_task(ask(client, "slow"))
            await asyncio.sleep(0)
            while not space.requests:
                await asyncio.sleep(0)
            await ask(client, "fast")
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
        return done

    with respx_router(fake):
        assert asyncio.run(both()) == ["fast"]


def test_without_respx_the_error_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['respx'] = None\n"
        "import fakeio\n"
        "with fakeio.Fake() as fake:\n"
        "    try:\n        fakeio.respx_router(fake)\n"
        "    except ModuleNotFoundError as error:\n        print(error)\n"
    )
    command = [sys.executable, "-c", script]
    told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert told.stdout == "respx_router needs respx, which comes with the extra `test`: pip install 'fakeio[test]'\n"
