"""App API over a real socket: data-driven segments, which nobody fills and whose members come and go by themselves."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract import live as fixtures
from tests.contract import plain
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

DAY_S = 86_400
PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
BOUGHT = {"and": [{"event": {"name": "order", "type": "event"}, "times": 1, "within": 7 * DAY_S, "inverse": False}]}


def with_segments(live: Live, *conditions: dict[str, Any], **settings: Any) -> Site:
    rows = [{"name": "auto", "description": "d", "type": "dynamic", "conditions": each} for each in conditions]
    site = live.site(settings=settings, seed={"segments": rows})
    site.stop_clock()
    return site


def make(site: Site, conditions: Any) -> httpx.Response:
    document = {"name": "auto", "type": "dynamic", "conditions": conditions}
    return plain.post(f"{site.live.url}/_fakeio/workspaces/{site.hosted.id}/segments", json=document)


def seen(site: Site, segment: int = 1) -> tuple[list[str], int, list[str]]:
    """Its members by membership, by count and by search."""
    found = site.app.post("/v1/customers", json={"filter": {"segment": {"id": segment}}}).json()
    return (
        site.app.get(f"/v1/segments/{segment}/membership").json()["ids"],
        site.app.get(f"/v1/segments/{segment}/customer_count").json()["count"],
        [row["id"] for row in found["identifiers"]],
    )


def test_people_enter_and_leave_as_they_change(live: Live) -> None:
    site = with_segments(live, PRO)
    site.identify("1", plan="pro")
    site.identify("2", plan="free")
    assert seen(site) == (["1"], 1, ["1"])
    row = {"id": 1, "name": "auto", "description": "d"}
    assert site.app.get("/v1/customers/1/segments").json() == {"segments": [row]}
    assert site.app.get("/v1/customers/2/segments").json() == {"segments": []}
    site.identify("1", plan="free")
    site.identify("2", plan="pro")
    assert seen(site) == (["2"], 1, ["2"])
    site.track.delete("/api/v1/customers/2")
    assert seen(site) == ([], 0, [])


def test_people_leave_as_time_goes_by(live: Live) -> None:
    site = with_segments(live, BOUGHT, {"not": {"segment": {"id": 1}}})
    site.identify("1")
    site.track.post("/api/v1/customers/1/events", json={"name": "order"})
    assert (seen(site), seen(site, 2)) == ((["1"], 1, ["1"]), ([], 0, []))
    site.hosted.clock.advance(7 * DAY_S)
    assert (seen(site), seen(site, 2)) == (([], 0, []), (["1"], 1, ["1"]))


def test_a_held_write_is_judged_when_it_is_carried_out(live: Live) -> None:
    site = with_segments(live, PRO, propagation_delay_s=5)
    site.identify("1", plan="pro")
    assert seen(site) == ([], 0, [])
    site.hosted.clock.advance(5)
    assert seen(site) == (["1"], 1, ["1"])


def test_a_build_takes_the_time_it_is_given(live: Live) -> None:
    site = with_segments(live, segment_build_s=100)
    site.identify("1", plan="pro")
    site.hosted.clock.set(NOW)
    assert make(site, {"and": [PRO, {"not": BOUGHT}]}).status_code == 201
    stages = []
    for _ in range(5):
        shown = site.app.get("/v1/segments/1").json()["segment"]
        stages.append((shown["state"], shown["progress"], seen(site)[1]))
        site.hosted.clock.advance(25)
    assert stages == [
        ("events_queued", None, 0), ("events", 25, 0), ("build_queued", None, 0), ("build", 75, 0),
        ("finished", None, 1),
    ]  # fmt: skip
    assert site.app.get("/v1/segments/1").json()["segment"]["deduplicate_id"] == f"1:{int(NOW) + 100}"


def test_a_build_is_finished_at_once_unless_told_otherwise(live: Live) -> None:
    site = live.site()
    site.identify("1", plan="pro")
    made = make(site, PRO).json()
    assert (made["state"], made["progress"], made["count"]) == ("finished", None, 1)


@pytest.mark.parametrize(
    ("switch", "status", "outcome"),
    [
        pytest.param("accept", 200, ("join_segment", "ignored", "segment.dynamic"), id="accepted and dropped"),
        pytest.param("400", 400, ("join_segment", "refused", "track.segment.dynamic"), id="refused"),
    ],
)
def test_an_add_call_adds_nobody(live: Live, switch: str, status: int, outcome: tuple[str, str, str]) -> None:
    site = with_segments(live, PRO, segment_dynamic_write=switch)
    site.identify("1")
    answer = site.track.post("/api/v1/segments/1/add_customers", json={"ids": ["1"]})
    assert (answer.status_code, site.outcomes()) == (status, [outcome])
    assert seen(site) == ([], 0, [])


def test_deleting_a_segment_judges_its_members_by_those_that_asked_about_it(live: Live) -> None:
    site = with_segments(live, PRO, {"not": {"segment": {"id": 1}}})
    site.identify("1", plan="pro")
    assert seen(site, 2)[0] == []
    assert site.app.delete("/v1/segments/1").status_code == 204
    assert seen(site, 2) == (["1"], 1, ["1"])


@pytest.mark.parametrize(
    ("switch", "status", "outcome"),
    [
        pytest.param("allow", 204, ("delete_segment", "applied", None), id="deleted"),
        pytest.param("reject", 400, ("delete_segment", "refused", "app.segment.dynamic"), id="refused"),
    ],
)
def test_a_data_driven_segment_is_deleted_by_switch(
    live: Live, switch: str, status: int, outcome: tuple[str, str, str | None]
) -> None:
    site = with_segments(live, PRO, delete_segment_dynamic=switch)
    answer = site.app.delete("/v1/segments/1")
    assert (answer.status_code, site.outcomes()) == (status, [outcome])
    assert len(site.app.get("/v1/segments").json()["segments"]) == (0 if switch == "allow" else 1)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        pytest.param({"colour": 1}, "conditions/colour: a condition is an object with one of", id="an unknown key"),
        pytest.param({"segment": {"id": 1}}, "conditions/segment: no segment may depend on itself", id="itself"),
        pytest.param([], "conditions are an object", id="a list"),
    ],
)
def test_bad_conditions_are_told(site: Site, conditions: Any, said: str) -> None:
    answer = make(site, conditions)
    assert answer.status_code == 400
    assert said in answer.text
    assert site.app.get("/v1/segments").json() == {"segments": []}


def test_why_somebody_is_not_in_names_the_condition(live: Live) -> None:
    site = with_segments(live, {"and": [PRO, {"attribute": {"field": "city", "operator": "exists"}}]})
    site.identify("1", plan="pro")
    base = f"{site.live.url}/_fakeio/workspaces/{site.hosted.id}/people/{site.cio_id('1')}/explain"
    told = plain.get(base, params={"segment": "1"}).json()
    assert told["why"] == "data-driven: conditions/and/1/attribute fails (city exists): it is None"
