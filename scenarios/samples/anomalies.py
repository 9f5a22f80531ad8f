"""Everything odd in the samples, as rows: what it looks like, what must become of it, and the rule that says so.

The generator plants each of them; `anomalies.json` lists them beside the files; the demo shows what became of each and
fails if it is anything else. `reason` is the engine's word for a row it left out, or the rule by which Customer.io
ignored it. Sources: Customer.io's Track API and manual-segments pages, Amplitude's cohort and Export pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# what becomes of a cohort row
MEMBER, SKIPPED, COLLAPSED, NOT_FOUND = "member", "skipped", "collapsed", "not_found"
# what becomes of an event
DELIVERED, FILTERED, DUPLICATE, DISCARDED, IGNORED = "delivered", "filtered", "duplicate", "discarded", "ignored"

COHORT, EXPORT = "cohort", "export"

#: What happens to a seeded person at Customer.io: nothing, or something between the first and the second run.
ALWAYS, NEVER, SIGNS_UP, DELETED, SUPPRESSED = "always", "never", "signs_up", "deleted", "suppressed"

ID_RULE = "Customer.io takes ids of at most 150 bytes; a shortened id could be somebody else's, so the row is left out."
FITS_RULE = "Exactly 150 bytes is allowed; bytes are counted, not characters."
TEXT_RULE = "An id is text and arrives exactly as it was written."


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortAnomaly:
    """Rows of both cohort files. `user_ids` in row order; `person` says whether Customer.io has these people."""

    name: str
    user_ids: tuple[str, ...]
    becomes: str
    rule: str
    reason: str | None = None
    person: str = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAnomaly:
    """Rows of the export. Each of `changes` overrides the keys of an ordinary row; `raw` is a line that is no row.

    `repeats`: how many copies of the first row follow; the last one was uploaded again and is in another file.
    """

    name: str
    becomes: str
    rule: str
    changes: tuple[Mapping[str, Any], ...] = ()
    reason: str | None = None
    raw: bytes | None = None
    repeats: int = 0


COHORT_ANOMALIES: tuple[CohortAnomaly, ...] = (
    CohortAnomaly(
        name="users without a user id", user_ids=("", ""), becomes=SKIPPED, reason="unresolved_mapping", person=NEVER,
        rule="An anonymous user has no id at Customer.io, so there is nobody to add.",
    ),
    CohortAnomaly(
        name="an id of 151 bytes", user_ids=("long-" + "x" * 146,), becomes=SKIPPED, reason="id_too_long", person=NEVER,
        rule=ID_RULE,
    ),
    CohortAnomaly(
        name="an id of 76 two-byte characters", user_ids=("é" * 76,), becomes=SKIPPED, reason="id_too_long",
        person=NEVER, rule=ID_RULE,
    ),
    CohortAnomaly(name="an id of 150 bytes", user_ids=("just-" + "x" * 145,), becomes=MEMBER, rule=FITS_RULE),
    CohortAnomaly(name="an id of 75 two-byte characters", user_ids=("é" * 75,), becomes=MEMBER, rule=FITS_RULE),
    CohortAnomaly(
        name="two Amplitude users who share an id", user_ids=("shared-1", "shared-1"), becomes=COLLAPSED,
        rule="They are one person at Customer.io, added once.",
    ),
    CohortAnomaly(name="an id with a line break", user_ids=("line one\nline two",), becomes=MEMBER, rule=TEXT_RULE),
    CohortAnomaly(
        name="ids with a comma and a quotation mark", user_ids=("comma,inside", 'quote"inside'), becomes=MEMBER,
        rule=TEXT_RULE,
    ),
    CohortAnomaly(name="ids that look like numbers", user_ids=("00123", "123", "1e3"), becomes=MEMBER, rule=TEXT_RULE),
    CohortAnomaly(name="ids that look like values", user_ids=("null", "true"), becomes=MEMBER, rule=TEXT_RULE),
    CohortAnomaly(name="an id that starts with a space", user_ids=(" 123",), becomes=MEMBER, rule=TEXT_RULE),
    CohortAnomaly(name="ids that differ only in case", user_ids=("Case-42", "case-42"), becomes=MEMBER, rule=TEXT_RULE),
    CohortAnomaly(name="an id with an emoji", user_ids=("star-⭐-😀",), becomes=MEMBER, rule=TEXT_RULE),
    CohortAnomaly(
        name="people Customer.io does not know", user_ids=("nobody-1", "nobody-2"), becomes=NOT_FOUND, person=NEVER,
        reason="segment.person_unknown",
        rule="Adding to a segment never creates a person; unknown ids are ignored without a word.",
    ),
    CohortAnomaly(
        name="somebody who signs up between the runs", user_ids=("latecomer-1",), becomes=MEMBER, person=SIGNS_UP,
        rule="Not found on Monday, so asked for again on Tuesday, though the cohort file did not change for them.",
    ),
    CohortAnomaly(
        name="somebody deleted between the runs", user_ids=("deleted-1",), becomes=NOT_FOUND, person=DELETED,
        reason="segment.person_unknown",
        rule="Deleting a person takes them out of every segment; the cohort still names them.",
    ),
    CohortAnomaly(
        name="somebody suppressed between the runs", user_ids=("suppressed-1",), becomes=NOT_FOUND, person=SUPPRESSED,
        reason="person.suppressed",
        rule="A suppressed person is gone and their id is blocked; what names it is ignored.",
    ),
)

_NO_ID = "An event needs somebody to belong to."
_RECORDED = "Recorded once, with its own name and time."
#: A path of v1 must survive every one of these characters: the 60 KB event is too large for v2 and goes this way.
AWKWARD_ID = "team a/b?c#d%20 é@x"


def export_anomalies(text: str) -> tuple[ExportAnomaly, ...]:
    """The table for the export; `text` is at least 120,000 bytes of ASCII prose for the large events."""
    return (*_LEFT_OUT, *_large(text), *_ARRIVING)


def _chat(text: str) -> Mapping[str, Any]:
    return {"event_type": "Support Chat", "event_properties": {"chat": text}}


def _large(text: str) -> tuple[ExportAnomaly, ...]:
    return (
        ExportAnomaly(
            name="an event of 60 KB", becomes=DELIVERED,
            changes=({"user_id": AWKWARD_ID, **_chat(text[:60_000])},),
            rule="Over 32 KB it does not fit the batch API, so it goes alone, where 100,000 bytes are allowed.",
        ),
        ExportAnomaly(
            name="an event of 120 KB", becomes=DISCARDED, reason="event_too_large",
            changes=(_chat(text[:120_000]),),
            rule="Customer.io takes at most 100,000 bytes of data with one event.",
        ),
    )


_LEFT_OUT: tuple[ExportAnomaly, ...] = (
    ExportAnomaly(
        name="anonymous events", becomes=DISCARDED, reason="missing_identifier", rule=_NO_ID,
        changes=({"user_id": None}, {"user_id": None}, {"user_id": None}),
    ),
    ExportAnomaly(
        name="events with an empty or blank user id", becomes=DISCARDED, reason="missing_identifier", rule=_NO_ID,
        changes=({"user_id": ""}, {"user_id": "   "}),
    ),
    ExportAnomaly(
        name="an event of an id of 151 bytes", becomes=DISCARDED, reason="id_too_long", rule=ID_RULE,
        changes=({"user_id": "long-" + "x" * 146},),
    ),
    ExportAnomaly(
        name="an event of an id of 76 two-byte characters", becomes=DISCARDED, reason="id_too_long", rule=ID_RULE,
        changes=({"user_id": "é" * 76},),
    ),
    ExportAnomaly(
        name="an event without a name", becomes=DISCARDED, reason="event_name_blank", changes=({"event_type": "  "},),
        rule="Customer.io refuses a blank event name.",
    ),
    ExportAnomaly(
        name="an event name of 101 bytes", becomes=DISCARDED, reason="event_name_too_long",
        changes=({"event_type": "Name " + "n" * 96},), rule="Customer.io takes event names of at most 100 bytes.",
    ),
    ExportAnomaly(
        name="an event at an impossible time", becomes=DISCARDED, reason="bad_timestamp",
        changes=({"event_time": "2026-13-45 99:99:99.000000"},),
        rule="An event is never given the time of its arrival in place of its own.",
    ),
    ExportAnomaly(
        name="a line cut short", becomes=DISCARDED, reason="bad_row", raw=b'{"event_type":"Song Played","event_',
        rule="The line is no JSON object; the lines around it are read as usual.",
    ),
    ExportAnomaly(
        name="$identify and $groupidentify", becomes=FILTERED, rule="They carry properties and are no activity.",
        changes=({"event_type": "$identify"}, {"event_type": "$groupidentify", "user_id": None}),
    ),
    ExportAnomaly(
        name="an event that comes three times", becomes=DUPLICATE, repeats=2,
        changes=({"event_type": "Subscription Renewed"},),
        rule="Rows of one device with one $insert_id are one event, in whichever file they come.",
    ),
    ExportAnomaly(
        name="an event of a suppressed person", becomes=IGNORED, reason="person.suppressed",
        changes=({"user_id": "suppressed-1", "event_type": "Song Played"},),
        rule="Customer.io answers 200 and keeps nothing of what names a blocked id.",
    ),
)

_ARRIVING: tuple[ExportAnomaly, ...] = (
    ExportAnomaly(
        name="[Amplitude] Page Viewed", becomes=DELIVERED, rule="Recorded as an event of that name, not a page view.",
        changes=({"event_type": "[Amplitude] Page Viewed", "event_properties": {
            "[Amplitude] Page Domain": "shop.example.com", "[Amplitude] Page Path": "/prices",
            "[Amplitude] Page Title": "Prices"}},),
    ),
    ExportAnomaly(
        name="an event of an id of 75 two-byte characters", becomes=DELIVERED, rule=FITS_RULE,
        changes=({"user_id": "é" * 75},),
    ),
    ExportAnomaly(
        name="an event name of 100 bytes", becomes=DELIVERED, changes=({"event_type": "é" * 50},),
        rule="Exactly 100 bytes is allowed; bytes are counted, not characters.",
    ),
    ExportAnomaly(
        name="an event name with spaces around it", becomes=DELIVERED, changes=({"event_type": "  Coupon Used "},),
        rule="Customer.io trims event names, so the name is sent trimmed.",
    ),
    ExportAnomaly(
        name="an event with 301 properties", becomes=DELIVERED, rule="The limit of 300 is about a person's attributes.",
        changes=({"event_type": "Survey Answered", "event_properties": {
            f"question_{number:03}": number for number in range(1, 302)}},),
    ),
    ExportAnomaly(
        name="an event from ten days before", becomes=DELIVERED,
        changes=({"event_time": "2026-08-07 18:30:00.250000"},),
        rule="Recorded with its own time; older than 72 hours, it starts no campaign.",
    ),
    ExportAnomaly(
        name="an event dated in the future", becomes=DELIVERED, changes=({"event_time": "2038-01-19 03:14:08.000000"},),
        rule="A device with a wrong clock; recorded with its own time.",
    ),
    ExportAnomaly(
        name="event times written in other ways", becomes=DELIVERED,
        changes=({"event_time": "2026-08-17 11:00:00"}, {"event_time": "2026-08-17T11:00:01.123Z"},
                 {"event_time": "2026-08-17 11:00:02.1234567"}),
        rule="A space or a T, any fraction, a Z or none: always UTC, cut to the whole second.",
    ),
    ExportAnomaly(
        name="properties that could redirect mail", becomes=DELIVERED,
        changes=({"event_type": "Invoice Sent", "event_properties": {
            "recipient": "somebody@example.net", "from_address": "billing@example.net", "reply_to": "no@example.net",
            "amount": 12.5}},),
        rule="recipient, from_address and reply_to would override a campaign's own; they never go out by those names.",
    ),
    ExportAnomaly(
        name="nested, accented and null properties", becomes=DELIVERED,
        changes=({"event_type": "Order Placed", "event_properties": {
            "items": [{"sku": "A-1", "price": 12.5}, {"sku": "B-2", "tags": []}], "note": "naïve ☕ 😀", "total": 25,
            "gift": False, "coupon": None}, "user_properties": {"plan": "pro", "address": {"city": "Łódź"}},
            "groups": {"company": ["Example Ltd"]}},),
        rule="JSON types are kept, nested or not.",
    ),
    ExportAnomaly(
        name="an event of an id with a line break", becomes=DELIVERED, changes=({"user_id": "line one\nline two"},),
        rule=TEXT_RULE,
    ),
    ExportAnomaly(
        name="an email address as user id, in capitals", becomes=DELIVERED,
        changes=({"user_id": "PERSON0007@EXAMPLE.COM"},),
        rule="A value shaped like an address means the person with that email, whatever its case.",
    ),
    ExportAnomaly(
        name="an event of an unknown person", becomes=DELIVERED, changes=({"user_id": "newcomer-1"},),
        rule="An event, unlike a segment, creates the person it names.",
    ),
    ExportAnomaly(
        name="an event of a deleted person", becomes=DELIVERED, changes=({"user_id": "deleted-1"},),
        rule="Deleting blocks nothing: the event creates the person anew, outside the segment.",
    ),
    ExportAnomaly(
        name="one $insert_id on two devices", becomes=DELIVERED, rule="An $insert_id counts for its own device only.",
        changes=({"$insert_id": "shared-insert-id", "device_id": "00000000-0000-4000-8000-00000000000a"},
                 {"$insert_id": "shared-insert-id", "device_id": "00000000-0000-4000-8000-00000000000b"}),
    ),
    ExportAnomaly(
        name="an event without an $insert_id", becomes=DELIVERED, changes=({"$insert_id": None},),
        rule="Its uuid tells it from every other event.",
    ),
    ExportAnomaly(
        name="an amplitude_id beyond 2^53", becomes=DELIVERED, changes=({"amplitude_id": 9_223_372_036_854_775_807},),
        rule=_RECORDED,
    ),
)
