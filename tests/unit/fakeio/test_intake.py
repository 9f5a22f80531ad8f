"""Accepting and processing apart: what is accepted becomes visible later, in order per person."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fakeio.core import operations as op
from fakeio.core.outcomes import Applied, Ignored, Outcome, Refused
from fakeio.core.seeding import snapshot
from tests.unit.fakeio.spaces import NOW, Space, ref


def accept(space: Space, operation: op.Operation, delay_s: float, told: list[Any] | None = None) -> Outcome | None:
    space.request += 1
    settle = (lambda outcome, at: told.append((outcome, at))) if told is not None else None
    return space.workspace.accept(operation, space.now, space.request, delay_s, settle)


def identify(address: str, **attributes: Any) -> op.Identify:
    return op.Identify(ref=ref(address), attributes=attributes)


def test_what_waits_is_not_visible_and_tells_how_it_ended() -> None:
    space, told = Space(), list[Any]()
    assert accept(space, identify("id:1", plan="pro"), 5, told) is None
    space.workspace.sweep(NOW + 4)
    assert (space.people(), told) == ([], [])
    space.workspace.sweep(NOW + 5)
    assert space.people() == [{"id": "1", "email": None, "plan": "pro"}]
    assert told == [(Applied("a3000001"), NOW + 5)]


def test_a_refusal_does_not_wait() -> None:
    assert isinstance(accept(Space(), identify("id:1", v="x" * 1001), 5), Refused)


def test_without_a_delay_it_happens_at_once() -> None:
    assert accept(Space(), identify("id:1"), 0) == Applied("a3000001")


def test_nothing_overtakes_an_earlier_operation_on_the_same_person() -> None:
    space = Space()
    accept(space, identify("id:1", plan="first"), 10)
    assert accept(space, identify("id:1", plan="second"), 0) is None
    assert accept(space, identify("id:2", plan="other"), 0) is not None
    space.workspace.sweep(NOW + 10)
    assert space.person("id:1").attributes == {"plan": "second"}


def test_order_is_kept_across_identifiers_that_one_call_joins() -> None:
    space = Space()
    accept(space, identify("id:1", email="a@x.io"), 10)
    assert accept(space, identify("email:A@x.io", plan="pro"), 0) is None
    space.workspace.flush(NOW)
    assert space.people() == [{"id": "1", "email": "a@x.io", "plan": "pro"}]


def test_flush_finishes_everything_in_order() -> None:
    space, told = Space(), list[Any]()
    accept(space, op.DeletePerson(ref=ref("id:1")), 9, told)
    accept(space, identify("id:1", plan="pro"), 3, told)
    space.workspace.flush(NOW + 1)
    assert [type(outcome) for outcome, _ in told] == [Ignored, Applied]
    assert len(space.workspace.intake) == 0
    assert accept(space, identify("id:1", plan="new"), 0) == Applied("a3000001"), "nothing is left to wait for"


STEPS = st.lists(
    st.tuples(
        st.one_of(
            st.builds(lambda who, n: identify(f"id:{who}", n=n), st.sampled_from("123"), st.integers(0, 3)),
            st.builds(lambda who: op.DeletePerson(ref=ref(f"id:{who}")), st.sampled_from("123")),
            st.builds(lambda who: op.Suppress(ref=ref(f"id:{who}")), st.sampled_from("123")),
            st.builds(lambda who: op.Unsuppress(ref=ref(f"id:{who}")), st.sampled_from("123")),
        ),
        st.integers(0, 9),
        st.integers(0, 3),
    )
)


def by_id(space: Space) -> list[Any]:
    people = sorted(snapshot(space.workspace)["people"], key=lambda person: str(person["id"]))
    return [{**person, "cio_id": None} for person in people]


@given(STEPS)
def test_delays_never_change_where_each_person_ends(steps: list[tuple[op.Operation, int, int]]) -> None:
    at_once, delayed = Space(), Space()
    for operation, delay_s, pause_s in steps:
        at_once.do(operation)
        delayed.workspace.sweep(delayed.now)
        accept(delayed, operation, delay_s)
        delayed.now += pause_s
    delayed.workspace.flush(delayed.now)
    assert by_id(delayed) == by_id(at_once)
