r"""Nonsense over a real socket: whatever arrives, the answer is one of the service's own and never a 500.

The live server of a module fails it when the fake ran into a bug of its own, so these tests need to assert little more
than the status.
"""

from __future__ import annotations

import json
import socket
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract import live as fixtures
from tests.contract.live import PATIENCE_S, Live, Site, basic_header

live, site = fixtures.live, fixtures.site

MALFORMED = b'{\n  "meta": {\n    "error": "malformed JSON"\n  }\n}\n'
BODIES = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"{", id="half an object"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b'"x"', id="a text"),
    pytest.param(b"null", id="null"),
    pytest.param(b"{} {}", id="two objects"),
    pytest.param(b'{"a":NaN}', id="not a number"),
    pytest.param(b'{"a":1e999}', id="a number beyond numbers"),
    pytest.param(b'{"a":01}', id="a leading zero"),
    pytest.param(b'{"a":"\xff"}', id="bytes that are no UTF-8"),
    pytest.param(b'{"a":"\xed\xa0\x80"}', id="a surrogate in UTF-8"),
    pytest.param(b'{"a":"\x01"}', id="a control character"),
    pytest.param(b'\xef\xbb\xbf{"a":1}', id="a byte order mark"),
    pytest.param(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", id="a bomb of brackets"),
    pytest.param(b'{"a":' + b'{"a":' * 450 + b"1" + b"}" * 451, id="450 levels"),
    pytest.param(b'{"a":' + b"1" * 5000 + b"}", id="a number of 5000 digits"),
]
JSON_ROUTES = [
    ("PUT", "/api/v1/customers/1"), ("POST", "/api/v1/customers/1/events"), ("POST", "/api/v1/events"),
    ("PUT", "/api/v1/customers/1/devices"), ("POST", "/api/v1/merge_customers"),
    ("POST", "/api/v1/segments/1/add_customers"), ("POST", "/api/v1/segments/1/remove_customers"),
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
def test_a_body_that_is_no_sound_object_is_refused(site: Site, method: str, path: str, body: bytes) -> None:
    response = site.track.request(method, path, content=body)
    assert (response.status_code, list(response.json())) == (400, ["meta"])
    assert (site.people(), site.events()) == ([], [])


@pytest.mark.parametrize("body", BODIES)
def test_such_an_identify_is_malformed(site: Site, body: bytes) -> None:
    assert site.identify("1").content == b"{}\n"
    assert site.track.put("/api/v1/customers/1", content=body).content == MALFORMED


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("path", ["/api/v2/entity", "/api/v2/batch"])
def test_v2_says_the_same_in_its_own_words(site: Site, path: str, body: bytes) -> None:
    response = site.track.post(path, content=body)
    assert response.status_code == 400
    assert all(list(error) == ["reason", "field", "message"] for error in response.json()["errors"])


SURROGATES = [
    pytest.param(rb"\ud800", "\ufffd", id="a high one alone"),
    pytest.param(rb"\udc00x", "\ufffdx", id="a low one alone"),
    pytest.param(rb"\ud83d\ude00", "\U0001f600", id="a pair"),
    pytest.param(rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600", id="one alone before a pair"),
    pytest.param(rb"\\ud800", r"\ud800", id="an escaped backslash before"),
    pytest.param(rb"\uD83D\u0041", "\ufffdA", id="a high one before a letter"),
]


@pytest.mark.parametrize(("escaped", "text"), SURROGATES)
def test_a_lone_surrogate_becomes_a_replacement_character(site: Site, escaped: bytes, text: str) -> None:
    site.track.put("/api/v1/customers/1", content=b'{"%s":"%s"}' % (escaped, escaped))
    assert site.people() == [{"id": "1", text: text}]
    site.track.post("/api/v1/customers/1/events", content=b'{"name":"%s","data":{"a":"%s"}}' % (escaped, escaped))
    site.track.post("/api/v2/batch", content=b'{"batch":[{"type":"person","action":"event","identifiers":{"id":"1"},'
                    b'"name":"%s","attributes":{"a":"%s"}}]}' % (escaped, escaped))  # fmt: skip
    assert [(name, json.loads(data)) for _, _, name, data in site.events()] == [(text, {"a": text})] * 2
    shown = site.app.get("/v1/customers/1/attributes").json()["customer"]["attributes"]
    assert shown[text] == text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":"\xff"}', id="bytes that are no UTF-8"),
        pytest.param(b'{"a":1e999}', id="a number beyond numbers"),
        pytest.param(b'{"a":' + b"[" * 450 + b"]" * 450 + b"}", id="450 levels"),
    ],
)
def test_event_data_that_could_not_be_read_back_is_malformed(site: Site, data: bytes) -> None:
    body = b'{"name":"x","data":' + data + b"}"
    assert site.track.post("/api/v1/customers/1/events", content=body).content == MALFORMED
    assert site.events() == []


RAW = [
    pytest.param(b"PUT /api/v1/customers/\xc3\xa9 HTTP/1.1\r\n", 400, id="a path that is not escaped"),
    pytest.param(b"PUT /api/v1/customers/a b HTTP/1.1\r\n", 400, id="a space in the path"),
    pytest.param(b"PUT http://track.customer.io/api/v1/customers/1 HTTP/1.1\r\n", 200, id="a whole url as target"),
    pytest.param(b"PUT //api/v1/customers/1 HTTP/1.1\r\n", 404, id="two slashes"),
    pytest.param(b"PUT /api/v1/../v1/customers/1 HTTP/1.1\r\n", 404, id="dots"),
    pytest.param(b"PUT /api/v1/customers/.. HTTP/1.1\r\n", 200, id="dots as an id"),
    pytest.param(b"OPTIONS * HTTP/1.1\r\n", 404, id="an asterisk"),
    pytest.param(b"PUT /api/v1/customers/1?%FF&&=;a=%zz HTTP/1.1\r\n", 200, id="a query of nonsense"),
    pytest.param(b"POST /api/v1/segments/1/add_customers?id_type=%FF HTTP/1.1\r\n", 400, id="an id_type of bytes"),
    pytest.param(b"BREW /api/v1/customers/1 HTTP/1.1\r\n", 400, id="an unknown verb"),
    pytest.param(b"HEAD /auth HTTP/1.1\r\n", 404, id="a HEAD"),
    pytest.param(b"PUT /api/v1/customers/1 HTTP/1.0\r\n", 200, id="an old protocol"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\r\n", 400, id="TLS to the plain port"),
]


@pytest.mark.parametrize(("line", "status"), RAW)
def test_a_request_line(live: Live, line: bytes, status: int) -> None:
    site = live.site()
    rest = b"Host: localhost\r\nConnection: close\r\nContent-Length: 2\r\n" + basic_header(*site.basic) + b"\r\n{}"
    answer = live.ask(line + rest)
    assert answer[:12] == b"HTTP/1.1 %d" % status


def test_a_client_that_leaves_in_the_middle_of_a_body_changes_nothing(live: Live, site: Site) -> None:
    with closing(socket.create_connection(("127.0.0.1", live.port), PATIENCE_S)) as connection:
        connection.sendall(
            b"PUT /api/v1/customers/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
            + basic_header(*site.basic) + b'\r\n{"a":'
        )  # fmt: skip
    assert site.track.get("/auth").status_code == 200
    assert site.people() == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
V1_KEYS = st.sampled_from(
    ["id", "email", "cio_id", "name", "type", "data", "timestamp", "anonymous_id", "device", "ids", "primary",
     "secondary", "_update", "_timestamp", "cio_relationships", "unsubscribed", "phone",
     "cio_subscription_preferences", "cio_subscription_preferences.topics.topic_1"]
)  # fmt: skip
V2_KEYS = st.sampled_from(
    ["type", "action", "identifiers", "attributes", "name", "id", "timestamp", "device", "primary", "secondary",
     "cio_relationships"]
)  # fmt: skip
V2_WORDS = st.sampled_from(["person", "object", "delivery", "identify", "event", "merge", "add_device", "delete"])
IDENTIFIERS = st.dictionaries(st.sampled_from(["id", "email", "phone", "cio_id", "anonymous_id"]), JSON, max_size=2)


@given(
    route=st.sampled_from(JSON_ROUTES),
    body=st.dictionaries(V1_KEYS, JSON | IDENTIFIERS, max_size=5) | JSON,
    identifier=st.text(min_size=1, max_size=8),
)
def test_no_v1_body_breaks_the_fake(live: Live, route: tuple[str, str], body: Any, identifier: str) -> None:
    site = live.shared()
    method, path = route
    encoded = "".join(f"%{byte:02X}" for byte in identifier.encode("utf-8", "surrogatepass"))
    text = json.dumps(body).encode()  # with escapes, lone surrogates among them
    response = site.track.request(method, path.replace("customers/1", f"customers/{encoded}"), content=text)
    assert response.status_code in (200, 400)


@given(st.lists(st.dictionaries(V2_KEYS, JSON | V2_WORDS | IDENTIFIERS, max_size=8) | JSON, max_size=4))
def test_no_v2_batch_breaks_the_fake(live: Live, items: list[Any]) -> None:
    site = live.shared()
    response = site.track.post("/api/v2/batch", content=json.dumps({"batch": items}).encode())
    assert response.status_code in ((200, 207) if items else (400,))


@given(st.binary(max_size=60))
def test_no_bytes_break_the_fake(live: Live, body: bytes) -> None:
    site = live.shared()
    for method, path in (*JSON_ROUTES, ("POST", "/api/v2/batch"), ("POST", "/api/v2/entity")):
        assert site.track.request(method, path, content=body).status_code in (200, 400)
    for method, path in (("POST", "/v1/customers"), ("POST", "/v1/segments")):
        assert site.app.request(method, path, content=body).status_code in (200, 400, 422)


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_no_path_or_query_breaks_the_app_api(live: Live, segment: str, value: str) -> None:
    site = live.shared()
    encoded = "".join(f"%{byte:02x}" for byte in segment.encode("utf-8", "surrogatepass"))
    for path in (f"/v1/segments/{encoded}/membership", f"/v1/customers/{encoded}/attributes", f"/v1/{encoded}"):
        for name in ("start", "limit", "id_type", "email"):
            assert site.app.get(path, params={name: value.encode("utf-8", "replace")}).status_code in (200, 400, 404)

