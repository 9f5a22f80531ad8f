"""The vendor's own Python client, unmodified, against a fake that listens for HTTPS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import customerio
import pytest

from tests.contract import plain
from tests.contract.serving import serving


class Served:
    """`fakeio serve --tls` in a process of its own, and its control API."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready
        self._base = f"{ready['url']}/_fakeio/workspaces/default"

    def get(self, path: str) -> Any:
        return plain.get(self._base + path).raise_for_status().json()

    def client(self) -> customerio.CustomerIO:
        at = urlsplit(self.ready["https_url"])
        own = self.ready["workspace"]
        return customerio.CustomerIO(own["site_id"], own["track_api_key"], host=at.hostname, port=at.port)

    def people(self) -> dict[str, dict[str, Any]]:
        return {person["id"]: person["attributes"] for person in self.get("/people")["people"]}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--tls", "--json") as server:
        yield Served(server.ready)
        assert server.stop() == 0


@pytest.fixture(autouse=True)
def trusting(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty workspace, and a client library that trusts this run's authority and goes through no proxy."""
    plain.post(f"{served.ready['url']}/_fakeio/workspaces/default/reset").raise_for_status()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", served.ready["ca_file"])
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def test_it_identifies_tracks_and_deletes(served: Served) -> None:
    with served.client() as client:
        client.identify(id="42", email="a@example.com", plan="pro", seats=3)
        client.identify(id="a/b c", plan="free")
        client.track("42", "order", {"total": 3}, id="01JB2Q8Z5X3V9K7M4N6P0R1STW", timestamp=1_777_636_800)
        client.pageview("42", "/home")
        client.track_anonymous("anon", "visit", {"from": "ad"})
        client.delete("a/b c")
    assert served.people() == {"42": {"plan": "pro", "seats": 3}}
    (person,) = served.get("/people")["people"]
    assert person["email"] == "a@example.com"
    who = {"id": "42", "email": "a@example.com", "cio_id": person["cio_id"]}
    events = served.get("/events")["events"]
    assert [(each["type"], each["name"], each["data"], each["person"], each["anonymous_id"]) for each in events] == [
        ("event", "order", {"total": 3}, who, None),
        ("page", "/home", {}, who, None),
        ("event", "visit", {"from": "ad"}, None, "anon"),
    ]  # fmt: skip
    assert (events[0]["event_id"], events[0]["timestamp"]) == ("01JB2Q8Z5X3V9K7M4N6P0R1STW", 1_777_636_800)
    assert {row["status"] for row in served.get("/requests")["requests"]} == {200}


def test_its_devices_suppressions_and_merges_arrive(served: Served) -> None:
    with served.client() as client:
        client.identify(id="1", plan="pro")
        client.add_device("1", "token", "ios", last_used=1_777_636_800)
        client.identify(id="2", city="Ghent")
        client.merge_customers(customerio.constants.ID, "1", customerio.constants.ID, "2")
        client.identify(id="3")
        client.suppress("3")
        client.identify(id="3", plan="again")
    (person,) = served.get("/people")["people"]
    assert (person["id"], person["attributes"]) == ("1", {"plan": "pro", "city": "Ghent"})
    assert [(device["token"], device["platform"]) for device in person["devices"]] == [("token", "ios")]
    assert [row["rule"] for row in served.get("/ignored")["ignored"]] == ["person.suppressed"]


def test_its_batches_arrive_whole_and_say_which_items_do_not(served: Served) -> None:
    good = {"type": "person", "action": "identify", "identifiers": {"id": "1"}, "attributes": {"plan": "pro"}}
    bad = {"type": "person", "action": "event", "identifiers": {"id": "1"}}
    with served.client() as client:
        assert client.batch([good]).status_code == 200
        assert client.batch([good | {"attributes": {"plan": "free"}}, bad]).status_code == 207
    assert served.people() == {"1": {"plan": "free"}}


def test_wrong_credentials_are_refused_in_its_own_words(served: Served) -> None:
    with served.client() as client:
        client.api_key = "wrong"
        with pytest.raises(customerio.CustomerIOException, match="Unauthorized request"):
            client.identify(id="1")
    assert served.people() == {}


def test_it_gets_through_bad_weather_by_trying_again(served: Served) -> None:
    fault = {"kind": "status", "status": 503, "times": 2}
    plain.post(f"{served.ready['url']}/_fakeio/workspaces/default/faults", json=fault)
    with served.client() as client:
        client.identify(id="1", plan="pro")
    assert [row["status"] for row in served.get("/requests")["requests"]] == [503, 503, 200]
    assert served.people() == {"1": {"plan": "pro"}}


def test_a_client_that_does_not_trust_the_authority_is_turned_away(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with served.client() as client, pytest.raises(customerio.CustomerIOException, match=r"CERTIFICATE_VERIFY_FAILED"):
        client.identify(id="1")
    assert served.people() == {}


def test_the_private_key_lives_in_a_folder_of_its_own_and_leaves_with_the_process() -> None:
    with serving("--tls", "--json") as server:
        folder = Path(server.ready["ca_file"]).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
        assert server.stop() == 0
    assert not folder.exists()
