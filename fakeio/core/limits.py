"""The published limits of Customer.io, as rows. Facts about the vendor, nothing else: no functions, no opinion.

Each row is a bracket. `strict` is the harshest reading of the vendor's sentence, `lenient` the kindest; where they are
equal, nobody disputes the number. The engine types its own numbers from the same pages and a judge compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

WIRE, MEANING = "wire", "meaning"  # who enforces it: an edge, on bytes as received; or the workspace, on what was meant
BYTES, COUNT, SECONDS, PER_SECOND = "bytes", "count", "seconds", "per second"
REFUSED, IGNORED, CUT, UNSTATED = "refused", "ignored", "cut", "unstated"

_READ_ON = date(2026, 8, 19)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One published limit: `strict` ≤ `lenient`, both inclusive, in `unit`; `breach` is what happens one over."""

    rule: str
    where: str
    unit: str
    strict: int
    lenient: int
    breach: str
    says: str
    source: str
    pointer: str = ""  # words that stand beside the figure in the vendor's own API description
    read_on: date = _READ_ON
    disputed_by: str = ""


PERSON_ID = Limit(
    rule="track.person.id", where=MEANING, unit=BYTES, strict=150, lenient=150, breach=REFUSED,
    says="a person's id is at most 150 bytes", source="Track API > Identify > id", pointer="150 bytes",
)
OBJECT_ID = replace(
    PERSON_ID, rule="track.object.id", says="an object's id is at most 150 bytes", source="Track API > v2 > object_id",
)
ATTRIBUTE_NAME = Limit(
    rule="track.attribute.name", where=MEANING, unit=BYTES, strict=150, lenient=150, breach=REFUSED,
    says="an attribute name is at most 150 bytes", source="Track API > Invalid requests", pointer="150 bytes",
)
ATTRIBUTE_VALUE = Limit(
    rule="track.attribute.value", where=MEANING, unit=BYTES, strict=1_000, lenient=1_000, breach=REFUSED,
    says="an attribute value is at most 1000 bytes", source="Track API > Invalid requests", pointer="1000 bytes",
)
ATTRIBUTES = Limit(
    rule="track.attributes", where=MEANING, unit=COUNT, strict=300, lenient=300, breach=REFUSED,
    says="a person, or one identify call, has at most 300 attributes", source="Track API > Identify",
    pointer="300", disputed_by="editions of 2017 to 2019 say 30",
)
OBJECT_ATTRIBUTES = Limit(
    rule="track.object.attributes", where=MEANING, unit=COUNT, strict=300, lenient=300, breach=IGNORED,
    says="an object, or a relationship, has at most 300 attributes", source="Track API > v2 > objects",
)
OBJECT_SIZE = Limit(
    rule="track.object.attributes.total", where=MEANING, unit=BYTES, strict=99_999, lenient=102_400, breach=IGNORED,
    says="the attributes of an object, or a relationship, are at most 100 kb in all", source="Track API > v2 > objects",
    disputed_by="kb may be 1,000 or 1,024 bytes",
)
EVENT_NAME = Limit(
    rule="track.event.name", where=MEANING, unit=BYTES, strict=100, lenient=100, breach=REFUSED,
    says="an event name is at most 100 bytes", source="Track API > Invalid requests", pointer="100 bytes",
    disputed_by="an older message speaks of 500 characters",
)
EVENT_DATA = Limit(
    rule="track.event.data", where=WIRE, unit=BYTES, strict=100_000, lenient=100_000, breach=REFUSED,
    says="the data of one event is at most 100000 bytes", source="Track API > Invalid requests",
    pointer="100000 bytes",
)
V2_ITEM = Limit(
    rule="track.v2.item", where=WIRE, unit=BYTES, strict=31_999, lenient=32_768, breach=REFUSED,
    says="a v2 operation is at most 32 kb", source="Track API > Rate Limits > v2 API Limits", pointer="32kb",
    disputed_by="the operation says smaller than 32kb; kb may be 1,000 or 1,024 bytes",
)
V2_BATCH = Limit(
    rule="track.v2.batch", where=WIRE, unit=BYTES, strict=499_999, lenient=512_000, breach=REFUSED,
    says="a v2 batch is at most 500 kb", source="Track API > Rate Limits > v2 API Limits", pointer="500kb",
    disputed_by="the operation says smaller than 500kb; kb may be 1,000 or 1,024 bytes",
)
SEGMENT_IDS = Limit(
    rule="track.segment.ids", where=WIRE, unit=COUNT, strict=1_000, lenient=1_000, breach=REFUSED,
    says="one add or remove call names 1 to 1000 people", source="Track API > Manual segments", pointer="1000",
)
TRACK_RATE = Limit(
    rule="track.rate", where=WIRE, unit=PER_SECOND, strict=100, lenient=1_000, breach=UNSTATED,
    says="1000 requests a second for v1 and v2 together; another page says 100", source="Track API > Rate Limits",
    disputed_by="not strictly enforced; another page of the same month says 100 a second",
)
APP_RATE = Limit(
    rule="app.rate", where=WIRE, unit=PER_SECOND, strict=10, lenient=10, breach=REFUSED,
    says="10 requests a second unless an operation says otherwise", source="App API > Rate limits",
)
MEMBERSHIP_PAGE = Limit(
    rule="app.segment.membership.page", where=WIRE, unit=COUNT, strict=30_000, lenient=30_000, breach=CUT,
    says="a page of members holds at most 30000", source="App API > Segments > membership > limit",
)
SEARCH_PAGE = Limit(
    rule="app.customers.search.page", where=WIRE, unit=COUNT, strict=1_000, lenient=1_000, breach=CUT,
    says="a page of a people search holds at most 1000", source="App API > Customers > search > limit",
)
PROFILES_BY_ID = Limit(
    rule="app.customers.attributes.ids", where=WIRE, unit=COUNT, strict=100, lenient=100, breach=REFUSED,
    says="one call reads the attributes of at most 100 people", source="App API > Customers > attributes of many",
)
ACTIVITIES_PAGE = Limit(
    rule="app.activities.page", where=WIRE, unit=COUNT, strict=100, lenient=100, breach=CUT,
    says="a page of activities holds at most 100", source="App API > Activities > limit",
)
ACTIVITY_RETENTION = Limit(
    rule="app.activities.retention", where=MEANING, unit=SECONDS, strict=2_592_000, lenient=2_592_000, breach=IGNORED,
    says="activities can be read for 30 days (2592000 seconds)", source="App API > Activities",
)
SEND_RECIPIENTS = Limit(
    rule="app.send.recipients", where=WIRE, unit=COUNT, strict=15, lenient=15, breach=REFUSED,
    says="a transactional email goes to at most 15 recipients", source="App API > Transactional > to",
)
ATTACHMENTS = Limit(
    rule="app.send.attachment.total", where=WIRE, unit=BYTES, strict=2_000_000, lenient=2_000_000, breach=REFUSED,
    says="the attachments of one message are at most 2,000,000 bytes as base64",
    source="App API > Transactional > attachments",
)
TRIGGER_PEOPLE = Limit(
    rule="app.broadcast.list", where=WIRE, unit=COUNT, strict=10_000, lenient=10_000, breach=REFUSED,
    says="one trigger of a broadcast names at most 10000 people", source="App API > Broadcasts > ids, per_user_data",
)
SNIPPET_NAME = Limit(
    rule="app.snippet.name", where=MEANING, unit=COUNT, strict=150, lenient=150, breach=REFUSED,
    says="the name of a snippet has at most 150 characters", source="App API > Snippets",
)
SNIPPET_VALUE = Limit(
    rule="app.snippet.value", where=MEANING, unit=COUNT, strict=16_000, lenient=16_000, breach=REFUSED,
    says="a snippet has at most 16000 characters", source="App API > Snippets",
)
ANONYMOUS_RETENTION = Limit(
    rule="track.anonymous.retention", where=MEANING, unit=SECONDS, strict=2_592_000, lenient=2_592_000, breach=IGNORED,
    says="an anonymous event waits 30 days (2592000 seconds) for its person", source="Anonymous events",
)
ANONYMOUS_GRACE = Limit(
    rule="track.anonymous.grace", where=MEANING, unit=SECONDS, strict=300, lenient=300, breach=IGNORED,
    says="an event that arrives up to five minutes (300 seconds) after the identify still attaches",
    source="Anonymous events",
)
TRIGGER_WINDOW = Limit(
    rule="track.event.trigger_window", where=MEANING, unit=SECONDS, strict=259_200, lenient=259_200, breach=IGNORED,
    says="an event triggers campaigns when its timestamp is within 72 hours (259200 seconds)",
    source="Track API > Events",
)

LIMITS: tuple[Limit, ...] = (
    PERSON_ID, OBJECT_ID, ATTRIBUTE_NAME, ATTRIBUTE_VALUE, ATTRIBUTES, OBJECT_ATTRIBUTES, OBJECT_SIZE,
    EVENT_NAME, EVENT_DATA, V2_ITEM, V2_BATCH,
    SEGMENT_IDS, TRACK_RATE, APP_RATE, MEMBERSHIP_PAGE, SEARCH_PAGE, PROFILES_BY_ID, ACTIVITIES_PAGE,
    ACTIVITY_RETENTION, SEND_RECIPIENTS,
    ATTACHMENTS, TRIGGER_PEOPLE, SNIPPET_NAME, SNIPPET_VALUE, ANONYMOUS_RETENTION, ANONYMOUS_GRACE,
    TRIGGER_WINDOW,
)
