"""The numbered end-to-end scenarios of the two integrations, each with the tests or machine rules that hold it.

`number: scenario("in words of our own", "folder/test_file.py::test_name", …)`, paths from the folder `tests`. One
number stands once; `test_amplitude_scenarios.py` demands those of REQUIRED. Add the number there with its entry.
"""

from __future__ import annotations

from typing import NamedTuple


class Scenario(NamedTuple):
    """What has to happen, and the tests that see it happen."""

    says: str
    tests: tuple[str, ...]


def scenario(says: str, *tests: str) -> Scenario:
    return Scenario(says, tests)


#: Every number that must have an entry; 1 to 80 once all are covered.
REQUIRED = frozenset(range(1, 81))

_RUNS = "integration/test_cohort_runs.py::test_"
_FAULTS = "integration/test_cohort_faults.py::test_"
_SEGMENTS = "integration/test_cohort_segments.py::test_"
_FILES = "integration/test_cohort_files.py::test_"
_PULL = "integration/test_amplitude_cohorts.py::test_"
_RECONCILE = "integration/test_reconcile.py::test_"
_LISTEN = "integration/test_listen.py::test_"
_SCHEDULES = "integration/test_run_config.py::test_"
_EXPORT = "integration/test_amplitude_export.py::test_"
_EVENTS = "integration/test_events_runs.py::test_"
_EVENT_FAULTS = "integration/test_events_faults.py::test_"
_PEOPLE = "integration/test_user_properties.py::test_"
_COUNTS = "unit/sync/test_report.py::test_"
_NOTES = "integration/test_events_notes.py::test_"

SCENARIOS: dict[int, Scenario] = {
    # -- cohorts: the first run and the difference ---------------------------------------------------------------------
    1: scenario("a first run makes the segment and fills it", f"{_RUNS}a_first_run_makes_the_segment_and_fills_it"),
    2: scenario("a changed cohort sends only the difference", f"{_RUNS}a_changed_cohort_sends_only_what_changed"),
    3: scenario(
        "an unchanged cohort changes nothing, and is a run all the same",
        f"{_RUNS}an_unchanged_cohort_makes_no_membership_call", f"{_RUNS}every_run_is_remembered_with_its_report",
    ),
    4: scenario("an old computation is not asked for", f"{_PULL}a_cohort_that_was_not_computed_anew_is_not_asked_for"),
    5: scenario("2,501 people are three full calls", f"{_RUNS}calls_hold_at_most_a_thousand_ids"),
    6: scenario(
        "1000, 1001 and no changes",
        f"{_RUNS}calls_hold_at_most_a_thousand_ids", f"{_RUNS}an_unchanged_cohort_makes_no_membership_call",
    ),
    7: scenario("an emptied cohort needs a word", f"{_SEGMENTS}an_empty_cohort_stops_unless_it_is_meant"),
    8: scenario("once is once", f"{_SCHEDULES}a_one_time_sync_is_never_repeated"),
    9: scenario(
        "slots that a restart neither skips nor doubles",
        f"{_SCHEDULES}a_new_sync_runs_at_once_and_then_at_its_slot_whatever_is_restarted",
        f"{_SCHEDULES}a_run_that_was_cut_off_is_still_due",
        "unit/sync/test_schedule.py::test_at_any_moments_each_slot_runs_at_most_once_and_the_current_one_always",
    ),
    10: scenario("two cohorts, two segments", f"{_SEGMENTS}two_syncs_do_not_touch_each_other"),
    # -- cohorts: mapping and identity ---------------------------------------------------------------------------------
    11: scenario(
        "rows without the mapped value are skipped, and a loss",
        f"{_RUNS}every_row_of_the_file_has_a_fate", f"{_COUNTS}the_counts_decide_the_exit_code",
    ),
    12: scenario("two rows of one id leave together", f"{_RUNS}two_rows_of_one_id_leave_only_when_both_left"),
    13: scenario(
        "a changed value is one leaving and one joining",
        f"{_RUNS}a_value_that_changes_is_one_leaving_and_one_joining",
        f"{_RUNS}of_whom_two_ids_name_the_one_that_should_be_in_has_the_last_word",
    ),
    14: scenario(
        "a changed mapping needs a word, then moves all",
        f"{_SEGMENTS}a_changed_mapping_stops_until_confirmed_and_then_moves_all",
    ),
    15: scenario(
        "150 bytes of UTF-8 and not one more",
        f"{_FILES}ids_are_read_to_the_byte", f"{_FILES}rows_that_give_no_usable_id_are_counted",
    ),
    16: scenario(
        "ids that look like values travel to the byte",
        f"{_FILES}ids_are_read_to_the_byte", f"{_RUNS}an_id_arrives_to_the_byte",
    ),
    17: scenario(
        "case tells ids apart, not addresses",
        f"{_RUNS}case_tells_two_ids_apart", f"{_RUNS}email_is_one_person_whatever_its_case",
        f"{_LISTEN}who_comes_by_an_address_leaves_by_it_in_any_spelling",
    ),
    18: scenario("anonymous rows are skipped", f"{_RUNS}every_row_of_the_file_has_a_fate"),
    19: scenario(
        "a cio_ prefix is a cio_id's only, and told where it may be meant so",
        f"{_RUNS}an_id_that_looks_like_a_cio_id_is_sent_and_told", f"{_RUNS}a_cio_id_is_sent_without_its_prefix",
        f"{_RUNS}an_id_arrives_to_the_byte",
    ),
    # -- cohorts: the other side ---------------------------------------------------------------------------------------
    20: scenario(
        "who is unknown is sent and told; without looking back, accepted is all that is known",
        f"{_RUNS}every_row_of_the_file_has_a_fate", f"{_RUNS}without_looking_back_accepted_is_added",
        f"{_COUNTS}the_counts_decide_the_exit_code",
    ),
    21: scenario("who comes late is added", f"{_RUNS}who_comes_late_is_added_although_the_cohort_did_not_change"),
    22: scenario("who was deleted and came back", f"{_RUNS}who_was_deleted_and_came_back_is_put_back"),
    23: scenario("who is suppressed", f"{_RUNS}who_is_suppressed_is_not_found_and_nothing_loops"),
    24: scenario(
        "who was merged away stays so, and who became a member by it is taken out",
        f"{_RUNS}who_was_merged_away_is_not_made_again", f"{_RECONCILE}who_joined_by_a_merge_is_taken_out",
    ),
    25: scenario(
        "edits by hand are told, and by a repair undone",
        f"{_RUNS}who_was_taken_out_by_hand_is_put_back_and_who_was_put_in_stays",
        f"{_RECONCILE}edits_by_hand_are_told_and_repaired",
    ),
    26: scenario(
        "a deleted segment, and one that took its name",
        f"{_SEGMENTS}a_deleted_segment_stops_the_run_unless_it_may_be_made_again",
        f"{_SEGMENTS}a_segment_that_took_the_name_of_the_deleted_one_is_not_written_to",
    ),
    27: scenario("somebody's segment of that name", f"{_SEGMENTS}a_segment_that_somebody_else_made_is_not_taken"),
    28: scenario(
        "a segment whose id was never stored is found by its marker",
        f"{_FAULTS}a_kill_at_every_request_ends_in_the_same_place",
        f"{_FAULTS}a_segment_is_made_once_whatever_happens_to_the_answer",
    ),
    29: scenario(
        "a data-driven one, from the start or since",
        f"{_SEGMENTS}a_data_driven_segment_is_refused_before_anybody_is_sent",
        f"{_SEGMENTS}the_stored_segment_is_refused_once_it_is_data_driven",
    ),
    30: scenario("a renamed cohort keeps its segment", f"{_SEGMENTS}a_renamed_cohort_keeps_its_segment"),
    31: scenario(
        "an archived or unknown cohort",
        f"{_SCHEDULES}an_archived_cohort_ends_its_schedule_and_is_told_once",
        f"{_PULL}a_cohort_that_can_not_be_right_stops_the_run", f"{_PULL}an_unknown_cohort_stops_the_run",
    ),
    # -- cohorts: faults and concurrency -------------------------------------------------------------------------------
    32: scenario(
        "a 500 in the middle is tried again, up to eight times",
        f"{_FAULTS}passing_trouble_changes_nothing_but_the_retries",
        "integration/test_one_clock.py::test_what_fails_is_tried_again_eight_times_unless_told_otherwise",
    ),
    33: scenario(
        "a call that fails for good leaves the others alone, and is all that the next run sends",
        f"{_FAULTS}a_call_that_is_refused_for_good_leaves_the_others_alone",
        f"{_FAULTS}a_call_that_never_gets_an_answer_is_pending_and_sent_next_time",
    ),
    34: scenario("applied, but the answer was lost", f"{_FAULTS}passing_trouble_changes_nothing_but_the_retries"),
    35: scenario("a 401 stops at once", f"{_RUNS}a_key_that_is_taken_away_in_mid_run_stops_it_at_once"),
    36: scenario(
        "a Retry-After, as seconds or as a date, holds back its API in every process and no other API",
        "contract/test_sync_driver.py::test_a_retry_after_holds_back_its_whole_api_and_no_other",
        "contract/test_sync_driver.py::test_a_retry_after_that_is_a_date_is_waited_for",
        "contract/test_sync_pacing.py::test_what_one_is_told_holds_for_the_other",
    ),
    37: scenario(
        "every way in which an answer fails has a class, and the time is bounded",
        f"{_FAULTS}passing_trouble_changes_nothing_but_the_retries",
        f"{_FAULTS}an_answer_that_takes_half_a_minute_is_not_waited_for",
        "contract/test_sync_transport.py::test_an_exception_means",
        "contract/test_sync_transport.py::test_an_answer_that_drips_for_ever_is_cut",
        "contract/test_sync_pacing.py::test_slow_answers_count_against_the_patience",
    ),
    38: scenario(
        "killed anywhere, it ends like a run that was not",
        f"{_FAULTS}a_kill_at_every_request_ends_in_the_same_place",
        f"{_FAULTS}a_kill_at_every_commit_ends_in_the_same_place",
        "integration/test_kill.py::test_a_killed_cohort_run_ends_like_one_that_was_not",
        "integration/test_kill_everywhere.py::test_a_pulled_cohort_costs_two_requests_at_most",
        "integration/test_kill_everywhere.py::test_what_was_pushed_is_delivered_and_events_once",
    ),
    39: scenario(
        "one run a sync; a dead one's lease is free",
        "integration/test_cohort_cli.py::test_two_processes_never_run_one_sync_at_once",
        "integration/test_cohort_ledger.py::test_a_lease_whose_process_was_killed_is_free_at_once",
    ),
    40: scenario(
        "another region than configured", f"{_RUNS}another_region_than_configured_is_refused_before_anything_leaves"
    ),
    41: scenario(
        "a lost ledger costs no churn",
        f"{_SEGMENTS}a_lost_ledger_finds_its_segment_again_and_changes_only_what_differs",
        f"{_LISTEN}a_lost_state_takes_nobody_out_of_whom_no_push_says_that_they_left",
    ),
    42: scenario("too many removals", f"{_SEGMENTS}too_many_removals_stop_unless_they_are_meant"),
    # -- cohorts: asked for at Amplitude -------------------------------------------------------------------------------
    43: scenario("asked for, waited for, read once", f"{_PULL}a_cohort_is_asked_for_waited_for_and_delivered"),
    44: scenario(
        "an expired link", f"{_PULL}an_expired_link_is_replaced_by_a_fresh_one_without_another_request"
    ),
    45: scenario("the storage sees no credentials", f"{_PULL}the_credentials_never_reach_the_storage"),
    46: scenario(
        "gzip with and without its header, and cut",
        f"{_PULL}gzip_is_read_with_and_without_its_header",
        f"{_PULL}a_gzip_that_was_cut_before_it_was_stored_stops_the_run",
    ),
    47: scenario(
        "the month's last request", f"{_PULL}the_last_request_of_the_month_is_used_and_the_next_refused_here"
    ),
    48: scenario(
        "a wrong key and a wrong secret",
        f"{_PULL}a_wrong_key_points_to_the_key_and_the_region", f"{_PULL}a_wrong_secret_points_to_the_secret",
    ),
    49: scenario("a computation is resumed", f"{_PULL}a_computation_that_takes_too_long_is_resumed"),
    50: scenario(
        "fewer rows than Amplitude counts",
        f"{_PULL}another_count_than_amplitudes_is_told", f"{_PULL}a_cohort_that_can_not_be_right_stops_the_run",
    ),
    # -- cohorts: pushed by Amplitude ----------------------------------------------------------------------------------
    51: scenario(
        "a list made twice is one, whose id stands flat and nested",
        f"{_LISTEN}the_list_protocol_answers_ids_flat_and_nested_and_always_the_same",
    ),
    52: scenario(
        "calls in any order, four at a time, with repetitions",
        f"{_LISTEN}any_order_with_any_repetition_ends_in_the_same_people",
        f"{_LISTEN}calls_that_come_four_at_a_time_end_like_one_after_the_other",
    ),
    53: scenario(
        "a repeated message; each is answered before anything is delivered, also while nothing can be",
        f"{_LISTEN}a_message_is_applied_once_however_often_it_comes",
        f"{_LISTEN}pushes_are_taken_while_customer_io_is_down_and_delivered_when_it_is_back",
    ),
    54: scenario("an exit before its entry", f"{_LISTEN}an_exit_that_arrives_before_its_entry_wins_by_its_time"),
    55: scenario(
        "a wrong secret, a long body, odd shapes",
        "integration/test_listen_command.py::test_a_shared_secret_is_asked_for",
        "integration/test_listen_command.py::test_what_can_not_be_kept_is_refused",
        "integration/test_listen_command.py::test_a_long_body_is_refused_also_where_its_length_was_not_declared",
    ),
    56: scenario(
        "traits, parted at the last colon",
        f"{_LISTEN}traits_become_members",
        "unit/sync/test_pushes.py::test_a_list_name_is_taken_apart_at_its_last_colon",
    ),
    # -- events --------------------------------------------------------------------------------------------------------
    57: scenario(
        "an event arrives with its own second, its id and the selected properties",
        f"{_EVENTS}an_event_arrives_whole", f"{_EVENTS}rules_choose_what_is_sent",
        "unit/sync/test_wire_events.py::test_an_event_of_its_own",
        "unit/sync/test_wire_events.py::test_a_timestamp_is_whole_seconds_rounded_down",
    ),
    58: scenario("a page view is an event of that name", f"{_EVENTS}an_event_arrives_whole"),
    59: scenario("an event of nobody harms no other", f"{_EVENTS}every_row_of_a_mixed_export_has_its_fate"),
    60: scenario("an event makes its person", f"{_EVENTS}each_person_gets_their_own_events"),
    61: scenario(
        "one event by several ways is one",
        f"{_EVENTS}another_path_delivers_nothing_twice",
        f"{_EVENTS}another_machine_sends_the_same_ids_and_customer_io_keeps_one",
        "integration/test_listen_events.py::test_an_event_that_was_streamed_twice_and_then_exported_is_one",
    ),
    62: scenario("one insert id, two devices", f"{_EVENTS}one_insert_id_on_two_devices_is_two_events"),
    63: scenario(
        "every spelling of a time, and what is none",
        "unit/sync/test_times.py::test_a_time_is_read_as_utc",
        "unit/sync/test_times.py::test_what_is_no_time_stays_none",
        f"{_EVENTS}every_row_of_a_mixed_export_has_its_fate",
    ),
    64: scenario(
        "100,000 bytes of data and not one more",
        "unit/sync/test_batches.py::test_data_fits_an_event_up_to",
        f"{_NOTES}of_an_event_that_is_too_large_parts_are_left_out", f"{_NOTES}the_limit_is_kept_to_the_byte",
    ),
    65: scenario(
        "300 attributes of 301, and an event of 301 properties whole",
        f"{_PEOPLE}300_attributes_are_sent_and_the_others_told",
        f"{_PEOPLE}named_properties_come_first_in_their_order",
        "unit/sync/test_batches.py::test_an_event_with_301_properties_goes_whole",
    ),
    66: scenario(
        "no property may address a campaign's mail",
        "unit/sync/test_properties.py::test_a_name_that_means_something_else_gets_a_prefix",
        f"{_EVENTS}an_event_arrives_whole",
    ),
    67: scenario(
        "odd values, and nothing but text in parity",
        f"{_EVENTS}odd_values_arrive_as_documented",
        "unit/sync/test_properties.py::test_every_value_arrives_as_it_was",
        "unit/sync/test_properties.py::test_parity_sends_nothing_but_text",
    ),
    68: scenario(
        "an identifier of any letters is the same person by both ways",
        f"{_EVENTS}both_ways_lead_to_the_same_person",
        "unit/sync/test_wire_events.py::test_any_identifier_comes_out_of_either_dialect_as_it_went_in",
    ),
    69: scenario(
        "three 503, and one that never ends",
        f"{_EVENT_FAULTS}three_503_and_then_an_answer_is_one_delivery",
        f"{_EVENT_FAULTS}what_gets_no_answer_expires_and_is_sent_by_the_next_run",
        "integration/test_retry.py::test_what_expired_is_sent_again_and_settled",
    ),
    70: scenario(  # parity is about values: what was refused is sent again by `retry`, when somebody has a reason to
        "a 400 is not repeated, and its words are kept",
        f"{_EVENT_FAULTS}a_400_for_a_whole_batch_leads_to_the_guilty_event",
        f"{_EVENT_FAULTS}a_refused_event_of_its_own_does_not_stop_the_others",
    ),
    71: scenario(
        "nobody's events overtake each other",
        "integration/test_events_lanes.py::test_nobody_is_overtaken_whatever_happens_to_some_requests",
        f"{_EVENTS}a_large_event_keeps_its_place_among_those_of_its_person",
    ),
    72: scenario(
        "what is missing matches nothing, by `is not` as little as by `is`",
        "unit/sync/test_conditions.py::test_the_truth_table",
        "unit/sync/test_conditions.py::test_all_must_hold_and_what_does_not_is_filtered",
    ),
    73: scenario(
        "a user update writes what is selected, and what Amplitude alone knows waits",
        f"{_PEOPLE}a_user_update_writes_what_is_selected",
        f"{_PEOPLE}operations_that_wait_are_told_and_made_good_by_the_next_event",
        f"{_PEOPLE}what_was_sent_is_remembered_and_older_rows_say_nothing",
    ),
    74: scenario(
        "an update of nobody, and one that would make somebody else",
        f"{_PEOPLE}an_update_of_nobody_is_not_sent",
        f"{_PEOPLE}nobody_becomes_somebody_else_unless_it_is_meant",
    ),
    75: scenario(
        "an hour without events, and hours read again",
        f"{_EXPORT}hours_without_events_are_empty_and_passed",
        f"{_EXPORT}the_next_run_reads_the_new_hour_and_two_again_without_repeating",
        f"{_EXPORT}nothing_is_asked_before_an_hour_has_become_available",
    ),
    76: scenario(
        "a range that is too large",
        f"{_EXPORT}a_range_that_is_too_large_is_halved",
        f"{_EXPORT}an_hour_that_is_too_large_ends_the_run_where_it_was",
    ),
    77: scenario(
        "a corrupt member",
        f"{_EXPORT}a_corrupt_hour_is_not_passed_and_the_hours_before_it_are_delivered",
        "integration/test_events_files.py::test_a_file_is_told_by_its_first_bytes",
    ),
    78: scenario(
        "any size in bounded memory",
        f"{_EVENTS}memory_does_not_grow_with_the_source", f"{_EVENTS}memory_stays_bounded_by_batches",
        "integration/test_events_files.py::test_a_large_gzip_from_standard_input_is_streamed",
    ),
    79: scenario(
        "an event that was renamed", f"{_NOTES}an_event_that_no_longer_comes_is_told_with_the_number_of_runs"
    ),
    80: scenario(
        "events of a suppressed person", f"{_EVENTS}an_event_of_a_suppressed_person_is_accepted_and_ignored"
    ),
}  # fmt: skip
