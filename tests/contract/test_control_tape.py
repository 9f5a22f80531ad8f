"""The control API on the tape and on the conditions: what arrived, faults, the clock, settings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import controlling
from tests.contract.controlling import Control

fake, control = controlling.fake, controlling.control


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


def test_a_part_that_came_to_nothing_is_listed_too(control: Control) -> None:
    control.identify("1", email="a@example.com")
    control.identify("2", email="a@example.com", plan="pro")
    (row,) = control.get("/ignored")["ignored"]
    assert (row["request"], row["operation"], row["effect"]) == (2, "identify", "partial")
    assert [(each["id"], each["attributes"]) for each in control.get("/people")["people"]] == [("1", {"plan": "pro"})]


@pytest.mark.parametrize(("expectation", "ok", "matched"), [
    pytest.param({"method": "PUT", "path": "/api/v1/customers/*"}, True, 2, id="at least one, unless told"),
    pytest.param({"path": "/api/v1/customers/1", "times": 1}, True, 1, id="once"),
    pytest.param({"method": "PUT", "times": 1}, False, 2, id="not once"),
    pytest.param({"body": {"plan": "pro"}, "at_most": 1}, True, 1, id="at most"),
    pytest.param({"body": {"plan": "free"}}, False, 0, id="never"),
    pytest.param({"path": "/api/v1/customers/9", "times": 0}, True, 0, id="not at all"),
    pytest.param({"at_least": 3}, False, 2, id="not often enough"),
    pytest.param({"method": "post"}, False, 0, id="another method"),
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
