"""Track API: attributes, subscriptions, devices, deletion, suppression and merging of people."""

from __future__ import annotations

from scenarios.catalogue.case import ASSUMED, DOCUMENTED, NOW, RECORDED, Case, Ending, Given
from scenarios.catalogue.matching import ABSENT, ANY
from scenarios.catalogue.writing import attributes, delete, event, identify, merge, suppress, track, unsuppress

_ATTRIBUTES = ("track", "attributes")
_DEVICES = ("track", "devices")
_GONE = ("track", "suppression")
_MERGING = ("track", "merging")
_SOURCE = "Track API > Identify"
_INVALID = "Track API > Invalid requests"
ADA = {"id": "~ada", "email": "~ada@example.com"}
_ANYBODY = Given(people=({"id": "~ada"},))


def _subscription(name: str, words: str, value: object, *, unsubscribed: bool) -> Case:
    return Case(
        name=name, tags=("track", "subscriptions"), grade=DOCUMENTED, source=_SOURCE, words=words,
        steps=(identify("ada", {"unsubscribed": value}),),
        ending=Ending(people=({"id": "ada", "unsubscribed": unsubscribed},)),
    )


CASES = (
    Case(
        name="three-hundred-attributes", tags=(*_ATTRIBUTES, "limits"), grade=DOCUMENTED, source=_SOURCE,
        rules=("track.attributes",), words="One call may set 300 attributes.",
        steps=(identify("ada", {f"a{n}": n for n in range(300)}),),
        ending=Ending(people=({"id": "ada", "attributes": {"a0": 0, "a299": 299}},), refused=()),
    ),
    Case(
        name="three-hundred-and-one-attributes", tags=(*_ATTRIBUTES, "limits"), grade=DOCUMENTED, source=_INVALID,
        rules=("track.attributes",), words="The 301st attribute of one call is refused, with all the others.",
        live=True,
        steps=(identify("~ada", {f"a{n}": n for n in range(301)}, status=400, answer={
            "meta": {"errors": ["cannot identify more than 300 attributes in one request"]}}),),
        ending=Ending(people=(), gone=("~ada",), refused=("track.attributes",)),
    ),
    Case(
        name="no-room-for-the-301st-attribute", tags=(*_ATTRIBUTES, "limits"), grade=DOCUMENTED, source=_SOURCE,
        rules=("attribute.no_room", "person_attributes"),
        given=Given(people=({"id": "ada", "attributes": {f"a{n}": n for n in range(300)}},)),
        words="Somebody who has 300 attributes is given no other one; the call is accepted.",
        steps=(identify("ada", {"a0": "new", "one_more": 1}),),
        ending=Ending(people=({"id": "ada", "attributes": {"a0": "new", "one_more": ABSENT}},),
                      ignored=("attribute.no_room",)),
    ),
    Case(
        name="attribute-name-of-151-bytes", tags=(*_ATTRIBUTES, "limits"), grade=DOCUMENTED, source=_INVALID,
        rules=("track.attribute.name",), words="The name of an attribute has 150 bytes at most.", live=True,
        steps=(identify("~ada", {"n" * 151: 1}, status=400),),
        ending=Ending(people=(), gone=("~ada",), refused=("track.attribute.name",)),
    ),
    Case(
        name="attribute-value-of-1000-bytes", tags=(*_ATTRIBUTES, "limits"), grade=DOCUMENTED, source=_INVALID,
        rules=("track.attribute.value",), words="A value of exactly 1000 bytes is kept whole.", live=True,
        steps=(identify("~ada", {"x": "v" * 1000}),),
        ending=Ending(people=({"id": "~ada", "attributes": {"x": "v" * 1000}},)),
    ),
    Case(
        name="attribute-value-of-1001-bytes", tags=(*_ATTRIBUTES, "limits"), grade=DOCUMENTED, source=_INVALID,
        rules=("track.attribute.value",), words="A value of 1001 bytes is refused and named.", live=True,
        steps=(identify("~ada", {"x": "v" * 1001}, status=400, answer={
            "meta": {"errors": ["value for attribute 'x' cannot be longer than 1000 bytes"]}}),),
        ending=Ending(people=(), gone=("~ada",), refused=("track.attribute.value",)),
    ),
    Case(
        name="nested-value-is-measured-as-json", tags=(*_ATTRIBUTES, "limits"), grade=DOCUMENTED, source=_INVALID,
        rules=("track.attribute.value",), words="A nested value counts as long as its JSON text.", live=True,
        steps=(identify("~ada", {"x": {"y": "v" * 995}}, status=400, answer={
            "meta": {"errors": ["value for attribute 'x' cannot be longer than 1000 bytes"]}}),),
        ending=Ending(people=(), gone=("~ada",), refused=("track.attribute.value",)),
    ),
    Case(
        name="empty-text-removes-an-attribute", tags=_ATTRIBUTES, grade=ASSUMED, rules=("person_empty_value",),
        source="said of objects and relationships only", live=True,
        given=Given(people=({"id": "~ada", "attributes": {"plan": "pro", "city": "Oslo"}},)),
        words="An attribute that is set to empty text is taken away.", steps=(identify("~ada", {"plan": ""}),),
        ending=Ending(people=({"id": "~ada", "attributes": {"plan": ABSENT, "city": "Oslo"}},)),
    ),
    Case(
        name="null-removes-an-attribute", tags=_ATTRIBUTES, grade=ASSUMED, rules=("person_empty_value",), live=True,
        source="said of objects and relationships only",
        given=Given(people=({"id": "~ada", "attributes": {"plan": "pro"}},)),
        words="An attribute that is set to null is taken away.", steps=(identify("~ada", {"plan": None}),),
        ending=Ending(people=({"id": "~ada", "attributes": {"plan": ABSENT}},)),
    ),
    Case(
        name="same-attributes-again", tags=_ATTRIBUTES, grade=DOCUMENTED, rules=("person.unchanged",), source=_SOURCE,
        given=Given(people=({"id": "ada", "attributes": {"plan": "pro"}},)),
        words="Values that somebody has already change nothing.", steps=(identify("ada", {"plan": "pro"}),),
        ending=Ending(people=({"id": "ada", "attributes": {"plan": "pro"}},), ignored=("person.unchanged",)),
    ),
    Case(
        name="older-write-of-an-attribute", tags=_ATTRIBUTES, grade=DOCUMENTED, rules=("attribute.stale",),
        source=_SOURCE, words="A value that comes late, with an older `_timestamp`, does not replace a newer one.",
        live=True,
        steps=(
            identify("~ada", {"plan": "pro", "_timestamp": NOW - 100}),
            identify("~ada", {"plan": "free", "city": "Oslo", "_timestamp": NOW - 200}),
        ),
        ending=Ending(people=({"id": "~ada", "attributes": {"plan": "pro", "city": "Oslo"}},),
                      ignored=("attribute.stale",)),
    ),
    Case(
        name="numbers-of-attributes-become-text", tags=("app", "attributes"), grade=DOCUMENTED,
        source="App API > Customers > attributes", live=True,
        given=Given(people=({"id": "~ada", "attributes": {"revenue": 42, "vip": True}},)),
        words="The App API shows every attribute as text.",
        steps=(attributes("~ada", answer={"customer": {"attributes": {"revenue": "42", "vip": "true"}}}),),
    ),
    Case(
        name="one-topic-by-dot-path", tags=("track", "subscriptions"), grade=DOCUMENTED, source=_SOURCE,
        words="One topic set by its path leaves the other topics as they are.",
        steps=(
            identify("ada", {"cio_subscription_preferences": {"topics": {"topic_1": True, "topic_2": True}}}),
            identify("ada", {"cio_subscription_preferences.topics.topic_2": False}),
        ),
        ending=Ending(people=({"id": "ada", "attributes": {"cio_subscription_preferences": {
            "topics": {"topic_1": True, "topic_2": False}}}},)),
    ),
    _subscription("unsubscribed-in-capitals", "The word true counts in any case.", "TRUE", unsubscribed=True),
    _subscription("unsubscribed-as-one", "The number one is yes.", 1, unsubscribed=True),
    _subscription("unsubscribed-as-one-in-quotes", "A one in quotes is yes.", "1", unsubscribed=True),
    _subscription("unsubscribed-as-yes", "Any other word is no.", "yes", unsubscribed=False),
    _subscription("unsubscribed-with-a-space", "A space behind the word makes it another word.", "true ",
                  unsubscribed=False),
    Case(
        name="deleting-nobody", tags=("track", "deletion"), grade=DOCUMENTED, rules=("person.unknown",),
        source="Track API > Delete", live=True, words="Deleting somebody who is not there is accepted, every time.",
        steps=(delete("~ada"), delete("~ada")),
        ending=Ending(people=(), gone=("~ada",), ignored=("person.unknown", "person.unknown")),
    ),
    Case(
        name="event-after-a-deletion", tags=("track", "deletion", "events"), grade=DOCUMENTED, live=True,
        source="Track API > Delete", given=Given(people=({**ADA, "attributes": {"plan": "pro"}},)),
        words="Deleting blocks nothing: an event that names the id makes a blank person.",
        steps=(delete("~ada"), event("~ada", {"name": "buy"})),
        ending=Ending(people=({"id": "~ada", "email": None, "attributes": {"plan": ABSENT}},)),
    ),
    Case(
        name="suppressed-by-id-blocked-by-email", tags=_GONE, grade=DOCUMENTED, rules=("person.suppressed",),
        source="Track API > Suppress", given=Given(people=(ADA,)),
        words="Suppressing somebody by id blocks the email as well: a call by email is accepted and dropped.",
        steps=(suppress("~ada"), identify("~ada@example.com", {"plan": "pro"})),
        ending=Ending(people=(), ignored=("person.suppressed",)),
    ),
    Case(
        name="unsuppressed-by-email-free-by-id", tags=_GONE, grade=DOCUMENTED, source="Track API > Suppress",
        given=Given(people=({**ADA, "attributes": {"plan": "pro"}},)),
        words="Freeing one identifier frees the others; whoever comes back comes back without attributes.",
        steps=(suppress("~ada"), unsuppress("~ada@example.com"), identify("~ada", {})),
        ending=Ending(people=({"id": "~ada", "email": None, "attributes": {"plan": ABSENT}},), ignored=()),
    ),
    Case(
        name="suppressing-twice", tags=_GONE, grade=ASSUMED, rules=("person.already_suppressed",),
        source="Track API > Suppress", given=_ANYBODY, words="Suppressing an identifier again changes nothing.",
        steps=(suppress("~ada"), suppress("~ada")),
        ending=Ending(people=(), ignored=("person.already_suppressed",)),
    ),
    Case(
        name="freeing-somebody-free", tags=_GONE, grade=ASSUMED, rules=("person.not_suppressed",), given=_ANYBODY,
        source="Track API > Suppress", words="Freeing an identifier that is not suppressed changes nothing.",
        live=True, steps=(unsuppress("~ada"),),
        ending=Ending(people=({"id": "~ada"},), ignored=("person.not_suppressed",)),
    ),
    Case(
        name="event-of-a-suppressed-person", tags=(*_GONE, "events"), grade=DOCUMENTED, rules=("person.suppressed",),
        source="Track API > Suppress", given=_ANYBODY,
        words="An event that names a suppressed id is accepted, and there is no event.",
        steps=(suppress("~ada"), event("~ada", {"name": "buy"})),
        ending=Ending(people=(), events=(), ignored=("person.suppressed",)),
    ),
    Case(
        name="device-of-a-suppressed-person", tags=(*_GONE, "devices"), grade=RECORDED, rules=("person.suppressed",),
        source="Track API > Devices", given=_ANYBODY, words="Removing a device of a suppressed person is accepted.",
        steps=(suppress("~ada"), track("DELETE", "/api/v1/customers/~ada/devices/t1")),
        ending=Ending(people=(), ignored=("person.suppressed",)),
    ),
    Case(
        name="device-as-go-sends-it", tags=_DEVICES, grade=RECORDED, source="Track API > Devices", given=_ANYBODY,
        words="A last use in quotes and null attributes are taken.",
        steps=(track("PUT", "/api/v1/customers/~ada/devices", {"device": {
            "id": "t1", "platform": "ios", "last_used": "1780000000", "attributes": None}}),),
        ending=Ending(people=({"id": "~ada", "devices": [{"token": "t1", "platform": "ios", "last_used": NOW}]},)),
    ),
    Case(
        name="device-as-python-sends-it", tags=_DEVICES, grade=RECORDED, source="Track API > Devices", given=_ANYBODY,
        words="Keys of one's own beside those of the device are taken.",
        steps=(track("PUT", "/api/v1/customers/~ada/devices", {"device": {
            "id": "t1", "platform": "android", "colour": "red"}}),),
        ending=Ending(people=({"id": "~ada", "devices": [{"token": "t1", "platform": "android"}]},)),
    ),
    Case(
        name="device-of-another-platform", tags=_DEVICES, grade=DOCUMENTED, rules=("track.device",), given=_ANYBODY,
        source="Track API > Devices", words="A device is ios or android.", live=True,
        steps=(track("PUT", "/api/v1/customers/~ada/devices", {"device": {"id": "~t1", "platform": "web"}},
                     status=400),),
        ending=Ending(people=({"id": "~ada"},), refused=("track.device",)),
    ),
    Case(
        name="device-nobody-has", tags=_DEVICES, grade=RECORDED, rules=("device.unknown",), given=_ANYBODY, live=True,
        source="Track API > Devices", words="Removing a device that the person does not have is accepted.",
        steps=(track("DELETE", "/api/v1/customers/~ada/devices/~t1"),),
        ending=Ending(people=({"id": "~ada"},), ignored=("device.unknown",)),
    ),
    Case(
        name="device-changes-hands", tags=_DEVICES, grade=ASSUMED, rules=("device_token_taken",),
        source="the vendor's pages are silent",
        given=Given(people=({"id": "ada", "devices": [{"token": "t1", "platform": "ios"}]}, {"id": "bob"})),
        words="A device that somebody else has moves to whom it is given.",
        steps=(track("PUT", "/api/v1/customers/bob/devices", {"device": {"id": "t1", "platform": "ios"}}),),
        ending=Ending(people=({"id": "ada", "devices": []}, {"id": "bob", "devices": [{"token": "t1"}]})),
    ),
    Case(
        name="merge-into-nobody", tags=_MERGING, grade=DOCUMENTED, rules=("merge.primary_unknown",), live=True,
        source="Track API > Merge", given=Given(people=({"id": "~ada", "attributes": {"plan": "pro"}},)),
        words="Merging into somebody who is not there is accepted and leaves the other untouched.",
        steps=(merge({"id": "~nobody"}, {"id": "~ada"}),),
        ending=Ending(people=({"id": "~ada", "attributes": {"plan": "pro"}},), gone=("~nobody",),
                      ignored=("merge.primary_unknown",)),
    ),
    Case(
        name="merge-of-nobody", tags=_MERGING, grade=ASSUMED, rules=("merge.secondary_unknown",), live=True,
        source="Track API > Merge", given=_ANYBODY, words="Merging somebody who is not there does nothing.",
        steps=(merge({"id": "~ada"}, {"id": "~nobody"}),),
        ending=Ending(people=({"id": "~ada"},), ignored=("merge.secondary_unknown",)),
    ),
    Case(
        name="merge-with-oneself", tags=_MERGING, grade=ASSUMED, rules=("merge.same_person",), given=_ANYBODY,
        source="Track API > Merge", live=True, words="Merging a person into itself does nothing.",
        steps=(merge({"id": "~ada"}, {"id": "~ada"}),),
        ending=Ending(people=({"id": "~ada"},), ignored=("merge.same_person",)),
    ),
    Case(
        name="merge-by-two-identifiers", tags=_MERGING, grade=DOCUMENTED, source="Track API > Merge", live=True,
        rules=("track.person.id.missing",), given=_ANYBODY,
        words="Each side of a merge is named by one identifier; the answer has a single error.",
        steps=(merge({"id": "~ada", "email": "~ada@example.com"}, {"id": "~bob"}, status=400,
                     answer={"meta": {"error": ANY, "errors": ABSENT}}),),
        ending=Ending(people=({"id": "~ada"},)),
    ),
    Case(
        name="merge-keeps-what-the-primary-has", tags=_MERGING, grade=DOCUMENTED, source="Merge people guide",
        live=True, given=Given(people=({**ADA, "attributes": {"plan": "pro"}},
                            {"id": "~bob", "attributes": {"plan": "free", "city": "Oslo"}})),
        words="The primary keeps its values and takes those it lacks; the other one is gone.",
        steps=(merge({"id": "~ada"}, {"id": "~bob"}),),
        ending=Ending(people=({**ADA, "attributes": {"plan": "pro", "city": "Oslo"}},), gone=("~bob",)),
    ),
    Case(
        name="merge-carries-memberships", tags=(*_MERGING, "segments"), grade=DOCUMENTED, live=True,
        source="Merge people guide",
        given=Given(people=({"id": "~ada"}, {"id": "~bob"}), segments=({"name": "~vip", "members": ["~bob"]},)),
        words="Whoever was a member of a manual segment hands the membership over.",
        steps=(merge({"id": "~ada"}, {"id": "~bob"}),),
        ending=Ending(people=({"id": "~ada"},), gone=("~bob",), members={"~vip": ("~ada",)}),
    ),
)  # fmt: skip
