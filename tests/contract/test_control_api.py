"""The control API: every route, every shape, and an answer with words in it for every kind of nonsense."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio import Fake, WorkspaceHandle
from fakeio.edge.control_app import ROUTES
from fakeio.edge.control_http import ControlRoute

ADDRESS = "http://127.0.0.1"
FIELDS = sorted({field for route in ROUTES for field in route.fields or ()})
WORDS = st.sampled_from([*FIELDS, "id", "email", "kind", "status", "match", "token"]) | st.text(max_size=4)


class Control:
    """The control API of one workspace, and its Track API, without a socket."""

    def __init__(self, fake: Fake, handle: WorkspaceHandle) -> None:
        self.handle = handle
        self.client = httpx.Client(transport=fake.transport, base_url=ADDRESS)
        self.base = f"/_fakeio/workspaces/{handle.id}"

    def get(self, path: str, /, **query: Any) -> Any:
        answer = self.client.get(self.base + path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, document: Any = None) -> httpx.Response:
        return self.client.request(method, self.base + path, json=document)

    def identify(self, identifier: str, **attributes: Any) -> httpx.Response:
        return self.track("PUT", f"/api/v1/customers/{identifier}", attributes)

    def track(self, method: str, path: str, document: Any) -> httpx.Response:
        return self.client.request(method, path, json=document, auth=(self.handle.site_id, self.handle.track_api_key))


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as fake:
        yield fake


@pytest.fixture
def control(fake: Fake) -> Iterator[Control]:
    handle = fake.new_workspace()
    yield Control(fake, handle)
    handle.raise_first_error()


# ---- the server ------------------------------------------------------------------------------------------------------


def test_health_says_how_the_server_is(control: Control) -> None:
    health = control.client.get("/_fakeio/health").json()
    assert health == {"status": "ok", "version": health["version"], "uptime_s": health["uptime_s"]}
    assert health["version"][0].isdigit()
    assert health["uptime_s"] >= 0


@pytest.mark.parametrize(("path", "plural", "field"), [
    pytest.param("/_fakeio/limits", "limits", "rule", id="limits"),
    pytest.param("/_fakeio/coverage", "routes", "grade", id="coverage"),
    pytest.param("/_fakeio/settings-catalogue", "settings", "default", id="settings"),
])
def test_the_server_describes_itself(control: Control, path: str, plural: str, field: str) -> None:
    rows = control.client.get(path).json()[plural]
    assert rows
    assert all(field in row for row in rows)


def test_every_route_stands_in_the_openapi_document(control: Control) -> None:
    document = control.client.get("/_fakeio/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operations = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert ("POST", "/_fakeio/workspaces/{w}/faults") in operations
    assert ("GET", "/_fakeio/health") in operations
    for path, item in document["paths"].items():
        for operation in item.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert named == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
            assert operation["summary"].endswith(".")


# ---- workspaces ------------------------------------------------------------------------------------------------------


def test_the_default_workspace_has_the_published_credentials(control: Control) -> None:
    assert control.client.get("/_fakeio/workspaces/default").json() == {
        "id": 1, "name": "default", "region": "us", "account": "account 1",
        "site_id": "f0000000000000000001", "track_api_key": "f0000000000000000002",
        "app_api_key": "f0000000000000000000000000000003", "pipelines_write_key": "f0000000000000000004",
        "service_token": "sa_live_f0000000000000000005", "webhook_signing_key": "f0000000000000000006",
    }  # fmt: skip


def test_a_workspace_is_made_listed_read_and_removed(control: Control) -> None:
    wanted = {"name": "shop", "region": "eu", "account": "acme", "settings": {"auto_merge": False},
              "seed": {"people": [{"id": "1"}]}}  # fmt: skip
    made = control.client.post("/_fakeio/workspaces", json=wanted)
    assert made.status_code == 201
    row = made.json()
    assert {"name": "shop", "region": "eu", "account": "acme"}.items() <= row.items()
    here = f"/_fakeio/workspaces/{row['id']}"
    assert control.client.get(here).json() == row
    assert row in control.client.get("/_fakeio/workspaces", params={"limit": 1000}).json()["workspaces"]
    assert control.client.get(f"{here}/settings").json()["auto_merge"] is False
    assert [person["id"] for person in control.client.get(f"{here}/people").json()["people"]] == ["1"]
    assert control.client.delete(here).status_code == 204
    assert control.client.get(here).status_code == 404
    gone = control.client.put("/api/v1/customers/1", json={}, auth=(row["site_id"], row["track_api_key"]))
    assert gone.status_code == 401


@pytest.mark.parametrize(("document", "code"), [
    pytest.param({"region": "mars"}, "bad_region", id="region"),
    pytest.param({"region": ["us"]}, "bad_region", id="region that is no text"),
    pytest.param({"name": 7}, "bad_field", id="name"),
    pytest.param({"settings": {"colour": 1}}, "bad_setting", id="setting"),
    pytest.param({"settings": []}, "bad_field", id="settings that are no object"),
    pytest.param({"seed": {"people": [{"name": "x"}]}}, "bad_seed", id="seed"),
    pytest.param({"sede": {}}, "unknown_field", id="misspelt"),
])
def test_a_workspace_that_cannot_be_is_not_made(control: Control, document: dict[str, Any], code: str) -> None:
    before = control.client.get("/_fakeio/workspaces", params={"limit": 1000}).json()
    refused = control.client.post("/_fakeio/workspaces", json=document)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert control.client.get("/_fakeio/workspaces", params={"limit": 1000}).json() == before


def test_the_default_workspace_stays(control: Control) -> None:
    refused = control.client.delete("/_fakeio/workspaces/default")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "default_workspace")


def test_a_reset_leaves_only_the_credentials_and_the_seed(control: Control) -> None:
    seeded = {"seed": {"people": [{"id": "1", "attributes": {"plan": "pro"}}]}, "settings": {"auto_merge": False}}
    row = control.client.post("/_fakeio/workspaces", json=seeded).json()
    here = f"/_fakeio/workspaces/{row['id']}"
    auth = (row["site_id"], row["track_api_key"])
    control.client.put("/api/v1/customers/2", json={}, auth=auth)
    control.client.post(f"{here}/faults", json={"kind": "status", "status": 503})
    control.client.patch(f"{here}/settings", json={"auto_merge": True})
    control.client.put(f"{here}/clock", json={"now": 1})
    assert control.client.post(f"{here}/reset").status_code == 204
    assert [person["id"] for person in control.client.get(f"{here}/people").json()["people"]] == ["1"]
    assert control.client.get(f"{here}/requests").json() == {"requests": [], "next": None, "dropped": 0}
    assert control.client.get(f"{here}/faults").json()["faults"] == []
    assert control.client.get(f"{here}/clock").json()["mode"] == "real"
    assert control.client.get(f"{here}/settings").json()["auto_merge"] is False
    assert control.client.get(here).json() == row


# ---- people, events, segments ----------------------------------------------------------------------------------------


def test_seeded_people_keep_their_types_and_leave_no_activity(control: Control) -> None:
    attributes = {"plan": "pro", "seats": 3, "rate": 0.5, "vip": True, "tags": ["a"], "home": {"zip": "1"}}
    device = {"token": "t", "platform": "ios", "last_used": 5, "attributes": {"v": 1}}
    row = {"id": "42", "email": "a@example.com", "attributes": attributes, "devices": [device]}
    added = control.send("POST", "/people", {"people": [row]})
    assert added.status_code == 201
    (person,) = added.json()["people"]
    assert person == {
        **row, "cio_id": person["cio_id"], "segments": [], "unsubscribed": False, "created_at": person["created_at"],
    }  # fmt: skip
    assert control.get("/people")["people"] == [person]
    assert control.get("/activities")["activities"] == []


@pytest.mark.parametrize(("query", "ids"), [
    pytest.param({"id": "1"}, ["1"], id="id"),
    pytest.param({"id": "nobody"}, [], id="unknown id"),
    pytest.param({"email": "B@example.com"}, ["2"], id="email, whatever its case"),
    pytest.param({"q": "EXAMPLE"}, ["1", "2"], id="text"),
    pytest.param({"q": "3"}, ["3"], id="text in an id"),
    pytest.param({"id": "1", "email": "b@example.com"}, [], id="both must hold"),
    pytest.param({"id": "1", "email": "a@example.com"}, ["1"], id="both hold"),
])
def test_people_are_found_by(control: Control, query: dict[str, str], ids: list[str]) -> None:
    control.handle.add_people([
        {"id": "1", "email": "a@example.com", "cio_id": "c0ffee1"}, {"id": "2", "email": "b@example.com",
         "cio_id": "c0ffee2"}, {"id": "3", "cio_id": "c0ffeea"},
    ])  # fmt: skip
    assert [person["id"] for person in control.get("/people", **query)["people"]] == ids


def test_a_cio_id_is_taken_with_and_without_its_prefix(control: Control) -> None:
    cio_id = control.handle.add_person(id="1").cio_id
    for spelling in (cio_id, f"cio_{cio_id}"):
        assert [person["id"] for person in control.get("/people", cio_id=spelling)["people"]] == ["1"]


@given(count=st.integers(0, 12), limit=st.integers(1, 5))
def test_pages_hold_everybody_once_in_order(fake: Fake, count: int, limit: int) -> None:
    control = Control(fake, fake.new_workspace())
    control.handle.add_people({"id": str(n)} for n in range(count))
    met: list[str] = []
    start: str | None = "0"
    pages = 0
    while start is not None:
        page = control.get("/people", limit=limit, start=start)
        assert len(page["people"]) <= limit
        met += [person["id"] for person in page["people"]]
        start, pages = page["next"], pages + 1
    assert met == [str(n) for n in range(count)]
    assert pages == max(1, -(-count // limit))


def test_a_page_is_a_hundred_unless_asked_and_never_above_a_thousand(control: Control) -> None:
    control.handle.add_people({"id": str(n)} for n in range(1001))
    assert len(control.get("/people")["people"]) == 100
    largest = control.get("/people", limit=5000)
    assert (len(largest["people"]), largest["next"]) == (1000, "1000")


def test_events_come_in_order_of_arrival_with_their_person(control: Control) -> None:
    control.handle.clock.set(1_777_636_800)
    cio_id = control.handle.add_person(id="42", email="a@example.com").cio_id
    order = {"name": "order", "data": {"total": 3, "item": {"sku": "x"}}, "timestamp": 1_777_000_000, "id": "01ABC"}
    assert control.track("POST", "/api/v1/customers/42/events", order).status_code == 200
    control.track("POST", "/api/v1/customers/42/events", {"name": "/home", "type": "page"})
    control.track("POST", "/api/v1/events", {"name": "visit", "anonymous_id": "anon"})
    events = control.get("/events")["events"]
    who = {"id": "42", "email": "a@example.com", "cio_id": cio_id}
    assert events[0] == {
        "event_id": "01ABC", "type": "event", "name": "order", "data": {"total": 3, "item": {"sku": "x"}},
        "timestamp": 1_777_000_000, "person": who, "anonymous_id": None, "received_at": 1_777_636_800,
    }  # fmt: skip
    assert [(each["type"], each["name"], each["person"], each["anonymous_id"]) for each in events[1:]] == [
        ("page", "/home", who, None), ("event", "visit", None, "anon"),
    ]  # fmt: skip
    assert [each["name"] for each in control.get("/events", person="a@example.com")["events"]] == ["order", "/home"]
    assert [each["name"] for each in control.get("/events", type="page")["events"]] == ["/home"]
    assert [each["name"] for each in control.get("/events", name="visit")["events"]] == ["visit"]
    assert control.get("/events", person="nobody")["events"] == []
    assert [each["name"] for each in control.get("/events", limit=1)["events"]] == ["order"]


def test_segments_of_both_types_are_made_and_listed(control: Control) -> None:
    manual = control.send("POST", "/segments", {"name": "VIP", "description": "the best"})
    conditions = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
    dynamic = control.send("POST", "/segments", {"name": "Pros", "type": "dynamic", "conditions": conditions})
    assert (manual.status_code, dynamic.status_code) == (201, 201)
    rows = control.get("/segments")["segments"]
    assert rows == [manual.json(), dynamic.json()]
    assert [(row["id"], row["name"], row["type"], row["conditions"], row["count"]) for row in rows] == [
        (1, "VIP", "manual", None, 0), (2, "Pros", "dynamic", conditions, 0),
    ]  # fmt: skip


def test_members_are_listed_as_they_joined_and_people_know_their_segments(control: Control) -> None:
    people = control.handle.add_people([{"id": "1", "email": "a@example.com"}, {"id": "2"}, {"id": "3"}])
    segment = control.handle.add_segment("VIP")
    control.track("POST", f"/api/v1/segments/{segment.id}/add_customers", {"ids": ["3", "1"]})
    members = control.get(f"/segments/{segment.id}/members")
    assert members == {"next": None, "members": [
        {"id": "3", "email": None, "cio_id": people[2].cio_id},
        {"id": "1", "email": "a@example.com", "cio_id": people[0].cio_id},
    ]}  # fmt: skip
    first = control.get(f"/segments/{segment.id}/members", limit=1)
    rest = control.get(f"/segments/{segment.id}/members", limit=1, start=first["next"])
    assert first["members"] + rest["members"] == members["members"]
    assert rest["next"] is None
    assert [person["segments"] for person in control.get("/people")["people"]] == [[1], [], [1]]


def test_the_activity_log_and_the_suppressions_are_shown(control: Control) -> None:
    control.identify("1", plan="pro")
    control.track("POST", "/api/v1/customers/2/suppress", {})
    lines = control.get("/activities", person="1")["activities"]
    assert [line["request"] for line in lines] == [1] * len(lines)
    assert {line["person"]["id"] for line in lines} == {"1"}
    (suppression,) = control.get("/suppressions")["suppressions"]
    assert (suppression["identifiers"], suppression["request"]) == ([{"type": "id", "value": "2"}], 2)


def test_objects_and_deliveries_are_shown(control: Control) -> None:
    seed = {
        "people": [{"id": "1", "cio_id": "c0ffee1"}],
        "objects": [{"object_type_id": "1", "object_id": "acme", "attributes": {"plan": "pro"},
                     "relationships": [{"id": "1", "attributes": {"role": "admin"}}]}],
        "deliveries": [{"id": "d1", "type": "email", "person": {"id": "1"}, "created_at": 5, "metrics": {"opened": 7}}],
    }  # fmt: skip
    row = control.client.post("/_fakeio/workspaces", json={"seed": seed}).json()
    here = f"/_fakeio/workspaces/{row['id']}"
    who = {"id": "1", "email": None, "cio_id": "c0ffee1"}
    (found,) = control.client.get(f"{here}/objects").json()["objects"]
    assert found == {
        "object_type_id": "1", "object_id": "acme", "cio_object_id": found["cio_object_id"],
        "attributes": {"plan": "pro"}, "relationships": [{**who, "attributes": {"role": "admin"}}],
    }  # fmt: skip
    assert control.client.get(f"{here}/deliveries").json() == {"next": None, "deliveries": [{
        "id": "d1", "type": "email", "person": who, "recipient": "", "metrics": {"opened": 7}, "unsubscribed": False,
        "created_at": 5,
    }]}  # fmt: skip


def test_a_person_is_explained(control: Control) -> None:
    control.handle.add_segment("VIP")
    control.identify("1", plan="pro")
    control.track("POST", "/api/v1/segments/1/add_customers", {"ids": ["1"]})
    control.track("POST", "/api/v1/segments/1/add_customers", {"ids": ["1"]})
    (person,) = control.handle.people
    here = f"/people/{person.cio_id}/explain"
    told = control.get(here)
    assert (told["created_by"]["request"], told["attributes"]["plan"]["request"]) == (1, 1)
    assert [(row["request"], row["rule"]) for row in told["ignored"]] == [(3, "segment.already_member")]
    plan = control.get(here, attribute="plan")
    assert (plan["value"], plan["why"]) == ("pro", "written by request 1")
    assert control.get(here, segment="1")["why"] == "added by request 2"
    assert control.get(here, segment="7")["why"] == "there is no segment 7"


# ---- the tape --------------------------------------------------------------------------------------------------------


def test_the_tape_holds_a_request_whole_but_for_its_credentials(control: Control) -> None:
    control.track("PUT", "/api/v1/customers/a%2Fb?dry=1", {"plan": "pro"})
    tape = control.get("/requests")
    (row,) = tape["requests"]
    assert (tape["next"], tape["dropped"]) == (None, 0)
    assert (row["n"], row["api"], row["method"], row["path"], row["query"]) == (
        1, "track", "PUT", "/api/v1/customers/a%2Fb", "dry=1",
    )  # fmt: skip
    assert (row["body"], row["status"], row["response"], row["faults"]) == ({"plan": "pro"}, 200, {}, [])
    assert row["headers"]["authorization"] == "Basic ***"
    assert row["duration_ms"] >= 0
    (operation,) = row["operations"]
    assert (operation["operation"], operation["outcome"]) == ("identify", "applied")
    assert control.get("/requests/1") == row
    text = control.client.get(f"{control.base}/requests").text
    assert control.handle.track_api_key not in text
    assert control.handle.site_id not in text


@pytest.mark.parametrize(("query", "numbers"), [
    pytest.param({}, [1, 2, 3], id="all"),
    pytest.param({"path": "/api/v1/customers/*"}, [1, 2], id="path"),
    pytest.param({"status": 401}, [3], id="status"),
    pytest.param({"method": "put"}, [1, 2], id="method"),
    pytest.param({"api": "app"}, [3], id="api"),
    pytest.param({"since": 200}, [2, 3], id="since"),
    pytest.param({"start": 1, "limit": 1}, [2], id="a page"),
    pytest.param({"start": 3}, [], id="past the end"),
])
def test_the_tape_is_searched_by(control: Control, query: dict[str, Any], numbers: list[int]) -> None:
    control.handle.clock.set(100)
    control.identify("1")
    control.handle.clock.set(200)
    control.identify("2")
    control.client.get("/v1/segments", auth=(control.handle.site_id, "wrong"))
    assert [row["n"] for row in control.get("/requests", **query)["requests"]] == numbers


def test_a_cleared_tape_goes_on_counting(control: Control) -> None:
    control.identify("1")
    assert control.send("DELETE", "/requests").status_code == 204
    control.identify("2")
    assert [row["n"] for row in control.get("/requests")["requests"]] == [2]
    refused = control.client.get(f"{control.base}/requests/1")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_request")


def test_what_came_to_nothing_is_listed_with_the_rule_that_says_why(control: Control) -> None:
    control.identify("1", plan="pro")
    control.track("DELETE", "/api/v1/customers/nobody", {})
    control.track("POST", "/api/v1/customers/1/events", {"name": "order", "id": "01ABC"})
    control.track("POST", "/api/v1/customers/1/events", {"name": "order", "id": "01ABC"})
    control.track("POST", "/api/v1/customers/1/events", {"name": ""})
    ignored = control.get("/ignored")["ignored"]
    assert [(row["request"], row["operation"], row["rule"]) for row in ignored] == [
        (2, "delete_person", "person.unknown"), (4, "record_event", "event.duplicate"),
    ]  # fmt: skip
    assert all(row["explanation"] for row in ignored)
    first = control.get("/ignored", limit=1)
    rest = control.get("/ignored", limit=1, start=first["next"])
    assert (first["ignored"] + rest["ignored"], rest["next"]) == (ignored, None)


@pytest.mark.parametrize(("expectation", "ok", "matched"), [
    pytest.param({"method": "PUT", "path": "/api/v1/customers/*"}, True, 2, id="at least one, unless told"),
    pytest.param({"path": "/api/v1/customers/1", "times": 1}, True, 1, id="once"),
    pytest.param({"method": "PUT", "times": 1}, False, 2, id="not once"),
    pytest.param({"body": {"plan": "pro"}, "at_most": 1}, True, 1, id="at most"),
    pytest.param({"body": {"plan": "free"}}, False, 0, id="never"),
    pytest.param({"path": "/api/v1/customers/9", "times": 0}, True, 0, id="not at all"),
    pytest.param({"at_least": 3}, False, 2, id="not often enough"),
    pytest.param({}, True, 2, id="anything"),
])
def test_verify_counts_what_arrived(control: Control, expectation: dict[str, Any], ok: bool, matched: int) -> None:
    control.identify("1", plan="pro", seats=3)
    control.identify("2", plan="basic")
    verdict = control.send("POST", "/verify", expectation)
    assert verdict.status_code == 200
    assert (verdict.json()["ok"], verdict.json()["matched"]) == (ok, matched)


def test_verify_shows_the_nearest_misses_and_what_differs(control: Control) -> None:
    control.identify("1", plan="pro")
    control.identify("2", plan="basic", seats=3)
    expectation = {"method": "PUT", "path": "/api/v1/customers/2", "body": {"plan": "pro", "seats": 3, "vip": True}}
    misses = control.send("POST", "/verify", expectation).json()["near_misses"]
    assert [miss["n"] for miss in misses] == [2, 1]
    assert misses[0]["differences"] == [
        {"field": "body.plan", "expected": "pro", "actual": "basic"}, {"field": "body.vip", "expected": True},
    ]  # fmt: skip


# ---- conditions ------------------------------------------------------------------------------------------------------


def test_a_fault_is_added_listed_and_removed(control: Control) -> None:
    added = control.send("POST", "/faults", {"kind": "status", "status": 503, "times": 1})
    assert added.status_code == 201
    control.identify("1")
    assert control.get("/faults")["faults"] == [{**added.json(), "seen": 1, "fired": 1}]
    assert control.send("DELETE", f"/faults/{added.json()['id']}").status_code == 204
    assert control.send("DELETE", f"/faults/{added.json()['id']}").status_code == 404
    control.send("POST", "/faults", {"kind": "reset"})
    assert control.send("DELETE", "/faults").status_code == 204
    assert control.get("/faults") == {"faults": [], "next": None}


def test_a_clock_is_stopped_turned_and_started(control: Control) -> None:
    assert control.get("/clock")["mode"] == "real"
    assert control.send("PUT", "/clock", {"now": 1000}).json() == {"now": 1000.0, "mode": "manual"}
    assert control.send("PUT", "/clock", {"advance": 60}).json() == {"now": 1060.0, "mode": "manual"}
    assert control.get("/clock") == {"now": 1060.0, "mode": "manual"}
    assert control.send("PUT", "/clock", {"mode": "real"}).json()["mode"] == "real"
    before = control.get("/clock")["now"]
    assert control.send("PUT", "/clock", {"advance": 3600}).json()["now"] >= before + 3600
    assert control.send("PUT", "/clock", {"mode": "manual"}).json()["now"] >= before + 3600


def test_turning_the_clock_lets_fall_due_what_is_due(control: Control) -> None:
    control.handle.clock.set(1_777_636_800)
    control.track("POST", "/api/v1/events", {"name": "visit", "anonymous_id": "anon"})
    assert len(control.get("/events")["events"]) == 1
    control.send("PUT", "/clock", {"advance": 31 * 86_400})
    assert control.get("/events")["events"] == []


def test_settings_are_read_and_changed(control: Control) -> None:
    before = control.get("/settings")
    assert (before["rate_limits"], before["auto_merge"]) == ("off", True)
    changed = control.send("PATCH", "/settings", {"auto_merge": False})
    assert (changed.status_code, changed.json()) == (200, {**before, "auto_merge": False})
    assert control.get("/settings") == changed.json()


def test_what_is_delayed_becomes_visible_in_its_time(control: Control) -> None:
    control.handle.clock.set(1_777_636_800)
    control.send("PATCH", "/settings", {"propagation_delay_s": 60})
    assert control.identify("1").status_code == 200
    assert control.get("/people")["people"] == []
    control.send("PUT", "/clock", {"advance": 60})
    assert [person["id"] for person in control.get("/people")["people"]] == ["1"]


def test_a_flush_makes_everything_visible(control: Control) -> None:
    control.send("PATCH", "/settings", {"propagation_delay_s": 3600})
    control.identify("1", plan="pro")
    control.identify("2")
    assert control.get("/people")["people"] == []
    assert control.send("POST", "/flush").status_code == 204
    assert [person["id"] for person in control.get("/people")["people"]] == ["1", "2"]
    operations = [each["outcome"] for row in control.get("/requests")["requests"] for each in row["operations"]]
    assert operations == ["applied", "applied"]


# ---- nonsense --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "document", "status", "code"), [
    pytest.param("GET", "/people?limit=0", None, 400, "bad_limit", id="an empty page"),
    pytest.param("GET", "/people?limit=-1", None, 400, "bad_limit", id="a negative page"),
    pytest.param("GET", "/people?limit=ten", None, 400, "bad_limit", id="a page in words"),
    pytest.param("GET", "/people?start=x", None, 400, "bad_start", id="a cursor nobody gave"),
    pytest.param("GET", "/people?name=x", None, 400, "unknown_parameter", id="an unknown parameter"),
    pytest.param("GET", "/events?limit=%F0%9D%9F%99", None, 400, "bad_limit", id="a digit of another script"),
    pytest.param("POST", "/people", {"people": {}}, 400, "bad_people", id="people that are no list"),
    pytest.param("POST", "/people", {}, 400, "bad_people", id="no people"),
    pytest.param("POST", "/people", [], 400, "bad_json", id="no object"),
    pytest.param("POST", "/people", {"people": [{}]}, 400, "bad_people", id="a person without an identifier"),
    pytest.param("POST", "/people", {"people": [{"id": 7}]}, 400, "bad_people", id="a number as id"),
    pytest.param("POST", "/people", {"people": [7]}, 400, "bad_people", id="a number as person"),
    pytest.param("POST", "/people", {"people": [{"id": "1", "devices": 7}]}, 400, "bad_people", id="bad devices"),
    pytest.param("POST", "/people", {"people": [{"id": "1", "devices": [7]}]}, 400, "bad_people", id="a bad device"),
    pytest.param("GET", "/people/1/explain", None, 404, "unknown_person", id="nobody to explain"),
    pytest.param("POST", "/segments", {}, 400, "bad_segment", id="a segment without a name"),
    pytest.param("POST", "/segments", {"name": "x", "type": []}, 400, "bad_segment", id="a type that is no text"),
    pytest.param("POST", "/segments", {"name": "x", "colour": 1}, 400, "unknown_field", id="an unknown field"),
    pytest.param("GET", "/segments/7/members", None, 404, "unknown_segment", id="an unknown segment"),
    pytest.param("GET", "/segments/x/members", None, 400, "bad_id", id="a segment in words"),
    pytest.param("GET", "/requests/1", None, 404, "unknown_request", id="an unknown request"),
    pytest.param("GET", "/requests/x", None, 400, "bad_n", id="a request in words"),
    pytest.param("GET", "/requests?status=ok", None, 400, "bad_status", id="a status in words"),
    pytest.param("POST", "/verify", {"times": "once"}, 400, "bad_expectation", id="times in words"),
    pytest.param("POST", "/faults", {"kind": "storm"}, 400, "bad_fault", id="an unknown fault"),
    pytest.param("POST", "/faults", {}, 400, "bad_fault", id="no fault"),
    pytest.param("DELETE", "/faults/9", None, 404, "unknown_fault", id="a fault nobody added"),
    pytest.param("PUT", "/clock", {}, 400, "bad_clock", id="no time"),
    pytest.param("PUT", "/clock", {"now": 1, "mode": "real"}, 400, "bad_clock", id="two times"),
    pytest.param("PUT", "/clock", {"now": "noon"}, 400, "bad_clock", id="a time in words"),
    pytest.param("PUT", "/clock", {"now": True}, 400, "bad_clock", id="a time that is true"),
    pytest.param("PUT", "/clock", {"now": 1e300}, 400, "bad_clock", id="a time after time"),
    pytest.param("PUT", "/clock", {"advance": -1}, 400, "bad_clock", id="back in time"),
    pytest.param("PUT", "/clock", {"mode": "fast"}, 400, "bad_clock", id="an unknown mode"),
    pytest.param("PATCH", "/settings", {"colour": 1}, 400, "bad_setting", id="an unknown setting"),
    pytest.param("PATCH", "/settings", {"auto_merge": "yes"}, 400, "bad_setting", id="a value that is no choice"),
    pytest.param("PATCH", "/settings", {"auto_merge": []}, 400, "bad_setting", id="a value of no type"),
    pytest.param("GET", "/weather", None, 404, "unknown_route", id="an unknown route"),
    pytest.param("PATCH", "/people", {}, 405, "wrong_method", id="an unknown method"),
])
def test_nonsense_gets_a_clear_error(
    control: Control, method: str, path: str, document: Any, status: int, code: str
) -> None:
    refused = control.send(method, path, document)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], sorted(error)) == (status, code, ["code", "hint", "message"])
    assert error["message"]
    assert error["hint"]


@pytest.mark.parametrize("body", [
    pytest.param(b"{", id="cut"), pytest.param(b'{"people": [\xff]}', id="no UTF-8"),
    pytest.param(b"[" * 100_000, id="too deep"), pytest.param(b'"\\ud800"', id="a lone surrogate"),
    pytest.param(b"people=1", id="a form"),
])  # fmt: skip
def test_a_body_that_is_no_json_gets_a_clear_error(control: Control, body: bytes) -> None:
    refused = control.client.post(f"{control.base}/people", content=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_json")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(route=st.sampled_from(ROUTES), document=JSON, part=st.text(max_size=6), data=st.data())
def test_no_nonsense_at_all_breaks_it(fake: Fake, route: ControlRoute, document: Any, part: str, data: Any) -> None:
    control = Control(fake, fake.new_workspace(seed={"people": [{"id": "1"}], "segments": [{"name": "VIP"}]}))
    if route.fields:
        document = data.draw(st.dictionaries(st.sampled_from(route.fields), JSON) | st.just(document))
    query = data.draw(st.dictionaries(st.sampled_from((*route.query, "other")), st.text(max_size=4), max_size=2))
    named = {"w": str(control.handle.id), "id": data.draw(st.just("1") | st.just(part)), "n": part, "cio_id": part}
    path = route.path.format(**{name: quote(value, safe="") for name, value in named.items()})
    answer = control.client.request(route.method, path, params=query, json=document)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert sorted(answer.json()["error"]) == ["code", "hint", "message"]
    control.handle.raise_first_error()


@pytest.mark.parametrize("workspace", ["99999", "0", "-1", "nobody", "1" * 30, "%00", "१"])
def test_an_unknown_workspace_is_said_to_be_so(control: Control, workspace: str) -> None:
    refused = control.client.get(f"/_fakeio/workspaces/{workspace}/people")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_workspace")


# ---- who may call ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("headers", "status"), [
    pytest.param({}, 200, id="loopback"),
    pytest.param({"host": "localhost:7099"}, 200, id="localhost"),
    pytest.param({"host": "[::1]:7099"}, 200, id="loopback, IPv6"),
    pytest.param({"host": "evil.example"}, 403, id="a foreign name"),
    pytest.param({"host": "localhost.evil.example"}, 403, id="a foreign name that begins well"),
    pytest.param({"host": "10.0.0.1"}, 403, id="a foreign address"),
    pytest.param({"host": "track.customer.io"}, 403, id="a regional host"),
    pytest.param({"host": "["}, 403, id="no host at all"),
    pytest.param({"origin": "https://evil.example"}, 403, id="a foreign page"),
    pytest.param({"origin": "null"}, 403, id="a page of nowhere"),
    pytest.param({"origin": "http://localhost:7099"}, 200, id="a page of ours"),
])
def test_only_callers_from_here_are_answered(control: Control, headers: dict[str, str], status: int) -> None:
    answer = control.client.get("/_fakeio/workspaces", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert set(answer.json()["error"]) == {"code", "message", "hint"}


def test_control_requests_are_not_on_the_tape_and_no_fault_strikes_them(control: Control) -> None:
    control.send("POST", "/faults", {"kind": "status", "status": 503})
    assert control.get("/people") == {"people": [], "next": None}
    assert control.get("/requests")["requests"] == []
