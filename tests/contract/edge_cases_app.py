"""Every numbered edge case of the App API and the test that holds it.

Source: App API > Edge cases. `test_edge_cases_app.py` fails when a number is missing or a test is gone.
"""

from __future__ import annotations

from tests.contract.named_tests import EdgeCase, case

COUNT = 84

_ACCESS = "test_app_access.py::"
_CUSTOMERS = "test_app_customers.py::"
_SEGMENTS = "test_app_segments.py::"
_PROFILES = "test_app_profiles.py::"
_ACTIVITIES = "test_app_activities.py::"
_EXPORTS = "test_app_exports.py::"
_IMPORTS = "test_app_imports.py::"
_SENDS = "test_app_sends.py::"
_MESSAGES = "test_app_messages.py::"
_BROADCASTS = "test_app_broadcasts.py::"
_CONTENT = "test_app_content.py::"
_STRANGERS = _ACCESS + "test_one_answer_refuses_all_bad_credentials"
_NO_SEGMENT = _SEGMENTS + "test_a_segment_that_is_not_there"
_MALFORMED = _SEGMENTS + "test_a_malformed_segment_is_refused"
_NO_OPERATION = _SEGMENTS + "test_what_is_no_operation"
_PAGE = _SEGMENTS + "test_a_page_holds"
_FINDS = _CUSTOMERS + "test_a_filter_finds"
_BAD_FILTER = _CUSTOMERS + "test_a_filter_that_breaks_the_grammar"
_LOOKUP = _CUSTOMERS + "test_a_person_is_looked_up_by"
_BAD_SEND = _SENDS + "test_a_send_is_refused"
_TRIGGER = _BROADCASTS + "test_a_trigger_reaches"
_BAD_TRIGGER = _BROADCASTS + "test_a_trigger_is_refused"

CASES: dict[int, EdgeCase] = {
    1: case("a read without credentials is unauthorized", f"{_STRANGERS}[none]"),
    2: case("a search with a key nobody has is unauthorized", f"{_STRANGERS}[an unknown key]"),
    3: case("the credentials of the Track API open nothing here", f"{_STRANGERS}[Track credentials]"),
    4: case("a send with a wrong key is told so in the words of sends",
            _ACCESS + "test_strangers_are_refused_in_the_words_of_sends"),
    5: case("a service account says which workspace it sends for",
            _SENDS + "test_a_service_account_names_a_workspace_of_its_account"),
    6: case("a service account reads no segments", f"{_STRANGERS}[a service-account token]",
            _SENDS + "test_a_service_account_is_good_for_nothing_else"),
    7: case("the eleventh call of a second waits for the next one",
            _ACCESS + "test_the_eleventh_call_of_a_second_is_refused"),
    8: case("the 101st archived message of a day is refused, without a time to come back",
            _MESSAGES + "test_the_101st_archived_message_of_a_day_is_refused_without_saying_when"),
    9: case("two triggers within ten seconds are one too many",
            _BROADCASTS + "test_two_triggers_within_ten_seconds_are_one_too_many"),
    10: case("nobody with an email is an empty list", _CUSTOMERS + "test_nobody_with_an_email_is_an_empty_list"),
    11: case("a raw plus in an email is a space", _CUSTOMERS + "test_an_email_is_found[a raw plus is a space]"),
    12: case("two people of one email are two results",
             _CUSTOMERS + "test_people_may_share_an_email_that_identifies_nobody"),
    13: case("no exports are null", _EXPORTS + "test_no_exports_are_null_unless_by_switch"),
    14: case("a new segment is manual and empty, answered 200",
             _SEGMENTS + "test_a_new_segment_is_manual_and_finished"),
    15: case("a segment comes wrapped", f"{_MALFORMED}[no wrapper]"),
    16: case("a segment has a name", f"{_MALFORMED}[no name]"),
    17: case("no body makes a data-driven segment", _SEGMENTS + "test_a_body_cannot_ask_for_a_data_driven_segment"),
    18: case("two segments may share a name", _SEGMENTS + "test_names_may_repeat_unless_the_switch_refuses"),
    19: case("an unknown segment is not found", f"{_NO_SEGMENT}[an unknown id]"),
    20: case("a segment id that is no number is not found", f"{_NO_SEGMENT}[no number]",
             f"{_NO_SEGMENT}[no number, by switch]"),
    21: case("an unused segment is deleted", _SEGMENTS + "test_deleting_takes_the_membership_and_leaves_the_people"),
    22: case("a deleted segment can't be deleted again",
             _SEGMENTS + "test_deleting_takes_the_membership_and_leaves_the_people"),
    23: case("a segment in use is deleted, unless the switch refuses",
             _SEGMENTS + "test_a_segment_in_use_is_deleted_unless_the_switch_refuses"),
    24: case("a segment can't be changed", f"{_NO_OPERATION}[there is no update]"),
    25: case("what uses a segment is not asked under dependencies", f"{_NO_OPERATION}[a path that never existed]"),
    26: case("a member without id has an empty one among ids and null among identifiers",
             _SEGMENTS + "test_members_come_with_every_identifier_they_have"),
    27: case("where ids alone identify, members have no email key",
             _SEGMENTS + "test_in_an_id_only_workspace_members_have_no_email_key"),
    28: case("five members by two are three pages", _SEGMENTS + "test_five_members_by_two_are_three_pages"),
    29: case("a page of members holds 30,000 at most", _SEGMENTS + "test_no_page_holds_more_than_thirty_thousand"),
    30: case("members can't be sorted", f"{_PAGE}[undocumented parameters are ignored]"),
    31: case("a segment that is building counts those it has",
             "test_app_dynamic.py::test_a_build_takes_the_time_it_is_given"),
    32: case("a search finds identifiers and ids", f"{_FINDS}[an attribute]",
             _CUSTOMERS + "test_a_match_has_every_identifier"),
    33: case("there is no operator gt", f"{_BAD_FILTER}[an unknown operator]"),
    34: case("eq needs a value", f"{_BAD_FILTER}[eq without a value]"),
    35: case("not takes one condition", f"{_BAD_FILTER}[not with a list]"),
    36: case("a filter has one key at the top", f"{_BAD_FILTER}[two keys at the top]"),
    37: case("an unknown segment holds nobody", f"{_FINDS}[an unknown segment is nobody, not an error]"),
    38: case("everybody has a cio_id", f"{_FINDS}[everybody has a cio_id]"),
    39: case("a thousand terms are no problem", f"{_FINDS}[a thousand terms]"),
    40: case("a page of a search holds a thousand at most",
             _CUSTOMERS + "test_pages_of_a_search[more than the most is the most]"),
    41: case("a page of a search holds fifty unless asked", _CUSTOMERS + "test_pages_of_a_search[fifty unless asked]"),
    42: case("who is unknown is left out of profiles",
             _PROFILES + "test_profiles_are_read_together[whoever is unknown is left out]"),
    43: case("101 profiles are one too many", _PROFILES + "test_a_bad_question_is_refused[one too many]"),
    44: case("no ids are nobody's profiles, or refused by switch",
             _PROFILES + "test_naming_nobody_is_answered_with_nobody_or_refused"),
    45: case("every attribute is text", _CUSTOMERS + "test_a_profile_shows_every_attribute_as_text"),
    46: case("an email in the path is an id unless said", f"{_LOOKUP}[an email is an id unless said]"),
    47: case("an email names nobody where ids alone do", f"{_LOOKUP}[an email, where ids alone do]"),
    48: case("a cio_id without its prefix names nobody", f"{_LOOKUP}[a cio_id without its prefix]"),
    49: case("somebody in no segment has an empty list", _CUSTOMERS + "test_the_segments_of_a_person_have_three_keys"),
    50: case("a page of activities holds a hundred at most",
             _ACTIVITIES + "test_pages_of_activities[more than the most is the most]"),
    51: case("the published word is misspelt, the right spelling is none",
             _ACTIVITIES + "test_a_bad_question_is_refused[a type that is not published]",
             _ACTIVITIES + "test_lines_are_found_by[the word that is published misspelt]"),
    52: case("activities of the deleted come when asked for",
             _ACTIVITIES + "test_somebody_deleted_is_left_out_unless_asked_for"),
    53: case("an export is asked by filters, not filter",
             _EXPORTS + "test_an_export_is_refused[filter instead of filters]"),
    54: case("an export on an unknown segment ends empty", _EXPORTS + "test_an_export_on_an_unknown_segment_is_empty"),
    55: case("there is no link before all is done", _EXPORTS + "test_a_link_comes_only_when_all_is_done"),
    56: case("a link dies after a quarter of an hour, another one lives",
             _EXPORTS + "test_a_link_lives_for_fifteen_minutes_and_another_one_after"),
    57: case("an import of people says how they are named",
             _IMPORTS + "test_an_import_is_refused_at_once[no identifier]"),
    58: case("there are no events of new people only",
             _IMPORTS + "test_an_import_is_refused_at_once[events of new people]",
             _IMPORTS + "test_events_of_new_people_fail_later_by_switch"),
    59: case("an import that nobody answers fails later", _IMPORTS + "test_nobody_listening_is_a_failed_import"),
    60: case("an email goes to somebody", f"{_BAD_SEND}[no recipient]"),
    61: case("a template that is not there is named", f"{_BAD_SEND}[an unknown template]"),
    62: case("sixteen recipients are one too many", _SENDS + "test_recipients_are_counted_over_all_lists[16]"),
    63: case("an attachment is base64", f"{_BAD_SEND}[an attachment that is not base64]"),
    64: case("attachments are 2 MB together", f"{_BAD_SEND}[attachments over 2 MB]"),
    65: case("a send for later says when", _MESSAGES + "test_a_message_waits_for_its_time"),
    66: case("a send for a time gone by is sent now", _MESSAGES + "test_a_time_gone_by_is_now"),
    67: case("a misspelt send is a wrong method", _ACCESS + "test_a_misspelt_send_is_405"),
    68: case("a broadcast that is not there is named", _BROADCASTS + "test_an_unknown_broadcast_is_named"),
    69: case("a filter of recipients is not empty", f"{_BAD_TRIGGER}[an empty filter]"),
    70: case("a missing person fails the trigger, line by line",
             _BROADCASTS + "test_a_list_with_errors_makes_a_trigger_that_sends_nothing[a missing id]"),
    71: case("a missing person is forgiven when asked", f"{_TRIGGER}[missing ids forgiven]"),
    72: case("a flag of another form is refused", f"{_BAD_TRIGGER}[a flag of another form]"),
    73: case("10,001 ids are one too many", f"{_BAD_TRIGGER}[10001 ids]"),
    74: case("an empty trigger goes to the broadcast's own audience", f"{_TRIGGER}[its own audience: everybody]"),
    75: case("a snippet's name has 150 characters", _CONTENT + "test_a_snippet_is_refused[too long a name]"),
    76: case("a snippet in use is kept", _CONTENT + "test_a_snippet_in_use_is_kept"),
    77: case("a webhook reports something", _CONTENT + "test_a_webhook_is_refused[no events]"),
    78: case("a webhook is answered bare", _CONTENT + "test_a_webhook_lives_and_dies"),
    79: case("addresses of senders need no key", "test_app_lists.py::test_addresses_of_senders_need_no_key"),
    80: case("a send is 2048 KB at most", f"{_BAD_SEND}[over 2048 KB]"),
    81: case("unknown keys are ignored unless the request is strict",
             "test_app_switches.py::test_unknown_keys_are_ignored_unless_the_request_is_strict"),
    82: case("a membership is listed after its delay, or a flush",
             _CUSTOMERS + "test_a_membership_is_listed_after_the_delay_or_a_flush"),
    83: case("nobody is added to a data-driven segment", "test_app_dynamic.py::test_an_add_call_adds_nobody"),
    84: case("a deleted person is no member any more", _SEGMENTS + "test_a_deleted_person_is_no_member_any_more"),
}  # fmt: skip
