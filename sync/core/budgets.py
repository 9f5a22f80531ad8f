"""What the engine allows itself, typed by hand from the vendor's pages; a second opinion, never imported from the fake.

Each figure obeys the harshest reading of the published limit. A judge in the tests compares both tables row by row.
"""

from __future__ import annotations

from typing import NamedTuple


class Budget(NamedTuple):
    """`rule` names the published limit that this stays within; `most` is inclusive."""

    rule: str
    most: int
    source: str


# A person's identifier, in bytes of UTF-8. Longer ones are skipped, never cut: a cut id is somebody else's.
PERSON_ID = Budget("track.person.id", 150, "Track API > Identify > id, 150 bytes")
# The name of an attribute, and its value (of a text its letters, of anything else its JSON), in bytes of UTF-8.
ATTRIBUTE_NAME = Budget("track.attribute.name", 150, "Track API > Invalid requests, 150 bytes")
ATTRIBUTE_VALUE = Budget("track.attribute.value", 1_000, "Track API > Invalid requests, 1000 bytes")
# Attributes of one person, as far as they were sent from here.
ATTRIBUTES = Budget("track.attributes", 300, "Track API > Identify, 300 attributes")
# An event's name, in bytes of UTF-8.
EVENT_NAME = Budget("track.event.name", 100, "Track API > Invalid requests, 100 bytes")
# The JSON text of one event's data on the v1 route.
EVENT_DATA = Budget("track.event.data", 100_000, "Track API > Invalid requests, 100000 bytes")
# One operation of a v2 batch; the page says both `or smaller` and `smaller than` 32kb, so: smaller than 32,000.
V2_ITEM = Budget("track.v2.item", 31_999, "Track API > Rate Limits > v2, 32kb")
# A whole v2 batch, brackets and commas included; smaller than 500kb, read as 1,000 bytes to the kb.
V2_BATCH = Budget("track.v2.batch", 499_999, "Track API > Rate Limits > v2, 500kb")
# Ids in one add or remove call of a manual segment; at least one.
SEGMENT_IDS = Budget("track.segment.ids", 1_000, "Track API > Manual segments, 1 to 1000 ids")
# Requests a second to the Track API: one page says 1000, a younger one 100; the smaller is the default.
TRACK_RATE = Budget("track.rate", 100, "Track API > Rate Limits")
# Requests a second to the App API.
APP_RATE = Budget("app.rate", 10, "App API > Rate limits, 10 requests a second")
# Members on one page of a segment's membership.
MEMBERSHIP_PAGE = Budget("app.segment.membership.page", 30_000, "App API > Segments > membership > limit")
# People named by one search, and found by it.
SEARCH_PAGE = Budget("app.customers.search.page", 1_000, "App API > Customers > search > limit")

TRACK_RATE_PER_S = float(TRACK_RATE.most)
APP_RATE_PER_S = float(APP_RATE.most)

BUDGETS: tuple[Budget, ...] = (
    PERSON_ID, ATTRIBUTE_NAME, ATTRIBUTE_VALUE, ATTRIBUTES, EVENT_NAME, EVENT_DATA, V2_ITEM, V2_BATCH, SEGMENT_IDS,
    TRACK_RATE, APP_RATE, MEMBERSHIP_PAGE, SEARCH_PAGE,
)
