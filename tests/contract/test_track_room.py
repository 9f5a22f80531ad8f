"""Switches that are numbers: how much one person may have, and how long the id of an event is remembered."""

from __future__ import annotations

import pytest

from tests.contract import live as fixtures
from tests.contract.live import Live, Site

live = fixtures.live

EVENTS = "/api/v1/customers/7/events"


def rules(site: Site) -> list[str | None]:
    return [rule for _, _, rule in site.outcomes()]


def failures(site: Site) -> int:
    return len(site.hosted.state.log.after(0, 99, type="failed_attribute_change"))


@pytest.mark.parametrize(
    ("most", "kept"),
    [pytest.param(300, 300, id="300, the default"), pytest.param(2, 2, id="2"), pytest.param(0, 301, id="any")],
)
def test_a_person_has_so_many_attributes(live: Live, most: int, kept: int) -> None:
    site = live.site(settings={"person_attributes": most})
    site.identify("7", **{f"a{n}": n for n in range(most or 300)})
    assert site.identify("7", a0="new", more="x").content == b"{}\n"
    (person,) = site.people()
    assert (len(person) - 1, person["a0"]) == (kept, "new")
    assert failures(site) == (0 if most == 0 else 1)
    if most:
        site.identify("7", more="x")
        assert rules(site) == ["attribute.no_room"]
        site.identify("7", a1="", more="x")
        assert site.people()[0]["more"] == "x", "what is removed makes room"


@pytest.mark.parametrize(
    ("most_kb", "kept"), [pytest.param(1, ["a", "b"], id="1 kB"), pytest.param(0, ["a", "b", "c"], id="any")]
)
def test_the_attributes_of_a_person_take_so_much_room(live: Live, most_kb: int, kept: list[str]) -> None:
    site = live.site(settings={"person_attributes_kb": most_kb})
    site.identify("7", a="x" * 500)
    site.identify("7", b="y" * (1_000 - len('{"a":"","b":""}') - 500))  # at it, to the byte
    site.identify("7", c=1)
    assert list(site.people()[0])[1:] == kept


@pytest.mark.parametrize(
    ("most", "kept"), [pytest.param(2, ["1", "2"], id="2"), pytest.param(0, ["1", "2", "3"], id="any")]
)
def test_a_person_has_so_many_devices(live: Live, most: int, kept: list[str]) -> None:
    site = live.site(settings={"person_devices": most})
    found: list[str | None] = []
    for token in ("1", "2", "3", "2"):
        device = {"id": token, "platform": "ios", "last_used": 5}
        assert site.track.put("/api/v1/customers/7/devices", json={"device": device}).content == b"{}\n"
        found += rules(site)
    (person,) = site.hosted.state.people
    assert sorted(person.devices) == kept
    assert found == [None, None, "device.no_room" if most else None, "device.unchanged"]


@pytest.mark.parametrize(
    ("window_s", "count"),
    [pytest.param(60, 3, id="for a minute"), pytest.param(0, 1, id="for ever")],
)
def test_the_id_of_an_event_is_remembered(live: Live, window_s: int, count: int) -> None:
    site = live.site(settings={"event_dedupe_window_s": window_s})
    site.stop_clock()
    for wait_s in (0, 60, 61, 60, 61):
        site.hosted.clock.advance(wait_s)
        site.track.post(EVENTS, json={"name": "buy", "id": "e1"})
    assert len(site.events()) == count
