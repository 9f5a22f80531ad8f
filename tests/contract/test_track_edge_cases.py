"""Edge cases of the Track API from the request to what it leaves behind: answer, people, activity log, App API.

Those that a table of another module proves whole are not repeated here: `edge_cases_track.py` lists where each one is.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from msgspec import structs

from fakeio import Fake
from tests.contract import live as fixtures
from tests.contract import node_sdk
from tests.contract import sdk_world as worlds
from tests.contract.live import NOW, Live, Site
from tests.contract.node_sdk import NodeSdk, SdkError
from tests.contract.sdk_world import World, call

live, site = fixtures.live, fixtures.site
world, node = worlds.world, node_sdk.node

OK = b"{}\n"
UNAUTHORIZED = b'{\n  "meta": {\n    "error": "Unauthorized request"\n  }\n}\n'
TAKEN = "The identifier is already associated with a different profile."
HOUR_S = 3600
ACME = {"object_type_id": "1", "object_id": "acme"}


def logged(site: Site, type_: str) -> list[dict[str, Any]]:
    """What the activity log says of one type, in order."""
    return [line.info for line in site.hosted.state.log.after(0, 99, type=type_)]


# ---- who may -----------------------------------------------------------------------------------------------------


def test_an_app_key_identifies_nobody(site: Site) -> None:
    response = site.app.put("/api/v1/customers/42", json={})
    assert (response.status_code, response.content, site.people()) == (401, UNAUTHORIZED, [])


def test_credentials_are_nice_or_unauthorized(site: Site) -> None:
    good = site.track.get("/auth")
    bad = site.track.get("/auth", auth=(site.basic[0], "wrong"))
    assert (good.status_code, good.json()) == (200, {"meta": {"message": "nice credentials."}})
    assert (bad.status_code, bad.content) == (401, UNAUTHORIZED)


# ---- who is meant ------------------------------------------------------------------------------------------------


def test_where_people_have_ids_only_the_body_repeats_the_id(live: Live) -> None:
    site = live.site(settings={"identifiers": "id"})
    refused = site.identify("5", id="6")
    assert refused.json() == {"meta": {"errors": ["id attribute and identifier are not the same value"]}}
    assert (refused.status_code, site.people()) == (400, [])
    assert (site.identify("5", id="5").content, site.people()) == (OK, [{"id": "5"}])


def test_a_new_id_with_a_known_email_is_given_to_its_owner(site: Site) -> None:
    site.identify("a@example.com", plan="pro")
    before = site.cio_id("a@example.com")
    assert site.identify("7", email="a@example.com").content == OK
    assert site.people() == [{"id": "7", "email": "a@example.com", "plan": "pro"}]
    assert site.cio_id("7") == before


def test_the_email_of_somebody_else_is_not_taken_and_the_log_says_so(site: Site) -> None:
    site.identify("a", email="a@example.com")
    site.identify("b", email="b@example.com")
    assert site.identify("a", email="b@example.com", plan="pro").content == OK
    first, second = site.people()
    assert first == {"id": "a", "email": "a@example.com", "plan": "pro"}
    assert second == {"id": "b", "email": "b@example.com"}
    assert logged(site, "failed_attribute_change") == [{"email": {"reason": TAKEN, "value": "b@example.com"}}]


@pytest.mark.parametrize("elder_first", ["7", "a@example.com"])
@pytest.mark.parametrize(
    "auto_merge", [pytest.param(True, id="they are merged"), pytest.param(False, id="unless that is off")]
)
def test_an_id_only_and_an_email_only_person_named_together(live: Live, auto_merge: bool, elder_first: str) -> None:
    site = live.site(settings={"auto_merge": auto_merge})
    site.identify(elder_first, elder=True)
    elder = site.cio_id(elder_first)
    site.identify("a@example.com" if elder_first == "7" else "7", younger=True)
    assert site.identify("7", email="a@example.com").content == OK
    if auto_merge:
        assert site.people() == [{"id": "7", "email": "a@example.com", "elder": True, "younger": True}]
        assert (site.cio_id("7"), len(logged(site, "profile_merge"))) == (elder, 1)
    else:
        assert len(site.people()) == 2
        assert logged(site, "failed_attribute_change") == [{"email": {"reason": TAKEN, "value": "a@example.com"}}]


@pytest.mark.parametrize(
    ("setting", "email", "failures"),
    [
        pytest.param(False, "a@example.com", ["b@example.com"], id="fails"),
        pytest.param(True, "b@example.com", [], id="works by setting"),
    ],
)
def test_changing_an_email_through_an_id(live: Live, setting: bool, email: str, failures: list[str]) -> None:
    site = live.site(settings={"email_updates_by_id": setting})
    site.identify("7", email="a@example.com")
    assert site.identify("7", email="b@example.com").content == OK
    assert site.people() == [{"id": "7", "email": email}]
    assert [line["email"]["value"] for line in logged(site, "failed_attribute_change")] == failures


def test_a_call_by_cio_id_changes_email_and_id(site: Site) -> None:
    site.identify("7", email="a@example.com")
    cio_id = site.cio_id("7")
    assert site.identify(f"cio_{cio_id}", id="8", email="b@example.com").content == OK
    assert site.people() == [{"id": "8", "email": "b@example.com"}]
    assert site.cio_id("8") == cio_id


def test_update_only_leaves_a_failure_in_the_log(site: Site) -> None:
    assert site.identify("7", _update=True, plan="pro").content == OK
    assert (site.people(), len(logged(site, "failed_attribute_change"))) == ([], 1)


def test_an_older_write_is_logged_as_skipped(site: Site) -> None:
    site.identify("7", plan="new", _timestamp=200)
    site.identify("7", plan="old", city="Bern", _timestamp=100)
    assert site.people() == [{"id": "7", "plan": "new", "city": "Bern"}]
    assert logged(site, "skipped_update") == [{"attributes": ["plan"]}]


def test_one_topic_leaves_the_others_and_the_whole_object_replaces_them(site: Site) -> None:
    topics = "cio_subscription_preferences"
    site.identify("7", **{topics: {"topics": {"topic_1": True, "topic_2": True}}})
    site.identify("7", **{f"{topics}.topics.topic_2": False})
    assert site.people() == [{"id": "7", topics: {"topics": {"topic_1": True, "topic_2": False}}}]
    site.identify("7", **{topics: {"topics": {"topic_3": True}}})
    assert site.people() == [{"id": "7", topics: {"topics": {"topic_3": True}}}]


def test_who_was_freed_comes_back_blank(site: Site) -> None:
    site.identify("7", email="a@example.com", plan="pro")
    before = site.cio_id("7")
    site.track.post("/api/v1/customers/7/suppress")
    assert site.track.post("/api/v1/customers/a@example.com/unsuppress").content == OK
    assert site.people() == []
    site.identify("7")
    assert site.people() == [{"id": "7"}]
    assert site.cio_id("7") != before


# ---- events ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "triggers", "rule"),
    [
        pytest.param(71, True, None, id="71 hours ago: campaigns are triggered"),
        pytest.param(73, False, "track.event.trigger_window", id="73 hours ago: they are not"),
    ],
)
def test_an_event_of_the_past_is_recorded_and_triggers_for_72_hours(
    hours: int, triggers: bool, rule: str | None
) -> None:
    with Fake() as fake:
        fake.workspace.clock.set(NOW)
        asked = httpx.Client(transport=fake.transport, base_url="http://127.0.0.1", trust_env=False)
        auth = (fake.workspace.site_id, fake.workspace.track_api_key)
        body = {"name": "buy", "timestamp": int(NOW) - hours * HOUR_S}
        assert asked.post("/api/v1/customers/7/events", json=body, auth=auth).content == OK
        rows = asked.get(f"/_fakeio/workspaces/{fake.workspace.id}/activities").json()["activities"]
    assert [(row["type"], row.get("can_trigger_campaigns"), row.get("no_trigger")) for row in rows] == [
        ("profile_create", None, None), ("event", triggers, rule),
    ]  # fmt: skip


def test_page_views_have_no_name_in_the_app_api_and_screen_views_have_one(site: Site) -> None:
    for kind, name in (("page", "/home"), ("screen", "Home")):
        site.track.post("/api/v1/customers/7/events", json={"name": name, "type": kind, "data": {"n": 1}})
    rows = site.app.get("/v1/customers/7/activities").json()["activities"]
    shown = {row["type"]: row for row in rows}
    assert "name" not in shown["page"]
    assert shown["screen"]["name"] == "Home"


def test_a_number_stays_one_in_events_and_becomes_text_in_attributes(site: Site) -> None:
    site.identify("7", revenue=42)
    site.track.post("/api/v1/customers/7/events", json={"name": "buy", "data": {"revenue": 42}})
    (event,) = site.app.get("/v1/customers/7/activities?type=event").json()["activities"]
    person = site.app.get("/v1/customers/7/attributes").json()["customer"]
    assert (event["data"]["revenue"], person["attributes"]["revenue"]) == (42, "42")


# ---- forms, objects ----------------------------------------------------------------------------------------------


def test_a_form_without_an_identifier_is_connected_and_works_once_its_field_is_mapped(site: Site) -> None:
    def submit() -> tuple[int, bytes]:
        answer = site.track.post("/api/v1/forms/f1/submit", json={"data": {"email_address": "a@example.com"}})
        return answer.status_code, answer.content

    assert submit()[0] == 400
    assert site.people() == []
    forms = site.hosted.state.forms  # mapped now, as somebody does in the vendor's pages
    forms["f1"] = structs.replace(forms["f1"], fields={"email_address": "email"})
    assert submit() == (204, b"")
    assert site.people() == [{"email": "a@example.com"}]
    assert set(site.hosted.state.forms) == {"f1"}


def test_a_seed_maps_the_fields_of_a_form(live: Live) -> None:
    site = live.site(seed={"forms": [{"id": "f1", "fields": {"email_address": "email", "town": "city"}}]})
    body = {"data": {"email_address": "a@example.com", "town": "Bern"}}
    assert site.track.post("/api/v1/forms/f1/submit", json=body).status_code == 204
    assert site.people() == [{"email": "a@example.com", "city": "Bern"}]


def test_a_new_object_is_made_with_its_link_and_both_go_with_it(site: Site) -> None:
    row = {"identifiers": {"id": "7"}, "relationship_attributes": {"role": "owner"}}
    made = {"type": "object", "action": "identify", "identifiers": {**ACME, "object_type_id": 1}}
    assert site.track.post("/api/v2/entity", json={**made, "cio_relationships": [row]}).content == OK
    (link,) = site.app.get("/v1/customers/7/relationships").json()["cio_relationships"]
    assert (link["object_type_id"], link["identifiers"]["object_id"]) == ("1", "acme")
    assert site.track.post("/api/v2/entity", json={**made, "action": "delete"}).content == OK
    assert site.app.get("/v1/customers/7/relationships").json()["cio_relationships"] == []


# ---- weather -----------------------------------------------------------------------------------------------------


def test_the_node_client_rejects_a_success_that_is_no_json(world: World, node: NodeSdk) -> None:
    world.handle.fault("status", status=200, body="<html>", times=1)
    with pytest.raises(SdkError, match="Unable to parse JSON"):
        node.track(world, call("identify", "1", {"plan": "free"}))


def test_a_client_that_does_not_try_again_sees_the_503(world: World) -> None:
    world.handle.fault("status", status=503, times=1)
    keys = (world.handle.site_id, world.handle.track_api_key)
    with httpx.Client(base_url=world.fake.url, auth=keys, verify=False, trust_env=False) as client:
        statuses = [client.put("/api/v1/customers/1", json={"plan": "free"}).status_code for _ in range(2)]
    assert statuses == [503, 200]
