"""What the fake answers on the Track API, held against the vendor's own description of it.

Every operation of the description is asked rightly and wrongly; each answer has a status that is listed and a body of
the shape that is given for it, but for the departures below, each with its reason. The description is read from the
folder that `FAKEIO_VENDOR_SPECS` names; without it these tests skip.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from tests.contract import sdk_world as fixtures
from tests.contract.sdk_world import NOW, ULID, World
from tests.contract.vendor_shapes import Operation, read_operations

world = fixtures.world
SPECS = os.environ.get("FAKEIO_VENDOR_SPECS", "")
Test = TypeVar("Test", bound=Callable[..., None])


def described(test: Test) -> Test:
    """A test that needs the vendor's description, and skips where it is not at hand."""
    for mark in (
        pytest.mark.may_skip_in_ci("the vendor's descriptions may not be published with this project"),
        pytest.mark.skipif(not SPECS, reason="FAKEIO_VENDOR_SPECS names no folder with the vendor's descriptions"),
    ):
        test = mark(test)
    return test


# Answers that the description has no word for, by operation and status, and why they are right all the same.
MESSAGES = "the reference page lists messages of 400 that the description leaves out"
MALFORMED = "a cio_id that can be none is refused before anybody is looked for"
UNLISTED = {
    ("identify", 400): MESSAGES,
    ("delete", 400): MALFORMED,
    ("suppress", 400): MALFORMED,
    ("unsuppress", 400): MALFORMED,
    ("submitForm", 401): "it declares the same credentials as the others, only not what happens without them",
    ("metrics", 400): "a report that names no delivery or no metric reports nothing",
    ("pushMetrics", 400): "a report that is no object reports nothing",
}
# Answers with a single error where the description gives a list of them.
SINGLE = {
    ("track", 400): "the reference page shows a single error",
    ("trackAnonymous", 400): "as for an event of somebody known",
}


def ann(action: str, **more: Any) -> dict[str, Any]:
    """An operation of v2 about the first person of the world."""
    return {"type": "person", "action": action, "identifiers": {"id": "1"}, **more}


def acme(action: str, **more: Any) -> dict[str, Any]:
    """An operation of v2 about the object of the world."""
    return {"type": "object", "action": action, "identifiers": {"object_type_id": "1", "object_id": "acme"}, **more}


DEVICE = {"token": "tok:2", "platform": "ios", "last_used": NOW, "attributes": {"app_version": "3.1"}}
TO_ACME = [{"identifiers": {"object_type_id": "1", "object_id": "acme"}, "relationship_attributes": {"role": "x"}}]
TO_ANN = [{"identifiers": {"id": "1"}}]
EVENT = {"name": "order", "type": "event", "id": ULID, "timestamp": NOW, "data": {"total": 3}}
PUSHED = {"delivery_id": "dlv2", "event": "opened", "device_id": "tok:1", "timestamp": NOW}
NEW = {"identifier": "new"}
BAD = {"identifier": "cio_!"}
TOK = {"identifier": "1", "device_id": "tok:1"}
VIP = {"segment_id": "7"}

# operation, what stands in the path, body
RIGHT = [
    pytest.param("getRegion", {}, None, id="region"),
    pytest.param("identify", NEW, {"email": "eve@example.com", "created_at": NOW, "plan": "pro"}, id="identify"),
    pytest.param("delete", NEW, None, id="delete"),
    pytest.param("add_device", NEW, {"device": {"id": "tok:2", "platform": "android", "last_used": NOW}}, id="device"),
    pytest.param("delete_device", TOK, None, id="delete device"),
    pytest.param("suppress", NEW, None, id="suppress"),
    pytest.param("unsuppress", NEW, None, id="unsuppress"),
    pytest.param("unsubscribe", {"delivery_id": "dlv1"}, {"unsubscribe": True}, id="unsubscribe"),
    pytest.param("track", NEW, EVENT, id="event"),
    pytest.param("track", NEW, {**EVENT, "type": "page", "name": "/home"}, id="page view"),
    pytest.param("trackAnonymous", {}, {**EVENT, "anonymous_id": "anon"}, id="anonymous event"),
    pytest.param("submitForm", {"form_id": "f"}, {"data": {"email": "eve@example.com", "town": "Ghent"}}, id="form"),
    pytest.param("merge", {}, {"primary": {"id": "1"}, "secondary": {"email": "bob@example.com"}}, id="merge"),
    pytest.param("metrics", {}, {"delivery_id": "dlv1", "metric": "opened", "timestamp": NOW}, id="metric"),
    pytest.param("pushMetrics", {}, PUSHED, id="push metric"),
    pytest.param("add_to_segment", VIP, {"ids": ["1"]}, id="add to segment"),
    pytest.param("remove_from_segment", VIP, {"ids": ["2"]}, id="remove from segment"),
    *[
        pytest.param("entity", {}, body, id=f"{body['type']} {body['action']}")
        for body in (
            ann("identify", attributes={"plan": "free"}, cio_relationships=TO_ACME),
            ann("delete"),
            ann("event", name="order", id=ULID, timestamp=NOW, attributes={"total": 3}),
            ann("page", name="/home", attributes={"path": "/home"}),
            ann("screen", name="Home", attributes={}),
            ann("add_device", device=DEVICE),
            ann("delete_device", device={"token": "tok:1"}),
            ann("add_relationships", cio_relationships=TO_ACME),
            ann("delete_relationships", cio_relationships=TO_ACME),
            ann("suppress"),
            ann("unsuppress"),
            {"type": "person", "action": "merge", "primary": {"id": "1"}, "secondary": {"id": "2"}},
            acme("identify", attributes={"seats": 4}, cio_relationships=TO_ANN),
            acme("identify_anonymous", attributes={}, cio_relationships=[{"identifiers": {"anonymous_id": "anon"}}]),
            acme("delete"),
            acme("add_relationships", cio_relationships=TO_ANN),
            acme("delete_relationships", cio_relationships=TO_ANN),
            {"type": "delivery", "action": "event", "identifiers": {"id": "dlv2"}, "name": "opened",
             "attributes": {"device_token": "tok:1"}, "timestamp": NOW},
        )
    ],
    pytest.param("batch", {}, {"batch": [ann("delete"), acme("delete")]}, id="batch"),
]  # fmt: skip

# operation, what stands in the path, body, the status it is answered with
WRONG = [
    pytest.param("identify", NEW, {"note": "x" * 1001, "n" * 151: 1}, 400, id="identify: two limits at once"),
    pytest.param("identify", BAD, {}, 400, id="identify: no cio_id"),
    pytest.param("identify", NEW, [], 400, id="identify: a list"),
    pytest.param("delete", BAD, None, 400, id="delete: no cio_id"),
    pytest.param("add_device", NEW, {}, 400, id="device: none"),
    pytest.param("add_device", NEW, {"device": {"id": "t", "platform": "x"}}, 400, id="device: no such platform"),
    pytest.param("delete_device", {**TOK, **BAD}, None, 400, id="delete device: no cio_id"),
    pytest.param("suppress", BAD, None, 400, id="suppress: no cio_id"),
    pytest.param("unsuppress", BAD, None, 400, id="unsuppress: no cio_id"),
    pytest.param("unsubscribe", {"delivery_id": "!"}, {"unsubscribe": True}, 400, id="unsubscribe: no delivery id"),
    pytest.param("unsubscribe", {"delivery_id": "dlv1"}, [], 400, id="unsubscribe: a list"),
    pytest.param("track", NEW, {}, 400, id="event: no name"),
    pytest.param("track", NEW, {**EVENT, "data": None}, 400, id="event: data is null"),
    pytest.param("trackAnonymous", {}, {**EVENT, "name": "n" * 101}, 400, id="anonymous event: a long name"),
    pytest.param("submitForm", {"form_id": "f"}, {"data": {"town": "Ghent"}}, 400, id="form: nobody"),
    pytest.param("submitForm", {"form_id": "f"}, {}, 400, id="form: no data"),
    pytest.param("merge", {}, {"primary": {"id": "1"}}, 400, id="merge: one person"),
    pytest.param("merge", {}, {"primary": {"id": "1", "email": "x@example.com"}, "secondary": {"id": "2"}}, 400,
                 id="merge: two identifiers at once"),
    pytest.param("metrics", {}, {"metric": "opened"}, 400, id="metric: no delivery"),
    pytest.param("pushMetrics", {}, [], 400, id="push metric: a list"),
    pytest.param("add_to_segment", VIP, {"ids": []}, 400, id="add to segment: nobody"),
    pytest.param("add_to_segment", {"segment_id": "vip"}, {"ids": ["1"]}, 400, id="add to segment: by name"),
    pytest.param("remove_from_segment", VIP, {"ids": ["1"] * 1001}, 400, id="remove from segment: 1001 ids"),
    pytest.param("entity", {}, {}, 400, id="entity: nothing"),
    pytest.param("entity", {}, [], 400, id="entity: a list"),
    pytest.param("entity", {}, ann("identify", attributes={"note": "x" * 1001}), 400, id="entity: a long value"),
    pytest.param("entity", {}, ann("event", name="x" * 33_000), 400, id="entity: more than 32 KB"),
    pytest.param("entity", {}, acme("event", name="x"), 400, id="entity: an event of an object"),
    pytest.param("batch", {}, {"batch": [ann("event"), ann("delete")]}, 207, id="batch: one item is wrong"),
    pytest.param("batch", {}, {"batch": [{}, ann("fly")]}, 207, id="batch: all items are wrong"),
    pytest.param("batch", {}, {"batch": {}}, 400, id="batch: an object"),
    pytest.param("batch", {}, {"batch": []}, 400, id="batch: nothing"),
]  # fmt: skip


@cache
def operations() -> dict[str, Operation]:
    return read_operations(Path(SPECS))


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    keys = (world.handle.site_id, world.handle.track_api_key)
    with httpx.Client(base_url=world.fake.url, auth=keys, verify=False, trust_env=False) as client:
        yield client


def ask(client: httpx.Client, name: str, path: dict[str, str], body: Any, **more: Any) -> httpx.Response:
    """One request of that operation."""
    sent = {} if body is None else {"json": body}
    operation = operations()[name]
    return client.request(operation.method, operation.path.format(**path), **sent, **more)


def faults(name: str, answer: httpx.Response) -> list[str]:
    """What the description has against an answer, departures aside; a departure that is none any more counts too."""
    operation, status = operations()[name], answer.status_code
    if status not in operation.statuses:
        return undescribed(status, answer) if (name, status) in UNLISTED else [f"{status} is not listed"]
    if not operation.describes_body(status):
        return undescribed(status, answer)
    found = operation.faults_of_answer(status, answer.json())
    if (name, status) not in SINGLE:
        return found
    as_a_list = {"meta": {"errors": [answer.json()["meta"]["error"]]}}
    return operation.faults_of_answer(status, as_a_list) if found else ["as described: no departure any more"]


def undescribed(status: int, answer: httpx.Response) -> list[str]:
    """Where there is no schema: a success is an empty object or, at 204, nothing; an error has a message somewhere."""
    if status == 204:
        return [] if answer.content == b"" else ["204 with a body"]
    if status == 200:
        return [] if answer.json() == {} else ["200 with more than an empty object"]
    return [] if answer.json()["meta"] else [f"{status} that says nothing"]


@described
@pytest.mark.parametrize(("name", "path", "body"), RIGHT)
def test_a_right_request_is_described_and_so_is_its_answer(
    client: httpx.Client, name: str, path: dict[str, str], body: Any
) -> None:
    if body is not None:
        assert operations()[name].faults_of_request(body) == []
    answer = ask(client, name, path, body)
    assert answer.is_success
    assert faults(name, answer) == []


@described
@pytest.mark.parametrize(("name", "path", "body", "status"), WRONG)
def test_a_wrong_request_is_answered_as_described(
    client: httpx.Client, name: str, path: dict[str, str], body: Any, status: int
) -> None:
    answer = ask(client, name, path, body)
    assert answer.status_code == status
    assert faults(name, answer) == []


@described
@pytest.mark.parametrize(("name", "path", "body"), RIGHT)
def test_without_a_key_only_what_is_open_is_answered(
    client: httpx.Client, name: str, path: dict[str, str], body: Any
) -> None:
    answer = ask(client, name, path, body, auth=("wrong", "wrong"))
    assert answer.status_code == (200 if operations()[name].is_open else 401)
    assert faults(name, answer) == []


@described
def test_every_operation_is_asked_and_every_status_it_lists_is_met() -> None:
    met = {(name, status) for name, _, _, status in (row.values for row in WRONG)}
    met |= {(row.values[0], success) for row in RIGHT for success in (200, 204)}
    met |= {(row.values[0], 401) for row in RIGHT}
    listed = {(name, status) for name, operation in operations().items() for status in operation.statuses}
    assert listed - met == set()
    assert set(UNLISTED) - met == set()
    assert listed & set(UNLISTED) == set()


# ---- the judge, on a description of our own --------------------------------------------------------------------------

INNER = {"type": "object", "properties": {"error": {"type": "string"}}}
OWN = {
    "paths": {
        "/x": {
            "summary": "not an operation",
            "post": {
                "operationId": "x",
                "requestBody": {"content": {"application/json": {"schema": {"oneOf": [{"type": "object"}, {}]}}}},
                "responses": {
                    "200": {"description": "nothing"},
                    "400": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"meta": {"$ref": "#/components/a~1b"}}}
                            }
                        }
                    },
                },
            },
        }
    },
    "components": {"a/b": INNER},
}


@pytest.mark.parametrize(
    ("body", "faulty"),
    [
        pytest.param({"meta": {"error": "x"}}, False, id="as described"),
        pytest.param({"meta": {"error": 5}}, True, id="another type"),
        pytest.param({"meta": {}}, True, id="a property less"),
        pytest.param({"meta": {"error": "x", "more": 1}}, True, id="a property more, inside"),
        pytest.param({"errors": []}, True, id="another object"),
        pytest.param([], True, id="no object"),
    ],
)
def test_an_answer_is_held_against_every_word(tmp_path: Path, body: Any, faulty: bool) -> None:
    (tmp_path / "track-openapi.json").write_text(json.dumps(OWN), encoding="utf-8")
    own = read_operations(tmp_path)["x"]
    assert (own.method, own.path, own.statuses, own.is_open) == ("POST", "/x", {200, 400}, False)
    assert (own.describes_body(200), own.describes_body(400)) == (False, True)
    assert bool(own.faults_of_answer(400, body)) is faulty
    assert own.faults_of_answer(200, body) == []
    assert own.faults_of_request({}) == []
