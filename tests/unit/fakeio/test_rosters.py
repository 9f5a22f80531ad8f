"""A walk through a roster meets everything that stays exactly once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fakeio.core.rosters import Roster

KEYS = st.integers(0, 30).map(str)


@given(st.lists(st.tuples(st.booleans(), KEYS)))
def test_a_roster_is_an_ordered_set(steps: list[tuple[bool, str]]) -> None:
    roster, model = Roster(), dict[str, None]()
    for adds, key in steps:
        if adds:
            assert roster.add(key) is (key not in model)
            model.setdefault(key)
        else:
            assert roster.discard(key) is (key in model)
            model.pop(key, None)
    assert [key for _, key in roster.after(0, 1000)] == list(model) == list(roster)
    assert len(roster) == len(model)


@given(
    st.sets(KEYS),
    st.integers(1, 7),
    st.lists(st.lists(st.tuples(st.booleans(), KEYS), max_size=5)),
)
def test_a_walk_meets_every_member_that_stays_exactly_once(
    start: set[str], page: int, between: list[list[tuple[bool, str]]]
) -> None:
    roster = Roster()
    for key in sorted(start):
        roster.add(key)
    touched: set[str] = set()
    met: list[str] = []
    place = 0
    storms = iter(between)
    while rows := roster.after(place, page):
        met.extend(key for _, key in rows)
        place = rows[-1][0]
        for adds, key in next(storms, []):
            touched.add(key)
            roster.add(key) if adds else roster.discard(key)
    stayed = start - touched
    assert [key for key in met if key in stayed] == [key for key in sorted(start) if key in stayed]


def test_many_leavers_leave_no_holes_behind() -> None:
    roster = Roster()
    for n in range(5000):
        roster.add(str(n))
    for n in range(4990):
        roster.discard(str(n))
    assert [key for _, key in roster.after(4992, 3)] == ["4992", "4993", "4994"]
    assert len(roster._keys) < 2500
