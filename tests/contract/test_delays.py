"""Accepted now, visible later: by setting and by fault, in order per person, and what the tape says meanwhile."""

from __future__ import annotations

from typing import Any

from fakeio.edge.tape import as_row
from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site


def delayed(live: Live, seconds: int = 5) -> Site:
    site = live.site(settings={"propagation_delay_s": seconds, "rate_limits": "off"})
    site.stop_clock()
    return site


def later(site: Site, seconds: float) -> None:
    site.hosted.clock.set(NOW + seconds)


def results(site: Site) -> list[Any]:
    found: list[Any] = site.app.get("/v1/customers", params={"email": "a@example.com"}).json()["results"]
    return found


def operation(site: Site, n: int) -> dict[str, Any]:
    exchange = site.hosted.tape.get(n)
    assert exchange is not None
    row: dict[str, Any] = as_row(exchange)["operations"][0]
    return row


def test_a_lookup_sees_a_write_only_when_its_delay_is_over(live: Live) -> None:
    site = delayed(live)
    assert site.identify("7", email="a@example.com").content == b"{}\n"
    assert results(site) == []
    later(site, 4)
    assert results(site) == []
    later(site, 5)
    assert [row["id"] for row in results(site)] == ["7"]


def test_the_tape_says_when_an_operation_was_accepted_and_processed(live: Live) -> None:
    site = delayed(live)
    site.identify("7", email="a@example.com")
    held = operation(site, 1)
    assert (held["outcome"], held["accepted_at"], held["processed_at"]) == ("pending", NOW, None)
    later(site, 9)
    results(site)
    done = operation(site, 1)
    assert (done["outcome"], done["accepted_at"], done["processed_at"]) == ("applied", NOW, NOW + 5)


def test_without_a_delay_both_times_are_one(live: Live, site: Site) -> None:
    site.stop_clock()
    site.identify("7")
    row = operation(site, 1)
    assert (row["outcome"], row["accepted_at"], row["processed_at"]) == ("applied", NOW, NOW)


def test_what_comes_to_nothing_later_says_why_then(live: Live) -> None:
    site = delayed(live)
    site.track.post("/api/v1/customers/7/suppress")
    assert site.identify("7").status_code == 200
    later(site, 5)
    results(site)
    assert (operation(site, 2)["outcome"], operation(site, 2)["rule"]) == ("ignored", "person.suppressed")


def test_what_is_refused_is_refused_at_once(live: Live) -> None:
    assert delayed(live).identify("7", v="x" * 1001).status_code == 400


def test_a_fault_delays_single_requests_and_nothing_overtakes_them(site: Site) -> None:
    site.stop_clock()
    site.hosted.weather.add({"kind": "delay_visibility", "seconds": 60, "match": {"nth": 1}})
    site.identify("7", plan="first")
    site.identify("7", plan="second")
    site.identify("8", plan="other")
    assert site.people() == [{"id": "8", "plan": "other"}]
    later(site, 60)
    results(site)
    assert site.people() == [{"id": "8", "plan": "other"}, {"id": "7", "plan": "second"}]
    assert as_row(next(iter(site.hosted.tape)))["faults"] == ["delay_visibility"]


def test_the_app_api_is_never_postponed(live: Live) -> None:
    site = delayed(live)
    made = site.app.post("/v1/segments", json={"segment": {"name": "vip"}})
    assert made.status_code == 200
    assert [row["name"] for row in site.app.get("/v1/segments").json()["segments"]] == ["vip"]
