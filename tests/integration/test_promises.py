"""Promises of fake and engine in the fewest moves: for each, a wrong variant that longer tests would find more slowly.

`scenarios/mutants/killers.json` names these beside tests from everywhere else.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from fakeio import Fake, WorkspaceHandle
from tests.contract import handling
from tests.contract.handling import identify, track
from tests.integration import cohort_engine, event_engine
from tests.integration.event_engine import IMPATIENT, row

fake, space, client = handling.fake, handling.space, handling.client


@pytest.fixture
def cohorts(fake: Fake, space: WorkspaceHandle, tmp_path: Path) -> cohort_engine.Engine:
    return cohort_engine.Engine(fake, space, tmp_path)


@pytest.fixture
def events(fake: Fake, space: WorkspaceHandle, tmp_path: Path) -> event_engine.Engine:
    return event_engine.Engine(fake, space, tmp_path)


# ---- the fake --------------------------------------------------------------------------------------------------------
def merge(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/merge_customers", {"primary": {"id": "1"}, "secondary": {"id": "2"}})


def members(space: WorkspaceHandle, segment_id: int = 1) -> list[str | None]:
    return [person.id for person in space.segment(segment_id).members]


def test_a_merge_moves_the_events(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_people([{"id": "1"}, {"id": "2"}])
    track(client, space, "POST", "/customers/2/events", {"name": "order"})
    merge(client, space)
    assert [(event.person.id, event.name) for event in space.events() if event.person] == [("1", "order")]


def test_a_merge_moves_the_memberships(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_people([{"id": "1"}, {"id": "2"}])
    add(client, space, "2")
    merge(client, space)
    assert members(space) == ["1"]


def add(client: httpx.Client, space: WorkspaceHandle, *ids: str) -> None:
    make(client, space)
    track(client, space, "POST", "/segments/1/add_customers", {"ids": list(ids)})


def make(client: httpx.Client, space: WorkspaceHandle) -> None:
    headers = {"authorization": f"Bearer {space.app_api_key}"}
    client.post("/v1/segments", json={"segment": {"name": "vip"}}, headers=headers).raise_for_status()


def test_one_call_makes_one_segment(client: httpx.Client, space: WorkspaceHandle) -> None:
    make(client, space)
    assert [segment.name for segment in space.segments] == ["vip"]


def test_whoever_is_deleted_is_gone(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_people([{"id": "1"}, {"id": "2"}])
    track(client, space, "DELETE", "/customers/1", None)
    assert [person.id for person in space.people] == ["2"]


def test_the_deleted_are_members_no_more(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_people([{"id": "1"}, {"id": "2"}])
    add(client, space, "1", "2")
    track(client, space, "DELETE", "/customers/1", None)
    headers = {"authorization": f"Bearer {space.app_api_key}"}
    answer = client.get("/v1/segments/1/customer_count", headers=headers)
    assert answer.json() == {"segment_id": 1, "count": 1}


def test_spaces_belong_to_an_id(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.add_people([{"id": "1"}])
    add(client, space, " 1", "1 ")
    assert members(space) == []


def test_an_event_whose_answer_got_lost_is_there_once(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.fault("lose_reply", times=1)
    event = {"name": "order", "id": "01BX5ZZKBKACTAV9WEVGEMMVRZ"}
    with pytest.raises(httpx.RemoteProtocolError):
        track(client, space, "POST", "/customers/1/events", event)
    track(client, space, "POST", "/customers/1/events", event)
    assert len(space.events()) == 1


def test_a_429_says_when_to_come_back(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.update_settings(rate_limits="enforced", app_rate_limit=1)
    headers = {"authorization": f"Bearer {space.app_api_key}"}
    answers = [client.get("/v1/segments", headers=headers) for _ in range(20)]
    throttled = [answer.headers.get("retry-after") for answer in answers if answer.status_code == 429]
    assert throttled
    assert set(throttled) == {"1"}


def test_suppressing_blocks_every_identifier(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "1", email="a@example.com")
    track(client, space, "POST", "/customers/1/suppress", None)
    identify(client, space, "a@example.com", plan="pro")
    assert space.people == []


def test_an_event_keeps_its_own_time(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/customers/1/events", {"name": "order", "timestamp": 1_700_000_000})
    assert [event.timestamp for event in space.events()] == [1_700_000_000]


def test_a_wrong_key_opens_nothing(client: httpx.Client, space: WorkspaceHandle) -> None:
    assert client.put("/api/v1/customers/1", json={}, auth=(space.site_id, "another")).status_code == 401
    assert space.people == []


def test_a_search_for_both_finds_who_is_both(client: httpx.Client, space: WorkspaceHandle) -> None:
    for who, city in (("1", "Bern"), ("2", "Rome")):
        identify(client, space, who, plan="pro", city=city)
    both = [{"attribute": {"field": field, "operator": "eq", "value": value}}
            for field, value in (("plan", "pro"), ("city", "Bern"))]  # fmt: skip
    headers = {"authorization": f"Bearer {space.app_api_key}"}
    answer = client.post("/v1/customers", json={"filter": {"and": both}}, headers=headers)
    assert [found["id"] for found in answer.json()["identifiers"]] == ["1"]


# ---- the engine ------------------------------------------------------------------------------------------------------
def test_people_leave_before_others_join(cohorts: cohort_engine.Engine) -> None:
    cohorts.people("a", "b")
    cohorts.run("a")
    cohorts.run("b", max_removal_share=1.0)
    paths = [one.path.rsplit("/", 1)[1] for one in cohorts.workspace.requests]
    changes = [path for path in paths if "_customers" in path]
    assert changes == ["add_customers", "remove_customers", "add_customers"]


def test_who_leaves_the_cohort_leaves_the_segment(cohorts: cohort_engine.Engine) -> None:
    cohorts.people("a", "b")
    cohorts.run("a", "b")
    cohorts.run("b", max_removal_share=1.0)
    assert cohorts.members() == {"b"}


def test_somebody_who_signs_up_later_is_asked_for_again(cohorts: cohort_engine.Engine) -> None:
    cohorts.people("a")
    cohorts.run("a", "late")
    cohorts.people("late")
    cohorts.run("a", "late")
    assert cohorts.members() == {"a", "late"}


def test_equal_cohorts_give_equal_calls(cohorts: cohort_engine.Engine) -> None:
    ids = ("a", "b", "c", "d")
    cohorts.people(*ids)
    cohorts.run(*ids, name="one")
    cohorts.run(*reversed(ids), name="two")
    first, second = cohorts.calls("add")
    assert first == second


def test_a_call_is_never_empty(cohorts: cohort_engine.Engine) -> None:
    cohorts.people("a")
    cohorts.run("a")
    assert cohorts.calls("remove") == []


def test_all_ids_are_sent_also_behind_the_last_full_call(cohorts: cohort_engine.Engine) -> None:
    cohorts.people("a")
    cohorts.run("a")
    assert cohorts.calls("add") == [["a"]]


def test_two_syncs_do_not_know_each_other(cohorts: cohort_engine.Engine) -> None:
    cohorts.people("a", "b")
    cohorts.run("a", name="one")
    cohorts.run("b", name="two")
    assert cohorts.report("a", name="one").already_members == 1


def test_a_plan_that_was_never_sent_is_sent_by_the_next_run(cohorts: cohort_engine.Engine) -> None:
    cohorts.people("a")
    cohorts.workspace.fault("status", status=503, match={"path": "*_customers"})
    cohorts.run("a", verify="none", policy=IMPATIENT)
    cohorts.workspace.clear_faults()
    cohorts.run("a", verify="none")
    assert cohorts.members() == {"a"}


def test_a_deleted_segment_is_not_made_anew_unasked(cohorts: cohort_engine.Engine) -> None:
    cohorts.people("a")
    cohorts.run("a")
    cohorts.delete_segment(1)
    assert cohorts.run("a").exit_code != 0
    assert cohorts.workspace.segments == []


def test_an_event_without_an_answer_is_sent_by_the_next_run(events: event_engine.Engine) -> None:
    events.workspace.fault("status", status=503, match={"path": "*batch"})
    events.run(row(1), policy=IMPATIENT)
    events.workspace.clear_faults()
    events.run()
    assert events.numbers() == [1]


def test_what_was_under_way_when_a_run_was_killed_is_sent_by_the_next(events: event_engine.Engine) -> None:
    class Killed(Exception):
        """The process is gone."""

    class Kills(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                raise Killed
            return httpx.Response(200, json={"region": "us", "environment_id": 1})

    with pytest.raises(Killed):
        events.run(row(1), network=Kills())
    events.run()
    assert events.numbers() == [1]


def test_an_event_read_twice_arrives_once(events: event_engine.Engine) -> None:
    events.run(row(1))
    events.path.unlink()  # a machine that knows nothing: only the event's id can tell
    events.run()
    assert events.numbers() == [1]


def test_two_events_of_one_second_arrive_both(events: event_engine.Engine) -> None:
    at = "2026-07-14 10:00:00.000000"
    events.run(row(1, event_time=at), row(2, event_time=at))
    assert events.numbers() == [1, 2]


def test_an_event_arrives_with_its_own_time_in_utc(events: event_engine.Engine) -> None:
    events.run(row(1, event_time="2026-07-14 10:00:01.900000"))
    assert [event.timestamp for event in events.workspace.events()] == [1_784_023_201]


def test_a_page_viewed_is_an_event_of_that_name(events: event_engine.Engine) -> None:
    events.run(row(1, event_type="[Amplitude] Page Viewed"))
    assert [(event.type, event.name) for event in events.workspace.events()] == [("event", "[Amplitude] Page Viewed")]


def test_a_property_can_not_redirect_mail(events: event_engine.Engine) -> None:
    events.run(row(1, event_properties={"recipient": "x@example.com"}))
    assert [event.data for event in events.workspace.events()] == [{"amplitude_recipient": "x@example.com"}]


def test_names_and_ids_are_measured_in_bytes(events: event_engine.Engine) -> None:
    report = events.report(row(1, event_type="é" * 51), row(2, user_id="é" * 76))
    assert report.discarded == {"event_name_too_long": 1, "id_too_long": 1}


def test_no_batch_exceeds_its_limit(events: event_engine.Engine) -> None:
    events.run(*event_engine.wide(*range(30)))
    assert len(events.sent()) == 2
