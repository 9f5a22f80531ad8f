"""What became of one request, and what was probably meant: the control route and the command."""

from __future__ import annotations

from typing import Any

import pytest

from fakeio import Fake
from tests.contract import controlling
from tests.contract.controlling import Control
from tests.contract.serving import run

fake, control = controlling.fake, controlling.control


def track(control: Control, method: str, path: str, document: Any = None) -> int:
    """A Track call of the test's workspace; returns its number on the tape."""
    assert control.track(method, path, document).status_code == 200
    return int(control.get("/requests")["requests"][-1]["n"])


def test_each_operation_is_told_with_its_rule_in_full(control: Control) -> None:
    n = track(control, "PUT", "/api/v1/customers/1", {"plan": "pro"})
    track(control, "PUT", "/api/v1/customers/1", {"plan": "pro"})
    told = control.get(f"/requests/{n + 1}/explain")
    assert (told["method"], told["path"], told["status"]) == ("PUT", "/api/v1/customers/1", 200)
    [operation] = told["operations"]
    assert (operation["outcome"], operation["rule"]) == ("ignored", "person.unchanged")
    assert operation["effect"] == "unchanged"
    assert operation["says"] == "the person already has these values"
    assert control.get(f"/requests/{n}/explain")["operations"][0]["rule"] is None


@pytest.mark.parametrize(
    ("id_type", "sent", "words"),
    [
        pytest.param("id", "User1", "differs only in case", id="another case"),
        pytest.param("id", "ann@example.com", "is the email of", id="an email among ids"),
        pytest.param("email", "user1", "is the id of", id="an id among emails"),
    ],
)
def test_an_id_that_was_ignored_says_who_was_probably_meant(
    control: Control, id_type: str, sent: str, words: str
) -> None:
    control.send("POST", "/people", {"people": [{"id": "user1", "email": "Ann@example.com"}]})
    segment = control.send("POST", "/segments", {"name": "vip", "type": "manual"}).json()["id"]
    n = track(control, "POST", f"/api/v1/segments/{segment}/add_customers?id_type={id_type}", {"ids": ["zoe", sent]})
    first, second = control.get(f"/requests/{n}/explain")["operations"]
    assert first["near_misses"] == []
    assert any(words in line for line in second["near_misses"])


@pytest.mark.parametrize(
    ("settings", "sent", "words"),
    [
        pytest.param({}, "a3000001", "is the cio_id of person a3000001", id="a cio_id without its prefix"),
        pytest.param({}, "user1", "differs only in case or white space", id="an id in another case"),
        pytest.param({"identifiers": "id"}, "ann@example.com", "is the email of person a3000001", id="an email as id"),
    ],
)
def test_somebody_made_by_mistake_was_perhaps_there_already(
    control: Control, settings: dict[str, str], sent: str, words: str
) -> None:
    control.handle.update_settings(**settings)
    track(control, "PUT", "/api/v1/customers/User1", {"email": "ann@example.com"})
    n = track(control, "PUT", f"/api/v1/customers/{sent}", {"plan": "pro"})
    [operation] = control.get(f"/requests/{n}/explain")["operations"]
    assert operation["outcome"] == "applied"
    assert any(words in line for line in operation["near_misses"])
    again = track(control, "PUT", f"/api/v1/customers/{sent}", {"plan": "free"})
    assert control.get(f"/requests/{again}/explain")["operations"][0]["near_misses"] == []


def test_an_event_in_milliseconds_is_noticed(control: Control) -> None:
    n = track(control, "POST", "/api/v1/customers/1/events", {"name": "buy", "timestamp": 1_700_000_000_000})
    [operation] = control.get(f"/requests/{n}/explain")["operations"]
    assert "looks like milliseconds" in operation["near_misses"][0]


def test_credentials_of_the_other_region_are_noticed(fake: Fake) -> None:
    eu = Control(fake, fake.new_workspace(region="eu"))
    auth = (eu.handle.site_id, eu.handle.track_api_key)
    eu.client.put("https://track.customer.io/api/v1/customers/1", json={}, auth=auth)
    told = eu.get("/requests/1/explain")
    assert told["hints"] == ["these credentials belong to region eu, the host to us: use track-eu"]


EVENT = {"type": "person", "action": "event", "identifiers": {"id": "1"}, "name": "buy"}
V2 = "data is v1's word for what an event carries: v2 reads attributes, and kept none of it"
V1 = "attributes is v2's word for what an event carries: v1 reads data, and kept none of it"
DOUBLED = "the prefix 'cio_' is doubled in the path: a cio_id has it once"
ODD = [
    pytest.param("PUT", "/api/v1/customers/cio_cio_a3000001", {}, [DOUBLED], id="a prefix too many"),
    pytest.param("PUT", "/api/v1/customers/%63io_cio_a3000001/devices", {}, [DOUBLED], id="a prefix too many, encoded"),
    pytest.param("PUT", "/api/v1/customers/cio_a3000001", {}, [], id="a prefix"),
    pytest.param("POST", "/api/v2/entity", {**EVENT, "data": {"total": 3}}, [V2], id="data in v2"),
    pytest.param("POST", "/api/v2/entity", {**EVENT, "data": {}, "attributes": {}}, [], id="data and attributes in v2"),
    pytest.param("POST", "/api/v2/batch", {"batch": [EVENT, {**EVENT, "data": {}}, 5, {**EVENT, "data": 1}]},
                 [f"{V2} (items 1, 3)"], id="data in a batch"),
    pytest.param("POST", "/api/v2/batch", {"batch": [{**EVENT, "data": 1}] * 12},
                 [f"{V2} (items 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …)"], id="data in a long batch"),
    pytest.param("POST", "/api/v2/batch", {"batch": 5}, [], id="no batch"),
    pytest.param("POST", "/api/v1/customers/1/events", {"name": "buy", "attributes": {"total": 3}}, [V1],
                 id="attributes in v1"),
    pytest.param("POST", "/api/v1/events", {"name": "buy", "attributes": {}}, [V1], id="attributes of nobody's event"),
    pytest.param("POST", "/api/v1/customers/1/events", {"name": "b", "data": {}, "attributes": {}}, [], id="both"),
    pytest.param("POST", "/api/v1/customers/1/events", [], [], id="a list"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "hints"), ODD)
def test_what_is_odd_about_a_request_is_noticed(
    control: Control, method: str, path: str, body: Any, hints: list[str]
) -> None:
    control.track(method, path, body)
    [only] = control.get("/requests")["requests"]
    assert control.get(f"/requests/{only['n']}/explain")["hints"] == hints


def test_a_number_that_is_not_on_the_tape_says_where_it_went(control: Control) -> None:
    answer = control.send("GET", "/requests/99/explain")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_request")


def test_the_command_tells_the_same_to_a_reader(control: Control) -> None:
    control.send("POST", "/people", {"people": [{"id": "user1"}]})
    n = track(control, "POST", "/api/v1/segments/9/add_customers", {"ids": ["user1"]})
    shown = run("explain", str(n), "--url", str(control.handle.url), "--workspace", str(control.handle.id))
    assert shown.returncode == 0
    assert f"request {n}: POST /api/v1/segments/9/add_customers answered 200" in shown.stdout
    assert "rule segment.unknown: " in shown.stdout
