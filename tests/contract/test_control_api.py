"""The control API as a whole: workspaces, self-description, who may call, and clear words for every nonsense."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio import Fake
from fakeio.edge import control_server
from fakeio.edge.control_app import ROUTES, is_our_host
from fakeio.edge.control_http import ControlRoute
from tests.contract import controlling, plain
from tests.contract.controlling import Control

fake, control = controlling.fake, controlling.control
FIELDS = sorted({field for route in ROUTES for field in route.fields or ()})
WORDS = st.sampled_from([*FIELDS, "id", "email", "kind", "status", "match", "token"]) | st.text(max_size=4)


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
    assert control.client.get(f"{here}/requests").json() == {"requests": [], "next": None, "dropped": 0, "last": 0}
    assert control.client.get(f"{here}/faults").json()["faults"] == []
    assert control.client.get(f"{here}/clock").json()["mode"] == "real"
    assert control.client.get(f"{here}/settings").json()["auto_merge"] is False
    assert control.client.get(here).json() == row


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
    pytest.param("GET", "/people/1/explain?attribute=a&segment=1", None, 400, "two_questions", id="two questions"),
    pytest.param("POST", "/segments", {}, 400, "bad_segment", id="a segment without a name"),
    pytest.param("POST", "/segments", {"name": "x", "type": []}, 400, "bad_segment", id="a type that is no text"),
    pytest.param("POST", "/segments", {"name": "x", "colour": 1}, 400, "unknown_field", id="an unknown field"),
    pytest.param("GET", "/segments/7/members", None, 404, "unknown_segment", id="an unknown segment"),
    pytest.param("GET", "/segments/x/members", None, 400, "bad_id", id="a segment in words"),
    pytest.param("GET", "/requests/1", None, 404, "unknown_request", id="an unknown request"),
    pytest.param("GET", "/requests/x", None, 400, "bad_n", id="a request in words"),
    pytest.param("GET", "/requests?status=ok", None, 400, "bad_status", id="a status in words"),
    pytest.param("POST", "/verify", {"times": "once"}, 400, "bad_expectation", id="times in words"),
    pytest.param("POST", "/verify", {"at_most": -1}, 400, "bad_expectation", id="fewer than none"),
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
    pytest.param("PATCH", "/settings", {"auto_merge": "perhaps"}, 400, "bad_setting", id="a value that is no choice"),
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
    pytest.param({"host": "localhost:$(id)"}, 403, id="a command for a port"),
    pytest.param({"origin": "https://evil.example"}, 403, id="a foreign page"),
    pytest.param({"origin": "null"}, 403, id="a page of nowhere"),
    pytest.param({"origin": "http://localhost"}, 200, id="a page of ours"),
    pytest.param({"host": "localhost:7099", "origin": "http://127.0.0.1:7099"}, 200, id="a page of ours, by address"),
    pytest.param({"host": "localhost:443", "origin": "https://localhost"}, 200, id="a page of ours, over TLS"),
    pytest.param({"host": "localhost:7099", "origin": "http://localhost:3000"}, 403, id="a page of another server"),
    pytest.param({"host": "localhost:7099", "origin": "http://localhost:x"}, 403, id="a page of no port"),
    pytest.param({"host": "localhost:7099", "origin": "file://"}, 403, id="a page of a file"),
])
def test_only_callers_from_here_are_answered(control: Control, headers: dict[str, str], status: int) -> None:
    answer = control.client.get("/_fakeio/workspaces", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert set(answer.json()["error"]) == {"code", "message", "hint"}


@pytest.mark.parametrize(("host", "bound", "ours"), [
    pytest.param("127.0.0.2:80", "127.0.0.1", True, id="any loopback address"),
    pytest.param("LOCALHOST.", "127.0.0.1", True, id="case and the final dot say nothing"),
    pytest.param("10.0.0.5:80", "10.0.0.5", True, id="the bound address"),
    pytest.param("10.0.0.6", "10.0.0.5", False, id="another address"),
    pytest.param("fake.test", "fake.test", True, id="the bound name"),
    pytest.param("10.0.0.6", "0.0.0.0", True, id="any address, when bound to every one"),
    pytest.param("[fe80::1]:80", "::", True, id="any IPv6 address, when bound to every one"),
    pytest.param("evil.example", "0.0.0.0", False, id="a name, even when bound to every address"),
    pytest.param(socket.gethostname(), "0.0.0.0", True, id="this machine's name, when bound to every address"),
    pytest.param("", "127.0.0.1", False, id="no host"),
])
def test_a_host_is_ours(host: str, bound: str, ours: bool) -> None:
    assert is_our_host(host, bound) is ours


def test_a_bug_of_the_control_api_is_said_to_be_one(
    control: Control, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(control_server, "limit_rows", broken)
    answer = plain.get(f"{fake.url}/_fakeio/limits")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "bug")
    with pytest.raises(RuntimeError, match="a bug"):
        control.client.get("/_fakeio/limits")


def test_control_requests_are_not_on_the_tape_and_no_fault_strikes_them(control: Control) -> None:
    control.send("POST", "/faults", {"kind": "status", "status": 503})
    assert control.get("/people") == {"people": [], "next": None}
    assert control.get("/requests")["requests"] == []
