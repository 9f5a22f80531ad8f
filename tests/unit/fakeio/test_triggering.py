"""Which events may trigger campaigns, and the rule that says why the others may not."""

from __future__ import annotations

import pytest

from fakeio.core import operations as op
from tests.unit.fakeio.spaces import NOW, Space, ref

HOURS_72 = 259_200
LATE = "track.event.trigger_window"
NOBODY = "event.trigger.nobody"


def verdicts(space: Space) -> list[tuple[str, str]]:
    """Every event with the rule that keeps it from triggering; empty when it may."""
    return [(event.name, event.no_trigger) for event in space.workspace.events()]


AGES = [
    pytest.param(-1, "", id="a second ahead of us"),
    pytest.param(0, "", id="now"),
    pytest.param(HOURS_72 - 1, "", id="72 hours less a second"),
    pytest.param(HOURS_72, "", id="72 hours"),
    pytest.param(HOURS_72 + 1, LATE, id="72 hours and a second"),
]


@pytest.mark.parametrize(("age_s", "rule"), AGES)
@pytest.mark.parametrize("kind", ["event", "page", "screen"])
def test_an_event_of_a_person_triggers_for_72_hours(age_s: int, rule: str, kind: str) -> None:
    space = Space()
    space.event("id:1", type=kind, timestamp=int(NOW) - age_s)
    assert verdicts(space) == [("buy", rule)]


@pytest.mark.parametrize(("age_s", "rule"), AGES)
def test_an_anonymous_event_triggers_when_it_finds_its_person_in_72_hours(age_s: int, rule: str) -> None:
    space = Space()
    space.event(None, anonymous_id="anon", timestamp=int(NOW))
    assert verdicts(space) == [("buy", NOBODY)]
    space.now += age_s
    space.identify("id:1", anonymous_id="anon")
    assert verdicts(space) == [("buy", rule)]


def test_an_anonymous_event_that_comes_after_its_identify_triggers_like_any_other() -> None:
    space = Space()
    space.identify("id:1", anonymous_id="anon")
    space.now += 300
    space.event(None, "new", anonymous_id="anon")
    space.event(None, "old", anonymous_id="anon", timestamp=int(space.now) - HOURS_72 - 1)
    space.now += 1
    space.event(None, "too late", anonymous_id="anon")
    assert verdicts(space) == [("new", ""), ("old", LATE), ("too late", NOBODY)]


@pytest.mark.parametrize(
    ("data", "age_s", "rule"),
    [
        pytest.param(b'{"recipient":"a@x.io"}', 0, "", id="an invite"),
        pytest.param(b'{"recipient":"a@x.io"}', HOURS_72 + 1, LATE, id="an invite of last week"),
        pytest.param(b'{"recipient":""}', 0, NOBODY, id="to nobody"),
        pytest.param(b"{}", 0, NOBODY, id="no invite"),
    ],
)
@pytest.mark.parametrize("merging", [True, False])
def test_an_event_of_nobody_triggers_when_it_is_an_invite(data: bytes, age_s: int, rule: str, merging: bool) -> None:
    space = Space(anonymous_merge=merging)
    space.event(None, data=data, timestamp=int(NOW) - age_s)
    assert verdicts(space) == [("buy", rule)]


def test_an_anonymous_event_with_a_recipient_is_no_invite() -> None:
    space = Space()
    space.event(None, anonymous_id="anon", data=b'{"recipient":"a@x.io"}')
    assert verdicts(space) == [("buy", NOBODY)]


def test_events_that_come_with_a_merge_never_trigger() -> None:
    space = Space()
    space.event("id:1", "own")
    space.event("id:2", "brought")
    space.do(op.MergePeople(primary=ref("id:1"), secondary=ref("id:2")))
    assert verdicts(space) == [("own", ""), ("brought", "event.trigger.merged")]


@pytest.mark.parametrize(("choice", "rule"), [("at_receipt", ""), ("never", "event.trigger.future")])
def test_an_event_of_the_future_triggers_by_switch(choice: str, rule: str) -> None:
    space = Space(future_event_triggers=choice)
    space.event("id:1", timestamp=int(NOW) + 60)
    space.event("id:1", "no time of its own")
    assert verdicts(space) == [("buy", rule), ("no time of its own", "")]
