"""Track API: events of people and of nobody yet."""

from __future__ import annotations

from typing import Any

from scenarios.catalogue.case import ASSUMED, CLIENT_TESTED, DOCUMENTED, NOW, RECORDED, Case, Ending, Given
from scenarios.catalogue.matching import ABSENT
from scenarios.catalogue.writing import anonymous_event, app, event, identify, track

_EVENTS = ("track", "events")
_ANONYMOUS = ("track", "events", "anonymous")
_SOURCE = "Track API > Events"
_INVALID = "Track API > Invalid requests"
_ADA = {"id": "~ada"}
_ANYBODY = Given(people=(_ADA,))
_DAY_S, _MINUTE_S = 86_400, 60
_ULID = "01HB4HBDKTFWYZCK01DMRSWRFD"
_VIEW = {"name": "view", "anonymous_id": "anon-1"}


def _refused(name: str, words: str, rule: str, body: Any, *errors: str) -> Case:
    answer = {"answer": {"meta": {"error": errors[0]}}} if errors else {}
    return Case(
        name=name, tags=_EVENTS, grade=DOCUMENTED, source=_INVALID, rules=(rule,), words=words, given=_ANYBODY,
        live=True, steps=(event("~ada", body, status=400, **answer),),
        ending=Ending(people=(_ADA,), events=(), refused=(rule,)),
    )


CASES = (
    Case(
        name="event-of-an-unknown-person", tags=_EVENTS, grade=CLIENT_TESTED, rules=("event_creates_person",),
        source="Track API > Delete; reported from production", live=True,
        words="An event creates the person it names, unlike a segment.",
        steps=(event("~ada", {"name": "buy"}),),
        ending=Ending(people=(_ADA,), events=({"name": "buy", "person": _ADA},)),
    ),
    Case(
        name="event-that-creates-nobody-by-switch", tags=_EVENTS, grade=CLIENT_TESTED, source=_SOURCE,
        rules=("event_creates_person", "event.person_unknown"), given=Given(settings={"event_creates_person": False}),
        words="Where events create nobody, one of an unknown person is accepted and dropped.",
        steps=(event("~ada", {"name": "buy"}),),
        ending=Ending(people=(), events=(), ignored=("event.person_unknown",)),
    ),
    _refused("event-data-null", "Data that is null is refused.", "track.event.data.not_object",
             {"name": "buy", "data": None}, "event data must be a hash"),
    _refused("event-data-text", "Data that is text is refused.", "track.event.data.not_object",
             {"name": "buy", "data": ""}, "event data must be a hash"),
    _refused("event-data-list", "Data that is a list is refused.", "track.event.data.not_object",
             {"name": "buy", "data": []}, "event data must be a hash"),
    _refused("event-name-of-spaces", "A name of spaces is blank.", "track.event.name.blank", {"name": "   "},
             "name cannot be blank"),
    _refused("event-name-of-101-bytes", "A name has 100 bytes at most.", "track.event.name", {"name": "n" * 101}),
    _refused("event-name-of-51-two-byte-characters", "Bytes of a name are counted and not characters.",
             "track.event.name", {"name": "é" * 51}),
    Case(
        name="event-without-data", tags=_EVENTS, grade=DOCUMENTED, source=_SOURCE, given=_ANYBODY, live=True,
        words="An event needs no data.", steps=(event("~ada", {"name": "buy"}),),
        ending=Ending(events=({"name": "buy", "type": "event", "data": {}, "person": _ADA},), refused=()),
    ),
    Case(
        name="event-name-in-spaces", tags=_EVENTS, grade=DOCUMENTED, source=_SOURCE, given=_ANYBODY, live=True,
        words="Spaces around a name are cut off.", steps=(event("~ada", {"name": "  buy "}),),
        ending=Ending(events=({"name": "buy", "person": _ADA},)),
    ),
    Case(
        name="event-name-of-100-bytes", tags=(*_EVENTS, "limits"), grade=DOCUMENTED, source=_INVALID, given=_ANYBODY,
        rules=("track.event.name",), words="A name of exactly 100 bytes is kept.", live=True,
        steps=(event("~ada", {"name": "n" * 100}),),
        ending=Ending(events=({"name": "n" * 100, "person": _ADA},)),
    ),
    Case(
        name="event-of-another-type", tags=_EVENTS, grade=DOCUMENTED, source=_SOURCE, given=_ANYBODY, live=True,
        words="A type that is none is an event.", steps=(event("~ada", {"name": "buy", "type": "foo"}),),
        ending=Ending(events=({"name": "buy", "type": "event", "person": _ADA},)),
    ),
    Case(
        name="event-sent-twice", tags=_EVENTS, grade=DOCUMENTED, rules=("event.duplicate", "event_dedupe_key"),
        source=_SOURCE, given=_ANYBODY, words="One id is one event: the second is accepted and dropped.",
        steps=(event("~ada", {"name": "buy", "id": _ULID}), event("~ada", {"name": "buy", "id": _ULID})),
        ending=Ending(events=({"name": "buy", "event_id": _ULID, "person": _ADA},), ignored=("event.duplicate",)),
    ),
    Case(
        name="event-id-that-is-no-ulid", tags=_EVENTS, grade=ASSUMED, rules=("event_dedupe_key", "event.duplicate"),
        source="Track API > Events says ULID; clients send message ids", given=_ANYBODY, live=True,
        words="Any text as an id makes an event one with others of that id.",
        steps=(event("~ada", {"name": "buy", "id": "~message-1"}), event("~ada", {"name": "buy", "id": "~message-1"})),
        ending=Ending(events=({"name": "buy", "person": _ADA},), ignored=("event.duplicate",)),
    ),
    Case(
        name="event-of-73-hours-ago", tags=_EVENTS, grade=DOCUMENTED, source=_SOURCE, given=_ANYBODY,
        rules=("track.event.trigger_window",), words="An event of long ago is recorded with its own time.",
        steps=(event("~ada", {"name": "buy", "timestamp": NOW - 73 * 3600}),),
        ending=Ending(events=({"name": "buy", "timestamp": NOW - 73 * 3600},)),
    ),
    Case(
        name="event-of-the-future", tags=_EVENTS, grade=ASSUMED, source="the vendor's pages are silent",
        rules=("future_event_triggers",), given=_ANYBODY, words="An event of the future keeps its own time.",
        steps=(event("~ada", {"name": "buy", "timestamp": NOW + 7200}),),
        ending=Ending(events=({"name": "buy", "timestamp": NOW + 7200},)),
    ),
    Case(
        name="event-time-in-quotes", tags=_EVENTS, grade=ASSUMED, rules=("event_timestamp_text",), given=_ANYBODY,
        source="the contract says integer; one client sends digits in quotes", live=True,
        words="Digits in quotes are a time.", steps=(event("~ada", {"name": "buy", "timestamp": "1780000000"}),),
        ending=Ending(events=({"name": "buy", "timestamp": NOW, "person": _ADA},)),
    ),
    Case(
        name="event-time-in-words", tags=_EVENTS, grade=ASSUMED, rules=("track.event.timestamp",), given=_ANYBODY,
        source=_SOURCE, words="A time that is no number is refused.", live=True,
        steps=(event("~ada", {"name": "buy", "timestamp": "yesterday"}, status=400),),
        ending=Ending(people=(_ADA,), events=(), refused=("track.event.timestamp",)),
    ),
    Case(
        name="page-view-has-no-name-in-the-app-api", tags=(*_EVENTS, "activities"), grade=DOCUMENTED, live=True,
        source="App API > Activities", given=_ANYBODY,
        words="A page view is an activity without a name; a screen view has one.",
        steps=(
            event("~ada", {"name": "https://example.com", "type": "page"}),
            event("~ada", {"name": "Home", "type": "screen"}),
            app("GET", "/v1/customers/~ada/activities?type=page", answer={"activities": [{"type": "page"}]}),
            app("GET", "/v1/customers/~ada/activities?type=screen", answer={
                "activities": [{"type": "screen", "name": "Home"}]}),
        ),
    ),
    Case(
        name="numbers-of-events-stay-numbers", tags=(*_EVENTS, "activities"), grade=DOCUMENTED, given=_ANYBODY,
        source="App API > Activities", live=True,
        words="A number in an event's data stays a number, while one of an attribute becomes text.",
        steps=(
            event("~ada", {"name": "buy", "data": {"revenue": 42}}),
            app("GET", "/v1/customers/~ada/activities?type=event", answer={
                "activities": [{"type": "event", "name": "buy", "data": {"revenue": 42}}]}),
        ),
    ),
    Case(
        name="anonymous-event-after-29-days", tags=_ANONYMOUS, grade=DOCUMENTED, source="Anonymous events",
        rules=("track.anonymous.retention",), words="An event of nobody waits 30 days for its person.",
        steps=(anonymous_event(_VIEW), identify("ada", {"anonymous_id": "anon-1"}, after_s=29 * _DAY_S)),
        ending=Ending(events=({"name": "view", "person": {"id": "ada"}, "timestamp": NOW},)),
    ),
    Case(
        name="anonymous-event-after-31-days", tags=_ANONYMOUS, grade=DOCUMENTED, source="Anonymous events",
        rules=("track.anonymous.retention",), words="After 30 days an event of nobody is gone.",
        steps=(anonymous_event(_VIEW), identify("ada", {"anonymous_id": "anon-1"}, after_s=31 * _DAY_S)),
        ending=Ending(people=({"id": "ada"},), events=()),
    ),
    Case(
        name="anonymous-event-four-minutes-late", tags=_ANONYMOUS, grade=DOCUMENTED, source="Anonymous events",
        rules=("track.anonymous.grace",), words="An event that comes up to five minutes after the identify attaches.",
        steps=(identify("ada", {"anonymous_id": "anon-1"}), anonymous_event(_VIEW, after_s=4 * _MINUTE_S)),
        ending=Ending(events=({"name": "view", "person": {"id": "ada"}},)),
    ),
    Case(
        name="anonymous-event-six-minutes-late", tags=_ANONYMOUS, grade=DOCUMENTED, source="Anonymous events",
        rules=("track.anonymous.grace", "anonymous_late_events"), words="Later than that, it stays nobody's.",
        steps=(identify("ada", {"anonymous_id": "anon-1"}), anonymous_event(_VIEW, after_s=6 * _MINUTE_S)),
        ending=Ending(events=({"name": "view", "person": None, "anonymous_id": "anon-1"},)),
    ),
    Case(
        name="anonymous-id-serves-one-person", tags=_ANONYMOUS, grade=DOCUMENTED, rules=("anonymous.used",),
        source="Anonymous events", words="A second person with the same anonymous id gets none of its events.",
        steps=(
            anonymous_event(_VIEW), identify("ada", {"anonymous_id": "anon-1"}),
            identify("bob", {"anonymous_id": "anon-1"}),
        ),
        ending=Ending(people=({"id": "ada"}, {"id": "bob"}), events=({"name": "view", "person": {"id": "ada"}},),
                      ignored=("anonymous.used",)),
    ),
    Case(
        name="invite-of-nobody", tags=_ANONYMOUS, grade=DOCUMENTED, source="Anonymous events",
        words="An event without an anonymous id but with a recipient is an invite, and nobody is created.",
        steps=(anonymous_event({"name": "invite", "anonymous_id": "", "data": {"recipient": "guest@example.com"}}),),
        ending=Ending(people=(), events=({"name": "invite", "person": None, "anonymous_id": None},)),
    ),
    Case(
        name="event-data-of-100000-bytes", tags=(*_EVENTS, "limits"), grade=DOCUMENTED, source=_INVALID,
        rules=("track.event.data",), given=_ANYBODY, words="Data of exactly 100000 bytes is taken.",
        steps=(track("POST", "/api/v1/customers/~ada/events", status=200,
                     text='{"name":"buy","data":{"x":"' + "v" * (100_000 - 8) + '"}}',
                     headers={"Content-Type": "application/json"}),),
        ending=Ending(events=({"name": "buy"},), refused=()),
    ),
    Case(
        name="event-data-of-100001-bytes", tags=(*_EVENTS, "limits"), grade=DOCUMENTED, source=_INVALID,
        rules=("track.event.data",), given=_ANYBODY, words="One byte more is refused.",
        steps=(track("POST", "/api/v1/customers/~ada/events", status=400,
                     text='{"name":"buy","data":{"x":"' + "v" * (100_000 - 7) + '"}}',
                     headers={"Content-Type": "application/json"}),),
        ending=Ending(people=(_ADA,), events=(), refused=("track.event.data",)),
    ),
    Case(
        name="event-by-email-in-the-path", tags=_EVENTS, grade=DOCUMENTED, source=_SOURCE, live=True,
        given=Given(people=({"id": "~ada", "email": "~ada@example.com"},)),
        words="A path segment shaped like an address names the person with that email.",
        steps=(event("~ada%40example.com", {"name": "buy", "data": {"at": NOW}}),),
        ending=Ending(people=({"id": "~ada", "email": "~ada@example.com"},),
                      events=({"name": "buy", "data": {"at": NOW, "id": ABSENT}, "person": _ADA},)),
    ),
    Case(
        name="metric-without-credentials", tags=("track", "metrics"), grade=RECORDED, source="Track API > Metrics",
        given=Given(people=({"id": "ada"},), seed={"deliveries": [{"id": "d1", "type": "email", "person": "ada"}]}),
        words="A metric of a delivery needs no credentials.",
        steps=(track("POST", "/api/v1/metrics", {"delivery_id": "d1", "metric": "opened", "timestamp": NOW},
                     auth="none"),),
        ending=Ending(ignored=()),
    ),
    Case(
        name="metric-of-an-unknown-delivery", tags=("track", "metrics"), grade=ASSUMED, rules=("delivery.unknown",),
        source="Track API > Metrics", words="A metric of a delivery that is not there is accepted and dropped.",
        steps=(track("POST", "/api/v1/metrics", {"delivery_id": "d9", "metric": "opened", "timestamp": NOW}),),
        ending=Ending(ignored=("delivery.unknown",)),
    ),
    Case(
        name="metric-without-a-delivery", tags=("track", "metrics"), grade=DOCUMENTED, rules=("track.metric.field",),
        source="Track API > Metrics", words="A metric names its delivery.",
        steps=(track("POST", "/api/v1/metrics", {"metric": "opened", "timestamp": NOW}, status=400),),
        ending=Ending(refused=("track.metric.field",)),
    ),
    Case(
        name="unsubscribe-from-a-delivery", tags=("track", "subscriptions"), grade=DOCUMENTED,
        source="Track API > Metrics",
        given=Given(people=({"id": "ada"},), seed={"deliveries": [{"id": "d1", "type": "email", "person": "ada"}]}),
        words="The link of a message unsubscribes whoever received it, without credentials.",
        steps=(track("POST", "/unsubscribe/d1", {"unsubscribe": True}, auth="none"),),
        ending=Ending(people=({"id": "ada", "unsubscribed": True},)),
    ),
    Case(
        name="form-with-a-number", tags=("track", "forms"), grade=DOCUMENTED, rules=("track.form",),
        source="Track API > Forms", words="The values of a form are text.",
        steps=(track("POST", "/api/v1/forms/f1/submit", {"data": {"id": "ada", "age": 42}}, status=400),),
        ending=Ending(people=(), refused=("track.form",)),
    ),
    Case(
        name="form-that-is-submitted", tags=("track", "forms"), grade=DOCUMENTED, source="Track API > Forms",
        words="A form is answered with nothing and sets the attributes it carries.",
        steps=(track("POST", "/api/v1/forms/f1/submit", {"data": {"id": "ada", "city": "Oslo"}}, status=204,
                     answer_text=""),),
        ending=Ending(people=({"id": "ada", "attributes": {"city": "Oslo"}},)),
    ),
)  # fmt: skip
