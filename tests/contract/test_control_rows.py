"""The control API row by row, over a real socket: each route, its parameters, its status and what it answers with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from fakeio.edge.control_app import ROUTES
from tests.contract import handling

BELOW = "/_fakeio/workspaces/{w}"
NOW = 1_780_000_000.0
PATIENCE_S = 60
CREDENTIALS = ("site_id", "track_api_key", "app_api_key", "pipelines_write_key", "webhook_signing_key")
PERSON = {"cio_id", "id", "email", "attributes", "devices", "segments", "created_at"}
EXCHANGE = {
    "n", "method", "path", "query", "headers", "body", "status", "response", "duration_ms", "faults", "operations",
}  # fmt: skip

fake = handling.fake


@pytest.fixture(scope="module")
def socket(fake: Fake) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fake.url, trust_env=False, verify=False, timeout=PATIENCE_S) as client:
        yield client


class Here:
    """One workspace through the socket."""

    def __init__(self, socket: httpx.Client, handle: WorkspaceHandle) -> None:
        self.socket = socket
        self.handle = handle

    def __call__(self, row: str, document: Any = None, *, status: int = 200, **open_parts: Any) -> Any:
        """A row as the table writes it, `GET /people/{cio_id}/explain?attribute=plan`; its JSON, None for 204."""
        method, path = row.split(" ", 1)
        whole = path if path.startswith("/_fakeio") else BELOW + path
        answer = self.socket.request(method, whole.format(**{"w": self.handle.id, **open_parts}), json=document)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else answer.text or None

    def track(self, method: str, path: str, document: Any, **more: Any) -> httpx.Response:
        keys = (self.handle.site_id, self.handle.track_api_key)
        return self.socket.request(method, f"/api/v1{path}", json=document, auth=keys, **more)


@pytest.fixture
def here(fake: Fake, socket: httpx.Client) -> Iterator[Here]:
    handle = fake.new_workspace()
    handle.clock.set(NOW)
    yield Here(socket, handle)
    handle.raise_first_error()


def test_health_and_the_descriptions(here: Here) -> None:
    assert here("GET /_fakeio/health").keys() == {"status", "version", "uptime_s"}
    assert here("GET /_fakeio/openapi.json")["openapi"].startswith("3.")
    assert here("GET /_fakeio/limits")["limits"]
    assert here("GET /_fakeio/coverage")["routes"]
    assert here("GET /_fakeio/settings-catalogue")["settings"]


def test_workspaces_are_made_listed_and_removed(here: Here) -> None:
    asked = {"name": "n", "region": "eu", "account": "a", "settings": {"auto_merge": False}, "seed": {"people": []}}
    made = here("POST /_fakeio/workspaces", asked, status=201)
    assert {"id", "name", "region", *CREDENTIALS} <= made.keys()
    assert (made["name"], made["region"]) == ("n", "eu")
    here("POST /_fakeio/workspaces", {}, status=201)  # nothing is needed
    assert made in here("GET /_fakeio/workspaces?limit=1000")["workspaces"]
    assert here(f"GET {BELOW}")["id"] == here.handle.id
    assert here(f"GET {BELOW}", w="default")["id"] == 1
    assert here(f"DELETE {BELOW}", w=made["id"], status=204) is None
    assert here(f"GET {BELOW}", w=made["id"], status=404)["error"]["code"] == "unknown_workspace"


def test_a_reset_clears_state_tape_faults_and_clock_and_keeps_credentials(here: Here) -> None:
    before = here(f"GET {BELOW}")
    here.track("PUT", "/customers/1", {})
    here("POST /faults", {"kind": "reset"}, status=201)
    here("PATCH /settings", {"auto_merge": False})
    assert here("POST /reset", status=204) is None
    assert (here("GET /people")["people"], here("GET /requests")["requests"], here("GET /faults")["faults"]) == (
        [], [], [],
    )  # fmt: skip
    assert (here("GET /clock")["mode"], here("GET /settings")["auto_merge"]) == ("real", True)
    assert here(f"GET {BELOW}") == before


def test_forks_differences_and_snapshots(here: Here) -> None:
    here.track("PUT", "/customers/1", {"plan": "pro"})
    fork = here("POST /fork", {"name": "fork"}, status=201)
    assert [fork[name] for name in CREDENTIALS] != [getattr(here.handle, name) for name in CREDENTIALS]
    assert here("GET /diff?with={other}", other=fork["id"])["differences"] == []
    here.track("PUT", "/customers/1", {"plan": "free"})
    found = here("GET /diff?with={other}", other=fork["id"])["differences"]
    assert {"path": "people/1/attributes/plan", "kind": "changed", "left": "free", "right": "pro"} in found
    snapshot = here("GET /snapshot")
    assert "version" in snapshot
    assert all(here.handle.__getattribute__(name) not in str(snapshot) for name in CREDENTIALS)
    here("POST /reset", status=204)
    here("PUT /snapshot", snapshot, status=204)
    assert here("GET /snapshot") == snapshot


def test_people_are_seeded_read_and_explained(here: Here) -> None:
    rows = [{"id": str(n), "email": f"{n}@example.com", "attributes": {"n": n, "ok": True, "list": [1, {"a": None}]},
             "devices": [{"token": f"t{n}", "platform": "ios"}]} for n in range(1200)]  # fmt: skip
    added = here("POST /people", {"people": rows}, status=201)["people"]
    assert len(added) == 1200
    assert added[7].keys() >= PERSON
    assert (added[7]["attributes"], here("GET /activities")["activities"]) == (rows[7]["attributes"], [])
    for query, ids in (
        ("id=7", ["7"]), ("email=7@example.com", ["7"]), (f"cio_id={added[7]['cio_id']}", ["7"]), ("q=1199", ["1199"]),
        ("limit=2&start=3", ["3", "4"]),
    ):  # fmt: skip
        assert [person["id"] for person in here(f"GET /people?{query}")["people"]] == ids, query
    assert [len(here(f"GET /people{query}")["people"]) for query in ("", "?limit=1000", "?limit=5000")] == [
        100, 1000, 1000,
    ]  # fmt: skip
    here.track("PUT", "/customers/7", {"n": 8})
    why = "GET /people/{cio_id}/explain"
    assert here(f"{why}?attribute=n", cio_id=added[7]["cio_id"])["written_by"]["request"] == 1
    segment = here("POST /segments", {"name": "VIP", "type": "manual"}, status=201)["id"]
    told = here(f"{why}?segment={segment}", cio_id=added[7]["cio_id"])
    assert (told["member"], bool(told["why"])) == (False, True)


def test_events_come_in_order_of_arrival(here: Here) -> None:
    here.track("POST", "/customers/1/events", {"name": "order", "data": {"total": 3}, "timestamp": 1_700_000_000})
    here.track("POST", "/events", {"name": "visit", "anonymous_id": "anon"})
    here.track("POST", "/customers/2/events", {"name": "/home", "type": "page"})
    order, visit, page = here("GET /events")["events"]
    whose = here("GET /people?id=1")["people"][0]
    fields = {"event_id", "type", "name", "data", "timestamp", "person", "anonymous_id", "received_at"}
    assert fields == order.keys()
    assert (order["person"], order["data"], order["timestamp"], order["received_at"]) == (
        {"id": "1", "email": None, "cio_id": whose["cio_id"]}, {"total": 3}, 1_700_000_000, NOW,
    )  # fmt: skip
    assert (visit["person"], visit["anonymous_id"], page["type"]) == (None, "anon", "page")
    for query, names in (("person=2", ["/home"]), ("name=order", ["order"]), ("type=page", ["/home"]),
                         ("limit=1", ["order"]), ("limit=1&start=" + here("GET /events?limit=1")["next"], ["visit"]),
                         ):  # fmt: skip
        assert [event["name"] for event in here(f"GET /events?{query}")["events"]] == names, query


def test_segments_and_their_members(here: Here) -> None:
    manual = here("POST /segments", {"name": "VIP", "description": "d", "type": "manual"}, status=201)
    conditions = {"attribute": {"field": "plan", "operator": "exists"}}
    made = here("POST /segments", {"name": "Paying", "type": "dynamic", "conditions": conditions}, status=201)
    here.track("PUT", "/customers/1", {"plan": "pro", "email": "a@example.com"})
    here.track("POST", f"/segments/{manual['id']}/add_customers", {"ids": ["1"]})
    assert [row["count"] for row in here("GET /segments")["segments"]] == [1, 1]
    cio_id = here("GET /people")["people"][0]["cio_id"]
    for segment in (manual, made):
        assert here("GET /segments/{id}/members", id=segment["id"])["members"] == [
            {"id": "1", "email": "a@example.com", "cio_id": cio_id}
        ]


def test_the_rest_of_the_state(here: Here) -> None:
    here.track("POST", "/customers/9/suppress", {})
    assert len(here("GET /suppressions")["suppressions"]) == 1
    here.track("PUT", "/customers/1", {})
    assert here("GET /activities")["activities"]
    assert (here("GET /objects")["objects"], here("GET /deliveries")["deliveries"]) == ([], [])


def test_the_tape(here: Here) -> None:
    here.track("PUT", "/customers/a%2Fb?x=1", {"plan": "pro"})
    here.handle.clock.set(NOW + 10)
    here.track("PUT", "/customers/1", None, content=b"plain")
    here.track("PUT", "/customers/2", None, content=b"\xff\xfe")
    here.track("POST", "/customers/1/events", {"name": ""})
    tape = here("GET /requests")
    assert (tape["next"], tape["dropped"]) == (None, 0)
    first, text, binary, _ = tape["requests"]
    assert first.keys() >= EXCHANGE
    assert (first["n"], first["method"], first["path"], first["query"], first["body"], first["status"]) == (
        1, "PUT", "/api/v1/customers/a%2Fb", "x=1", {"plan": "pro"}, 200,
    )  # fmt: skip
    assert (text["body"], binary["body"]) == ("plain", {"base64": "//4="})
    assert here.handle.track_api_key not in str(tape)
    assert {"operation", "outcome", "reason", "rule", "explanation"} <= first["operations"][0].keys()
    for query, numbers in (("api=app", []), ("path=/api/v1/customers/*", [1, 2, 3, 4]), ("status=200", [1]),
                           (f"since={NOW + 9.5}", [2, 3, 4]), ("limit=1&start=2", [3])):  # fmt: skip
        assert [row["n"] for row in here(f"GET /requests?{query}")["requests"]] == numbers, query
    assert here("GET /requests/{n}", n=4)["operations"][0]["outcome"] == "refused"
    assert here("GET /requests/{n}/explain", n=4)["operations"][0]["rule"]
    assert here("GET /requests/{n}/export?as=curl", n=4).startswith("#!/bin/sh")
    assert here("GET /export?as=har")["log"]["version"] == "1.2"
    assert here("DELETE /requests", status=204) is None
    assert here("GET /requests")["requests"] == []


def test_what_was_ignored_and_what_was_called(here: Here) -> None:
    here.track("DELETE", "/customers/nobody", {})
    (row,) = here("GET /ignored")["ignored"]
    assert (row["request"], row["operation"], row["rule"]) == (1, "delete_person", "person.unknown")
    asked = {"method": "DELETE", "path": "/api/v1/customers/*", "body": {}, "times": 1, "at_least": 1, "at_most": 1}
    assert {"ok": True, "matched": 1, "near_misses": []}.items() <= here("POST /verify", asked).items()
    missed = here("POST /verify", {"path": "/api/v1/customers/somebody"})
    assert (missed["ok"], missed["matched"], bool(missed["near_misses"][0]["differences"])) == (False, 0, True)


def test_faults(here: Here) -> None:
    match = {"api": "track", "path": "/api/*", "method": "PUT", "nth": 1, "seed": 7}
    fault = here("POST /faults", {"kind": "status", "status": 503, "match": match, "times": 1}, status=201)
    assert here("GET /faults")["faults"] == [fault]
    assert [here.track("PUT", "/customers/1", {}).status_code for _ in range(2)] == [503, 200]
    assert here("DELETE /faults/{id}", id=fault["id"], status=204) is None
    assert len(here("PUT /faults", {"faults": [{"kind": "reset"}, {"kind": "close"}]})["faults"]) == 2
    assert here("DELETE /faults", status=204) is None
    assert here("GET /faults")["faults"] == []


def test_the_clock_settings_and_flushing(here: Here) -> None:
    assert here("PUT /clock", {"mode": "real"})["mode"] == "real"
    shifted = here("PUT /clock", {"advance": 86_400})
    assert (shifted["mode"], shifted["now"] > here.handle.clock.now() - 60) == ("real", True)
    assert here("PUT /clock", {"now": NOW}) == here("GET /clock") == {"now": NOW, "mode": "manual"}
    catalogue = [row["name"] for row in here("GET /_fakeio/settings-catalogue")["settings"]]
    assert list(here("GET /settings")) == catalogue
    assert here("PATCH /settings", {"propagation_delay_s": 60})["propagation_delay_s"] == 60
    here.track("PUT", "/customers/1", {})
    assert here("GET /people")["people"] == []
    assert here("POST /flush", status=204) is None
    assert len(here("GET /people")["people"]) == 1


@pytest.mark.parametrize("path", ["/people?limit=x", "/nowhere", "/requests/7", "/export?as=x", "/people?sort=id"])
def test_errors_say_what_to_do(here: Here, path: str) -> None:
    answer = here.socket.get(f"/_fakeio/workspaces/{here.handle.id}{path}")
    assert (400 <= answer.status_code < 500, answer.json()["error"].keys()) == (True, {"code", "message", "hint"})
    assert all(answer.json()["error"].values())


def test_every_row_is_asked_for_above() -> None:
    asked = re.findall(r'"((?:GET|POST|PUT|PATCH|DELETE) /[^"?]*)', Path(__file__).read_text(encoding="utf-8"))
    rows = {f"{route.method} {route.path.removeprefix(BELOW)}" for route in ROUTES if route.path != BELOW}
    assert rows - set(asked) == set()
