"""Whatever is done to a workspace, its indexes agree with its people and every outcome names a known rule."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fakeio.core import operations as op
from fakeio.core.identifiers import CIO_ID, EMAIL, ID, PHONE, Ref
from fakeio.core.outcomes import Applied, Ignored, Refused
from fakeio.core.rules import RULES
from fakeio.core.seeding import seed, snapshot
from tests.unit.fakeio.spaces import NOW, Space

REFS = st.one_of(
    st.builds(Ref, st.just(ID), st.sampled_from(["1", "2", "3", ""])),
    st.builds(Ref, st.just(EMAIL), st.sampled_from(["a@x.io", "A@x.io", "b@x.io"])),
    st.builds(Ref, st.just(CIO_ID), st.sampled_from(["a3000001", "a3000002", "nope"])),
)
SCALARS = st.sampled_from([None, "", "x", 1, True, {"a": 1}])
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["1", "2", "4", 5, "", None]),
        "email": st.sampled_from(["a@x.io", "B@x.io", "c@x.io", "", None]),
        "cio_id": st.sampled_from(["a3000001", "cio_a3000002", "nope"]),
        "phone": st.sampled_from(["+41", "+42", None]),
        "anonymous_id": st.sampled_from(["p", "q"]),
        "plan": SCALARS,
    },
)
OBJECTS = st.sampled_from([op.ObjectRef("1", "acme"), op.ObjectRef("9", "x"), op.ObjectRef(cio_object_id="ob000001")])
SEGMENT_IDS = st.integers(1, 3)
OPERATIONS = st.one_of(
    st.builds(
        op.Identify, ref=REFS, attributes=ATTRIBUTES, update_only=st.booleans(), timestamp=st.none() | st.integers(0, 3)
    ),
    st.builds(op.DeletePerson, ref=REFS),
    st.builds(op.Suppress, ref=REFS),
    st.builds(op.Unsuppress, ref=REFS),
    st.builds(op.MergePeople, primary=REFS, secondary=REFS),
    st.builds(
        op.RecordEvent,
        ref=REFS | st.none(),
        event=st.sampled_from(["buy", " "]),
        dedupe_id=st.sampled_from([None, "e1", "e2"]),
        anonymous_id=st.sampled_from([None, "p", "q"]),
    ),
    st.builds(op.AddDevice, ref=REFS, token=st.sampled_from(["t", "u"]), platform=st.just("ios")),
    st.builds(op.RemoveDevice, ref=REFS, token=st.sampled_from(["t", "u"])),
    st.builds(op.CreateSegment, segment_name=st.sampled_from(["vip", ""])),
    st.builds(op.DeleteSegment, segment_id=SEGMENT_IDS),
    st.builds(op.JoinSegment, segment_id=SEGMENT_IDS, ref=REFS),
    st.builds(op.LeaveSegment, segment_id=SEGMENT_IDS, ref=REFS),
    st.builds(op.IdentifyObject, object=OBJECTS, attributes=st.fixed_dictionaries({}, optional={"a": SCALARS})),
    st.builds(op.DeleteObject, object=OBJECTS),
    st.builds(
        op.Relate, object=OBJECTS, ref=REFS, attributes=st.fixed_dictionaries({}, optional={"role": SCALARS})
    ),
    st.builds(op.Relate, object=OBJECTS, anonymous_id=st.sampled_from(["p", "q"])),
    st.builds(op.Unrelate, object=OBJECTS, ref=REFS),
    st.builds(
        op.SubmitForm,
        form_id=st.just("f"),
        data=st.fixed_dictionaries({}, optional={"id": st.just("1"), "email": st.just("a@x.io"), "plan": SCALARS}),
    ),
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "identifiers": st.sampled_from(["email_or_id", "id", "email"]),
        "auto_merge": st.booleans(),
        "email_updates_by_id": st.booleans(),
        "identify_relabel": st.sampled_from(["when_unset", "replace"]),
        "event_creates_person": st.booleans(),
        "segment_unknown_person": st.sampled_from(["ignore", "create"]),
    },
)
HISTORIES = st.lists(st.tuples(OPERATIONS, st.sampled_from([0, 1, 400, 40 * 86_400])), max_size=25)


def check_indexes(space: Space) -> None:
    check_people(space)
    people = space.workspace.people
    for segment in space.workspace.segments:
        for cio_id in segment.members:
            member = people.get(cio_id)
            assert member is not None
            assert segment.id in member.segments
    for found in space.workspace.objects:
        assert all(people.get(cio_id) is not None for cio_id in found.people)
    for event in space.workspace.events():
        assert event.person is None or people.get(event.person) is not None


def check_people(space: Space) -> None:
    people = space.workspace.people
    for person in people:
        assert people.get(person.cio_id) is person
        if person.id is not None:
            assert people.find(Ref(ID, person.id)) is person
        if person.email is not None:
            assert person in people.by_email(person.email)
            if space.workspace.settings.email_identifies:
                assert people.by_email(person.email) == [person]
        for token in person.devices:
            assert people.by_device(token) is person
        for segment_id in person.segments:
            segment = space.workspace.segments.get(segment_id)
            assert segment is not None
            assert person.cio_id in segment.members


@given(SETTINGS, HISTORIES)
@settings(max_examples=150)
def test_any_history_leaves_a_consistent_workspace(
    choices: dict[str, object], history: list[tuple[op.Operation, int]]
) -> None:
    space = Space(**choices)
    for operation, seconds in history:
        space.now += seconds
        before = snapshot(space.workspace)
        outcome = space.do(operation)
        space.workspace.sweep(space.now)
        if isinstance(outcome, Ignored | Refused):
            assert outcome.rule in RULES
            assert snapshot(space.workspace) == before, "only what is applied changes anything"
        else:
            assert isinstance(outcome, Applied)
            assert all(note.rule in RULES for note in outcome.notes)
        check_indexes(space)


@given(HISTORIES)
def test_a_snapshot_makes_an_equal_workspace(history: list[tuple[op.Operation, int]]) -> None:
    space = Space()
    for operation, _ in history:
        space.do(operation)
    copy = Space()
    seed(copy.workspace, snapshot(space.workspace), NOW)
    assert snapshot(copy.workspace) == snapshot(space.workspace)
    check_indexes(copy)


def test_phones_find_people_in_both_ways() -> None:
    space = Space(phone_identifier=True)
    space.do(op.Identify(ref=Ref(PHONE, "+41"), attributes={"plan": "pro"}))
    assert space.person("phone:+41").attributes == {"phone": "+41", "plan": "pro"}
    space.identify(f"cio_id:{space.person('phone:+41').cio_id}", phone="+42")
    assert space.workspace.people.find(Ref(PHONE, "+41")) is None
