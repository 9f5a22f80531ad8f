"""Assertions on events: found, or told what became of them. Whole texts are compared: the words are the feature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio import Fake, WorkspaceHandle
from fakeio.core.wording import WIDTH
from tests.contract import handling
from tests.contract.handling import failure, identify, track

fake, space, client = handling.fake, handling.space, handling.client


def record(client: httpx.Client, space: WorkspaceHandle, identifier: str, name: str, **data: Any) -> httpx.Response:
    return track(client, space, "POST", f"/customers/{identifier}/events", {"name": name, "data": data})


# ---- found -----------------------------------------------------------------------------------------------------------

def test_an_event_that_arrived_is_returned(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "42", email="a@example.com")
    record(client, space, "42", "order", total=2)
    record(client, space, "42", "order", total=3, sku="x")
    event = space.assert_event(id="42", name="order", data={"total": 3})
    assert event.data == {"total": 3, "sku": "x"}
    assert space.assert_event("order", email="a@example.com").data["total"] == 2
    assert event.person is not None
    assert space.assert_event(cio_id=f"cio_{event.person.cio_id}").data["total"] == 2
    assert [each.data["total"] for each in space.events(name="order", person="42")] == [2, 3]


def test_an_event_of_nobody_matches_nobody_in_particular(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/events", {"name": "visit", "anonymous_id": "anon"})
    assert space.assert_event("visit", anonymous_id="anon", person=None).person is None
    assert "of nobody" in failure(lambda: space.assert_event("visit", id="1"))


def test_a_field_no_event_has_is_a_mistake_of_the_test(space: WorkspaceHandle) -> None:
    with pytest.raises(TypeError, match="an event has no 'colour'"):
        space.assert_event("order", colour="red")


# ---- sent, and come to nothing ---------------------------------------------------------------------------------------

def test_an_event_that_was_ignored_is_told_with_the_reason_and_both_requests(
    client: httpx.Client, space: WorkspaceHandle
) -> None:
    identify(client, space, "42", email="ann@example.com")
    track(client, space, "POST", "/customers/42/suppress", {})
    record(client, space, "42", "order", total=3)
    told = failure(lambda: space.assert_event(id="42", name="order", data={"total": 3}))
    assert told.splitlines() == [
        "the event was accepted and ignored, because the person with id '42' was suppressed by request 2",
        "  wanted      name 'order', data {'total': 3}, of id '42'",
        "  request 3   POST /api/v1/customers/42/events, answered 200",
        "              record_event was accepted and ignored: the person with id '42' was",
        "                suppressed by request 2 [person.suppressed]",
        "  request 2   POST /api/v1/customers/42/suppress, answered 200",
        "  in all      0 events recorded, 1 sent that came to nothing",
    ]
    assert failure(lambda: space.assert_event(email="ann@example.com", name="order")).startswith(
        "the event was accepted and ignored, because"
    )


def ignored_in_a_batch(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/customers/42/suppress", {})
    item = {"type": "person", "action": "event", "identifiers": {"id": "42"}, "name": "order", "attributes": {"n": 1}}
    other = {**item, "identifiers": {"id": "7"}}
    # refused, and its relationship with it: what follows stands in another place on the tape than in the body
    too_long = {"type": "person", "action": "identify", "identifiers": {"id": "8"}, "attributes": {"x": "y" * 1_001},
                "cio_relationships": [{"identifiers": {"object_type_id": "1", "object_id": "acme"}}]}  # fmt: skip
    client.post("/api/v2/batch", json={"batch": [too_long, other, item]}, auth=(space.site_id, space.track_api_key))


def refused(client: httpx.Client, space: WorkspaceHandle) -> None:
    client.post("/api/v1/customers/42/events", json={"name": "order", "data": {"n": 1}}, auth=(space.site_id, "wrong"))


def too_long(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/customers/42/events", {"name": "order", "data": {"n": 1, "x": "y" * 100_001}})


def repeated(client: httpx.Client, space: WorkspaceHandle) -> None:
    for n in (0, 1):
        track(client, space, "POST", "/customers/42/events", {"name": "order", "data": {"n": n}, "id": "01A"})


def waiting(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.update_settings(propagation_delay_s=60)
    record(client, space, "42", "order", n=1)


def struck(client: httpx.Client, space: WorkspaceHandle) -> None:
    space.fault("status", status=503, times=1)
    record(client, space, "42", "order", n=1)


@pytest.mark.parametrize(("send", "headline"), [
    pytest.param(ignored_in_a_batch, "the event was accepted and ignored, because the person with id '42' was "
                 "suppressed by request 1", id="ignored among others in a batch"),
    pytest.param(refused, "the event was refused, because ", id="refused, since the key is wrong"),
    pytest.param(repeated, "the event was accepted and ignored, because an event with id '01A' was recorded before",
                 id="sent twice"),
    pytest.param(waiting, "the event was accepted and is not visible yet, because its delay is not over: move the "
                 "clock on, or flush()", id="still on its way"),
    pytest.param(struck, "the event was not carried out, because a fault struck first (status)", id="a fault struck"),
])  # fmt: skip
def test_an_event_that_was_sent_word_for_word_is_told_with_its_fate(
    client: httpx.Client, space: WorkspaceHandle, send: Callable[[httpx.Client, WorkspaceHandle], None], headline: str
) -> None:
    send(client, space)
    assert failure(lambda: space.assert_event(id="42", name="order", data={"n": 1})).startswith(headline)


# ---- near misses -----------------------------------------------------------------------------------------------------

def test_near_misses_show_what_differs_and_where_each_came_from(client: httpx.Client, space: WorkspaceHandle) -> None:
    record(client, space, "42", "order", total=4)
    record(client, space, "7", "visit")
    told = failure(lambda: space.assert_event(id="42", name="order", data={"total": 3}))
    assert told.splitlines() == [
        "no event 'order' like this was recorded",
        "  wanted      name 'order', data {'total': 3}, of id '42'",
        "  near miss   event 'order' of id '42'",
        "              by request 1 (POST /api/v1/customers/42/events, answered 200)",
        "              data.total is 4, expected 3",
        "  near miss   event 'visit' of id '7'",
        "              by request 2 (POST /api/v1/customers/7/events, answered 200)",
        "              name is 'visit', expected 'order'",
        "              data.total is missing, expected 3",
        "              person.id is '7', expected '42'",
        "  in all      2 events recorded, 0 sent that came to nothing",
    ]


def test_no_more_than_three_near_misses_are_shown_the_closest_first(
    client: httpx.Client, space: WorkspaceHandle
) -> None:
    for n in range(8):
        record(client, space, "42", "order" if n == 6 else f"order {n}", total=n)
    told = failure(lambda: space.assert_event(id="42", name="order", data={"total": 9}))
    assert [line.split(" of ")[0] for line in told.splitlines() if "near miss" in line] == [
        "  near miss   event 'order'", "  near miss   event 'order 0'", "  near miss   event 'order 1'",
    ]  # fmt: skip
    assert told == failure(lambda: space.assert_event(id="42", name="order", data={"total": 9}))


def test_no_more_than_five_differences_and_no_long_value_is_shown(client: httpx.Client, space: WorkspaceHandle) -> None:
    record(client, space, "42", "order", text="x" * 10_000)
    wanted = {"text": "y" * 10_000, **{f"field {n}": n for n in range(9)}}
    told = failure(lambda: space.assert_event("order", id="42", data=wanted))
    assert "              … and 5 more" in told.splitlines()
    assert len(told) < 1_500


def test_a_request_that_nobody_understood_is_shown_too(client: httpx.Client, space: WorkspaceHandle) -> None:
    track(client, space, "POST", "/custmers/42/events", {"name": "order"})
    too_long(client, space)
    told = failure(lambda: space.assert_event("order", id="42"))
    assert told.splitlines()[0] == "no event 'order' like this was recorded"
    assert "unknown was refused: no published operation has this method and path [route.unknown]" in unwrapped(told)
    assert "[track.event.data]" in told


def test_a_request_that_can_have_been_no_event_is_not_shown(client: httpx.Client, space: WorkspaceHandle) -> None:
    client.get("/v1/segments", headers={"authorization": f"Bearer {space.app_api_key}x"}, auth=None)
    client.get("/v1/segments", auth=(space.site_id, "wrong"))
    track(client, space, "POST", "/segments/1/add_customers", {"ids": 7})
    track(client, space, "POST", "/customers/42/suppress", {})
    track(client, space, "DELETE", "/customers/42", {})
    told = failure(lambda: space.assert_event("order", id="42")).splitlines()
    assert told[2:] == ["  in all      0 events recorded, 0 sent that came to nothing"]


def test_people_who_may_have_been_meant_are_named(client: httpx.Client, space: WorkspaceHandle) -> None:
    identify(client, space, "42", email="ann@example.com")
    told = failure(lambda: space.assert_event("order", id="ann@example.com"))
    assert "perhaps     'ann@example.com' is the email of person" in told


def test_an_empty_tape_is_told_apart(space: WorkspaceHandle) -> None:
    assert failure(space.assert_event).splitlines() == [
        "no event like this was recorded", "  wanted      any event",
        "  in all      0 events; no request has come with this workspace's credentials",
    ]  # fmt: skip


def unwrapped(text: str) -> str:
    return " ".join(text.split())


# ---- not wanted ------------------------------------------------------------------------------------------------------

def test_an_event_that_should_not_be_there_is_told_with_its_request(
    client: httpx.Client, space: WorkspaceHandle
) -> None:
    space.assert_no_event()
    for n in range(5):
        record(client, space, "42", "order", total=n)
    space.assert_no_event("visit")
    space.assert_no_event("order", data={"total": 7})
    told = failure(lambda: space.assert_no_event("order", id="42")).splitlines()
    assert told[:3] == [
        "5 events recorded that should not be there", "  unwanted    name 'order', of id '42'",
        "  found       event 'order' of id '42'",
    ]  # fmt: skip
    assert told[-1] == "              … and 2 more"


# ---- whatever was sent -----------------------------------------------------------------------------------------------

ODD = ("\x1b[2J", "a\nb", "x" * 120, "é" * 60, "\u202e", "42", "order")
NASTY = st.one_of(st.text(max_size=80), st.sampled_from(ODD))
DATA = st.dictionaries(NASTY, st.one_of(NASTY, st.integers(), st.none(), st.lists(NASTY, max_size=3)), max_size=8)


@given(sent=st.lists(st.tuples(NASTY, NASTY, DATA), max_size=8), wanted=st.tuples(NASTY, NASTY, DATA))
def test_whatever_was_sent_and_wanted_a_failure_fits_a_terminal_and_is_always_the_same(
    fake: Fake, sent: list[tuple[str, str, dict[str, Any]]], wanted: tuple[str, str, dict[str, Any]]
) -> None:
    space = fake.new_workspace()
    items = [{"type": "person", "action": "event", "identifiers": {"id": who}, "name": name, "attributes": data}
             for who, name, data in sent]  # fmt: skip
    with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
        client.post("/api/v2/batch", json={"batch": items}, auth=(space.site_id, space.track_api_key))
    who, name, data = wanted
    told = []
    for _ in range(2):
        try:
            space.assert_event(name, id=who, data=data)
        except AssertionError as failed:
            told.append(str(failed))
    fake.remove_workspace(space)
    assert len(set(told)) <= 1
    for text in told:
        lines = text.split("\n")
        assert (len(lines) <= 60, "".join(lines).isprintable()) == (True, True)
        assert [line for line in lines[1:] if len(line) > WIDTH] == []
