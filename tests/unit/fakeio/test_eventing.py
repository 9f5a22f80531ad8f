"""Events: on whom they land, what de-duplicates them, and how long anonymous ones wait."""

from __future__ import annotations

import pytest

from fakeio.core import operations as op
from fakeio.core.outcomes import Applied, Ignored, Refused
from tests.unit.fakeio.spaces import NOW, Space, ref

DAY = 86_400


def rule_of(outcome: object) -> str | None:
    return outcome.rule if isinstance(outcome, Ignored | Refused) else None


@pytest.mark.parametrize("address", ["id:1", "email:a@x.io"])
def test_an_event_for_an_unknown_person_creates_the_person(address: str) -> None:
    space = Space()
    assert isinstance(space.event(address, " buy "), Applied)
    assert space.event_names(address) == ["buy"]
    assert space.activities() == ["profile_create", "event"]


def test_an_event_creates_nobody_where_the_switch_says_so() -> None:
    space = Space(event_creates_person=False)
    assert rule_of(space.event("id:1")) == "event.person_unknown"
    assert space.people() == []


def test_an_event_for_an_unknown_cio_id_is_dropped() -> None:
    assert rule_of(Space().event("cio_id:nope")) == "person.unknown_cio_id"


def test_the_same_event_id_twice_is_recorded_once() -> None:
    space = Space()
    space.event("id:1", dedupe_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert rule_of(space.event("id:1", dedupe_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")) == "event.duplicate"
    assert space.event_names("id:1") == ["buy"]


@pytest.mark.parametrize(("switch", "count"), [("any_text", 1), ("ulid_only", 2)])
def test_an_id_that_is_no_ulid_deduplicates_by_switch(switch: str, count: int) -> None:
    space = Space(event_dedupe_key=switch)
    space.event("id:1", dedupe_id="message-1")
    space.event("id:1", dedupe_id="message-1")
    assert len(space.event_names("id:1")) == count


def test_a_refused_event_does_not_use_up_its_id() -> None:
    space = Space()
    assert rule_of(space.event("id:1", "  ", dedupe_id="m")) == "track.event.name.blank"
    assert isinstance(space.event("id:1", "buy", dedupe_id="m"), Applied)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("x" * 100, None), ("x" * 101, "track.event.name"), ("é" * 50, None), ("é" * 51, "track.event.name"),
     ("   ", "track.event.name.blank"), (f"  {'x' * 100}  ", None)],
)  # fmt: skip
def test_event_names_are_trimmed_and_measured_in_bytes(name: str, rule: str | None) -> None:
    assert rule_of(Space().event("id:1", name)) == rule


@pytest.mark.parametrize(
    ("sent", "stored"), [("event", "event"), ("page", "page"), ("screen", "screen"), ("foo", "event")]
)
def test_types_that_nobody_knows_are_events(sent: str, stored: str) -> None:
    space = Space()
    space.event("id:1", type=sent)
    assert [event.type for event in space.workspace.events()] == [stored]


def test_a_missing_timestamp_is_the_moment_of_receipt() -> None:
    space = Space()
    space.event("id:1")
    space.event("id:1", timestamp=5)
    assert [event.timestamp for event in space.workspace.events()] == [int(NOW), 5]


def test_a_suppressed_person_gets_no_events() -> None:
    space = Space()
    space.identify("id:1", email="a@x.io")
    space.do(op.Suppress(ref=ref("id:1")))
    assert rule_of(space.event("email:a@x.io")) == "person.suppressed"
    assert list(space.workspace.events()) == []


def test_deleting_a_person_deletes_the_events_and_the_next_event_starts_afresh() -> None:
    space = Space()
    space.identify("id:1", plan="pro")
    space.event("id:1", "old")
    space.do(op.DeletePerson(ref=ref("id:1")))
    space.event("id:1", "new")
    assert space.people() == [{"id": "1", "email": None}]
    assert [event.name for event in space.workspace.events()] == ["new"]


# --- anonymous ------------------------------------------------------------------------------------------------------


def anonymous(space: Space, name: str, anonymous_id: str = "anon") -> None:
    space.event(None, name, anonymous_id=anonymous_id)


@pytest.mark.parametrize(("days", "attached"), [(29, ["look"]), (31, [])])
def test_an_anonymous_event_waits_thirty_days(days: int, attached: list[str]) -> None:
    space = Space()
    anonymous(space, "look")
    space.now += days * DAY
    space.workspace.sweep(space.now)
    space.identify("id:1", anonymous_id="anon")
    assert space.event_names("id:1") == attached
    assert [event.name for event in space.workspace.events()] == attached


@pytest.mark.parametrize(("seconds", "attached"), [(0, ["look"]), (300, ["look"]), (301, [])])
def test_a_late_anonymous_event_attaches_within_five_minutes(seconds: int, attached: list[str]) -> None:
    space = Space()
    space.identify("id:1", anonymous_id="anon")
    space.now += seconds
    anonymous(space, "look")
    assert space.event_names("id:1") == attached


def test_an_anonymous_id_serves_one_person_once() -> None:
    space = Space()
    anonymous(space, "look")
    space.identify("id:1", anonymous_id="anon")
    outcome = space.identify("id:2", anonymous_id="anon")
    assert isinstance(outcome, Applied)
    assert [note.rule for note in outcome.notes] == ["anonymous.used"]
    assert (space.event_names("id:1"), space.event_names("id:2")) == (["look"], [])


def test_anonymous_events_stay_nobodys_where_merging_is_off() -> None:
    space = Space(anonymous_merge=False)
    anonymous(space, "look")
    space.identify("id:1", anonymous_id="anon")
    assert space.event_names("id:1") == []


def test_an_invite_event_belongs_to_nobody() -> None:
    space = Space()
    assert isinstance(space.event(None, "invite", data=b'{"recipient":"a@x.io"}'), Applied)
    assert [(event.name, event.person) for event in space.workspace.events()] == [("invite", None)]
