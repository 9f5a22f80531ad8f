"""Track API v2 over a real socket: one operation, batches of them, sizes in bytes, and what each refusal says."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site


def person(action: str, **more: Any) -> dict[str, Any]:
    """A person operation on id 7 unless it names somebody else."""
    return {"type": "person", "action": action, "identifiers": {"id": "7"}, **more}


def entity(site: Site, document: Any) -> httpx.Response:
    return site.track.post("/api/v2/entity", json=document)


def batch(site: Site, *items: Any) -> httpx.Response:
    return site.track.post("/api/v2/batch", json={"batch": list(items)})


OK = (200, b"{}\n")
ACCEPTED = [
    pytest.param(person("identify", attributes={"plan": "pro"}), [{"id": "7", "plan": "pro"}], [], id="identify"),
    pytest.param(person("identify"), [{"id": "7"}], [], id="identify without attributes"),
    pytest.param(person("identify", attributes=None), [{"id": "7"}], [], id="identify with null attributes"),
    pytest.param(person("identify", identifiers={"id": 7}), [{"id": "7"}], [], id="identify with a number as id"),
    pytest.param(person("identify", identifiers={"email": "a@example.com"}), [{"email": "a@example.com"}], [],
                 id="identify by email"),
    pytest.param(person("identify", attributes={"_update": True}), [], [], id="identify that may not create"),
    pytest.param(person("identify", surprise=1), [{"id": "7"}], [], id="unknown keys"),
    pytest.param(person("delete"), [], [], id="delete of nobody"),
    pytest.param(person("suppress"), [], [], id="suppress"),
    pytest.param(person("unsuppress"), [], [], id="unsuppress"),
    pytest.param(person("event", name="buy", attributes={"n": 1}), [{"id": "7"}], [("7", "event", "buy", b'{"n":1}')],
                 id="event"),
    pytest.param(person("event", name="buy", data={"n": 1}), [{"id": "7"}], [("7", "event", "buy", b"{}")],
                 id="event with data instead of attributes"),
    pytest.param(person("page", name="/a"), [{"id": "7"}], [("7", "page", "/a", b"{}")], id="page"),
    pytest.param(person("screen", name="s"), [{"id": "7"}], [("7", "screen", "s", b"{}")], id="screen"),
    pytest.param(person("event", name="saw", identifiers={"anonymous_id": "x"}), [], [(None, "event", "saw", b"{}")],
                 id="event of an anonymous id"),
    pytest.param(person("add_device", device={"token": "t", "platform": "ios"}), [{"id": "7"}], [], id="add_device"),
    pytest.param(person("delete_device", device={"token": "t"}), [], [], id="delete_device"),
    pytest.param({"type": "person", "action": "merge", "primary": {"id": "7"}, "secondary": {"id": "8"}}, [], [],
                 id="merge has no identifiers"),
]  # fmt: skip


@pytest.mark.parametrize("through", ["entity", "batch"])
@pytest.mark.parametrize(("document", "people", "events"), ACCEPTED)
def test_an_operation_is_accepted(
    site: Site, document: dict[str, Any], people: list[Any], events: list[Any], through: str
) -> None:
    response = entity(site, document) if through == "entity" else batch(site, document)
    assert (response.status_code, response.content) == OK
    assert (site.people(), site.events()) == (people, events)


def test_both_dialects_leave_the_same_person(live: Live) -> None:
    one, two = live.site(), live.site()
    for each in (one, two):
        each.stop_clock()
    one.identify("7", email="a@example.com", plan="pro", _timestamp=5)
    entity(two, person("identify", attributes={"email": "a@example.com", "plan": "pro"}, timestamp=5))
    one.track.put("/api/v1/customers/7/devices", json={"device": {"id": "t", "platform": "ios"}})
    entity(two, person("add_device", device={"token": "t", "platform": "ios"}))
    shown = [each.app.get("/v1/customers/7/attributes").json() for each in (one, two)]
    assert shown[0] == shown[1]
    assert shown[0]["customer"]["timestamps"]["plan"] == NOW


REFUSED = [
    pytest.param(person("identify", identifiers={"id": None}), "identifiers.id", id="a null id"),
    pytest.param(person("identify", identifiers={"id": ""}), "identifiers.id", id="an empty id"),
    pytest.param(person("identify", identifiers={"id": "x" * 151}), "identifiers.id", id="an id of 151 bytes"),
    pytest.param(person("identify", identifiers={"id": "1", "email": "a@b.cd"}), "identifiers", id="two identifiers"),
    pytest.param(person("identify", identifiers={}), "identifiers", id="empty identifiers"),
    pytest.param(person("identify", identifiers=None), "identifiers", id="no identifiers"),
    pytest.param(person("identify", identifiers="7"), "identifiers", id="identifiers that are a text"),
    pytest.param(person("identify", identifiers={"cio_id": "cio_a3000001"}), "identifiers.cio_id",
                 id="a prefixed cio_id"),
    pytest.param(person("identify", identifiers={"phone": "+14155552671"}), "identifiers.phone",
                 id="a phone, not in use"),
    pytest.param(person("identify", attributes=[]), "attributes", id="attributes that are a list"),
    pytest.param(person("event"), "name", id="an event without a name"),
    pytest.param(person("event", name="n" * 101), "name", id="an event name of 101 bytes"),
    pytest.param(person("event", name="x", attributes="y"), "attributes", id="event attributes that are a text"),
    pytest.param(person("event", name="x", timestamp="soon"), "timestamp", id="a timestamp that is none"),
    pytest.param(person("event", name="x", identifiers={"anonymous_id": ""}), "identifiers.anonymous_id",
                 id="a blank anonymous id"),
    pytest.param(person("add_device", device={"id": "t", "platform": "ios"}), "device.token", id="a v1 device"),
    pytest.param(person("add_device"), "device", id="no device"),
    pytest.param(person("delete_device", device={}), "device.token", id="no token"),
    pytest.param({"type": "person", "action": "merge", "primary": {"id": "7"}}, "secondary", id="no secondary"),
    pytest.param(person("dance"), "action", id="an unknown action"),
    pytest.param(person("identify_anonymous"), "action", id="an object's action"),
    pytest.param({"type": "person", "identifiers": {"id": "7"}}, "action", id="no action"),
    pytest.param({"type": "robot", "action": "identify"}, "type", id="an unknown type"),
    pytest.param({"type": {"a": 1}, "action": "identify"}, "type", id="a type that is an object"),
    pytest.param({}, "type", id="nothing"),
    pytest.param({"type": "object", "action": "event"}, "action", id="an event of an object"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "field"), REFUSED)
def test_an_operation_is_refused_in_both_forms(site: Site, document: dict[str, Any], field: str) -> None:
    alone = entity(site, document)
    [error] = alone.json()["errors"]
    assert (alone.status_code, list(error), error["field"]) == (400, ["reason", "field", "message"], field)
    among = batch(site, document)
    assert (among.status_code, among.json()) == (207, {"errors": [{"batch_index": 0, **error}]})
    assert (site.people(), site.events()) == ([], [])


@pytest.mark.parametrize(
    ("phone", "status"),
    [
        pytest.param("+14155552671", 200, id="E.164"),
        pytest.param("+1234567890123456", 400, id="16 digits"),
        pytest.param("4155552671", 400, id="no plus"),
    ],
)
def test_a_phone_names_somebody_where_phones_identify(live: Live, phone: str, status: int) -> None:
    site = live.site(settings={"phone_identifier": True})
    document = person("identify", identifiers={"phone": phone}, attributes={"plan": "pro"})
    assert entity(site, document).status_code == status
    assert entity(site, document).status_code == status
    assert site.people() == ([{"phone": phone, "plan": "pro"}] if status == 200 else [])


def test_what_is_left_out_is_said_to_be_required(site: Site) -> None:
    refused = [entity(site, document).json()["errors"][0] for document in ({"type": "person"}, {"action": "identify"})]
    assert refused == [
        {"reason": "required", "field": "action", "message": "action is required"},
        {"reason": "required", "field": "type", "message": "type is required"},
    ]


@pytest.mark.parametrize("item", ["text", 7, None, [], True], ids=str)
def test_an_item_that_is_no_object_is_refused_in_its_place(site: Site, item: Any) -> None:
    response = batch(site, item, person("identify"))
    [error] = response.json()["errors"]
    assert (response.status_code, error["batch_index"], error["reason"]) == (207, 0, "parse_error")
    assert site.people() == [{"id": "7"}]


def test_a_long_value_is_worded_as_v2_words_it(site: Site) -> None:
    document = person("identify", attributes={"plan": "v" * 1001})
    assert entity(site, document).json() == {
        "errors": [
            {
                "reason": "invalid",
                "field": "attributes.plan",
                "message": "property value cannot be longer than 1000 bytes",
            }
        ]
    }


# ---- batches ---------------------------------------------------------------------------------------------------------


def test_one_bad_item_leaves_its_neighbours_alone(site: Site) -> None:
    bad = person("identify", identifiers={"id": "2", "email": "b@example.com"})
    response = batch(site, person("identify"), bad, person("event", name="buy"))
    assert response.content == (
        b'{\n  "errors": [\n    {\n      "batch_index": 1,\n      "reason": "invalid",\n'
        b'      "field": "identifiers",\n'
        b'      "message": "identifiers must contain exactly one identifier"\n    }\n  ]\n}\n'
    )
    assert response.status_code == 207
    assert response.headers["status"] == "207 Multi-Status"
    assert (site.people(), site.events()) == ([{"id": "7"}], [("7", "event", "buy", b"{}")])
    assert site.outcomes() == [
        ("identify", "applied", None),
        ("identify", "refused", "track.identifiers.several"),
        ("record_event", "applied", None),
    ]


def test_items_are_taken_in_order(site: Site) -> None:
    batch(site, *(person("identify", attributes={"plan": n}) for n in range(5)), person("delete"), person("identify"))
    assert site.people() == [{"id": "7"}]
    assert [outcome for _, outcome, _ in site.outcomes()] == ["applied"] * 7


def test_an_item_with_relationships_keeps_its_place(site: Site) -> None:
    related = person("identify", cio_relationships=[{"identifiers": {"object_type_id": "1", "object_id": "acme"}}])
    response = batch(site, related, person("dance"))
    assert [error["batch_index"] for error in response.json()["errors"]] == [1]
    assert site.outcomes() == [
        ("identify", "applied", None),
        ("add_relationship", "applied", None),
        ("dance", "refused", "track.v2.action"),
    ]


def test_nothing_accepted_is_told_about_a_suppressed_person(site: Site) -> None:
    site.track.post("/api/v1/customers/7/suppress")
    assert batch(site, person("identify"), person("event", name="buy")).content == b"{}\n"
    assert [rule for _, _, rule in site.outcomes()] == ["person.suppressed"] * 2


WHOLE = [
    pytest.param(b"", "", id="no body"),
    pytest.param(b"{", "", id="half a body"),
    pytest.param(b"[]", "batch", id="a list"),
    pytest.param(b"{}", "batch", id="no batch"),
    pytest.param(b'{"batch":{}}', "batch", id="a batch that is an object"),
    pytest.param(b'{"batch":null}', "batch", id="a batch that is null"),
    pytest.param(b'{"batch":[]}', "batch", id="an empty batch"),
]


@pytest.mark.parametrize(("body", "field"), WHOLE)
def test_a_batch_is_refused_as_a_whole(site: Site, body: bytes, field: str) -> None:
    response = site.track.post("/api/v2/batch", content=body)
    [error] = response.json()["errors"]
    assert (response.status_code, list(error), error["field"]) == (400, ["reason", "field", "message"], field)


def test_by_switch_an_empty_batch_is_fine(live: Live) -> None:
    assert batch(live.site(settings={"batch_empty": "200"})).content == b"{}\n"


def test_a_batch_of_nothing_valid_is_207_or_by_switch_400(live: Live) -> None:
    bad = person("dance")
    assert [error["batch_index"] for error in batch(live.site(), bad, bad).json()["errors"]] == [0, 1]
    strict = live.site(settings={"batch_all_invalid": "400"})
    response = batch(strict, bad, bad)
    assert (response.status_code, [list(error) for error in response.json()["errors"]]) == (
        400, [["reason", "field", "message"]] * 2,
    )  # fmt: skip
    assert batch(strict, bad, person("identify")).status_code == 207


# ---- sizes -----------------------------------------------------------------------------------------------------------


def sized_item(size_bytes: int) -> bytes:
    """One event operation of exactly that many bytes, half of it two-byte characters."""
    frame = b'{"type":"person","action":"event","identifiers":{"id":"7"},"name":"x","attributes":{"a":"%s"}}'
    room = size_bytes - len(frame) + 2
    return frame % ("é" * (room // 4) + "x" * (room - room // 4 * 2)).encode()


def sized_batch(size_bytes: int) -> bytes:
    """A batch of exactly that many bytes, of items that are each within their own limit."""
    items = [sized_item(30_000)] * (size_bytes // 30_500)
    used = len(b'{"batch":[]}') + sum(map(len, items)) + len(items)
    return b'{"batch":[' + b",".join([*items, sized_item(size_bytes - used)]) + b"]}"


@pytest.mark.parametrize(
    ("reading", "size_bytes", "fits"),
    [
        pytest.param("lenient", 32_768, True, id="lenient, at it"),
        pytest.param("lenient", 32_769, False, id="lenient, one over"),
        pytest.param("strict", 31_999, True, id="strict, at it"),
        pytest.param("strict", 32_000, False, id="strict, one over"),
    ],
)
def test_an_operation_has_a_limit_in_bytes(live: Live, reading: str, size_bytes: int, fits: bool) -> None:
    site = live.site(settings={"limits_reading": reading})
    item = sized_item(size_bytes)
    assert len(item) == size_bytes
    assert site.track.post("/api/v2/entity", content=item).status_code == (200 if fits else 400)
    among = site.track.post("/api/v2/batch", content=b'{"batch":[ %s , %s ]}' % (sized_item(500), item))
    assert among.status_code == (200 if fits else 207)
    assert [rule for _, _, rule in site.outcomes()] == [None, None if fits else "track.v2.item"]


@pytest.mark.parametrize(
    ("reading", "size_bytes", "fits"),
    [
        pytest.param("lenient", 512_000, True, id="lenient, at it"),
        pytest.param("lenient", 512_001, False, id="lenient, one over"),
        pytest.param("strict", 499_999, True, id="strict, at it"),
        pytest.param("strict", 500_000, False, id="strict, one over"),
    ],
)
def test_a_batch_has_a_limit_in_bytes(live: Live, reading: str, size_bytes: int, fits: bool) -> None:
    site = live.site(settings={"limits_reading": reading})
    body = sized_batch(size_bytes)
    assert len(body) == size_bytes
    response = site.track.post("/api/v2/batch", content=body)
    assert response.status_code == (200 if fits else 400)
    assert (site.events() == []) is not fits


def test_the_credentials_are_those_of_v1(site: Site) -> None:
    response = plain.post(f"{site.live.url}/api/v2/batch", content=b"{", auth=("x", "y"))
    assert (response.status_code, len(response.content)) == (401, 56)
    assert site.track.get("/api/v2/batch").status_code == 404
    assert json.loads(site.track.get("/api/v2/nope").content)["meta"]["greeting"].startswith("Welcome")
