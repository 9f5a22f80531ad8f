"""The small workspace that every client library starts from, and what a call did to it, in facts that read aloud.

A client's test module is a table: the call, the request that arrives, and every fact that is another one afterwards.
`GONE` is the value of a fact that no longer holds. Looks through the control API, as somebody outside would.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle

NOW = 1_780_000_000
GONE = None
ULID = "01JB2Q8Z5X3V9K7M4N6P0R1STW"
SEED = {
    "people": [
        {"id": "1", "email": "ann@example.com", "cio_id": "a1000001", "attributes": {"plan": "pro"},
         "devices": [{"token": "tok:1", "platform": "ios", "last_used": NOW - 60}]},
        {"id": "2", "email": "bob@example.com", "cio_id": "a1000002", "attributes": {"city": "Ghent"}},
        {"id": "a/b c", "cio_id": "a1000003"},
    ],
    "segments": [{"id": 7, "name": "vip", "description": "people we know", "members": ["2"]}],
    "suppressions": [{"id": "9"}],
    "objects": [{"object_type_id": "1", "object_id": "acme", "attributes": {"seats": 3}, "relationships": ["2"]}],
    "deliveries": [{"id": "dlv1", "type": "email", "person": "1"}, {"id": "dlv2", "type": "push", "person": "1"}],
}  # fmt: skip
ANN = {"id": "1", "email": "ann@example.com", "plan": "pro"}
BOB = {"id": "2", "email": "bob@example.com", "city": "Ghent"}

Facts = dict[str, Any]


class Call(NamedTuple):
    """A method of a client, by its name, with what it is given."""

    method: str
    args: tuple[Any, ...]
    named: Mapping[str, Any]

    def on(self, client: Any) -> Any:
        """Make the call; dots in the name lead to a part of the client."""
        for name in self.method.split("."):
            client = getattr(client, name)
        return client(*self.args, **self.named)


def call(method: str, *args: Any, **named: Any) -> Call:
    """One call of a table."""
    return Call(method, args, named)


def public_methods(client: type[Any]) -> set[str]:
    """The names a client's users may call."""
    return {name for name, _ in inspect.getmembers(client, inspect.isfunction) if not name.startswith("_")}


def methods_of(*tables: Sequence[Any]) -> set[str]:
    """The methods that tables of `pytest.param(call, …)` call."""
    return {row.values[0].method for table in tables for row in table}


def only_calls(*tables: Sequence[Any]) -> list[Any]:
    """The calls of tables, under their names, without what is expected of them."""
    return [pytest.param(row.values[0], id=row.id) for table in tables for row in table]


class World:
    """A workspace as `SEED` has it, its clock standing at `NOW`."""

    def __init__(self, fake: Fake, handle: WorkspaceHandle, control: httpx.Client) -> None:
        self.fake = fake
        self.handle = handle
        self._control = control
        self._sown_at = self.rows("segments")[0]["created_at"]
        self._before = self.facts()

    def changes(self) -> Facts:
        """Every fact that is another one than at the beginning."""
        after = self.facts()
        names = {**self._before, **after}
        return {name: after.get(name, GONE) for name in names if self._before.get(name) != after.get(name)}

    def facts(self) -> Facts:
        """Everything the workspace holds, one fact for each thing."""
        return {fact: value for look in _LOOKS for fact, value in look(self).items()}

    def rows(self, what: str) -> list[dict[str, Any]]:
        """A list of the control API."""
        page = self._control.get(f"/{what}", params={"limit": 1000}).raise_for_status().json()
        assert page["next"] is None
        found: list[dict[str, Any]] = page[what.rpartition("/")[2]]
        return found

    def told(self, answer: Any) -> Any:
        """An answer of the App API as if the seed had been sown at `NOW`, to be compared whole."""
        return json.loads(json.dumps(answer).replace(str(self._sown_at), str(NOW)))

    def asked(self) -> list[str]:
        """What arrived: method and path with its query, as sent, and the status it was answered with."""
        return [f"{one['method']} {_target(one)} {one['status']}" for one in self.rows("requests")]

    def rules(self) -> list[str | None]:
        """For every operation of the newest request the rule that kept it from being applied; None if it was."""
        return [operation.rule for operation in self.handle.requests[-1].operations]


def _target(request: Mapping[str, Any]) -> str:
    return f"{request['path']}?{request['query']}" if request["query"] else str(request["path"])


# ---- facts -----------------------------------------------------------------------------------------------------------


def _people(world: World) -> Facts:
    facts: Facts = {}
    for person in world.rows("people"):
        identifiers = {kind: person[kind] for kind in ("id", "email") if person[kind] is not None}
        facts[f"person {_name(person)}"] = {**identifiers, **person["attributes"]}
        for device in person["devices"]:
            rest = {name: value for name, value in device.items() if name != "token" and value != {}}
            facts[f"device {device['token']} of {_name(person)}"] = rest
    return facts


def _events(world: World) -> Facts:
    return {f"event {n}": _event(event) for n, event in enumerate(world.rows("events"), start=1)}


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Whose, type, name, data and the moment when it is not now; ids that the fake made up say nothing."""
    of = _name(event["person"]) if event["person"] else f"anonymous {event['anonymous_id']}"
    told = {"of": of, event["type"]: event["name"], "data": event["data"]}
    return told if event["timestamp"] == NOW else {**told, "at": event["timestamp"]}


def _segments(world: World) -> Facts:
    facts: Facts = {}
    for segment in world.rows("segments"):
        members = [_name(member) for member in world.rows(f"segments/{segment['id']}/members")]
        facts[f"segment {segment['name']}"] = {"description": segment["description"], "members": members}
    return facts


def _suppressions(world: World) -> Facts:
    rows = [identifier["value"] for row in world.rows("suppressions") for identifier in row["identifiers"]]
    return {f"blocked {value}": True for value in rows}


def _objects(world: World) -> Facts:
    return {f"object {one['object_type_id']}/{one['object_id']}": _object(one) for one in world.rows("objects")}


def _object(found: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes, and who is linked to it with which attributes of the link."""
    links = {link.get("anonymous_id") or _name(link): link["attributes"] for link in found["relationships"]}
    return {"attributes": found["attributes"], "links": links}


def _deliveries(world: World) -> Facts:
    return {
        f"delivery {one['id']}": {"metrics": one["metrics"], "unsubscribed": one["unsubscribed"]}
        for one in world.rows("deliveries")
    }


def _name(who: Mapping[str, Any]) -> str:
    return str(who["id"] or who["email"] or who["cio_id"])


_LOOKS: tuple[Callable[[World], Facts], ...] = (
    _people, _events, _segments, _suppressions, _objects, _deliveries,
)  # fmt: skip


# ---- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(fakeio_server: Fake, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world of this test's own, and client libraries that trust its authority and go through no proxy."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, fakeio_server.ca_file)
    handle = fakeio_server.new_workspace(seed=SEED)
    handle.clock.set(NOW)
    base = f"{fakeio_server.url}/_fakeio/workspaces/{handle.id}"
    with httpx.Client(base_url=base, verify=False, trust_env=False) as control:
        yield World(fakeio_server, handle, control)
    fakeio_server.remove_workspace(handle)
    handle.raise_first_error()
