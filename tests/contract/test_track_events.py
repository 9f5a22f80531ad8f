"""Track API v1 over a real socket: events of people, anonymous events, limits measured on the bytes as they came."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import live as fixtures
from tests.contract.live import NOW, Live, Site

live, site = fixtures.live, fixtures.site

DAY_S = 86_400
Stored = tuple[str, str, bytes]  # type, name, data


def record(site: Site, path: str = "/api/v1/customers/7/events", **body: Any) -> bytes:
    """POST an event and give the answer's body; a success is `{}`."""
    return site.track.post(path, json=body).content


def error(message: str) -> bytes:
    """The v1 envelope of one violation, as bytes."""
    return b'{\n  "meta": {\n    "error": "%s"\n  }\n}\n' % message.encode()


NOT_A_HASH = "event data must be a hash"
BODIES = [
    pytest.param({"name": "buy"}, b"{}\n", ("event", "buy", b"{}"), id="a name alone"),
    pytest.param({"name": "  buy "}, b"{}\n", ("event", "buy", b"{}"), id="a name in spaces"),
    pytest.param({"name": "n" * 100}, b"{}\n", ("event", "n" * 100, b"{}"), id="a name of 100 bytes"),
    pytest.param({"name": "n" * 101}, error("event name cannot be longer than 100 bytes"), None,
                 id="a name of 101 bytes"),
    pytest.param({"name": "é" * 51}, error("event name cannot be longer than 100 bytes"), None,
                 id="a name of 51 characters and 102 bytes"),
    pytest.param({"name": "   "}, error("name cannot be blank"), None, id="a name of spaces"),
    pytest.param({}, error("name cannot be blank"), None, id="no name"),
    pytest.param({"name": 5}, error("name cannot be blank"), None, id="a number as name"),
    pytest.param({"name": "x", "data": None}, error(NOT_A_HASH), None, id="null data"),
    pytest.param({"name": "x", "data": ""}, error(NOT_A_HASH), None, id="text as data"),
    pytest.param({"name": "x", "data": []}, error(NOT_A_HASH), None, id="a list as data"),
    pytest.param({"name": "x", "type": "foo"}, b"{}\n", ("event", "x", b"{}"), id="an unknown type is an event"),
    pytest.param({"name": "/a", "type": "page"}, b"{}\n", ("page", "/a", b"{}"), id="a page view"),
    pytest.param({"name": "s", "type": "screen"}, b"{}\n", ("screen", "s", b"{}"), id="a screen view"),
    pytest.param({"name": "x", "type": [1]}, b"{}\n", ("event", "x", b"{}"), id="a type that is no text"),
    pytest.param({"name": "x", "timestamp": "soon"}, error("timestamp must be a unix timestamp"), None,
                 id="a timestamp that is none"),
    pytest.param({"name": "x", "extra": {"deep": []}}, b"{}\n", ("event", "x", b"{}"), id="unknown keys"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "answer", "event"), BODIES)
def test_an_event_of_a_person(site: Site, body: dict[str, Any], answer: bytes, event: Stored | None) -> None:
    assert record(site, **body) == answer
    assert site.events() == ([] if event is None else [("7", *event)])


@pytest.mark.parametrize(("body", "answer", "event"), BODIES)
def test_an_event_of_nobody(site: Site, body: dict[str, Any], answer: bytes, event: Stored | None) -> None:
    assert record(site, "/api/v1/events", **body) == answer
    assert site.events() == ([] if event is None else [(None, *event)])


def test_the_words_for_a_blank_name_are_a_switch(live: Live) -> None:
    site = live.site(settings={"event_blank_name_text": "event name must not be blank"})
    assert record(site, name="") == error("event name must not be blank")


@pytest.mark.parametrize(
    ("data", "fits"),
    [
        pytest.param(b'{"x":"' + b"v" * 99_992 + b'"}', True, id="100000 bytes"),
        pytest.param(b'{"x":"' + b"v" * 99_993 + b'"}', False, id="100001 bytes"),
        pytest.param(b'{"x":"' + "é".encode() * 49_996 + b'"}', True, id="100000 bytes, half as many characters"),
        pytest.param(b'{"x":"' + rb"\u00e9" * 16_665 + b'"}', True, id="99998 bytes of escapes"),
        pytest.param(b'{"x":"' + rb"\u00e9" * 16_666 + b'"}', False, id="100004 bytes of escapes"),
        pytest.param(b'{"x":' + b" " * 99_993 + b"1}", True, id="white space counts: 100000 bytes"),
        pytest.param(b'{"x":' + b" " * 99_994 + b"1}", False, id="white space counts: 100001 bytes"),
    ],
)
def test_event_data_is_measured_as_received(site: Site, data: bytes, fits: bool) -> None:
    body = b'{"name":"x",   "data":  ' + data + b"  }"
    response = site.track.post("/api/v1/customers/7/events", content=body)
    assert response.content == (b"{}\n" if fits else error("event data cannot be longer than 100000 bytes"))
    assert [event[3] for event in site.events()] == ([data] if fits else [])


def test_numbers_in_event_data_stay_numbers(site: Site) -> None:
    record(site, name="buy", data={"revenue": 42})
    assert site.events() == [("7", "event", "buy", b'{"revenue":42}')]


def test_the_same_id_twice_is_one_event(site: Site) -> None:
    for _ in range(2):
        assert record(site, name="buy", id="01H0000000000000000000000A") == b"{}\n"
    assert len(site.events()) == 1
    assert site.outcomes() == [("record_event", "ignored", "event.duplicate")]


@pytest.mark.parametrize(
    ("sent", "timestamp"),
    [
        pytest.param({"timestamp": 1700000000}, 1700000000, id="a number"),
        pytest.param({"timestamp": "1700000000"}, 1700000000, id="digits in quotes"),
        pytest.param({"timestamp": 1700000000.0}, 1700000000, id="a whole float"),
        pytest.param({"timestamp": 1700000000000}, 1700000000000, id="milliseconds are read as seconds"),
        pytest.param({}, int(NOW), id="the moment of receipt"),
    ],
)
def test_an_event_happened_at(site: Site, sent: dict[str, Any], timestamp: int) -> None:
    site.stop_clock()
    record(site, name="x", **sent)
    assert [event.timestamp for event in site.hosted.state.events()] == [timestamp]


def test_an_event_of_a_suppressed_person_is_dropped(site: Site) -> None:
    site.track.post("/api/v1/customers/7/suppress")
    assert record(site, name="x") == b"{}\n"
    assert (site.events(), site.people()) == ([], [])
    assert site.outcomes() == [("record_event", "ignored", "person.suppressed")]


# ---- anonymous -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "events"),
    [
        pytest.param(29, [("7", "event", "saw", b"{}")], id="29 days later it is the person's"),
        pytest.param(31, [], id="31 days later it is gone"),
    ],
)
def test_an_anonymous_event_waits_for_its_person(site: Site, days: int, events: list[Any]) -> None:
    site.stop_clock()
    assert record(site, "/api/v1/events", name="saw", anonymous_id="anon") == b"{}\n"
    site.hosted.clock.advance(days * DAY_S)
    site.identify("7", anonymous_id="anon")
    assert site.events() == events


@pytest.mark.parametrize(
    ("minutes", "owner"), [pytest.param(4, "7", id="in time"), pytest.param(6, None, id="too late")]
)
def test_an_anonymous_event_may_come_shortly_after_the_identify(site: Site, minutes: int, owner: str | None) -> None:
    site.stop_clock()
    site.identify("7", anonymous_id="anon")
    site.hosted.clock.advance(minutes * 60)
    record(site, "/api/v1/events", name="saw", anonymous_id="anon")
    assert site.events() == [(owner, "event", "saw", b"{}")]


def test_an_anonymous_id_serves_one_person_once(site: Site) -> None:
    record(site, "/api/v1/events", name="saw", anonymous_id="anon")
    site.identify("7", anonymous_id="anon")
    site.identify("8", anonymous_id="anon")
    assert site.events() == [("7", "event", "saw", b"{}")]


def test_a_number_is_taken_as_anonymous_id(site: Site) -> None:
    record(site, "/api/v1/events", name="saw", anonymous_id=5)
    site.identify("7", anonymous_id="5")
    assert site.events() == [("7", "event", "saw", b"{}")]


@pytest.mark.parametrize(
    "anonymous_id", [pytest.param({}, id="left out"), pytest.param({"anonymous_id": " "}, id="blank")]
)
def test_an_event_without_an_anonymous_id_is_an_invite(site: Site, anonymous_id: dict[str, str]) -> None:
    data = {"recipient": "b@example.com"}
    assert record(site, "/api/v1/events", name="invited", data=data, **anonymous_id) == b"{}\n"
    assert site.events() == [(None, "event", "invited", b'{"recipient":"b@example.com"}')]
    assert site.people() == []
