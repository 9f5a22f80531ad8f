"""Delete, suppress, merge and devices: how people end, and what of them stays."""

from __future__ import annotations

import pytest

from fakeio.core import operations as op
from fakeio.core.outcomes import Applied, Ignored, Refused
from tests.unit.fakeio.spaces import Space, ref


def rule_of(outcome: object) -> str | None:
    return outcome.rule if isinstance(outcome, Ignored | Refused) else None


def merge(space: Space, primary: str, secondary: str) -> object:
    return space.do(op.MergePeople(primary=ref(primary), secondary=ref(secondary)))


def test_deleting_twice_is_accepted_twice() -> None:
    space = Space()
    space.identify("id:1")
    assert isinstance(space.do(op.DeletePerson(ref=ref("id:1"))), Applied)
    assert rule_of(space.do(op.DeletePerson(ref=ref("id:1")))) == "person.unknown"


def test_suppressing_by_id_blocks_the_email_too_and_unsuppressing_by_email_frees_both() -> None:
    space = Space()
    space.identify("id:1", email="a@x.io", plan="pro")
    first = space.person("id:1").cio_id
    assert isinstance(space.do(op.Suppress(ref=ref("id:1"))), Applied)
    assert rule_of(space.identify("email:A@x.io")) == "person.suppressed"
    assert rule_of(space.identify("id:2", email="a@x.io")) == "person.suppressed"
    assert isinstance(space.do(op.Unsuppress(ref=ref("email:a@x.io"))), Applied)
    space.identify("id:1")
    assert space.people() == [{"id": "1", "email": None}]
    assert space.person("id:1").cio_id != first


GONE = ref("email:a@x.io")
OTHER = ref("id:2")


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(op.Identify(ref=GONE, attributes={"plan": "pro"}), id="identify"),
        pytest.param(op.RecordEvent(ref=GONE, event="buy"), id="event"),
        pytest.param(op.AddDevice(ref=GONE, token="t", platform="ios"), id="device"),
        pytest.param(op.RemoveDevice(ref=GONE, token="t"), id="device removed"),
        pytest.param(op.MergePeople(primary=GONE, secondary=OTHER), id="merge into"),
        pytest.param(op.MergePeople(primary=OTHER, secondary=GONE), id="merge of"),
        pytest.param(op.JoinSegment(segment_id=1, ref=GONE), id="segment"),
        pytest.param(op.LeaveSegment(segment_id=1, ref=GONE), id="segment left"),
        pytest.param(op.Relate(object=op.ObjectRef("1", "acme"), ref=GONE), id="relationship"),
        pytest.param(op.Unrelate(object=op.ObjectRef("1", "acme"), ref=GONE), id="relationship ended"),
        pytest.param(op.SubmitForm(form_id="f", data={"email": "a@x.io"}), id="form"),
        pytest.param(op.DeletePerson(ref=GONE), id="delete"),
    ],
)
def test_nothing_that_names_somebody_suppressed_is_carried_out(operation: op.Operation) -> None:
    space = Space()
    space.identify("id:1", email="a@x.io")
    space.identify("id:2")
    space.workspace.segments.create("vip", "", "manual", space.now)
    space.do(op.Suppress(ref=ref("id:1")))
    before = space.activities()
    assert rule_of(space.do(operation)) == "person.suppressed"
    assert (space.people(), space.activities()) == ([{"id": "2", "email": None}], before)


def test_suppressing_somebody_unknown_blocks_the_identifier() -> None:
    space = Space()
    assert isinstance(space.do(op.Suppress(ref=ref("id:1"))), Applied)
    assert rule_of(space.do(op.Suppress(ref=ref("id:1")))) == "person.already_suppressed"
    assert rule_of(space.identify("id:1")) == "person.suppressed"
    assert rule_of(space.do(op.Unsuppress(ref=ref("id:2")))) == "person.not_suppressed"
    assert rule_of(space.do(op.Suppress(ref=ref("cio_id:nope")))) == "person.unknown_cio_id"


def test_a_merge_keeps_the_primarys_values_and_fills_its_gaps() -> None:
    space = Space()
    space.identify("id:1", email="a@x.io", plan="pro")
    space.identify("id:2", email="b@x.io", plan="free", city="Bern", phone="+41")
    segment = space.workspace.segments.create("s", "", "manual", space.now)
    space.do(op.JoinSegment(segment_id=segment.id, ref=ref("id:2")))
    space.do(op.AddDevice(ref=ref("id:2"), token="t", platform="ios"))
    space.event("id:2", "buy")
    assert isinstance(merge(space, "id:1", "id:2"), Applied)
    assert space.people() == [{"id": "1", "email": "a@x.io", "plan": "pro", "city": "Bern", "phone": "+41"}]
    person = space.person("id:1")
    assert list(segment.members) == [person.cio_id]
    assert set(person.devices) == {"t"}
    assert space.event_names("id:1") == ["buy"]
    assert space.workspace.people.find(ref("phone:+41")) is person
    assert isinstance(space.identify("id:2"), Applied), "the secondary's id is free"


def test_a_merge_hands_over_identifiers_that_the_primary_lacks() -> None:
    space = Space()
    space.identify("id:1")
    space.identify("email:a@x.io")
    merge(space, "id:1", "email:a@x.io")
    assert space.people() == [{"id": "1", "email": "a@x.io"}]


def test_a_primary_with_topics_keeps_them_and_one_without_adopts_the_others() -> None:
    space = Space()
    space.identify("id:1", cio_subscription_preferences={"topics": {"topic_1": True}})
    space.identify("id:2", cio_subscription_preferences={"topics": {"topic_1": False, "topic_2": True}})
    space.identify("id:3")
    merge(space, "id:1", "id:2")
    merge(space, "id:3", "id:1")
    assert space.person("id:3").attributes["cio_subscription_preferences"] == {"topics": {"topic_1": True}}


@pytest.mark.parametrize(
    ("primary", "secondary", "rule"),
    [
        ("id:9", "id:1", "merge.primary_unknown"),
        ("id:1", "id:9", "merge.secondary_unknown"),
        ("id:1", "id:1", "merge.same_person"),
        ("id:", "id:1", "track.person.id.empty"),
    ],
)
def test_a_merge_that_does_nothing(primary: str, secondary: str, rule: str) -> None:
    space = Space()
    space.identify("id:1", plan="pro")
    assert rule_of(merge(space, primary, secondary)) == rule
    assert space.people() == [{"id": "1", "email": None, "plan": "pro"}]


def test_a_device_token_moves_to_the_person_who_registers_it_last() -> None:
    space = Space()
    device = op.AddDevice(ref=ref("id:1"), token="t", platform="ios", last_used=5)
    assert isinstance(space.do(device), Applied)
    assert rule_of(space.do(device)) == "device.unchanged"
    space.do(op.AddDevice(ref=ref("id:2"), token="t", platform="ios"))
    assert (set(space.person("id:1").devices), set(space.person("id:2").devices)) == (set(), {"t"})


@pytest.mark.parametrize(("switch", "people"), [(True, 1), (False, 0)])
def test_a_device_creates_its_person_by_switch(switch: bool, people: int) -> None:
    space = Space(device_creates_person=switch)
    outcome = space.do(op.AddDevice(ref=ref("id:1"), token="t", platform="ios"))
    assert rule_of(outcome) == (None if people else "person.unknown")
    assert len(space.people()) == people


def test_removing_devices_never_creates_people() -> None:
    space = Space()
    assert rule_of(space.do(op.RemoveDevice(ref=ref("id:1"), token="t"))) == "person.unknown"
    space.do(op.AddDevice(ref=ref("id:1"), token="t", platform="ios"))
    assert isinstance(space.do(op.RemoveDevice(ref=ref("id:1"), token="t")), Applied)
    assert rule_of(space.do(op.RemoveDevice(ref=ref("id:1"), token="t"))) == "device.unknown"


def test_deleting_a_person_ends_memberships_and_frees_devices() -> None:
    space = Space()
    space.identify("id:1")
    segment = space.workspace.segments.create("s", "", "manual", space.now)
    space.do(op.JoinSegment(segment_id=segment.id, ref=ref("id:1")))
    space.do(op.AddDevice(ref=ref("id:1"), token="t", platform="ios"))
    space.do(op.DeletePerson(ref=ref("id:1")))
    assert segment.count == 0
    assert space.workspace.people.by_device("t") is None
