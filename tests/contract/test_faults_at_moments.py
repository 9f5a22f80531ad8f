"""Every kind of fault at every moment it can strike, over a socket and in process: answer, state, tape."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from fakeio.faults import KINDS
from tests.contract import handling

PATIENT_S = 30
PARSE, COMMIT, AFTER = "before_parse", "before_commit", "after_commit"
OWN = b"{}\n"  # what the request is answered in fair weather
READ_ERROR, CLOSED, TIMED_OUT = httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout


class Met(NamedTuple):
    """What a fault did: what the client saw, who is there afterwards, and the tape's status, cut and faults."""

    seen: Any
    applied: bool
    status: int | None
    cut: str | None = None
    marked: bool = True


def answered(status: int, body: bytes | None = OWN, *, applied: bool, marked: bool = True) -> Met:
    return Met((status, body), applied, status, marked=marked)


def cut(error: type[Exception], how: str, *, applied: bool, status: int | None = None) -> Met:
    return Met(error, applied, status, how)


BUSY = b'{\n  "meta": {\n    "error": "Service Unavailable"\n  }\n}\n'
LIMITED = b'{\n  "meta": {\n    "error": "Too Many Requests"\n  }\n}\n'
HTML: Mapping[str, Any] = {"kind": "garbage", "as": "html"}
TABLE: list[tuple[Mapping[str, Any], str, Met]] = [
    ({"kind": "status", "status": 503}, PARSE, answered(503, BUSY, applied=False)),
    ({"kind": "status", "status": 503}, COMMIT, answered(503, BUSY, applied=False)),
    ({"kind": "status", "status": 503}, AFTER, answered(503, BUSY, applied=True)),
    ({"kind": "throttle", "per_s": 0}, PARSE, answered(429, LIMITED, applied=False)),
    ({"kind": "throttle", "per_s": 0}, COMMIT, answered(429, LIMITED, applied=False)),
    ({"kind": "throttle", "per_s": 0}, AFTER, answered(429, LIMITED, applied=True)),
    (HTML, PARSE, answered(200, None, applied=False)),
    (HTML, COMMIT, answered(200, None, applied=False)),
    (HTML, AFTER, answered(200, None, applied=True)),
    ({"kind": "latency", "seconds": 0.01}, PARSE, answered(200, applied=True)),
    ({"kind": "latency", "seconds": 0.01}, COMMIT, answered(200, applied=True)),
    ({"kind": "latency", "seconds": 0.01}, AFTER, answered(200, applied=True)),
    ({"kind": "stall", "after_bytes": 1, "seconds": 0.01}, PARSE, answered(200, applied=True)),
    ({"kind": "stall", "after_bytes": 1, "seconds": 0.01}, COMMIT, answered(200, applied=True)),
    ({"kind": "stall", "after_bytes": 1, "seconds": 0.01}, AFTER, answered(200, applied=True)),
    ({"kind": "slow_body", "bytes_per_s": 300}, PARSE, answered(200, applied=True)),
    ({"kind": "slow_body", "bytes_per_s": 300}, COMMIT, answered(200, applied=True)),
    ({"kind": "slow_body", "bytes_per_s": 300}, AFTER, answered(200, applied=True)),
    ({"kind": "timeout", "seconds": 0.01}, PARSE, cut(CLOSED, "close", applied=False)),
    ({"kind": "timeout", "seconds": 0.01}, COMMIT, cut(CLOSED, "close", applied=False)),
    ({"kind": "timeout", "seconds": 0.01}, AFTER, cut(CLOSED, "close", applied=True)),
    ({"kind": "reset"}, PARSE, cut(READ_ERROR, "reset", applied=False)),
    ({"kind": "reset"}, COMMIT, cut(READ_ERROR, "reset", applied=False)),
    ({"kind": "reset"}, AFTER, cut(READ_ERROR, "reset", applied=True)),
    ({"kind": "close"}, PARSE, cut(CLOSED, "close", applied=False)),
    ({"kind": "close"}, COMMIT, cut(CLOSED, "close", applied=False)),
    ({"kind": "close"}, AFTER, cut(CLOSED, "close", applied=True)),
    ({"kind": "lose_reply"}, AFTER, cut(CLOSED, "close", applied=True)),
    ({"kind": "truncate", "bytes": 2}, PARSE, cut(CLOSED, "truncate", applied=False, status=200)),
    ({"kind": "truncate", "bytes": 2}, COMMIT, cut(CLOSED, "truncate", applied=False, status=200)),
    ({"kind": "truncate", "bytes": 2}, AFTER, cut(CLOSED, "truncate", applied=True, status=200)),
    ({"kind": "drop"}, COMMIT, answered(200, applied=False)),
    ({"kind": "partial", "indices": [0]}, COMMIT, answered(200, applied=True, marked=False)),  # this is no batch
    ({"kind": "delay_visibility", "seconds": 60}, COMMIT, answered(200, applied=False)),
]

fake, space = handling.fake, handling.space


@pytest.fixture(scope="module", params=["socket", "in process"])
def client(request: pytest.FixtureRequest, fake: Fake) -> Iterator[httpx.Client]:
    transport = fake.transport if request.param == "in process" else httpx.HTTPTransport(verify=False)
    with httpx.Client(transport=transport, base_url=fake.url, timeout=PATIENT_S) as client:
        yield client


def track(space: WorkspaceHandle) -> tuple[str, str]:
    return space.site_id, space.track_api_key


def identify(client: httpx.Client, space: WorkspaceHandle, **options: Any) -> httpx.Response:
    return client.put("/api/v1/customers/1", json={"plan": "pro"}, auth=track(space), **options)


def until(true: Callable[[], bool]) -> None:
    """Wait for what the server's thread is about to do."""
    deadline = time.monotonic() + PATIENT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def met(client: httpx.Client, space: WorkspaceHandle) -> Met:
    seen: Any
    try:
        answer = identify(client, space)
        html = answer.headers["content-type"].startswith("text/html")
        seen = (answer.status_code, None if html else answer.content)
    except httpx.TransportError as error:
        seen = type(error)
    (told,) = tape(client, space)
    return Met(seen, len(space.people) == 1, told["status"], told["cut"], bool(told["faults"]))


def tape(client: httpx.Client, space: WorkspaceHandle) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"/_fakeio/workspaces/{space.id}/requests").json()["requests"]
    return rows


@pytest.mark.parametrize(
    ("fault", "when", "expected"), [pytest.param(*row, id=f"{row[0]['kind']} {row[1]}") for row in TABLE]
)
def test_a_fault_at_a_moment(
    client: httpx.Client, space: WorkspaceHandle, fault: dict[str, Any], when: str, expected: Met
) -> None:
    space.fault(**fault, when=when, times=1)
    assert met(client, space) == expected
    assert [told.faults for told in space.requests] == [[fault["kind"]] if expected.marked else []]
    assert space.ignored == []
    space.flush()
    assert identify(client, space).content == OWN  # and the next one goes through


def test_the_table_holds_every_kind_at_every_moment_it_can_have() -> None:
    possible = {(kind, when) for kind, effect in KINDS.items() for when in effect.moments}
    assert {(fault["kind"], when) for fault, when, _ in TABLE} == possible


@pytest.mark.parametrize(("fault", "when"), [
    pytest.param({"kind": "drop"}, AFTER, id="nothing applied, after it was"),
    pytest.param({"kind": "partial", "indices": [0]}, PARSE, id="items before there are any"),
    pytest.param({"kind": "lose_reply"}, COMMIT, id="a reply lost before there is one"),
    pytest.param({"kind": "delay_visibility", "seconds": 1}, AFTER, id="delayed when it was applied"),
])
def test_a_moment_that_makes_no_sense_is_refused_in_words(
    space: WorkspaceHandle, fault: dict[str, Any], when: str
) -> None:
    with pytest.raises(ValueError, match=f"a fault of kind {fault['kind']} strikes .*, not {when}"):
        space.fault(**fault, when=when)


# ---- a client that stops waiting -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "applied", "told"), [
    pytest.param({"kind": "timeout"}, False, (None, "abandoned"), id="timeout"),
    pytest.param({"kind": "timeout", "when": AFTER}, True, (None, "abandoned"), id="timeout after the commit"),
    pytest.param({"kind": "latency", "seconds": 3600}, True, (200, None), id="latency"),
    pytest.param({"kind": "stall", "after_bytes": 1, "seconds": 3600}, True, (200, None), id="stall"),
    pytest.param({"kind": "slow_body", "bytes_per_s": 0.001}, True, (200, None), id="slow body"),
])
def test_a_client_that_gives_up_frees_what_was_held_for_it(
    client: httpx.Client, space: WorkspaceHandle, fault: dict[str, Any], applied: bool, told: tuple[int | None, str]
) -> None:
    space.fault(**fault, times=1)
    with pytest.raises(TIMED_OUT):
        identify(client, space, timeout=httpx.Timeout(PATIENT_S, read=0.1))
    until(lambda: [(one["status"], one["cut"]) for one in tape(client, space)] == [told])
    assert (len(space.people) == 1) is applied
    assert identify(client, space).status_code == 200


def test_without_a_read_timeout_what_would_hang_for_ever_is_told(fake: Fake, space: WorkspaceHandle) -> None:
    space.fault("timeout")
    patient = httpx.Client(transport=fake.transport, base_url=fake.url, timeout=None)
    with patient, pytest.raises(TIMED_OUT, match="the client has no read timeout"):
        identify(patient, space)


def test_in_process_a_body_comes_in_the_same_pieces_as_by_socket(fake: Fake, space: WorkspaceHandle) -> None:
    async def stream() -> list[bytes]:
        timeout = httpx.Timeout(PATIENT_S, read=0.2)
        client = httpx.AsyncClient(transport=fake.transport, base_url=fake.url, timeout=timeout)
        async with client, client.stream("PUT", "/api/v1/customers/1", json={}, auth=track(space)) as answer:
            return [piece async for piece in answer.aiter_raw()]

    space.fault("stall", after_bytes=2, seconds=0.01, times=1)
    assert asyncio.run(stream()) == [b"{}", b"\n"]
    space.fault("slow_body", bytes_per_s=100, times=1)
    assert asyncio.run(stream()) == [OWN]  # five bytes a step of a twentieth of a second
    space.fault("slow_body", bytes_per_s=1, times=1)
    with pytest.raises(TIMED_OUT):
        asyncio.run(stream())
    space.fault("truncate", bytes=1, times=1)
    with pytest.raises(CLOSED, match="without sending complete message body"):
        asyncio.run(stream())


# ---- what only some kinds do -----------------------------------------------------------------------------------------


BATCH = {"batch": [
    {"type": "person", "action": "identify", "identifiers": {"id": str(n)}, "attributes": {"n": n}} for n in range(3)
]}  # fmt: skip


def test_some_items_of_a_batch_fail_and_their_neighbours_are_applied(
    client: httpx.Client, space: WorkspaceHandle
) -> None:
    space.fault("partial", indices=[0, 2, 9], times=1)
    assert identify(client, space).status_code == 200  # no batch: neither struck nor counted
    answer = client.post("/api/v2/batch", json=BATCH, auth=track(space))
    failed = {"reason": "invalid", "field": "", "message": "refused by a fault"}
    assert (answer.status_code, answer.json()) == (
        207, {"errors": [{"batch_index": 0, **failed}, {"batch_index": 2, **failed}]}
    )  # fmt: skip
    assert [person.id for person in space.people] == ["1"]
    told = space.requests[-1]
    assert [one["outcome"] for one in told.operations] == ["refused", "applied", "refused"]
    assert told.faults == ["partial"]
    assert (client.post("/api/v2/batch", json=BATCH, auth=track(space)).json(), len(space.people)) == ({}, 3)


def test_a_dropped_write_of_the_app_api_is_answered_as_if_it_had_been_made(
    client: httpx.Client, space: WorkspaceHandle
) -> None:
    space.fault("drop", times=1)
    key = {"authorization": f"Bearer {space.app_api_key}"}
    answers = [
        client.post("/v1/segments", json={"segment": {"name": "vip"}}, headers=key).json()["segment"] for _ in range(2)
    ]
    assert [(one["id"], one["name"]) for one in answers] == [(1, "vip"), (1, "vip")]
    assert [segment.name for segment in space.segments] == ["vip"]


def test_a_dropped_request_that_is_wrong_is_told_so(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.fault("drop")
    wrong = client.put("/api/v1/customers/1", content=b"[", auth=track(space))
    assert (wrong.status_code, [told.faults for told in space.requests]) == (400, [[]])


def test_a_throttle_goes_by_the_clock_of_its_workspace(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.clock.set(1_780_000_000)
    space.fault("throttle", per_s=2, retry_after=1)

    def statuses(count: int) -> list[int]:
        return [identify(client, space).status_code for _ in range(count)]

    assert statuses(4) == [200, 200, 429, 429]
    space.clock.advance(seconds=0.5)
    assert statuses(2) == [200, 429]
    space.clock.advance(hours=1)
    assert statuses(3) == [200, 200, 429]
    assert identify(client, space).headers["retry-after"] == "1"
    space.clock.set(1_000_000_000)
    assert statuses(1) == [429]


def test_a_body_that_is_shorter_than_the_cut_is_cut_all_the_same(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.fault("truncate", bytes=1_000_000, times=1)
    with pytest.raises(CLOSED):
        identify(client, space)
    assert [(told["status"], told["cut"]) for told in tape(client, space)] == [(200, "truncate")]


def test_an_answer_without_a_body_cannot_be_cut_in_its_middle(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.fault("truncate", bytes=1, when=AFTER, times=1)
    with pytest.raises(CLOSED):
        client.post("/api/v1/forms/f/submit", json={"data": {"email": "a@example.com"}}, auth=track(space))
    (told,) = tape(client, space)
    assert (told["status"], told["cut"], told["faults"]) == (None, "close", ["truncate"])


def test_a_page_in_place_of_an_answer_says_what_it_is(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.fault("garbage", **{"as": "html", "times": 1})
    assert identify(client, space).text.startswith("<!doctype html>")
    space.fault("garbage", **{"as": "bad_json"})
    answer = identify(client, space)
    assert answer.headers["content-type"].startswith("application/json")
    with pytest.raises(ValueError, match="Unterminated string"):
        answer.json()


def test_what_travels_badly_is_the_answer_that_was_due(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.fault("slow_body", bytes_per_s=10_000)
    answer = client.put("/api/v1/customers/1", json={}, auth=(space.site_id, "wrong"))
    assert (answer.status_code, answer.json()) == (401, {"meta": {"error": "Unauthorized request"}})
    assert [told.faults for told in space.requests] == [["slow_body"]]
