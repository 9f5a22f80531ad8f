"""The types of activities that the App API publishes, one of them misspelt as published.

A fact about the vendor and a test for it. The log may hold other types (a metric that the App API has no word for);
what reads it for the App API leaves those out. Source: App API > Activities > type.
"""

from __future__ import annotations

import re

_DELIVERIES = """
attempted     action email in_app push slack twilio webhook whatsapp
bounced       action email push twilio whatsapp
clicked       action content email in_app push twilio webhook
converted     action content email in_app slack twilio webhook whatsapp
deferred      action email in_app push slack twilio webhook whatsapp
delivered     action email push twilio whatsapp
drafted       action email in_app push slack twilio webhook
dropped       action email push twilio webhook whatasapp
failed        action attribute_change batch_update email event in_app object_journeys push query_collection slack
failed        twilio webhook whatsapp
opened        action email in_app push
sent          action email in_app push slack twilio webhook whatsapp
spammed       email
suppressed    twilio whatsapp
undeliverable action email in_app push slack twilio webhook whatsapp
unsubscribed  action email
"""
_OTHERS = """
add_relationship anon_merge attribute_change delete_relationship device_change event page profile_create profile_delete
profile_merge relationship_attribute_change relationship_failed_attribute_change screen skipped_update
topic_unsubscribed_email viewed_content webhook_event
"""
_ROWS = (line.split() for line in _DELIVERIES.strip().split("\n"))
TYPES = frozenset(_OTHERS.split()) | {f"{metric}_{channel}" for metric, *channels in _ROWS for channel in channels}
_OF_OBJECTS = re.compile(
    r"_o:[^:]+:(?:add_relationship|attribute_change|create|delete|delete_relationship|failed_attribute_change)\Z"
    r"|_r:[^:]+:(?:attribute_change|failed_attribute_change)\Z"
)


def is_published(type_: str) -> bool:
    """Whether the App API knows activities of this type."""
    return type_ in TYPES or _OF_OBJECTS.match(type_) is not None
