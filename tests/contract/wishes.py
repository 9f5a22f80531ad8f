"""What users of other fakes have asked for, and what answers it here: the table on the fake's page is made from it.

Collected from public threads of many projects; each row says the wish in our own words and names the tests that hold
the answer, a page where the answer is one of reading, or why there is none. `test_wishes.py` fails when a row is
missing or a test is gone.
"""

from __future__ import annotations

from typing import NamedTuple

COUNT = 66

_FAKE = "test_fake_python.py::"
_SPACE = "test_fake_workspace.py::"
_ROWS = "test_control_rows.py::"
_TAPE = "test_control_tape.py::"
_KEPT = "test_server_tape.py::"
_SNAPSHOTS = "test_control_snapshots.py::"
_EXPORT = "test_reproductions.py::"
_REPLAY = "test_replay.py::"
_V1 = "test_track_v1.py::"
_PLUGIN = "test_pytest_plugin.py::"
_ASSERT = "test_assertions_tape.py::"
_WEATHER = "test_weather.py::"
_FAULTS = "test_faults.py::"
_PLANS = "test_fault_plans.py::"
_FIDELITY = "test_fidelity.py::"
_READ_BACK = "test_app_customers.py::test_what_is_written_can_be_read_at_once_or_after_the_delay"
_ISOLATED = "test_isolation.py::test_whatever_is_done_in_whatever_order_no_workspace_sees_another"
_RESET = _ROWS + "test_a_reset_clears_state_tape_faults_and_clock_and_keeps_credentials"
_SEEDED_RESET = _KEPT + "test_a_reset_restores_settings_and_seed_and_keeps_the_credentials"
_EVERY_ROUTE = _FIDELITY + "test_an_imitated_route_has_a_test"
_DATA = ("test_data_file.py::test_everything_that_was_answered_survives_kill_9",)
_DROPPED = _ASSERT + "test_what_needs_a_dropped_exchange_fails_and_says_how_to_keep_more"


class Wish(NamedTuple):
    """One wish: whose users it is from and in which threads, what they want, and what answers it."""

    peer: str
    threads: str
    says: str
    tests: tuple[str, ...] = ()
    page: str = ""
    because: str = ""


def answered(peer: str, threads: str, says: str, *tests: str) -> Wish:
    """One that tests hold."""
    return Wish(peer, threads, says, tests)


def read(peer: str, threads: str, says: str, page: str, *tests: str) -> Wish:
    """One that a page answers."""
    return Wish(peer, threads, says, tests, page)


def declined(peer: str, threads: str, says: str, because: str) -> Wish:
    """One that nothing here answers, and why."""
    return Wish(peer, threads, says, because=because)


WISHES: dict[int, Wish] = {
    1: answered("stripe-mock", "stripe/stripe-mock#19",
                "what was created comes back as what it is",
                _READ_BACK, "test_sdk_python.py::test_a_call_arrives_and_changes"),
    2: answered("stripe-mock", "stripe/stripe-mock#30",
                "every attribute that was sent is in what is read later",
                _ROWS + "test_people_are_seeded_read_and_explained",
                "test_app_customers.py::test_a_profile_shows_every_attribute_as_text"),
    3: answered("stripe-mock", "stripe/stripe-mock#225",
                "a state moves on after a write that moves it",
                "test_app_dynamic.py::test_people_enter_and_leave_as_they_change",
                "test_app_newsletters.py::test_it_waits_for_its_time_and_is_sent_once"),
    4: answered("stripe-stateful-mock", "pushplay/stripe-stateful-mock#12",
                "what is not imitated says so instead of pretending",
                _V1 + "test_an_operation_that_is_not_imitated_says_so_on_the_tape",
                "test_cli_fakeio_client.py::test_routes_that_are_not_built_say_so"),
    5: answered("localstripe", "adrienverge/localstripe#7",
                "the vendor's own clients work, every method of them",
                "test_sdk_python.py::test_every_method_of_the_client_is_in_a_table",
                "test_sdk_node.py::test_every_method_of_the_client_is_in_a_table"),
    6: read("localstripe", "adrienverge/localstripe#163",
            "a list of the routes there are, and of those there are not", "What is imitated",
            _EVERY_ROUTE, "test_control_api.py::test_the_server_describes_itself"),
    7: declined("localstripe", "adrienverge/localstripe#84",
                "what browsers call works too",
                "not yet: the browser routes are Pipelines', which answer as unknown and are listed as not imitated"),
    8: answered("moto", "getmoto/moto#5608",
                "one call brings a server back to its beginning between two tests", _RESET),
    9: answered("moto", "getmoto/moto#4368",
                "tests that run at the same time on one server do not reset each other",
                _PLUGIN + "test_the_fixtures_work_in_parallel", _ISOLATED),
    10: answered("LocalStack", "localstack/localstack#4613",
                 "what was written is still there after a restart, for everybody", *_DATA),
    11: answered("LocalStack", "localstack/localstack#2527",
                 "what is kept is the state, so that nothing has to be replayed to have it back",
                 _SNAPSHOTS + "test_what_is_put_back_is_what_was_got", *_DATA),
    12: answered("LocalStack", "localstack/localstack#8065",
                 "everything a workspace holds is kept and loaded, not some parts of it",
                 _SNAPSHOTS + "test_what_is_put_back_is_what_was_got",
                 "test_forking.py::test_forks_go_on_alike_and_never_see_each_other"),
    13: answered("LocalStack", "localstack/localstack#4662",
                 "the start is quick, and one line says when it is over",
                 "test_cli_fakeio.py::test_it_says_when_it_is_ready_answers_and_stops_with_0"),
    14: answered("LocalStack", "awspring/spring-cloud-aws#1586, testcontainers/testcontainers-python#985",
                 "no account, token or sign-up",
                 "test_wheel.py::test_the_licence_travels_along",
                 "test_docs.py::test_the_first_how_to_ends_as_it_says_in_a_new_environment"),
    15: answered("LocalStack", "quickwit-oss/quickwit#6303, civiform/civiform#13023",
                 "free software that can't be taken back",
                 "test_wheel.py::test_the_licence_travels_along"),
    16: read("Azurite", "Azure/Azurite#1117",
             "it does not stall at tens of thousands of rows, or at a million",
             "../tests/benchmarks/README.md"),
    17: read("Azurite", "Azure/Azurite#1331",
             "a write costs the same however much there is already",
             "../tests/benchmarks/README.md"),
    18: answered("Azurite", "Azure/Azurite#2227",
                 "nothing is written to disk unless asked for",
                 "test_wishes.py::test_nothing_is_written_to_disk_unless_asked_for",
                 "test_exec.py::test_everything_is_in_one_private_folder_that_goes_with_the_run"),
    19: answered("fake-gcs-server", "fsouza/fake-gcs-server#711",
                 "any port will do, and every url that is handed out fits it",
                 "test_server.py::test_a_free_port_is_found_and_told",
                 "test_app_exports.py::test_a_link_leads_back_the_way_that_the_request_came"),
    20: answered("fake-gcs-server", "fsouza/fake-gcs-server#1785",
                 "it answers under any host name; control calls alone are choosy",
                 "test_doors.py::test_each_of_the_six_hosts_leads_into_the_fake",
                 "test_control_api.py::test_a_host_is_ours"),
    21: answered("Firebase", "firebase/firebase-tools#1167",
                 "a large beginning is there at once, without side effects",
                 _ROWS + "test_people_are_seeded_read_and_explained",
                 _SNAPSHOTS + "test_a_snapshot_is_a_seed"),
    22: answered("Firebase", "firebase/firebase-tools#2297",
                 "a reset goes back to the seed, not to nothing", _SEEDED_RESET,
                 _SNAPSHOTS + "test_a_fork_is_reset_to_what_it_was_forked_as"),
    23: answered("Firebase", "firebase/firebase-tools#2768",
                 "state is put in while the server runs",
                 _ROWS + "test_forks_differences_and_snapshots",
                 "test_client.py::test_a_snapshot_is_printed_saved_and_loaded"),
    24: answered(
        "Firebase", "firebase/firebase-tools#7396, firebase/firebase-tools#6839, firebase/firebase-tools#2218",
                 "one run goes on where another ended", *_DATA),
    25: answered("Firebase", "firebase/firebase-tools#2261",
                 "several of them live side by side",
                 _FAKE + "test_two_fakes_know_nothing_of_each_other",
                 _SPACE + "test_new_workspaces_are_isolated_and_removable"),
    26: read("Pub/Sub emulator", "googleapis/google-cloud-cpp#4792",
             "a list of what is missing that is true today",
             "What is not imitated", "test_docs.py::test_a_table_is_the_one_in_the_code"),
    27: answered("Pub/Sub emulator", "googleapis/nodejs-pubsub#1646",
                 "what is accepted and comes to nothing is told, with why",
                 _TAPE + "test_what_came_to_nothing_is_listed_with_the_rule_that_says_why",
                 _ASSERT + "test_everything_accepted_and_ignored_is_listed"),
    28: answered("Pub/Sub emulator", "TheKevJames/tools#989",
                 "options of behaviour are part of the configuration and of a seed",
                 "test_cli_fakeio.py::test_the_default_workspace_starts_with_its_region_seed_and_settings",
                 _FIDELITY + "test_a_switch_has_a_test"),
    29: answered("WireMock", "wiremock/wiremock#456",
                 "state is right when many write at once",
                 "test_concurrency.py::test_the_end_is_that_of_the_same_requests_one_after_the_other"),
    30: answered("WireMock", "wiremock/wiremock#498, wiremock/wiremock#1356",
                 "each test has a state of its own",
                 _PLUGIN + "test_the_fixtures_give_a_server_and_a_fresh_workspace", _ISOLATED),
    31: answered("WireMock", "wiremock/wiremock#1027",
                 "something in the request chooses the state",
                 "test_isolation.py::test_a_write_reaches_its_own_workspace_alone"),
    32: answered("WireMock.Net", "wiremock/WireMock.Net#1321",
                 "a test puts the state to where it needs it",
                 _SPACE + "test_people_are_added_and_found", _SPACE + "test_segments_and_their_members_are_seen"),
    33: answered("MockServer", "mock-server/mockserver-monorepo#1713",
                 "what is verified in parallel is right, and no log is cut short in silence",
                 _PLUGIN + "test_the_fixtures_work_in_parallel", _DROPPED),
    34: answered("MockServer", "mock-server/mockserver-monorepo#1171",
                 "requests that the log has lost are missed aloud", _DROPPED,
                 _EXPORT + "test_a_tape_that_has_dropped_some_is_not_exported_whole"),
    35: answered("MockServer", "mock-server/mockserver-monorepo#801",
                 "the log is bounded, by count and by bytes",
                 "test_cli_fakeio.py::test_the_tape_is_bounded_by",
                 _KEPT + "test_the_oldest_exchanges_give_way_to_the_bytes"),
    36: answered(
        "MockServer",
        "mock-server/mockserver-monorepo#1757, "
        "mock-server/mockserver-monorepo#452, "
        "mock-server/mockserver-monorepo#77",
                 "a verification that fails shows what came closest",
                 _ASSERT + "test_the_nearest_calls_are_shown_with_what_differs",
                 _TAPE + "test_verify_shows_the_nearest_misses_and_what_differs"),
    37: answered("MockServer", "mock-server/mockserver-monorepo#593",
                 "create, read, change and delete are one story",
                 "test_sdk_python.py::test_a_call_arrives_and_changes", _READ_BACK),
    38: answered("Prism", "stoplightio/prism#1706",
                 "a sandbox that keeps what it is told",
                 "test_app_customers.py::test_what_is_written_can_be_read_at_once_or_after_the_delay"),
    39: answered("Prism", "stoplightio/prism#2390",
                 "an order of answers, given beforehand", _FAULTS + "test_the_schedule_is_kept",
                 _PLANS + "test_a_plan_given_back_tells_its_story_again"),
    40: answered("Mockoon", "mockoon/mockoon#1339, mockoon/mockoon#1334, mockoon/mockoon#1373",
                 "data is put back between two tests without a restart", _RESET,
                 _SPACE + "test_a_reset_brings_the_beginning_back"),
    41: answered("Mockoon", "mockoon/mockoon#1098",
                 "behaviour beyond create, read, update, delete: merges, segments, suppression",
                 _V1 + "test_a_merge_keeps_what_the_primary_has",
                 "test_app_dynamic.py::test_people_enter_and_leave_as_they_change",
                 _V1 + "test_suppressing_blocks_every_identifier_until_one_is_freed"),
    42: answered("Mockoon", "mockoon/mockoon#632",
                 "a test asks the log what arrived", _TAPE + "test_the_tape_is_searched_by",
                 _SPACE + "test_requests_and_what_was_ignored_are_seen"),
    43: answered("Mockoon", "mockoon/mockoon#124",
                 "what was deleted is gone from the next list",
                 "test_app_segments.py::test_deleting_takes_the_membership_and_leaves_the_people",
                 "test_app_segments.py::test_a_deleted_person_is_no_member_any_more"),
    44: answered("Microcks", "microcks/microcks#1191, microcks/microcks#877",
                 "a store of state that loading anew does not break",
                 _SNAPSHOTS + "test_what_can_not_be_a_snapshot_is_refused_and_changes_nothing"),
    45: answered("Hoverfly", "SpectoLabs/hoverfly#428, SpectoLabs/hoverfly#679, SpectoLabs/hoverfly-java#147",
                 "the same question has another answer after a write",
                 _SNAPSHOTS + "test_differences_are_told_field_by_field", _READ_BACK),
    46: declined("Hoverfly", "SpectoLabs/hoverfly#864",
                 "what can't be answered is asked of the real service and recorded",
                 "never: a fake that may call the real service in a test can harm real people; `fakeio replay` tells "
                 "what it could not answer of a recording made elsewhere"),
    47: answered("Hoverfly", "SpectoLabs/hoverfly#764, SpectoLabs/hoverfly#1153",
                 "sequences do not get into each other, and answers may be slow",
                 _FAULTS + "test_a_fault_of_one_workspace_spares_the_others",
                 _FAULTS + "test_latency_delays_the_answer_and_changes_nothing_else"),
    48: answered("mountebank", "mountebank-testing/mountebank#187, mountebank-testing/mountebank#390",
                 "what happened before decides about the next request",
                 _WEATHER + "test_a_fault_strikes", "test_track_events.py::test_the_same_id_twice_is_one_event"),
    49: answered("mountebank", "mountebank-testing/mountebank#54, mountebank-testing/mountebank#170",
                 "nothing is lost by a restart; calls are counted without a leak", *_DATA,
                 _ASSERT + "test_calls_are_counted_and_returned",
                 _KEPT + "test_an_exchange_that_outlives_the_tape_s_bounds_leaves_no_trace"),
    50: answered("json-server", "typicode/json-server#872, typicode/json-server#486, typicode/json-server#450",
                 "back to the data it was started with", _SEEDED_RESET),
    51: answered("mmock", "jmartin82/mmock#124",
                 "two runs of tests do not share one state", _ISOLATED,
                 "test_isolation.py::test_no_two_workspaces_share_a_credential"),
    52: answered("Toxiproxy", "Shopify/toxiproxy#50, Shopify/toxiproxy#160",
                 "faults that speak HTTP: statuses, bodies, one route",
                 _FAULTS + "test_a_status_is_answered", "test_faults_at_moments.py::test_a_fault_at_a_moment"),
    53: answered("Toxiproxy", "Shopify/toxiproxy#404",
                 "the first two fail, then it works", _FAULTS + "test_the_schedule_is_kept",
                 _WEATHER + "test_any_weather_strikes_as_the_model_says"),
    54: answered("Toxiproxy", "Shopify/toxiproxy#603",
                 "a probability of zero changes nothing",
                 _WEATHER + "test_a_coin_is_a_share_of_one"),
    55: answered("feint", "stephrobert/feint#26",
                 "429s, 5xx and time-outs for single operations",
                 "test_faults_at_moments.py::test_a_fault_at_a_moment",
                 _WEATHER + "test_a_throttle_strikes_beyond_its_rate"),
    56: answered("vcrpy", "kevin1024/vcrpy#516, kevin1024/vcrpy#711, kevin1024/vcrpy#208",
                 "a recording that does not fit says what is wrong with it",
                 _REPLAY + "test_what_ends_otherwise_is_shown_with_why",
                 _REPLAY + "test_what_cannot_be_explained_is_reported_and_nothing_leaves_the_fake"),
    57: answered("pytest-httpserver", "csernazs/pytest-httpserver#79, csernazs/pytest-httpserver#323",
                 "one slow answer holds up no other",
                 "test_faults_held.py::test_held_requests_hold_up_no_other_and_no_end",
                 "test_server.py::test_a_latency_holds_one_request_and_no_other"),
    58: answered("pytest-httpserver", "csernazs/pytest-httpserver#290, csernazs/pytest-httpserver#54",
                 "resets, cuts and refusals on the socket itself, for one test",
                 _FAULTS + "test_the_socket_itself_says_how_it_ended",
                 "test_faults_held.py::test_a_connection_ends_without_a_status_line"),
    59: answered("respx", "lundberg/respx#299, lundberg/respx#228",
                 "an assertion on calls says what differs",
                 _ASSERT + "test_the_nearest_calls_are_shown_with_what_differs",
                 "test_assertions_events.py::test_near_misses_show_what_differs_and_where_each_came_from"),
    60: answered("responses", "getsentry/responses#142, getsentry/responses#162",
                 "how often is exactly as often as one says",
                 _TAPE + "test_verify_counts_what_arrived", _ASSERT + "test_a_number_that_differs_is_told"),
    61: answered("Mailpit", "axllent/mailpit#456, axllent/mailpit#117, mpspahr/mailpit-api#103, buggregator/server#333",
                 "the newest match in one call, without waiting for it",
                 "test_app_activities.py::test_the_newest_comes_first_with_everything_about_it",
                 _ROWS + "test_the_tape"),
    62: answered("Mailpit", "pushpak1300/cypress-mailpit#43",
                 "clearing on a shared instance clears one's own alone",
                 _KEPT + "test_a_reset_restores_settings_and_seed_and_keeps_the_credentials", _ISOLATED),
    63: answered(
        "Schemathesis",
        "schemathesis/schemathesis#1627, "
        "schemathesis/schemathesis#1381, "
        "schemathesis/schemathesis#3034",
                 "generated sequences that go on, and fixed ones beside them",
                 "test_machines.py::test_a_machine_finds_nothing_wrong_in_any_sequence_of",
                 "test_stories.py::test_a_story_ends_well"),
    64: answered("a mock that skipped key checks", "cyanheads/mcp-ts-core#329",
                 "keys are judged as the real service does",
                 _V1 + "test_one_answer_refuses_all_bad_credentials_before_the_body_is_read",
                 "test_isolation.py::test_a_key_of_one_workspace_does_not_open_another_with_the_site_id_of_that"),
    65: answered("simulated time", "KensioSoftware/yulin#263, stackshy/cloudemu#41",
                 "what expires does so when the clock says so",
                 _TAPE + "test_turning_the_clock_lets_fall_due_what_is_due",
                 "test_one_clock.py::test_one_long_wait_does_what_many_short_ones_do"),
    66: answered("throttling", "ananthakumaran/fake_dynamo#43",
                 "the error of too many requests on demand",
                 _FAULTS + "test_a_status_is_answered", _WEATHER + "test_a_throttle_strikes_beyond_its_rate"),
}
