"""Where each edge case of the Track API is proved: its number in our reference, what it is about, the tests for it.

Data alone. A test is `module::name`, with the id of its row where the test is a table; `test_edge_cases_track.py` sees
to it that every number is here and that every test named is collected.
"""

from __future__ import annotations

from typing import NamedTuple


class EdgeCase(NamedTuple):
    """What happens, in our words, and which tests prove it."""

    says: str
    tests: tuple[str, ...]


_V1, _V2 = "contract/test_track_v1.py", "contract/test_track_v2.py"
_EVENTS, _OPEN = "contract/test_track_events.py", "contract/test_track_open.py"
_OBJECTS, _SEGMENTS = "contract/test_track_objects.py", "contract/test_track_segments.py"
_REGIONS, _NEW = "contract/test_track_regions.py", "contract/test_track_edge_cases.py"
_NODE, _PYTHON, _SHAPES = "contract/test_sdk_node.py", "contract/test_sdk_python.py", "contract/test_sdk_shapes.py"
_IDENTIFYING, _LIFECYCLE = "unit/fakeio/test_identifying.py", "unit/fakeio/test_lifecycle.py"
_TRIGGERING = "unit/fakeio/test_triggering.py"


def _case(says: str, *tests: str) -> EdgeCase:
    return EdgeCase(says, tests)


def _rows(test: str, *ids: str) -> tuple[str, ...]:
    return tuple(f"{test}[{row}]" for row in ids)


_REFUSED_KEY = f"{_V1}::test_one_answer_refuses_all_bad_credentials_before_the_body_is_read"
_NAMES = f"{_V1}::test_a_path_segment_names"
_ID_LIMIT = f"{_V1}::test_identifiers_have_limits"
_LIMIT = f"{_V1}::test_attributes_have_limits"
_READ_AS = f"{_V1}::test_unsubscribed_is_read_as"
_EVENT = f"{_EVENTS}::test_an_event_of_a_person"
_MALFORMED_MERGE = f"{_V1}::test_a_malformed_merge_has_one_error"
_DEVICE = f"{_V1}::test_a_device_is_taken_as_clients_send_it"
_JOINS, _WHOLE = f"{_SEGMENTS}::test_an_add_call_joins_whom_it_can", f"{_SEGMENTS}::test_a_call_is_refused_as_a_whole"
_FORM = f"{_OPEN}::test_a_form_is_connected_even_when_its_submission_is_refused"
_METRIC = f"{_OPEN}::test_a_metric_needs_no_credentials_and_lands_where_its_delivery_is"
_V2_REFUSED = f"{_V2}::test_an_operation_is_refused_in_both_forms"
_V2_ACCEPTED = f"{_V2}::test_an_operation_is_accepted"
_REGION = f"{_REGIONS}::test_credentials_of_a_region_on_a_host"

EDGE_CASES: dict[int, EdgeCase] = {
    1: _case("identify answers three bytes and a status header",
             f"{_V1}::test_identify_answers_three_bytes_and_the_recorded_headers"),
    2: _case("no credentials: 401 in 56 bytes", *_rows(_REFUSED_KEY, "none at all")),
    3: _case("empty credentials: the same 401", *_rows(_REFUSED_KEY, "an empty pair")),
    4: _case("an App key as bearer: 401", f"{_NEW}::test_an_app_key_identifies_nobody"),
    5: _case("/auth tells good credentials from bad", f"{_NEW}::test_credentials_are_nice_or_unauthorized"),
    6: _case("the region endpoint", f"{_V1}::test_auth_and_region_tell_who_the_credentials_are",
             f"{_REGIONS}::test_both_hosts_tell_the_true_region[us-track.customer.io]"),
    7: _case("an unknown route answers the directory",
             f"{_V1}::test_an_unknown_route_answers_the_directory_without_credentials"),
    8: _case("an escaped slash in an id", *_rows(_NAMES, "an escaped slash stays inside one segment")),
    9: _case("a raw plus in an email", *_rows(_NAMES, "a plus is a plus")),
    10: _case("a trailing space in an id", *_rows(_NAMES, "a trailing space is part of the id")),
    11: _case("a phone in a v1 path", *_rows(_NAMES, "a phone number in a path is an id")),
    12: _case("ids of 150 and 151 bytes", *_rows(_ID_LIMIT, "150 bytes", "151 bytes", "75 characters of two bytes",
                                                 "76 characters, 151 bytes")),
    13: _case("300 and 301 attributes", *_rows(_LIMIT, "300 of them", "301 of them")),
    14: _case("a long attribute name; two long values", *_rows(_LIMIT, "a name of 151 bytes", "two at once")),
    15: _case("a value of 1000 and of 1001 bytes", *_rows(_LIMIT, "a value of 1000 bytes", "a value of 1001 bytes")),
    16: _case("a nested value is measured as JSON", *_rows(_LIMIT, "an object whose JSON text is 1000 bytes",
                                                           "an object whose JSON text is 1001 bytes")),
    17: _case("ids only: another id in the body", f"{_NEW}::test_where_people_have_ids_only_the_body_repeats_the_id"),
    18: _case("a number as id in the body", f"{_V1}::test_a_number_as_id_is_taken_unless_the_switch_refuses_it"),
    19: _case("a new id with a known email", f"{_NEW}::test_a_new_id_with_a_known_email_is_given_to_its_owner"),
    20: _case("the email of somebody else",
              f"{_NEW}::test_the_email_of_somebody_else_is_not_taken_and_the_log_says_so"),
    21: _case("an id-only and an email-only person become the elder", *_rows(
        f"{_NEW}::test_an_id_only_and_an_email_only_person_named_together",
        "they are merged-7", "they are merged-a@example.com")),
    22: _case("the same with auto-merge off", *_rows(
        f"{_NEW}::test_an_id_only_and_an_email_only_person_named_together",
        "unless that is off-7", "unless that is off-a@example.com")),
    23: _case("an email changed through an id", *_rows(
        f"{_NEW}::test_changing_an_email_through_an_id", "fails", "works by setting")),
    24: _case("email and id changed by cio_id", f"{_NEW}::test_a_call_by_cio_id_changes_email_and_id"),
    25: _case("an unknown cio_id", f"{_V1}::test_a_cio_id_of_nobody_is_accepted_and_dropped"),
    26: _case("`_update` on nobody", f"{_V1}::test_update_only_creates_nobody",
              f"{_NEW}::test_update_only_leaves_a_failure_in_the_log"),
    27: _case("an older `_timestamp`", f"{_NEW}::test_an_older_write_is_logged_as_skipped"),
    28: _case("what counts as unsubscribed", *_rows(
        _READ_AS, "true in any case", "the number one", "a one in quotes", "another word", "another number",
        "true with a space")),
    29: _case("one topic by dot path, all by the object",
              f"{_NEW}::test_one_topic_leaves_the_others_and_the_whole_object_replaces_them"),
    30: _case("relationships in either shape and the wrong one",
              f"{_OBJECTS}::test_v1_links_a_person_by_an_object_of_action_and_list",
              f"{_OBJECTS}::test_v2_links_a_person_by_a_list[identify]",
              f"{_OBJECTS}::test_v1_drops_relationships_of_another_shape_and_says_so[the shape of v2]",
              f"{_OBJECTS}::test_v2_refuses[a person with the shape of v1]"),
    31: _case("deleting nobody, twice", f"{_V1}::test_deleting_nobody_twice_is_fine",
              f"{_LIFECYCLE}::test_deleting_twice_is_accepted_twice"),
    32: _case("an event after a delete", f"{_V1}::test_an_event_after_a_delete_makes_a_blank_person"),
    33: _case("suppressed by id, then identified by email", *_rows(
        f"{_V1}::test_suppressing_blocks_every_identifier_until_one_is_freed", "no body and no content type")),
    34: _case("freed by email, identified by id", f"{_NEW}::test_who_was_freed_comes_back_blank"),
    35: _case("a device of a suppressed person", f"{_V1}::test_removing_a_device_of_a_suppressed_person_is_fine"),
    36: _case("a device as Go sends it", *_rows(_DEVICE, "last_used in quotes and null attributes")),
    37: _case("a device as Python and Ruby send it", *_rows(_DEVICE, "custom keys beside the known ones")),
    38: _case("event data that is no object", *_rows(
        _EVENT, "null data", "a name alone", "text as data", "a list as data")),
    39: _case("event names and spaces", *_rows(_EVENT, "a name of spaces", "a name in spaces")),
    40: _case("event names of 100 and 101 bytes", *_rows(_EVENT, "a name of 100 bytes", "a name of 101 bytes")),
    41: _case("an unknown type of event", *_rows(_EVENT, "an unknown type is an event")),
    42: _case("one ULID twice", f"{_EVENTS}::test_the_same_id_twice_is_one_event"),
    43: _case("events of 71 and 73 hours ago", *_rows(
        f"{_NEW}::test_an_event_of_the_past_is_recorded_and_triggers_for_72_hours",
        "71 hours ago: campaigns are triggered", "73 hours ago: they are not"),
        *_rows(f"{_TRIGGERING}::test_an_event_of_a_person_triggers_for_72_hours", "event-72 hours",
               "event-72 hours and a second")),
    44: _case("pages without, screens with a name",
              f"{_NEW}::test_page_views_have_no_name_in_the_app_api_and_screen_views_have_one"),
    45: _case("numbers in events and attributes",
              f"{_NEW}::test_a_number_stays_one_in_events_and_becomes_text_in_attributes"),
    46: _case("an anonymous event after 29 and 31 days", *_rows(
        f"{_EVENTS}::test_an_anonymous_event_waits_for_its_person", "29 days later it is the person's",
        "31 days later it is gone")),
    47: _case("an anonymous event 4 and 6 minutes after", *_rows(
        f"{_EVENTS}::test_an_anonymous_event_may_come_shortly_after_the_identify", "in time", "too late")),
    48: _case("an anonymous id used twice", f"{_EVENTS}::test_an_anonymous_id_serves_one_person_once"),
    49: _case("an invite", *_rows(f"{_EVENTS}::test_an_event_without_an_anonymous_id_is_an_invite", "blank"),
              *_rows(f"{_TRIGGERING}::test_an_event_of_nobody_triggers_when_it_is_an_invite", "True-an invite")),
    50: _case("a merge into nobody", f"{_V1}::test_a_merge_into_nobody_changes_nothing"),
    51: _case("a merge of two identifiers", *_rows(_MALFORMED_MERGE, "two identifiers")),
    52: _case("a merge keeps what the primary has", f"{_V1}::test_a_merge_keeps_what_the_primary_has"),
    53: _case("a cio_id in a merge has no prefix", *_rows(_MALFORMED_MERGE, "a prefixed cio_id"),
              f"{_V1}::test_a_merge_keeps_what_the_primary_has"),
    54: _case("segments: 1001 ids, unknown ids, numbers", *_rows(_WHOLE, "add-1001 ids"),
              *_rows(_JOINS, "an unknown id", "numbers")),
    55: _case("segments: ids among emails", *_rows(_JOINS, "emails, mixed with ids")),
    56: _case("segments: a data-driven one",
              f"{_SEGMENTS}::test_a_segment_of_nobody_and_a_data_driven_one_are_left_alone"),
    57: _case("a form whose field is not mapped, then mapped",
              f"{_NEW}::test_a_form_without_an_identifier_is_connected_and_works_once_its_field_is_mapped"),
    58: _case("a form: a number, two identifiers, an empty 204", *_rows(_FORM, "a number", "two identifiers"),
              f"{_OPEN}::test_a_form_is_answered_with_nothing_and_sets_attributes"),
    59: _case("metrics without credentials", *_rows(
        _METRIC, "/api/v1/metrics-document0", "/api/v1/push/events-document1", "/push/events-document2")),
    60: _case("an unsubscribe with and without its type", f"{_OPEN}::test_an_unsubscribe_link_unsubscribes",
              *_rows(f"{_OPEN}::test_an_unsubscribe_that_is_refused", "no content type")),
    61: _case("one bad item of three", f"{_V2}::test_one_bad_item_leaves_its_neighbours_alone"),
    62: _case("items with a null id and with two identifiers", *_rows(_V2_REFUSED, "a null id", "two identifiers")),
    63: _case("sizes of batches and items",
              *_rows(f"{_V2}::test_a_batch_has_a_limit_in_bytes", "strict, at it", "strict, one over",
                     "lenient, at it", "lenient, one over"),
              *_rows(f"{_V2}::test_an_operation_has_a_limit_in_bytes", "lenient, at it", "lenient, one over")),
    64: _case("a v2 merge has no identifiers", *_rows(
        _V2_ACCEPTED, "merge has no identifiers-entity", "merge has no identifiers-batch")),
    65: _case("a v1 device in v2", *_rows(_V2_REFUSED, "a v1 device")),
    66: _case("`data` in v2", *_rows(_V2_ACCEPTED, "event with data instead of attributes-entity")),
    67: _case("a new object with its link",
              f"{_NEW}::test_a_new_object_is_made_with_its_link_and_both_go_with_it"),
    68: _case("a link goes with its object",
              f"{_NEW}::test_a_new_object_is_made_with_its_link_and_both_go_with_it"),
    69: _case("EU credentials on the US host", *_rows(
        _REGION, "EU credentials are passed on", "or redirected with the same method")),
    70: _case("a 503, then 200", f"{_NODE}::test_it_gets_through_weather_and_says_that_it_tried_before[503]",
              f"{_PYTHON}::test_it_tries_again_after[503]",
              f"{_NEW}::test_a_client_that_does_not_try_again_sees_the_503"),
    71: _case("a 200 that is no JSON", f"{_NEW}::test_the_node_client_rejects_a_success_that_is_no_json",
              f"{_PYTHON}::test_it_takes_a_success_that_is_no_json"),
    72: _case("a look right after a write",
              "contract/test_delays.py::test_a_lookup_sees_a_write_only_when_its_delay_is_over"),
}  # fmt: skip
