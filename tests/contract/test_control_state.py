"""The control API on state: people, events, segments and the rest, seeded, found and paged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio import Fake
from tests.contract import controlling
from tests.contract.controlling import Control

fake, control = controlling.fake, controlling.control


def test_seeded_people_keep_their_types_and_leave_no_activity(control: Control) -> None:
    attributes = {"plan": "pro", "seats": 3, "rate": 0.5, "vip": True, "tags": ["a"], "home": {"zip": "1"}}
    device = {"token": "t", "platform": "ios", "last_used": 5, "attributes": {"v": 1}}
    row = {"id": "42", "email": "a@example.com", "attributes": attributes, "devices": [device]}
    added = control.send("POST", "/people", {"people": [row]})
    assert added.status_code == 201
    (person,) = added.json()["people"]
    assert person == {
        **row, "cio_id": person["cio_id"], "segments": [], "unsubscribed": False, "created_at": person["created_at"],
    }  # fmt: skip
    assert control.get("/people")["people"] == [person]
    assert control.get("/activities")["activities"] == []


def test_people_are_added_all_or_none_and_the_bad_row_is_named(control: Control) -> None:
    rows: list[dict[str, object]] = [{"id": "1"}, {"id": "2", "devices": [{"token": "t"}]}, {"id": "3"}]
    refused = control.send("POST", "/people", {"people": rows})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_people")
    assert refused.json()["error"]["message"].startswith("people[1].devices[0]: ")
    assert control.get("/people")["people"] == []


@pytest.mark.parametrize(("query", "ids"), [
    pytest.param({"id": "1"}, ["1"], id="id"),
    pytest.param({"id": "nobody"}, [], id="unknown id"),
    pytest.param({"email": "B@example.com"}, ["2"], id="email, whatever its case"),
    pytest.param({"q": "EXAMPLE"}, ["1", "2"], id="text"),
    pytest.param({"q": "3"}, ["3"], id="text in an id"),
    pytest.param({"id": "1", "email": "b@example.com"}, [], id="both must hold"),
    pytest.param({"id": "1", "email": "a@example.com"}, ["1"], id="both hold"),
])
def test_people_are_found_by(control: Control, query: dict[str, str], ids: list[str]) -> None:
    control.handle.add_people([
        {"id": "1", "email": "a@example.com", "cio_id": "c0ffee1"}, {"id": "2", "email": "b@example.com",
         "cio_id": "c0ffee2"}, {"id": "3", "cio_id": "c0ffeea"},
    ])  # fmt: skip
    assert [person["id"] for person in control.get("/people", **query)["people"]] == ids


def test_a_cio_id_is_taken_with_and_without_its_prefix(control: Control) -> None:
    cio_id = control.handle.add_person(id="1").cio_id
    for spelling in (cio_id, f"cio_{cio_id}"):
        assert [person["id"] for person in control.get("/people", cio_id=spelling)["people"]] == ["1"]


@given(count=st.integers(0, 12), limit=st.integers(1, 5))
def test_pages_hold_everybody_once_in_order(fake: Fake, count: int, limit: int) -> None:
    control = Control(fake, fake.new_workspace())
    control.handle.add_people({"id": str(n)} for n in range(count))
    met: list[str] = []
    start: str | None = "0"
    pages = 0
    while start is not None:
        page = control.get("/people", limit=limit, start=start)
        assert len(page["people"]) <= limit
        met += [person["id"] for person in page["people"]]
        start, pages = page["next"], pages + 1
    assert met == [str(n) for n in range(count)]
    assert pages == max(1, -(-count // limit))


def test_a_page_is_a_hundred_unless_asked_and_never_above_a_thousand(control: Control) -> None:
    control.handle.add_people({"id": str(n)} for n in range(1001))
    assert len(control.get("/people")["people"]) == 100
    largest = control.get("/people", limit=5000)
    assert (len(largest["people"]), largest["next"]) == (1000, "1000")


def test_events_come_in_order_of_arrival_with_their_person(control: Control) -> None:
    control.handle.clock.set(1_777_636_800)
    cio_id = control.handle.add_person(id="42", email="a@example.com").cio_id
    order = {"name": "order", "data": {"total": 3, "item": {"sku": "x"}}, "timestamp": 1_777_000_000, "id": "01ABC"}
    assert control.track("POST", "/api/v1/customers/42/events", order).status_code == 200
    control.track("POST", "/api/v1/customers/42/events", {"name": "/home", "type": "page"})
    control.track("POST", "/api/v1/events", {"name": "visit", "anonymous_id": "anon"})
    events = control.get("/events")["events"]
    who = {"id": "42", "email": "a@example.com", "cio_id": cio_id}
    assert events[0] == {
        "event_id": "01ABC", "type": "event", "name": "order", "data": {"total": 3, "item": {"sku": "x"}},
        "timestamp": 1_777_000_000, "person": who, "anonymous_id": None, "received_at": 1_777_636_800,
    }  # fmt: skip
    assert [(each["type"], each["name"], each["person"], each["anonymous_id"]) for each in events[1:]] == [
        ("page", "/home", who, None), ("event", "visit", None, "anon"),
    ]  # fmt: skip
    assert [each["name"] for each in control.get("/events", person="a@example.com")["events"]] == ["order", "/home"]
    assert [each["name"] for each in control.get("/events", type="page")["events"]] == ["/home"]
    assert [each["name"] for each in control.get("/events", name="visit")["events"]] == ["visit"]
    assert control.get("/events", person="nobody")["events"] == []
    assert [each["name"] for each in control.get("/events", limit=1)["events"]] == ["order"]


def test_segments_of_both_types_are_made_and_listed(control: Control) -> None:
    manual = control.send("POST", "/segments", {"name": "VIP", "description": "the best"})
    conditions = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
    dynamic = control.send("POST", "/segments", {"name": "Pros", "type": "dynamic", "conditions": conditions})
    assert (manual.status_code, dynamic.status_code) == (201, 201)
    rows = control.get("/segments")["segments"]
    assert rows == [manual.json(), dynamic.json()]
    assert [(row["id"], row["name"], row["type"], row["conditions"], row["count"]) for row in rows] == [
        (1, "VIP", "manual", None, 0), (2, "Pros", "dynamic", conditions, 0),
    ]  # fmt: skip


def test_members_are_listed_as_they_joined_and_people_know_their_segments(control: Control) -> None:
    people = control.handle.add_people([{"id": "1", "email": "a@example.com"}, {"id": "2"}, {"id": "3"}])
    segment = control.handle.add_segment("VIP")
    control.track("POST", f"/api/v1/segments/{segment.id}/add_customers", {"ids": ["3", "1"]})
    members = control.get(f"/segments/{segment.id}/members")
    assert members == {"next": None, "members": [
        {"id": "3", "email": None, "cio_id": people[2].cio_id},
        {"id": "1", "email": "a@example.com", "cio_id": people[0].cio_id},
    ]}  # fmt: skip
    first = control.get(f"/segments/{segment.id}/members", limit=1)
    rest = control.get(f"/segments/{segment.id}/members", limit=1, start=first["next"])
    assert first["members"] + rest["members"] == members["members"]
    assert rest["next"] is None
    assert [person["segments"] for person in control.get("/people")["people"]] == [[1], [], [1]]


def test_the_activity_log_and_the_suppressions_are_shown(control: Control) -> None:
    control.identify("1", plan="pro")
    control.track("POST", "/api/v1/customers/2/suppress", {})
    lines = control.get("/activities", person="1")["activities"]
    assert [line["request"] for line in lines] == [1] * len(lines)
    assert {line["person"]["id"] for line in lines} == {"1"}
    (suppression,) = control.get("/suppressions")["suppressions"]
    assert (suppression["identifiers"], suppression["request"]) == ([{"type": "id", "value": "2"}], 2)


def test_objects_and_deliveries_are_shown(control: Control) -> None:
    seed = {
        "people": [{"id": "1", "cio_id": "c0ffee1"}],
        "objects": [{"object_type_id": "1", "object_id": "acme", "attributes": {"plan": "pro"},
                     "relationships": [{"id": "1", "attributes": {"role": "admin"}}]}],
        "deliveries": [{"id": "d1", "type": "email", "person": {"id": "1"}, "created_at": 5, "metrics": {"opened": 7}}],
    }  # fmt: skip
    row = control.client.post("/_fakeio/workspaces", json={"seed": seed}).json()
    here = f"/_fakeio/workspaces/{row['id']}"
    who = {"id": "1", "email": None, "cio_id": "c0ffee1"}
    (found,) = control.client.get(f"{here}/objects").json()["objects"]
    assert found == {
        "object_type_id": "1", "object_id": "acme", "cio_object_id": found["cio_object_id"],
        "attributes": {"plan": "pro"}, "relationships": [{**who, "attributes": {"role": "admin"}}],
    }  # fmt: skip
    assert control.client.get(f"{here}/deliveries").json() == {"next": None, "deliveries": [{
        "id": "d1", "type": "email", "person": who, "recipient": "", "metrics": {"opened": 7}, "unsubscribed": False,
        "created_at": 5, "subject": "", "template": None, "content": None, "broadcast": None, "trigger": None,
        "action": None, "newsletter": None, "draft": False, "failure": None, "to_unsubscribed": True, "retained": True,
        "message": {},
    }]}  # fmt: skip


def test_a_message_tells_where_it_comes_from_and_what_was_sent(control: Control) -> None:
    templates = [{"id": 3, "name": "A", "contents": [{"id": 8, "subject": "Hi", "body": "b", "from": "a@example.com"}]}]
    broadcasts = [{"id": 2, "name": "B", "actions": [{"id": 9, "subject": "Sale"}]}]
    people = [{"id": "1", "email": "ann@example.com"}]
    seed = {"people": people, "templates": templates, "broadcasts": broadcasts}
    row = control.client.post("/_fakeio/workspaces", json={"seed": seed}).json()
    key = {"authorization": f"Bearer {row['app_api_key']}"}
    mail = {
        "transactional_message_id": 3, "to": "ann@example.com", "identifiers": {"id": "1"}, "queue_draft": True,
        "message_data": {"n": 1}, "disable_message_retention": True, "send_to_unsubscribed": False,
    }  # fmt: skip
    assert control.client.post("/v1/send/email", json=mail, headers=key).status_code == 200
    assert control.client.post("/v1/campaigns/2/triggers", json={"ids": ["1"]}, headers=key).status_code == 200
    sent, cast = control.client.get(f"/_fakeio/workspaces/{row['id']}/deliveries").json()["deliveries"]
    origins = ("template", "content", "broadcast", "trigger", "action", "draft", "retained", "to_unsubscribed")
    assert [sent[name] for name in origins] == [3, 8, None, None, None, True, False, False]
    assert [cast[name] for name in origins] == [None, None, 2, 1, 9, False, True, False]
    assert (sent["subject"], sent["message"]["message_data"], sorted(sent["metrics"])) == (
        "Hi", {"n": 1}, ["created", "drafted"],
    )  # fmt: skip
    assert (cast["subject"], cast["recipient"], "sent" in cast["metrics"]) == ("Sale", "ann@example.com", True)


def test_a_person_is_explained(control: Control) -> None:
    control.handle.add_segment("VIP")
    control.identify("1", plan="pro")
    control.track("POST", "/api/v1/segments/1/add_customers", {"ids": ["1"]})
    control.track("POST", "/api/v1/segments/1/add_customers", {"ids": ["1"]})
    (person,) = control.handle.people
    here = f"/people/{person.cio_id}/explain"
    told = control.get(here)
    assert (told["created_by"]["request"], told["attributes"]["plan"]["request"]) == (1, 1)
    assert [(row["request"], row["rule"]) for row in told["ignored"]] == [(3, "segment.already_member")]
    plan = control.get(here, attribute="plan")
    assert (plan["value"], plan["why"]) == ("pro", "written by request 1")
    assert control.get(here, segment="1")["why"] == "added by request 2"
    assert control.get(here, segment="7")["why"] == "there is no segment 7"
