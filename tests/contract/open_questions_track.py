"""What the Track API's pages leave open, and the switches that choose: data for `test_open_questions_track.py`.

`QUESTIONS` are the open questions of our reference by their number. `READINGS` are its rules that somebody deduced, or
that two sources tell differently: each has its switches, or words that say why there is nothing to choose.
"""

from __future__ import annotations

QUESTIONS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("does an event, or a device, of an unknown id create the person",
        ("event_creates_person", "device_creates_person")),
    2: ("an unknown or data-driven segment", ("segment_unknown_id", "segment_dynamic_write")),
    3: ("a v2 batch of nothing valid, or of nothing", ("batch_all_invalid", "batch_empty")),
    4: ("the words of v2 errors", ("v2_error_reason", "v2_null_identifier_text", "unpublished_texts")),
    5: ("the words for a blank event name", ("event_blank_name_text", "event_error_key")),
    6: ("a number as id in the body", ("integer_body_id",)),
    7: ("EU credentials on the US host", ("track_wrong_region",)),
    8: ("which ids of events count, for how long, among whose events",
        ("event_dedupe_key", "event_dedupe_window_s", "event_dedupe_scope")),
    9: ("a new id with the email of somebody who has another id", ("identify_relabel",)),
    10: ("the rate, and what a 429 says", ("rate_limits", "track_rate_limit", "track_rate_limited_body")),
    11: ("texts that nobody has published", ("unpublished_texts",)),
    12: ("how much one person may have", ("person_attributes", "person_attributes_kb", "person_devices")),
}  # fmt: skip

READINGS: dict[str, tuple[str, ...] | str] = {
    # transport and credentials
    "both base64 alphabets are decoded": "the keys this service gives out read the same in both",
    "an App key is refused, before the body is read": "no source tells it otherwise",
    "v2 refuses credentials in the words of v1": "one edge serves both; the other bodies are invented by clients",
    "US credentials on the EU host are refused": "the pages say that it fails, and no other way is reported",
    "a wrong method answers as an unknown route does": "no workspace is known then, so no setting is",
    "malformed JSON": ("unpublished_texts",),
    # identifiers
    "an address in the path is an email where emails identify": ("identifiers",),
    "an escaped slash stays, a plus is a plus, white space is kept": "clients send them so, none expects otherwise",
    "an empty identifier is no route but on identify": "no source tells it otherwise",
    "a body id that differs is refused where people have ids only": ("identifiers",),
    "numbers as ids in a body": ("integer_body_id",),
    "a suppressed identifier in the body of somebody free": ("suppressed_in_body",),
    "attributes beside an identifier that is not set are written": ("failed_identifier_rest",),
    "path and body of two people: the path's is written to": ("identify_two_people",),
    "an email keeps the spelling it was last written in": ("email_case",),
    "a new id replaces the one that is there": ("identify_relabel",),
    "the key of the region": ("region_answer",),
    # attributes, people
    "null and empty text remove an attribute": ("person_empty_value",),
    "who is made again has a new cio_id": "a cio_id never changes hands, so there is no other",
    "byte limits include their figure": ("limits_reading",),
    "request controls are never attributes": "the pages say what they are for, and nobody has seen one stored",
    # devices, suppression, deliveries, forms
    "the words of refused devices": ("unpublished_texts",),
    "a device of an unknown person": ("device_creates_person",),
    "a device token that another person has": ("device_token_taken",),
    "suppressing twice, freeing who is free": "both answer the same and change nothing",
    "suppressing by cio_id blocks every identifier": "the pages say that the person is blocked, not one name of it",
    "`unsubscribe: false`": ("unsubscribe_false",),
    "a metric of an unknown delivery": "nothing says whose workspace it is, so no setting is known",
    "a form with several identifiers": ("form_identifiers",),
    # events
    "`anonymous_id` of a person's event is not required": "a copying error, which no client follows",
    "an event of an unknown cio_id is dropped": "as an identify of one is, which is documented",
    "names are trimmed before they are measured": ("trim_event_names",),
    "100 bytes or 500 characters of name": ("event_name_limit",),
    "`error` or `errors` for events": ("event_error_key",),
    "timestamps as text": ("event_timestamp_text",),
    "events of the future": ("future_event_triggers",),
    "ids that are no ULID": ("event_dedupe_key",),
    "scope and window of de-duplication": ("event_dedupe_scope", "event_dedupe_window_s"),
    "anonymous events that come too late": ("anonymous_late_events",),
    "the second person of an anonymous id": "that it can't be used again is documented, and nothing else can follow",
    # merges
    "a merge of nobody, or of oneself": "both answer 200, and there is nothing that they could change",
    "identifiers that the primary lacks": ("merge_identifiers",),
    "preferences of both": ("merge_preferences",),
    "which events come along": ("merge_event_history",),
    "devices": ("merge_devices",),
    "the secondary's identifiers are free": "who is gone holds none, and only suppressing blocks",
    # segments
    "who is unknown": ("segment_unknown_person",),
    "a data-driven segment": ("segment_dynamic_write",),
    "a segment that is not there": ("segment_unknown_id",),
    "a segment id that is no number": ("track_segment_id_malformed",),
    "`id_type` of a removal": ("segment_remove_id_type",),
    "the words of a refused list": ("unpublished_texts",),
    "members twice": "a set has nobody twice",
    # v2
    "numbers as object types": "clients send them, and no source refuses them",
    "a relationship with an unknown object": ("relationship_creates_object",),
    "an object of an unknown type": ("object_type_unknown",),
    "the type of an object as text or number": ("object_type_id_shape",),
    "the status of too large a batch": ("batch_too_large_status",),
    "sizes of 32 and 500 KB": ("limits_reading",),
    "every item invalid": ("batch_all_invalid",),
    "no item": ("batch_empty",),
    "reasons": ("v2_error_reason",),
    "a null identifier": ("v2_null_identifier_text",),
    "items of who is missing or suppressed are accepted": "one operation, one rule, whatever the dialect",
    "items are taken in order": "a client that relies on nothing else can't tell",
    "unknown keys are ignored": "integrations send them, and it works",
    # rate, region
    "1000 or 100 a second": ("track_rate_limit",),
    "the body of a 429": ("track_rate_limited_body",),
    "how EU traffic is passed on": ("track_wrong_region",),
}
