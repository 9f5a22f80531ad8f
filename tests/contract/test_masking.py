"""Credentials never reach the tape, wherever a client puts them; and what is somebody's own data does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fakeio import Fake
from fakeio.edge.masking import mask_body, mask_headers, mask_query
from tests.contract import plain

SECRET = "f0000000000000000002"


@pytest.mark.parametrize(("name", "value", "shown"), [
    (b"authorization", b"Basic Zjpm", "Basic ***"), (b"authorization", b"bearer abc", "bearer ***"),
    (b"authorization", b"Token abc", "***"), (b"authorization", b"Bearer", "***"), (b"cookie", b"session=1", "***"),
    (b"x-fakeio-token", b"abc", "***"), (b"x-api-key", b"abc", "***"), (b"accept", b"*/*", "*/*"),
    (b"Proxy-Authorization", b"Basic x", "Basic ***"),
])  # fmt: skip
def test_a_header(name: bytes, value: bytes, shown: str) -> None:
    assert mask_headers(((name, value),)) == {name.decode(): shown}


def test_headers_of_one_name_are_joined() -> None:
    assert mask_headers(((b"a", b"1"), (b"b", b"2"), (b"a", b"3"))) == {"a": "1, 3", "b": "2"}


@pytest.mark.parametrize(("query", "shown"), [
    ("", ""), ("limit=1&start=abc", "limit=1&start=abc"), ("api_key=abc", "api_key=***"),
    ("limit=1&apiKey=abc&x=2", "limit=1&apiKey=***&x=2"), ("writeKey=a%20b", "writeKey=***"),
    ("access_token=&token=abc", "access_token=***&token=***"), ("tokens=abc&my_token=2", "tokens=abc&my_token=2"),
    ("email=a%40example.com&password=x&password=y", "email=a%40example.com&password=***&password=***"),
    ("X-Amz-Signature=abc", "X-Amz-Signature=***"), ("\xff=1", "\xff=1"),
])  # fmt: skip
def test_a_query(query: str, shown: str) -> None:
    assert mask_query(query.encode("latin-1")) == shown


@pytest.mark.parametrize(("api", "body", "shown"), [
    ("pipelines", {"writeKey": "abc", "userId": "1"}, {"writeKey": "***", "userId": "1"}),
    ("track", {"writeKey": "abc", "password": "p"}, {"writeKey": "abc", "password": "p"}),  # a person's attributes
    ("app", {"import": {"data_file_url": "https://u:p@host/f?x=1", "name": "u:p@h"}},
     {"import": {"data_file_url": "https://***@host/f?x=1", "name": "u:p@h"}}),
    ("app", {"endpoint": "https://host/a@b", "ids": [1]}, {"endpoint": "https://host/a@b", "ids": [1]}),
    ("app", ["https://u:p@host"], ["https://u:p@host"]), ("track", "text", "text"), ("track", None, None),
])  # fmt: skip
def test_a_body(api: str, body: Any, shown: Any) -> None:
    assert mask_body(body, api) == shown


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as fake:
        yield fake


def test_no_key_of_a_workspace_is_on_its_tape(fake: Fake) -> None:
    space = fake.workspace
    with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
        client.put("/api/v1/customers/1", json={"plan": "pro"}, auth=(space.site_id, SECRET))
        client.get("/v1/segments", headers={"authorization": f"Bearer {space.app_api_key}", "x-api-key": SECRET})
        client.get("/v1/segments", params={"api_key": SECRET, "limit": 1})
        client.post("/v1/identify", json={"writeKey": SECRET, "userId": "1"}, auth=(SECRET, ""))
        told = client.get("/_fakeio/workspaces/default/requests").text
    assert told.count("***") == 6
    for key in (SECRET, space.app_api_key):
        assert key not in told


def test_open_to_the_network_a_fake_wants_a_token() -> None:
    with pytest.raises(ValueError, match="control_token"):
        Fake(host="0.0.0.0")
    with Fake(host="0.0.0.0", control_token="sesame") as fake:
        health = f"{fake.url}/_fakeio/health"
        answers = [
            plain.get(health, headers=headers).status_code
            for headers in ({}, {"x-fakeio-token": "wrong"}, {"x-fakeio-token": "sesame"})
        ]
    assert answers == [401, 401, 200]
