"""Two dialects, one meaning: any history told through v1 and through v2 leaves two equal workspaces.

Everything that both dialects can say is drawn; what only one of them can say (segments, objects) is left to tests of
their own.
"""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakeio.app import build_universe
from fakeio.core.seeding import snapshot
from fakeio.core.settings import CATALOGUE
from fakeio.edge.exchange import Universe, run_exchange
from fakeio.edge.http import RawRequest, Reply
from fakeio.edge.registry import HostedWorkspace
from tests.contract.live import NOW

UNIVERSE: Universe = build_universe()


class Saying(NamedTuple):
    """One operation in both dialects: method, path and body of v1, and the entity of v2."""

    method: str
    path: str
    body: Any
    entity: dict[str, Any]


IDS = st.sampled_from(["1", "2", "a/b", "é", "x" * 150, "x" * 151])
EMAILS = st.sampled_from(["a@example.com", "A@example.com", "b@example.com"])
WHO = st.one_of(
    st.builds(lambda value: (value, {"id": value}), IDS),
    st.builds(lambda value: (value, {"email": value}), EMAILS),
    st.sampled_from(["a3000001", "a3000002", "nope"]).map(lambda value: (f"cio_{value}", {"cio_id": value})),
)
VALUES = st.sampled_from([None, "", "x", 1, 1.5, True, {"a": 1}, ["b"], "y" * 1000, "y" * 1001])
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "plan": VALUES, "city": VALUES, "email": EMAILS, "id": IDS, "_update": st.booleans(),
        "anonymous_id": st.sampled_from(["p", "q"]), "n" * 151: VALUES,
    },
)  # fmt: skip
NAMES = st.sampled_from(["buy", " buy ", "", "é" * 50, "é" * 51])
DATA = st.sampled_from([{}, {"n": 1}, {"deep": {"a": ["x"]}}])
OBJECTS = st.sampled_from([{"object_type_id": "1", "object_id": "acme"}, {"object_type_id": "9", "object_id": "x"}])


def path_of(text: str, rest: str = "") -> str:
    return f"/api/v1/customers/{quote(text, safe='')}{rest}"


def identify(who: Any, attributes: dict[str, Any], timestamp: int | None) -> Saying:
    extra = {} if timestamp is None else {"_timestamp": timestamp}
    top = {} if timestamp is None else {"timestamp": timestamp}
    entity = {"type": "person", "action": "identify", "identifiers": who[1], "attributes": attributes, **top}
    return Saying("PUT", path_of(who[0]), {**attributes, **extra}, entity)


def event(who: Any, kind: str, name: str, data: dict[str, Any], timestamp: int | None, key: str | None) -> Saying:
    rest: dict[str, Any] = {} if timestamp is None else {"timestamp": timestamp}
    rest |= {} if key is None else {"id": key}
    entity = {"type": "person", "action": kind, "identifiers": who[1], "name": name, "attributes": data, **rest}
    return Saying("POST", path_of(who[0], "/events"), {"name": name, "type": kind, "data": data, **rest}, entity)


def about(who: Any, action: str) -> Saying:
    entity = {"type": "person", "action": action, "identifiers": who[1]}
    if action == "delete":
        return Saying("DELETE", path_of(who[0]), None, entity)
    return Saying("POST", path_of(who[0], f"/{action}"), {}, entity)


def add_device(who: Any, token: str, platform: str) -> Saying:
    device = {"platform": platform, "last_used": 5}
    entity = {"type": "person", "action": "add_device", "identifiers": who[1], "device": {"token": token, **device}}
    return Saying("PUT", path_of(who[0], "/devices"), {"device": {"id": token, **device}}, entity)


def delete_device(who: Any, token: str) -> Saying:
    entity = {"type": "person", "action": "delete_device", "identifiers": who[1], "device": {"token": token}}
    return Saying("DELETE", path_of(who[0], f"/devices/{quote(token, safe='')}"), None, entity)


def merge(primary: Any, secondary: Any) -> Saying:
    body = {"primary": primary[1], "secondary": secondary[1]}
    return Saying("POST", "/api/v1/merge_customers", body, {"type": "person", "action": "merge", **body})


def relate(who: Any, where: dict[str, str], role: str) -> Saying:
    """v1 can only relate while it identifies, so v2 does the same here."""
    rows = [{"identifiers": where, "relationship_attributes": {"role": role}}]
    body = {"cio_relationships": {"action": "add_relationships", "relationships": rows}}
    entity = {"type": "person", "action": "identify", "identifiers": who[1], "cio_relationships": rows}
    return Saying("PUT", path_of(who[0]), body, entity)


TOKENS = st.sampled_from(["t", "u/v"])
SAYINGS = st.one_of(
    st.builds(identify, WHO, ATTRIBUTES, st.none() | st.integers(0, 3)),
    st.builds(
        event, WHO, st.sampled_from(["event", "page", "screen"]), NAMES, DATA, st.none() | st.just(7),
        st.sampled_from([None, "e1", "e2"]),
    ),
    st.builds(about, WHO, st.sampled_from(["delete", "suppress", "unsuppress"])),
    st.builds(add_device, WHO, TOKENS, st.sampled_from(["ios", "android", "fax"])),
    st.builds(delete_device, WHO, TOKENS),
    st.builds(merge, WHO, WHO),
    st.builds(relate, WHO, OBJECTS, st.sampled_from(["x", ""])),
)  # fmt: skip


def send(hosted: HostedWorkspace, method: str, path: str, document: Any) -> int:
    keys = hosted.credentials
    secret = base64.b64encode(f"{keys.site_id}:{keys.track_api_key}".encode())
    body = b"" if document is None else json.dumps(document).encode()
    request = RawRequest(method, path, b"", ((b"authorization", b"Basic " + secret),), body)
    with pytest.raises(StopIteration) as end:  # a calm exchange has no waits
        next(run_exchange(UNIVERSE, request))
    reply = end.value.value
    assert isinstance(reply, Reply)
    return reply.status


def told(hosted: HostedWorkspace) -> Any:
    space = hosted.state
    events = [(one.person, one.type, one.name, json.loads(one.data), one.timestamp) for one in space.events()]
    activities = [
        (line.type, line.person, line.changes, line.detail)
        for line in space.log.after(0, 1000)
        if line.type in ("profile_create", "profile_delete", "profile_merge", "attribute_change")
    ]
    return snapshot(space), events, activities


# what a workspace may be set to without the two dialects naming people differently
CHOSEN = (
    "auto_merge", "email_updates_by_id", "anonymous_merge", "trim_event_names", "event_creates_person",
    "device_creates_person", "identify_relabel", "identify_two_people", "failed_identifier_rest", "suppressed_in_body",
    "email_case", "person_empty_value", "person_attributes", "person_devices", "device_token_taken",
    "anonymous_late_events", "event_dedupe_key", "event_dedupe_scope", "event_name_limit", "merge_identifiers",
    "merge_devices", "merge_preferences", "merge_event_history", "relationship_creates_object", "object_type_unknown",
)  # fmt: skip
SETTINGS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(CATALOGUE[name].choices or (0, 1, 2)) for name in CHOSEN}
)


MANY = 10 * settings().max_examples  # a history takes some milliseconds


def fresh(chosen: dict[str, Any] | None = None) -> HostedWorkspace:
    hosted = UNIVERSE.registry.create(settings={"rate_limits": "off", **(chosen or {})})
    hosted.clock.set(NOW)
    return hosted


@settings(max_examples=MANY)
@given(st.lists(SAYINGS, max_size=12), SETTINGS)
def test_v1_and_v2_leave_equal_workspaces(sayings: list[Saying], chosen: dict[str, Any]) -> None:
    first, second = fresh(chosen), fresh(chosen)
    try:
        for method, path, body, entity in sayings:
            accepted = send(first, method, path, body) < 300, send(second, "POST", "/api/v2/entity", entity) < 300
            assert accepted[0] is accepted[1], f"{method} {path} and {entity} disagree"
        assert told(first) == told(second)
        assert (first.errors, second.errors) == ([], [])
    finally:
        UNIVERSE.registry.remove(first)
        UNIVERSE.registry.remove(second)


@given(st.lists(SAYINGS, min_size=1, max_size=8))
def test_a_batch_is_its_items_one_by_one(sayings: list[Saying]) -> None:
    single, together = fresh(), fresh()
    try:
        for saying in sayings:
            send(single, "POST", "/api/v2/entity", saying.entity)
        status = send(together, "POST", "/api/v2/batch", {"batch": [saying.entity for saying in sayings]})
        assert status in (200, 207)
        assert told(single) == told(together)
    finally:
        UNIVERSE.registry.remove(single)
        UNIVERSE.registry.remove(together)
