"""Every switch about what the Track API's pages leave open, and what each of its choices makes of one small story.

A row is a story told to a fresh workspace over a real socket, and what is seen at its end under every choice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakeio.core.deliveries import Delivery
from fakeio.core.settings import CATALOGUE
from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live = fixtures.live

DAY_S = 86_400
EVENTS, SEGMENT = "/api/v1/customers/7/events", "/api/v1/segments/1"
ENTITY = "/api/v2/entity"
PREFERENCES = "cio_subscription_preferences"
PHONE = {"device": {"id": "phone", "platform": "ios"}}


def texts(answer: Any) -> Any:
    """The words of a v1 answer, below whichever key they stand."""
    return answer.json()["meta"]


def post(site: Site, path: str, **body: Any) -> Any:
    return site.track.post(path, json=body)


def rules(site: Site) -> list[str | None]:
    return [rule for _, _, rule in site.outcomes()]


def failures(site: Site) -> int:
    return len(site.hosted.state.log.after(0, 99, type="failed_attribute_change"))


# ---- errors ------------------------------------------------------------------------------------------------------


def blank_name(site: Site) -> Any:
    return texts(post(site, EVENTS, name=""))


def unpublished_words(site: Site) -> Any:
    return [
        texts(site.track.put("/api/v1/customers/7/devices", json={})),
        texts(post(site, "/api/v1/merge_customers", primary={"id": "7"})),
        texts(post(site, "/api/v1/forms/f/submit", data={})),
        texts(post(site, f"{SEGMENT}/add_customers", ids=[])),
        texts(site.track.put("/api/v1/customers/7", content=b"{")),
        texts(site.identify("7", v="x" * 1001, id=[])),
        post(site, ENTITY, type="robot").json()["errors"][0]["message"],
        post(site, ENTITY, type="person", action="event", identifiers={"id": "7"}).json()["errors"][0]["message"],
    ]


def v2_reasons(site: Site) -> Any:
    bad = [{"type": "person"}, {"type": "person", "action": "dance"}, 7]
    return [error["reason"] for error in post(site, "/api/v2/batch", batch=bad).json()["errors"]]


def null_identifier(site: Site) -> Any:
    person = {"type": "person", "action": "identify"}
    found = [post(site, ENTITY, **person, identifiers={kind: None}).json()["errors"] for kind in ("id", "email")]
    return [(error["reason"], error["field"], error["message"]) for (error,) in found]


def too_large_a_batch(site: Site) -> Any:
    return post(site, "/api/v2/batch", batch=["x" * 600_000]).status_code


def one_request_too_many(site: Site) -> Any:
    site.stop_clock()
    site.hosted.state.settings = site.hosted.state.settings.with_({"rate_limits": "enforced", "track_rate_limit": 1})
    first, second = site.identify("1"), site.identify("2")
    return first.status_code, second.status_code, second.text


def malformed_segment(site: Site) -> Any:
    return post(site, "/api/v1/segments/vip/add_customers", ids=["7"]).status_code


def own_region(site: Site) -> Any:
    return sorted(site.track.get("/api/v1/accounts/region").json().items() - {("environment_id", site.hosted.id)})


def long_names(site: Site) -> Any:
    found = [post(site, EVENTS, name="é" * count) for count in (50, 51, 499, 500)]
    return [answer.status_code if answer.status_code == 200 else texts(answer)["error"] for answer in found]


def soft_timestamps(site: Site) -> Any:
    return [post(site, EVENTS, name="x", timestamp=value).status_code for value in ("1700000000", 1.7e9, 1_700_000_000)]


# ---- people ------------------------------------------------------------------------------------------------------


def blocked_email_in_the_body(site: Site) -> Any:
    site.track.post("/api/v1/customers/a@example.com/suppress")
    site.identify("7", email="a@example.com", plan="pro")
    return site.people(), rules(site)


def two_people_named(site: Site) -> Any:
    site.identify("a", email="a@example.com")
    site.identify("b", email="b@example.com")
    site.identify("a", email="b@example.com", plan="pro")
    return [person["id"] for person in site.people() if "plan" in person], failures(site)


def attributes_beside_a_taken_email(site: Site) -> Any:
    site.identify("a", email="a@example.com")
    site.identify("b", email="b@example.com", plan="free")
    site.identify("b", email="a@example.com", plan="pro")
    return site.people()[1]["plan"], failures(site), rules(site)


def an_email_in_another_case(site: Site) -> Any:
    site.identify("7", email="a@example.com")
    site.identify("7", email="A@Example.com")
    return site.people()[0]["email"], failures(site)


def empty_values(site: Site) -> Any:
    site.identify("7", plan="pro", city="Bern", age=5)
    site.identify("7", plan=None, city="", other=None)
    return site.people()[0]


def a_token_taken(site: Site) -> Any:
    for identifier in ("1", "2"):
        site.track.put(f"/api/v1/customers/{identifier}/devices", json=PHONE)
    return [sorted(person.devices) for person in site.hosted.state.people]


def spaces_around_a_name(site: Site) -> Any:
    return [post(site, EVENTS, name=name).status_code for name in (" buy ", "  ")], [e[2] for e in site.events()]


# ---- events ------------------------------------------------------------------------------------------------------


def one_id_of_two_people(site: Site) -> Any:
    for identifier in ("1", "1", "2", "1"):
        post(site, f"/api/v1/customers/{identifier}/events", name="buy", id="e1")
    return [whose for whose, _, _, _ in site.events()]


def an_anonymous_event_too_late(site: Site) -> Any:
    site.stop_clock()
    site.identify("7", anonymous_id="anon")
    site.hosted.clock.advance(301)
    post(site, "/api/v1/events", name="saw", anonymous_id="anon")
    site.identify("7", anonymous_id="anon")
    site.identify("8", anonymous_id="anon")
    return site.events()[0][0]


def an_event_of_tomorrow(site: Site) -> Any:
    site.stop_clock()
    post(site, EVENTS, name="buy", timestamp=int(NOW) + DAY_S)
    return [event.no_trigger for event in site.hosted.state.events()]


# ---- merges ------------------------------------------------------------------------------------------------------


def merge(site: Site, primary: str = "1", secondary: str = "2") -> None:
    answer = post(site, "/api/v1/merge_customers", primary={"id": primary}, secondary={"id": secondary})
    assert answer.content == b"{}\n"


def a_merge_with_somebody_who_has_an_email(site: Site) -> Any:
    site.identify("1")
    site.identify("2", email="b@example.com")
    merge(site)
    freed = site.identify("b@example.com").content
    return len(site.people()), site.people()[0], freed


def a_merge_with_somebody_who_has_a_phone(site: Site) -> Any:
    site.identify("1")
    site.track.put("/api/v1/customers/2/devices", json=PHONE)
    merge(site)
    owner = site.hosted.state.people.by_device("phone")
    return [sorted(person.devices) for person in site.hosted.state.people], owner is not None


def a_merge_of_topics(site: Site) -> Any:
    site.identify("1", **{PREFERENCES: {"topics": {"topic_1": True}}})
    site.identify("2", **{PREFERENCES: {"topics": {"topic_1": False, "topic_2": True}}})
    merge(site)
    return site.people()[0][PREFERENCES]["topics"]


def a_merge_with_a_history(site: Site) -> Any:
    site.stop_clock()
    site.identify("1")
    post(site, "/api/v1/customers/2/events", name="old")
    site.hosted.clock.advance(30 * DAY_S)
    post(site, "/api/v1/customers/2/events", name="a month old")
    site.hosted.clock.advance(1)
    merge(site)
    return [(whose, name) for whose, _, name, _ in site.events()]


# ---- forms, deliveries, objects, segments ------------------------------------------------------------------------


def a_form_with_both(site: Site) -> Any:
    answer = post(site, "/api/v1/forms/f/submit", data={"id": "7", "email": "a@example.com"})
    return answer.status_code, site.people()


def subscribed_again(site: Site) -> Any:
    site.identify("7")
    delivery = Delivery(f"again{site.hosted.id}", "email", site.cio_id("7"), 5)
    site.hosted.state.deliveries.add(delivery)
    for wanted in (True, False):
        assert post(site, f"/unsubscribe/{delivery.id}", unsubscribe=wanted).status_code == 200
    return site.people()[0]["unsubscribed"]


def a_link_to_nothing(site: Site) -> Any:
    row = {"identifiers": {"object_type_id": "1", "object_id": "acme"}}
    person = {"type": "person", "identifiers": {"id": "7"}, "cio_relationships": [row]}
    return post(site, ENTITY, action="add_relationships", **person).status_code, len(site.hosted.state.objects)


def an_object_of_no_type(site: Site) -> Any:
    named = {"object_type_id": "9", "object_id": "x"}
    return post(site, ENTITY, type="object", action="identify", identifiers=named).status_code, rules(site)


def types_of_relationships(site: Site) -> Any:
    a_link_to_nothing(site)
    (link,) = site.app.get("/v1/customers/7/relationships").json()["cio_relationships"]
    return link["object_type_id"]


def removal_by_email(site: Site) -> Any:
    site.app.post("/v1/segments", json={"segment": {"name": "vip"}})
    site.identify("7", email="a@example.com")
    post(site, f"{SEGMENT}/add_customers", ids=["7"])
    post(site, f"{SEGMENT}/remove_customers?id_type=email", ids=["a@example.com"])
    return rules(site), site.hosted.state.segments.named("vip").count  # type: ignore[union-attr]  # it was just made


TAKEN = "identifier.taken"
WORDED: list[dict[str, Any]] = [
    {"errors": ["device cannot be blank"]}, {"error": "secondary must be present"},
    {"errors": ["form data must contain an id or an email"]}, {"errors": ["ids cannot be empty"]},
    {"error": "malformed JSON"},
]  # fmt: skip
PUBLISHED = {
    "errors": ["id attribute must be a string value", "value for attribute 'v' cannot be longer than 1000 bytes"],
}
OPAQUE = [{key: ["invalid"] if key == "errors" else "invalid"} for words in WORDED for key in words]
LONG_NAME = "event name cannot be longer than 100 bytes"
WITH_EMAIL = {"id": "1", "email": "b@example.com"}
MONTH = [("1", "old"), ("1", "a month old")]
URL = ("url", "https://track.customer.io")

Story = Callable[[Site], Any]
STORIES: dict[str, tuple[Story, dict[Any, Any]]] = {
    "event_blank_name_text": (blank_name, {
        "name cannot be blank": {"error": "name cannot be blank"},
        "event name must not be blank": {"error": "event name must not be blank"},
    }),
    "event_error_key": (blank_name, {
        "error": {"error": "name cannot be blank"}, "errors": {"errors": ["name cannot be blank"]},
    }),
    "unpublished_texts": (unpublished_words, {
        "worded": [*WORDED, PUBLISHED, "type must be person, object or delivery", "name cannot be blank"],
        "opaque": [*OPAQUE, PUBLISHED, "invalid", "name cannot be blank"],
    }),
    "v2_error_reason": (v2_reasons, {"by_rule": ["required", "invalid", "parse_error"], "invalid": ["invalid"] * 3}),
    "v2_null_identifier_text": (null_identifier, {
        "not_text": [("invalid", f"identifiers.{kind}", f"{kind} must be a string value") for kind in ("id", "email")],
        "null": [
            ("invalid", f"identifiers.{kind}", f"Invalid identifier: {kind} cannot be null") for kind in ("id", "email")
        ],
    }),
    "batch_too_large_status": (too_large_a_batch, {"400": 400, "413": 413}),
    "track_rate_limited_body": (one_request_too_many, {
        "json": (200, 429, '{\n  "meta": {\n    "error": "rate limited"\n  }\n}\n'), "text": (200, 429, "rate limited"),
    }),
    "track_segment_id_malformed": (malformed_segment, {"400": 400, "404": 404}),
    "region_answer": (own_region, {
        "region": [("region", "us"), URL], "data_center": [("data_center", "us"), URL],
        "both": [("data_center", "us"), ("region", "us"), URL],
    }),
    "event_name_limit": (long_names, {
        "100_bytes": [200, LONG_NAME, LONG_NAME, LONG_NAME],
        "500_characters": [200, 200, 200, "event name must be less than 500 characters"],
    }),
    "event_timestamp_text": (soft_timestamps, {"accept": [200, 200, 200], "refuse": [400, 400, 200]}),
    "suppressed_in_body": (blocked_email_in_the_body, {
        "drop_call": ([], ["person.suppressed"]), "drop_identifier": ([{"id": "7", "plan": "pro"}], [None]),
    }),
    "identify_two_people": (two_people_named, {"path": (["a"], 1), "body": (["b"], 1)}),
    "failed_identifier_rest": (attributes_beside_a_taken_email, {
        "apply": ("pro", 1, [None]), "drop": ("free", 1, [TAKEN]),
    }),
    "email_case": (an_email_in_another_case, {
        "last_written": ("A@Example.com", 0), "first_written": ("a@example.com", 0),
    }),
    "person_empty_value": (empty_values, {
        "remove": {"id": "7", "age": 5}, "keep": {"id": "7", "plan": None, "city": "", "age": 5, "other": None},
    }),
    "device_token_taken": (a_token_taken, {"move": [[], ["phone"]], "keep_both": [["phone"], ["phone"]]}),
    "trim_event_names": (spaces_around_a_name, {True: ([200, 400], ["buy"]), False: ([200, 400], [" buy "])}),
    "event_dedupe_scope": (one_id_of_two_people, {"workspace": ["1"], "person": ["1", "2"]}),
    "anonymous_late_events": (an_anonymous_event_too_late, {"never": None, "identify_again": "7"}),
    "future_event_triggers": (an_event_of_tomorrow, {"at_receipt": [""], "never": ["event.trigger.future"]}),
    "merge_identifiers": (a_merge_with_somebody_who_has_an_email, {
        "fill_gaps": (1, WITH_EMAIL, b"{}\n"), "primary_only": (2, {"id": "1"}, b"{}\n"),
    }),
    "merge_devices": (a_merge_with_somebody_who_has_a_phone, {
        "union": ([["phone"]], True), "primary_only": ([[]], False),
    }),
    "merge_preferences": (a_merge_of_topics, {
        "primary": {"topic_1": True}, "per_topic": {"topic_1": True, "topic_2": True},
    }),
    "merge_event_history": (a_merge_with_a_history, {"all": MONTH, "30_days": MONTH[1:]}),
    "form_identifiers": (a_form_with_both, {
        "one": (400, []), "several": (204, [{"id": "7", "email": "a@example.com"}]),
    }),
    "unsubscribe_false": (subscribed_again, {"resubscribe": False, "ignore": True}),
    "relationship_creates_object": (a_link_to_nothing, {True: (200, 1), False: (200, 0)}),
    "object_type_unknown": (an_object_of_no_type, {
        "accept": (200, ["object.type_unknown"]), "400": (400, ["track.object.type_unknown"]),
    }),
    "object_type_id_shape": (types_of_relationships, {"text": "1", "number": 1}),
    "segment_remove_id_type": (removal_by_email, {
        "honoured": ([None], 0), "ids_only": (["segment.person_unknown"], 1),
    }),
}  # fmt: skip
CHOICES = [
    pytest.param(switch, choice, seen, id=f"{switch} is {choice}")
    for switch, (_, found) in STORIES.items()
    for choice, seen in found.items()
]


@pytest.mark.parametrize(("switch", "choice", "seen"), CHOICES)
def test_each_choice_acts(live: Live, switch: str, choice: Any, seen: Any) -> None:
    story, _ = STORIES[switch]
    assert story(live.site(settings={switch: choice})) == seen


@pytest.mark.parametrize("switch", STORIES)
def test_every_choice_has_its_own_end_and_the_default_is_what_happens_anyway(live: Live, switch: str) -> None:
    story, found = STORIES[switch]
    assert set(found) == set(CATALOGUE[switch].choices)
    ends = list(found.values())
    assert all(one != other for at, one in enumerate(ends) for other in ends[:at])
    assert story(live.site()) == found[CATALOGUE[switch].default]
