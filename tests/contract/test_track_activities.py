"""The activity log of what the Track API does: every published type that one of its calls can lead to, in one table."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fakeio.core.deliveries import METRICS, Delivery
from tests.contract import live as fixtures
from tests.contract.live import Live, Site

live, site = fixtures.live, fixtures.site

EVENTS, ENTITY = "/api/v1/customers/7/events", "/api/v2/entity"
LINK = {"identifiers": {"object_type_id": "1", "object_id": "acme"}, "relationship_attributes": {"role": "owner"}}
THING = {"type": "object", "identifiers": LINK["identifiers"]}
PERSON = {"type": "person", "identifiers": {"id": "7"}}


def types(site: Site) -> list[str]:
    return [line.type for line in site.hosted.state.log.after(0, 999)]


def identify_twice(site: Site) -> None:
    site.identify("7", plan="free")
    site.identify("7", plan="pro")


def fail_to_change(site: Site) -> None:
    site.identify("7", email="a@example.com", plan="pro", _timestamp=2)
    site.identify("7", email="b@example.com", plan="free", _timestamp=1)


def delete(site: Site) -> None:
    site.identify("7")
    site.track.delete("/api/v1/customers/7")


def merge(site: Site) -> None:
    site.identify("7")
    site.identify("8")
    site.track.post("/api/v1/merge_customers", json={"primary": {"id": "7"}, "secondary": {"id": "8"}})


def claim(site: Site) -> None:
    site.track.post("/api/v1/events", json={"name": "saw", "anonymous_id": "anon"})
    site.identify("7", anonymous_id="anon")


def devices(site: Site) -> None:
    site.track.put("/api/v1/customers/7/devices", json={"device": {"id": "t", "platform": "ios"}})
    site.track.delete("/api/v1/customers/7/devices/t")


def events(site: Site) -> None:
    for kind in ("event", "page", "screen"):
        site.track.post(EVENTS, json={"name": "x", "type": kind})
    for kind in ("viewed_content", "clicked_content"):
        site.track.post(ENTITY, json={**PERSON, "action": kind})


def event_of_nobody(site: Site) -> None:
    site.track.post("/api/v1/customers/cio_beef/events", json={"name": "x"})


def relationships(site: Site) -> None:
    site.track.post(ENTITY, json={**PERSON, "action": "add_relationships", "cio_relationships": [LINK]})
    other = {**LINK, "relationship_attributes": {"role": "guest"}}
    site.track.post(ENTITY, json={**PERSON, "action": "add_relationships", "cio_relationships": [other]})
    site.track.post(ENTITY, json={**PERSON, "action": "delete_relationships", "cio_relationships": [LINK]})


def objects(site: Site) -> None:
    for attributes in ({"size": 1}, {"size": 2}):
        site.track.post(ENTITY, json={**THING, "action": "identify", "attributes": attributes})
    site.track.post(ENTITY, json={**THING, "action": "delete"})


def too_much(site: Site) -> None:
    """Each request is within its limit, what they make together is not."""
    for part in range(2):
        attributes = {f"{part}-{n}": n for n in range(200)}
        link = {**LINK, "relationship_attributes": attributes}
        site.track.post(ENTITY, json={**THING, "action": "identify", "attributes": attributes})
        site.track.post(ENTITY, json={**PERSON, "action": "add_relationships", "cio_relationships": [link]})
    (thing,) = site.hosted.state.objects
    assert [len(thing.attributes), *(len(link.attributes) for link in thing.people.values())] == [200, 200]
    assert [rule for _, _, rule in site.outcomes()] == ["relationship.no_room"]
    site.track.post(ENTITY, json={**THING, "action": "identify", "attributes": attributes})
    assert [rule for _, _, rule in site.outcomes()] == ["object.no_room"]


def unsubscribe(site: Site) -> None:
    site.identify("7")
    made = Delivery(f"act{site.hosted.id}", "email", site.cio_id("7"), 5)
    site.hosted.state.deliveries.add(made)
    site.track.post(f"/unsubscribe/{made.id}", json={"unsubscribe": True})


TABLE: list[tuple[Callable[[Site], None], list[str]]] = [
    (identify_twice, ["profile_create", "attribute_change"]),
    (fail_to_change, ["profile_create", "failed_attribute_change", "skipped_update"]),
    (delete, ["profile_create", "profile_delete"]),
    (merge, ["profile_create", "profile_create", "profile_merge"]),
    (claim, ["event", "profile_create", "anon_merge"]),
    (devices, ["profile_create", "device_change", "device_change"]),
    (events, ["profile_create", "event", "page", "screen", "viewed_content", "clicked_content"]),
    (event_of_nobody, ["failed_event"]),
    (relationships, [
        "profile_create", "_o:1:create", "add_relationship", "_o:1:add_relationship", "relationship_attribute_change",
        "_r:1:attribute_change", "delete_relationship", "_o:1:delete_relationship",
    ]),
    (too_much, [
        "_o:1:create", "profile_create", "add_relationship", "_o:1:add_relationship", "_o:1:failed_attribute_change",
        "relationship_failed_attribute_change", "_r:1:failed_attribute_change", "_o:1:failed_attribute_change",
    ]),
    (objects, ["_o:1:create", "_o:1:attribute_change", "_o:1:delete"]),
    (unsubscribe, ["profile_create", "attribute_change", "unsubscribed_email"]),
]  # fmt: skip
PUBLISHED = {
    "profile_create", "profile_delete", "profile_merge", "anon_merge", "attribute_change", "failed_attribute_change",
    "skipped_update", "device_change", "event", "page", "screen", "failed_event", "failed_batch_update",
    "add_relationship", "delete_relationship", "relationship_attribute_change", "relationship_failed_attribute_change",
    "viewed_content", "clicked_content", "unsubscribed_email", "topic_unsubscribed_email", "_o:1:create", "_o:1:delete",
    "_o:1:attribute_change", "_o:1:failed_attribute_change", "_o:1:add_relationship", "_o:1:delete_relationship",
    "_r:1:attribute_change", "_r:1:failed_attribute_change",
}  # fmt: skip
UNSEEN = {
    "failed_batch_update": "of updates that somebody makes in the vendor's pages for people",
    "topic_unsubscribed_email": "of a click in a preference center, which is not imitated",
}


@pytest.mark.parametrize(("story", "logged"), TABLE, ids=[story.__name__ for story, _ in TABLE])
def test_a_call_is_logged(site: Site, story: Callable[[Site], None], logged: list[str]) -> None:
    story(site)
    assert types(site) == logged


def test_every_published_type_has_a_story_or_a_reason() -> None:
    told = {type_ for _, logged in TABLE for type_ in logged}
    assert sorted(told | UNSEEN.keys()) == sorted(PUBLISHED)
    assert told & UNSEEN.keys() == set()


@pytest.mark.parametrize("channel", sorted(METRICS))
def test_every_metric_of_a_channel_is_logged_by_its_name(live: Live, channel: str) -> None:
    site = live.site()
    site.identify("7")
    made = Delivery(f"{channel}{site.hosted.id}", channel, site.cio_id("7"), 5)
    site.hosted.state.deliveries.add(made)
    for metric in METRICS[channel]:
        body = {"delivery_id": made.id, "metric": metric, "timestamp": 9}
        assert site.track.post("/api/v1/metrics", json=body).content == b"{}\n"
    carrier = "twilio" if channel == "sms" else channel
    named = [f"{metric}_{carrier}" for metric in METRICS[channel]]
    spelt = ["dropped_whatasapp" if name == "dropped_whatsapp" else name for name in named]
    assert types(site)[1:] == spelt
