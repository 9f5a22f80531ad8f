"""Track API v1 over a real socket: accounts, people, devices, suppression, merges; bodies and headers byte for byte."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec import structs

from fakeio.app_routes import ROUTES
from fakeio.edge.credentials import Credentials
from fakeio.edge.routing import APP
from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract.live import Live, Site, basic_header

live, site = fixtures.live, fixtures.site

UNAUTHORIZED = b'{\n  "meta": {\n    "error": "Unauthorized request"\n  }\n}\n'


def test_identify_answers_three_bytes_and_the_recorded_headers(live: Live, site: Site) -> None:
    raw = live.ask(
        b"PUT /api/v1/customers/42 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n"
        + basic_header(*site.basic) + b"\r\n{}"
    )  # fmt: skip
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    assert status == b"HTTP/1.1 200 OK"
    assert body == b"{}\n"
    assert {line for line in headers if not line.startswith((b"date: ", b"connection: "))} == {
        b"access-control-allow-origin: *",
        b"cache-control: no-cache, no-store, must-revalidate, max-age=0",
        b"content-length: 3",
        b"content-type: application/json; charset=utf-8",
        b"status: 200 OK",
        b"via: 1.1 google",
    }


AUTHORIZATIONS = [
    pytest.param(b"", id="none at all"),
    pytest.param(basic_header("", ""), id="an empty pair"),
    pytest.param(basic_header("f0000000000000000009", "f0000000000000000002"), id="an unknown site id"),
    pytest.param(basic_header("f0000000000000000001", "f0000000000000000009"), id="a wrong key"),
    pytest.param(b"Authorization: Bearer f0000000000000000000000000000003\r\n", id="an App API key"),
    pytest.param(b"Authorization: Basic f0000000000000000001\r\n", id="no colon inside"),
    pytest.param(b"Authorization: Basic %%%\r\n", id="not base64"),
    pytest.param(b"Authorization: Basic\r\n", id="a scheme alone"),
    pytest.param(b"Authorization: Digest x\r\n", id="another scheme"),
    pytest.param(b"Authorization: Basic \xff\xfe\r\n", id="bytes that are no text"),
]


@pytest.mark.parametrize("header", AUTHORIZATIONS)
def test_one_answer_refuses_all_bad_credentials_before_the_body_is_read(live: Live, header: bytes) -> None:
    raw = live.ask(
        b"PUT /api/v1/customers/42 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n"
        + header + b"\r\n{{{"
    )  # fmt: skip
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 401 Unauthorized"
    assert body == UNAUTHORIZED
    assert b'www-authenticate: Basic realm="Customer.io edge event collection"' in head
    assert b"content-length: 56" in head
    assert b"status: 401 Unauthorized" in head
    assert b"cache-control" not in head


def test_credentials_in_the_url_safe_alphabet_open_the_same_workspace(live: Live) -> None:
    header = b"Authorization: Basic Zj4_OmE-Pw==\r\n"  # `f>?:a>?`: its encoding has characters that differ
    site = live.site(credentials=structs.replace(Credentials.fresh(), site_id="f>?", track_api_key="a>?"))
    raw = live.ask(b"GET /auth HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header + b"\r\n")
    assert raw.startswith(b"HTTP/1.1 200 OK")
    assert site.last().request.path == "/auth"


def test_a_refused_request_is_on_the_tape_of_the_workspace_its_site_id_names(site: Site) -> None:
    response = plain.get(f"{site.live.url}/auth", auth=(site.basic[0], "wrong"))
    assert response.status_code == 401
    assert site.outcomes() == [("check_credentials", "refused", "auth")]


def test_auth_and_region_tell_who_the_credentials_are(live: Live) -> None:
    site = live.site(region="eu")
    assert site.track.get("/auth").content == b'{\n  "meta": {\n    "message": "nice credentials."\n  }\n}\n'
    assert site.track.get("/api/v1/accounts/region").json() == {
        "url": "https://track-eu.customer.io",
        "region": "eu",
        "environment_id": site.hosted.id,
    }
    assert site.hosted.state.people.after(0, 9) == []


def test_an_unknown_route_answers_the_directory_without_credentials(live: Live) -> None:
    response = plain.get(f"{live.url}/nope")
    assert response.status_code == 404
    assert response.headers["status"] == "404 Not Found"
    assert response.headers["transfer-encoding"] == "chunked"
    assert response.headers["access-control-allow-origin"] == "*"
    document = response.json()
    assert document["meta"] == {
        "greeting": "Welcome to Customer.io's edge event collection service. Enjoy your stay."
    }
    assert all(len(entry) == 1 for entry in document["request_endpoints"])
    assert {"PUT /api/v1/customers/{customer_id}", "GET /auth"} <= {
        name for entry in document["request_endpoints"] for name in entry
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("POST", "/api/v1/customers/42", id="identify with POST"),
        pytest.param("GET", "/api/v1/customers/42", id="reading through a write-only service"),
        pytest.param("POST", "/api/v1/customers//events", id="an event of an empty identifier"),
        pytest.param("PUT", "/api/v1/customers/42/", id="a slash too many"),
        pytest.param("PUT", "/api//v1/customers/42", id="two slashes"),
        pytest.param("PUT", "/API/V1/customers/42", id="capitals"),
        pytest.param("GET", "/", id="the root"),
    ],
)
def test_what_is_no_route_answers_the_directory(site: Site, method: str, path: str) -> None:
    response = site.track.request(method, path)
    assert (response.status_code, "request_endpoints" in response.json()) == (404, True)
    assert site.people() == []


def test_an_operation_that_is_not_imitated_says_so_on_the_tape(site: Site) -> None:
    route = next(route for route in ROUTES if route.api == APP and not route.imitated)
    site.app.request(route.method, re.sub(r"\{[^}]*\}", "1", route.path))
    assert site.outcomes() == [(route.operation, "refused", "route.not_imitated")]


# ---- identify --------------------------------------------------------------------------------------------------------

E_ACUTE = "é"  # two bytes of UTF-8
IDENTIFIERS = [
    pytest.param("a%2Fb", {"id": "a/b"}, id="an escaped slash stays inside one segment"),
    pytest.param("a+b@x.io", {"email": "a+b@x.io"}, id="a plus is a plus"),
    pytest.param("1%20", {"id": "1 "}, id="a trailing space is part of the id"),
    pytest.param("+14155552671", {"id": "+14155552671"}, id="a phone number in a path is an id"),
    pytest.param("%25%26*%2Ftest.%23%40!~", {"id": "%&*/test.#@!~"}, id="everything escaped"),
    pytest.param("a%252Fb", {"id": "a%2Fb"}, id="decoded once, not twice"),
    pytest.param("%C3%A9", {"id": "é"}, id="UTF-8"),
    pytest.param("events", {"id": "events"}, id="a word that is a route elsewhere"),
    pytest.param("a%00b", {"id": "a\x00b"}, id="a zero byte"),
]


@pytest.mark.parametrize(("segment", "person"), IDENTIFIERS)
def test_a_path_segment_names(site: Site, segment: str, person: dict[str, str]) -> None:
    assert site.identify(segment).content == b"{}\n"
    assert site.people() == [person]


@pytest.mark.parametrize(
    ("segment", "status"),
    [
        pytest.param("x" * 150, 200, id="150 bytes"),
        pytest.param("x" * 151, 400, id="151 bytes"),
        pytest.param(E_ACUTE * 75, 200, id="75 characters of two bytes"),
        pytest.param(E_ACUTE * 75 + "x", 400, id="76 characters, 151 bytes"),
        pytest.param("", 400, id="none"),
        pytest.param("cio_", 400, id="a cio_id without an id"),
        pytest.param("cio_a-b", 400, id="a cio_id that can be none"),
        pytest.param("%FF", 400, id="escapes that are no UTF-8"),
        pytest.param("%zz", 400, id="escapes that are none"),
    ],
)
def test_identifiers_have_limits(site: Site, segment: str, status: int) -> None:
    response = site.identify(segment)
    assert response.status_code == status
    assert len(site.people()) == (status == 200)
    if status == 400:
        assert set(response.json()["meta"]) <= {"error", "errors"}


def errors(*messages: str) -> dict[str, Any]:
    """The v1 envelope of several violations."""
    return {"meta": {"errors": list(messages)}}


LONG = "value for attribute '{}' cannot be longer than 1000 bytes"
ATTRIBUTES = [
    pytest.param({f"a{n}": n for n in range(300)}, None, id="300 of them"),
    pytest.param({f"a{n}": n for n in range(301)}, ["cannot identify more than 300 attributes in one request"],
                 id="301 of them"),
    pytest.param({"n" * 150: 1}, None, id="a name of 150 bytes"),
    pytest.param({E_ACUTE * 75 + "n": 1}, ["attribute name cannot be longer than 150 bytes"], id="a name of 151 bytes"),
    pytest.param({"x": "v" * 1000}, None, id="a value of 1000 bytes"),
    pytest.param({"x": "v" * 1001}, [LONG.format("x")], id="a value of 1001 bytes"),
    pytest.param({"x": E_ACUTE * 501}, [LONG.format("x")], id="501 characters of two bytes"),
    pytest.param({"x": {"y": "v" * 992}}, None, id="an object whose JSON text is 1000 bytes"),
    pytest.param({"x": {"y": "v" * 993}}, [LONG.format("x")], id="an object whose JSON text is 1001 bytes"),
    pytest.param({"x": "v" * 1001, "y": "v" * 1001}, [LONG.format("x"), LONG.format("y")], id="two at once"),
    pytest.param({"id": ""}, ["id attribute cannot be an empty string"], id="an empty id in the body"),
    pytest.param({"id": [1]}, ["id attribute must be a string value"], id="an id that is no text"),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "messages"), ATTRIBUTES)
def test_attributes_have_limits(site: Site, attributes: dict[str, Any], messages: list[str] | None) -> None:
    response = site.identify("42", **attributes)
    if messages is None:
        assert response.content == b"{}\n"
        assert site.people() == [{"id": "42", **attributes}]
    else:
        assert (response.status_code, response.json()) == (400, errors(*messages))
        assert site.people() == []


def test_two_violations_of_different_rules_come_in_one_answer(live: Live) -> None:
    site = live.site(settings={"identifiers": "id"})
    response = site.identify("5", id="6", token="v" * 1001)
    messages = ("id attribute and identifier are not the same value", LONG.format("token"))
    assert response.content == (
        b'{\n  "meta": {\n    "errors": [\n      "%s",\n      "%s"\n    ]\n  }\n}\n'
        % tuple(message.encode() for message in messages)
    )


def test_a_number_as_id_is_taken_unless_the_switch_refuses_it(live: Live) -> None:
    assert live.site().identify("5", id=5).status_code == 200
    strict = live.site(settings={"integer_body_id": "refuse"})
    assert strict.identify("5", id=5).json() == errors("id attribute must be a string value")


def test_a_cio_id_of_nobody_is_accepted_and_dropped(site: Site) -> None:
    assert site.identify("cio_deadbeef", plan="pro").content == b"{}\n"
    assert site.people() == []
    assert site.outcomes() == [("identify", "ignored", "person.unknown_cio_id")]


def test_update_only_creates_nobody(site: Site) -> None:
    assert site.identify("7", _update=True, plan="pro").content == b"{}\n"
    assert site.people() == []
    assert site.outcomes() == [("identify", "ignored", "person.update_only")]


def test_an_older_timestamp_does_not_overwrite(site: Site) -> None:
    site.identify("7", plan="new", _timestamp=200)
    site.identify("7", plan="old", _timestamp="100")
    assert site.people() == [{"id": "7", "plan": "new"}]
    assert site.outcomes() == [("identify", "ignored", "attribute.stale")]


@pytest.mark.parametrize(
    ("value", "unsubscribed"),
    [
        pytest.param("TRUE", True, id="true in any case"),
        pytest.param(1, True, id="the number one"),
        pytest.param("1", True, id="a one in quotes"),
        pytest.param(True, True, id="true"),
        pytest.param("yes", False, id="another word"),
        pytest.param(2, False, id="another number"),
        pytest.param("true ", False, id="true with a space"),
    ],
)
def test_unsubscribed_is_read_as(site: Site, value: Any, unsubscribed: bool) -> None:
    site.identify("7", unsubscribed=value)
    assert site.app.get("/v1/customers/7/attributes").json()["customer"]["unsubscribed"] is unsubscribed


# ---- delete, suppress, devices, merge --------------------------------------------------------------------------------


def test_deleting_nobody_twice_is_fine(site: Site) -> None:
    for body in (None, b"{}", b"not json"):
        assert site.track.request("DELETE", "/api/v1/customers/7", content=body).content == b"{}\n"
        assert site.outcomes() == [("delete_person", "ignored", "person.unknown")]


def test_an_event_after_a_delete_makes_a_blank_person(site: Site) -> None:
    site.identify("7", plan="pro")
    before = site.cio_id("7")
    site.track.delete("/api/v1/customers/7")
    site.track.post("/api/v1/customers/7/events", json={"name": "bought"})
    assert site.people() == [{"id": "7"}]
    assert site.cio_id("7") != before


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({}, id="no body and no content type"),
        pytest.param({"json": {}}, id="an empty object"),
        pytest.param({"headers": {"content-type": "application/json"}}, id="a content type without a body"),
    ],
)
def test_suppressing_blocks_every_identifier_until_one_is_freed(site: Site, request_: dict[str, Any]) -> None:
    site.identify("7", email="a@example.com")
    assert site.track.post("/api/v1/customers/7/suppress", **request_).content == b"{}\n"
    assert site.identify("a@example.com", plan="pro").content == b"{}\n"
    assert (site.people(), site.outcomes()) == ([], [("identify", "ignored", "person.suppressed")])
    assert site.track.post("/api/v1/customers/a@example.com/unsuppress", **request_).content == b"{}\n"
    site.identify("7")
    assert site.people() == [{"id": "7"}]


DEVICES = [
    pytest.param({"id": "t", "platform": "ios", "last_used": "1606511962", "attributes": None}, 1606511962, {},
                 id="last_used in quotes and null attributes"),
    pytest.param({"id": "t", "platform": "android", "last_used": 5, "push_enabled": "true"}, 5,
                 {"push_enabled": "true"}, id="custom keys beside the known ones"),
    pytest.param({"id": "t", "platform": "ios", "attributes": {"device_os": "26"}}, 1780000000, {"device_os": "26"},
                 id="attributes below their own key; last used now"),
]  # fmt: skip


@pytest.mark.parametrize(("device", "last_used", "attributes"), DEVICES)
def test_a_device_is_taken_as_clients_send_it(
    site: Site, device: dict[str, Any], last_used: int, attributes: dict[str, str]
) -> None:
    site.stop_clock()
    assert site.track.put("/api/v1/customers/7/devices", json={"device": device}).content == b"{}\n"
    [person] = site.hosted.state.people
    found = person.devices["t"]
    assert (found.platform, found.last_used, found.attributes) == (device["platform"], last_used, attributes)


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        pytest.param({}, ["device cannot be blank"], id="no device"),
        pytest.param({"device": []}, ["device cannot be blank"], id="a list"),
        pytest.param({"device": {"platform": "ios"}}, ["device id cannot be blank"], id="no token"),
        pytest.param({"device": {"id": "t", "platform": "fridge"}}, ["device platform must be ios or android"],
                     id="an unknown platform"),
        pytest.param({"device": {}}, ["device id cannot be blank", "device platform must be ios or android"],
                     id="both"),
    ],
)  # fmt: skip
def test_a_device_needs_a_token_and_a_platform(site: Site, body: dict[str, Any], messages: list[str]) -> None:
    response = site.track.put("/api/v1/customers/7/devices", json=body)
    assert (response.status_code, response.json()) == (400, errors(*messages))
    assert site.people() == []


def test_removing_a_device_of_a_suppressed_person_is_fine(site: Site) -> None:
    site.track.put("/api/v1/customers/7/devices", json={"device": {"id": "a:b", "platform": "ios"}})
    assert site.track.delete("/api/v1/customers/7/devices/a%3Ab").content == b"{}\n"
    assert site.outcomes() == [("remove_device", "applied", None)]
    site.track.post("/api/v1/customers/7/suppress")
    assert site.track.delete("/api/v1/customers/7/devices/a%3Ab").content == b"{}\n"
    assert site.outcomes() == [("remove_device", "ignored", "person.suppressed")]


def test_a_merge_keeps_what_the_primary_has(site: Site) -> None:
    site.identify("1", email="a@example.com", plan="pro")
    site.identify("2", email="b@example.com", plan="free", city="Oslo")
    gone = site.cio_id("2")
    merged = site.track.post("/api/v1/merge_customers", json={"primary": {"id": "1"}, "secondary": {"cio_id": gone}})
    assert merged.content == b"{}\n"
    assert site.people() == [{"id": "1", "email": "a@example.com", "plan": "pro", "city": "Oslo"}]
    assert site.app.get(f"/v1/customers/cio_{gone}/attributes?id_type=cio_id").status_code == 404


def test_a_merge_into_nobody_changes_nothing(site: Site) -> None:
    site.identify("2")
    body = {"primary": {"id": "1"}, "secondary": {"id": "2"}}
    assert site.track.post("/api/v1/merge_customers", json=body).content == b"{}\n"
    assert site.people() == [{"id": "2"}]
    assert site.outcomes() == [("merge", "ignored", "merge.primary_unknown")]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"primary": {"id": "1", "email": "a@b.cd"}, "secondary": {"id": "2"}}, id="two identifiers"),
        pytest.param({"primary": {"id": "1"}}, id="no secondary"),
        pytest.param({"primary": {"id": "1"}, "secondary": {}}, id="an empty secondary"),
        pytest.param({"primary": {"id": "1"}, "secondary": {"cio_id": "cio_a3000002"}}, id="a prefixed cio_id"),
        pytest.param({"primary": "1", "secondary": "2"}, id="texts"),
        pytest.param({"primary": {"anonymous_id": "x"}, "secondary": {"id": "2"}}, id="an anonymous id"),
    ],
)
def test_a_malformed_merge_has_one_error(site: Site, body: dict[str, Any]) -> None:
    site.identify("1")
    site.identify("2")
    response = site.track.post("/api/v1/merge_customers", json=body)
    assert (response.status_code, list(response.json()["meta"])) == (400, ["error"])
    assert site.people() == [{"id": "1"}, {"id": "2"}]
