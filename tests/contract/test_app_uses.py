"""App API over a real socket: what uses a segment, and what that means for its deletion."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live = fixtures.live

NOTHING: dict[str, list[int]] = {"campaigns": [], "sent_newsletters": [], "draft_newsletters": []}
OURS, OTHER = {"segment": {"id": 1}}, {"segment": {"id": 2}}
PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
NESTED = {"and": [PRO, {"or": [{"not": OURS}, PRO]}]}


def world(live: Live, *, settings: dict[str, Any] | None = None, **seed: Any) -> Site:
    segments = [{"name": "ours"}, {"name": "other"}, *seed.pop("segments", [])]
    site = live.site(seed={"segments": segments, **seed}, settings=settings or {})
    site.hosted.clock.set(NOW)
    return site


def uses(site: Site, segment: int = 1) -> Any:
    return site.app.get(f"/v1/segments/{segment}/used_by").json()["used_by"]


def deletable(site: Site) -> bool:
    """Whether the segment can be deleted where those in use can't."""
    site.hosted.state.settings = site.hosted.state.settings.with_({"delete_segment_in_use": "reject"})
    return site.app.delete("/v1/segments/1").status_code == 204


BROADCASTS = [
    pytest.param(OURS, [5], id="its members"),
    pytest.param(NESTED, [5], id="named deep inside"),
    pytest.param({"and": [OTHER, OURS]}, [5], id="named among others"),
    pytest.param(OTHER, [], id="members of another"),
    pytest.param(PRO, [], id="an attribute"),
    pytest.param(None, [], id="everybody"),
]


@pytest.mark.parametrize(("recipients", "campaigns"), BROADCASTS)
def test_a_broadcast_uses_the_segments_that_its_audience_names(
    live: Live, recipients: Any, campaigns: list[int]
) -> None:
    site = world(live, broadcasts=[{"id": 5, "name": "B", "recipients": recipients}])
    assert uses(site) == {**NOTHING, "campaigns": campaigns}
    assert deletable(site) is not bool(campaigns)


def test_a_seed_may_say_more_and_nothing_twice(live: Live) -> None:
    used = {"name": "third", "used_by": {"campaigns": [9, 5], "sent_newsletters": [4]}}
    site = world(live, segments=[used], broadcasts=[{"id": 5, "name": "B", "recipients": {"segment": {"id": 3}}}])
    assert uses(site, 3) == {"campaigns": [5, 9], "sent_newsletters": [4], "draft_newsletters": []}


def test_a_trigger_uses_its_segments_until_it_is_processed(live: Live) -> None:
    site = world(live, broadcasts=[{"id": 5, "name": "B"}, {"id": 6, "name": "C"}], settings={"broadcast_s": 60})
    assert site.app.post("/v1/campaigns/5/triggers", json={"recipients": NESTED}).status_code == 200
    assert site.app.post("/v1/campaigns/6/triggers", json={"recipients": OTHER}).status_code == 200
    assert site.app.post("/v1/campaigns/6/triggers", json={}).status_code == 200
    assert (uses(site)["campaigns"], uses(site, 2)["campaigns"]) == ([5], [6])
    site.hosted.clock.advance(60)
    assert (uses(site), uses(site, 2)) == (NOTHING, NOTHING)
    assert deletable(site)


def test_conditions_that_name_a_segment_keep_it_too(live: Live) -> None:
    site = world(live, segments=[{"name": "auto", "type": "dynamic", "conditions": NESTED}])
    assert uses(site) == NOTHING, "segments have no place in the published answer"
    assert not deletable(site)
    assert [rule for _, _, rule in site.outcomes()] == ["app.segment.in_use"]
    assert site.app.delete("/v1/segments/3").status_code == 204
    assert deletable(site)
