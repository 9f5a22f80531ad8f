"""What everybody who keeps a cohort in step with a segment does, from the key to the clean-up, with three clients.

The sequence is written once, against eleven calls; a client is how these are made. All of them must come to the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest
from async_customerio import AsyncCustomerIOError

from tests.contract import node_sdk
from tests.contract import sdk_world as fixtures
from tests.contract.node_sdk import SdkError
from tests.contract.sdk_world import Call, World, call
from tests.contract.test_sdk_async import track as by_async_track
from tests.contract.test_sdk_async_app import app as by_async_app

world = fixtures.world

NAME = "cohort: loyal"
CHUNK = 1_000
PATIENCE_S = 30  # a bound on hanging, never a measure
KNOWN = [f"u{n}" for n in range(1_100)]
LOYAL = [*KNOWN[:1_050], "new1", "new2"]
LATER = [*LOYAL[3:], "new3", "1"]

Caller = Callable[..., Any]
Calls = dict[str, Callable[..., Call]]


class Gone(Exception):
    """What was asked for is not there."""


# ---- three kinds of client -------------------------------------------------------------------------------------------


def plain(world: World) -> Iterator[Caller]:
    """Method, path and body by hand."""
    keys = world.handle
    here: dict[str, Any] = {"base_url": world.fake.url, "timeout": PATIENCE_S, "verify": False, "trust_env": False}
    basic = httpx.Client(auth=(keys.site_id, keys.track_api_key), **here)
    with basic, httpx.Client(headers={"authorization": f"Bearer {keys.app_api_key}"}, **here) as app:

        def asked(what: str, *args: Any) -> Any:
            method, path, body = _REQUESTS[what](*args)
            client = basic if path.startswith("/api/") else app
            response = client.request(method, path, content=None if body is None else json.dumps(body))
            if response.status_code == 404:
                raise Gone
            return response.raise_for_status().json() if response.content else {}

        yield asked


_REQUESTS: dict[str, Callable[..., tuple[str, str, Any]]] = {
    "list": lambda: ("GET", "/v1/segments", None),
    "create": lambda name: ("POST", "/v1/segments", {"segment": {"name": name, "description": "daily"}}),
    "search": lambda wanted: ("POST", f"/v1/customers?limit={CHUNK}", {"filter": wanted}),
    "identify": lambda one: ("PUT", f"/api/v1/customers/{one}", {"source": "cohort"}),
    "add": lambda segment, ids: ("POST", f"/api/v1/segments/{segment}/add_customers", {"ids": ids}),
    "remove": lambda segment, ids: ("POST", f"/api/v1/segments/{segment}/remove_customers", {"ids": ids}),
    "count": lambda segment: ("GET", f"/v1/segments/{segment}/customer_count", None),
    "members": lambda segment, start: ("GET", f"/v1/segments/{segment}/membership?limit=500&start={start}", None),
    "uses": lambda segment: ("GET", f"/v1/segments/{segment}/used_by", None),
    "delete": lambda segment: ("DELETE", f"/v1/segments/{segment}", None),
    "get": lambda segment: ("GET", f"/v1/segments/{segment}", None),
}


def by_async(world: World) -> Iterator[Caller]:
    """`async-customerio`."""

    def asked(what: str, *args: Any) -> Any:
        try:
            if what in _ASYNC_TRACK:
                by_async_track(world, _ASYNC_TRACK[what](*args))
                return {}  # its Track client keeps the answer to itself and raises what is no success
            return by_async_app(world, _ASYNC_APP[what](*args))
        except AsyncCustomerIOError as error:
            if str(error).startswith("HTTP 404"):
                raise Gone from error
            raise

    yield asked


_ASYNC_TRACK: Calls = {
    "identify": lambda one: call("identify", one, source="cohort"),
    "add": lambda segment, ids: call("add_to_segment", segment, ids),
    "remove": lambda segment, ids: call("remove_from_segment", segment, ids),
}
_ASYNC_APP: Calls = {
    "list": lambda: call("segments.list"),
    "create": lambda name: call("segments.create", name, description="daily"),
    "search": lambda wanted: call("customers.search", wanted, limit=CHUNK),
    "count": lambda segment: call("segments.get_customer_count", segment),
    "members": lambda segment, start: call("segments.get_membership", segment, limit=500, start=start),
    "uses": lambda segment: call("segments.get_used_by", segment),
    "delete": lambda segment: call("segments.delete", segment),
    "get": lambda segment: call("segments.get", segment),
}


def by_node(world: World) -> Iterator[Caller]:
    """`customerio-node`, in a process of its own."""
    with node_sdk.running() as node:

        def asked(what: str, *args: Any) -> Any:
            try:
                if what in _NODE_TRACK:
                    return node.track(world, _NODE_TRACK[what](*args))
                return node.app(world, _NODE_APP[what](*args))
            except SdkError as error:
                if error.status == 404:
                    raise Gone from error
                raise

        yield asked


_NODE_TRACK: Calls = {
    "identify": lambda one: call("identify", one, {"source": "cohort"}),
    "add": lambda segment, ids: call("addCustomersToSegment", segment, ids),
    "remove": lambda segment, ids: call("removeCustomersFromSegment", segment, ids),
}
_NODE_APP: Calls = {
    "list": lambda: call("listSegments"),
    "create": lambda name: call("createSegment", {"name": name, "description": "daily"}),
    "search": lambda wanted: call("searchCustomers", wanted, {"limit": CHUNK}),
    "count": lambda segment: call("getSegmentCustomerCount", segment),
    "members": lambda segment, start: call("getSegmentMembership", segment, {"limit": 500, "start": start}),
    "uses": lambda segment: call("getSegmentUsedBy", segment),
    "delete": lambda segment: call("deleteSegment", segment),
    "get": lambda segment: call("getSegment", segment),
}


# ---- the sequence ----------------------------------------------------------------------------------------------------


def find_or_create(ask: Caller) -> tuple[int, bool]:
    """The manual segment of that name, and whether it had to be made; the list proves the key on the way."""
    for segment in ask("list")["segments"]:
        if segment["name"] == NAME and segment["type"] == "manual":
            return segment["id"], False
    return ask("create", NAME)["segment"]["id"], True


def absent(ask: Caller, ids: list[str]) -> list[str]:
    """Those whom nobody knows yet."""
    known: set[str] = set()
    for chunk in chunks(ids):
        terms = [{"attribute": {"field": "id", "operator": "eq", "value": one}} for one in chunk]
        page = ask("search", {"or": terms})
        assert page["next"] == ""
        known |= {row["id"] for row in page["identifiers"]}
    return [one for one in ids if one not in known]


def members(ask: Caller, segment: int) -> list[str]:
    found: list[str] = []
    start = ""
    while True:
        page = ask("members", segment, start)
        assert page["ids"] == [row["id"] for row in page["identifiers"]]
        found += page["ids"]
        start = page["next"]
        if start == "":
            return found


def keep_in_step(ask: Caller, wanted: list[str]) -> dict[str, Any]:
    """One run: whoever is missing is made and added, whoever is too many is removed. Tells what it did and saw."""
    segment, made = find_or_create(ask)
    strangers = absent(ask, wanted)
    for one in strangers:
        ask("identify", one)
    before = members(ask, segment)
    joining = [one for one in wanted if one not in set(before)]
    leaving = [one for one in before if one not in set(wanted)]
    for chunk in chunks(joining):
        assert ask("add", segment, chunk) == {}
    for chunk in chunks(leaving):
        assert ask("remove", segment, chunk) == {}
    return {
        "segment": segment, "made": made, "strangers": strangers, "joined": len(joining), "left": leaving,
        "count": ask("count", segment)["count"], "members": members(ask, segment),
    }  # fmt: skip


def chunks(ids: list[str]) -> Iterable[list[str]]:
    return [ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK)]


@pytest.mark.parametrize("client", [plain, by_async, by_node])
def test_a_cohort_is_kept_in_step_by(world: World, client: Callable[[World], Iterator[Caller]]) -> None:
    world.handle.update_settings(rate_limits="off")
    world.handle.add_people({"id": one} for one in KNOWN)
    caller = client(world)
    ask = next(caller)
    assert keep_in_step(ask, LOYAL) == {
        "segment": 8, "made": True, "strangers": ["new1", "new2"], "joined": 1_052, "left": [], "count": 1_052,
        "members": LOYAL,
    }  # fmt: skip
    assert keep_in_step(ask, LATER) == {
        "segment": 8, "made": False, "strangers": ["new3"], "joined": 2, "left": LOYAL[:3], "count": 1_051,
        "members": LATER,
    }  # fmt: skip
    again = keep_in_step(ask, LATER)
    assert (again["joined"], again["left"], again["members"]) == (0, [], LATER)
    nothing: dict[str, list[int]] = {"campaigns": [], "sent_newsletters": [], "draft_newsletters": []}
    assert ask("uses", 8) == {"segment_id": 8, "used_by": nothing}
    assert ask("delete", 8) == {}
    with pytest.raises(Gone):
        ask("get", 8)
    with pytest.raises(Gone):
        ask("delete", 8)
    assert len(world.handle.people) == 3 + len(KNOWN) + 3
    assert [segment.name for segment in world.handle.segments] == ["vip"]
    assert next(caller, None) is None
