"""What to send so that a segment equals a cohort, and what is true afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.diff import NONE, Ids, Known, Plan, Repair, Seen, Settlement, diff, repair, settle


def ids(text: str) -> Ids:
    return frozenset(one.encode() for one in text)


def listed(text: str) -> list[bytes]:
    return [one.encode() for one in text]


@pytest.mark.parametrize(
    ("known", "cohort", "plan"),
    [
        pytest.param(Known(), "abc", Plan(listed("abc"), [], 0, 0, 0), id="a first run"),
        pytest.param(Known(ids("abc")), "bcd", Plan(listed("d"), listed("a"), 2, 1, 0), id="one left, one came"),
        pytest.param(Known(ids("abc")), "abc", Plan([], [], 3, 0, 0), id="nothing changed"),
        pytest.param(Known(ids("abc")), "", Plan([], listed("abc"), 0, 3, 0), id="everybody left"),
        pytest.param(
            Known(ids("a"), joining=ids("b")), "ab", Plan(listed("b"), [], 1, 0, 0), id="a join in doubt is sent again",
        ),
        pytest.param(
            Known(ids("a"), joining=ids("b")), "a", Plan([], listed("b"), 1, 0, 0),
            id="a join in doubt may have happened",
        ),
        pytest.param(
            Known(ids("ab"), leaving=ids("b")), "a", Plan([], listed("b"), 1, 1, 0),
            id="a leave in doubt is sent again",
        ),
        pytest.param(
            Known(ids("ab"), leaving=ids("b")), "ab", Plan(listed("b"), [], 1, 0, 0),
            id="a leave in doubt may have happened",
        ),
        pytest.param(Known(ids("a"), absent=ids("x")), "ax", Plan([], [], 1, 0, 1), id="who does not exist waits"),
        pytest.param(
            Known(ids("a"), absent=ids("x")), "a", Plan([], [], 1, 0, 0), id="who does not exist needs no removal",
        ),
    ],
)
def test_a_plan_makes_the_segment_equal_to_the_cohort(known: Known, cohort: str, plan: Plan) -> None:
    assert diff(known, ids(cohort)) == plan


def test_a_full_run_sends_everybody_again() -> None:
    assert diff(Known(ids("ab"), absent=ids("x")), ids("bcx"), full=True) == Plan(listed("bcx"), listed("a"), 1, 1, 0)


def test_without_looking_back_the_absent_are_simply_sent_again() -> None:
    known = Known(ids("a"), absent=ids("x"))
    assert diff(known, ids("ax"), retry_absent=True) == Plan(listed("x"), [], 1, 0, 0)


@pytest.mark.parametrize(
    ("known", "cohort", "seen", "expected"),
    [
        pytest.param(Known(ids("a")), "a", Seen(ids("a")), Repair([], []), id="all is well"),
        pytest.param(
            Known(ids("ab")), "ab", Seen(ids("a")), Repair(listed("b"), []), id="somebody was taken out by hand",
        ),
        pytest.param(Known(ids("a")), "a", Seen(ids("az")), Repair([], []), id="somebody was put in by hand"),
        pytest.param(Known(leaving=ids("b")), "", Seen(ids("b")), Repair([], listed("b")), id="a removal was lost"),
        pytest.param(
            Known(absent=ids("x")), "", Seen(ids("x")), Repair([], listed("x")), id="an ancient add came true",
        ),
        pytest.param(Known(), "x", Seen(NONE, nowhere=ids("x")), Repair([], []), id="nobody has this identifier"),
        pytest.param(Known(), "x", Seen(NONE, refused=ids("x")), Repair([], []), id="the call was refused"),
        pytest.param(Known(), "x", Seen(NONE, unsettled=ids("x")), Repair([], []), id="the call never got an answer"),
        pytest.param(
            Known(leaving=ids("b")), "", Seen(ids("b"), unsettled=ids("b")), Repair([], []),
            id="a removal without answer"
        ),
    ],
)
def test_what_can_be_mended_in_this_run(known: Known, cohort: str, seen: Seen, expected: Repair) -> None:
    assert repair(known, ids(cohort), seen) == expected


@pytest.mark.parametrize(
    ("known", "cohort", "seen", "expected"),
    [
        pytest.param(
            Known(joining=ids("ab")), "ab", Seen(ids("a"), nowhere=ids("b")),
            Settlement(Known(ids("a"), absent=ids("b")), 0, 1, 1, 0, NONE, 0, 0), id="one added, one not found",
        ),
        pytest.param(
            Known(ids("abc"), joining=ids("d"), leaving=ids("a")), "bcd", Seen(ids("bcd")),
            Settlement(Known(ids("bcd")), 2, 1, 0, 0, NONE, 1, 0), id="one of each",
        ),
        pytest.param(
            Known(ids("ab")), "ab", Seen(ids("ab"), repaired=ids("b")),
            Settlement(Known(ids("ab")), 1, 1, 0, 0, NONE, 0, 0), id="put back after a removal by hand",
        ),
        pytest.param(
            Known(joining=ids("ab")), "ab", Seen(ids("a"), refused=ids("b")),
            Settlement(Known(ids("a")), 0, 1, 0, 0, ids("b"), 0, 0),
            id="refused and forgotten, so sent again next time",
        ),
        pytest.param(
            Known(joining=ids("a")), "a", Seen(NONE),
            Settlement(Known(joining=ids("a")), 0, 0, 0, 1, NONE, 0, 0), id="exists but can't be seen: pending",
        ),
        pytest.param(
            Known(ids("a"), leaving=ids("a")), "", Seen(ids("a")),
            Settlement(Known(leaving=ids("a")), 0, 0, 0, 0, NONE, 0, 0),
            id="still there although removed: stays planned",
        ),
        pytest.param(
            Known(ids("a")), "a", Seen(ids("az")),
            Settlement(Known(ids("a")), 1, 0, 0, 0, NONE, 0, 1), id="a stranger is left alone and counted",
        ),
    ],
)
def test_everybody_gets_one_fate(known: Known, cohort: str, seen: Seen, expected: Settlement) -> None:
    assert settle(known, ids(cohort), seen) == expected


some_ids = st.frozensets(st.sampled_from(listed("abcdefgh")))
knowns = st.builds(Known, some_ids, some_ids, some_ids, some_ids)


@given(knowns, some_ids, st.builds(Seen, some_ids, some_ids, some_ids, some_ids, some_ids))
def test_the_fates_add_up_whatever_happened(known: Known, cohort: Ids, seen: Seen) -> None:
    end = settle(known, cohort, seen)
    assert end.already_members + end.added + end.not_found + end.pending + len(end.refused) == len(cohort)
    assert end.keep.confirmed == cohort & seen.present
    assert not end.keep.leaving & cohort


@given(knowns, some_ids, some_ids)
def test_a_plan_carried_out_ends_at_the_cohort(known: Known, cohort: Ids, in_doubt: Ids) -> None:
    """Whatever of the doubtful things happened, sending the plan and looking once leaves only people who exist."""
    segment = set(known.sure | (in_doubt & known.ever))
    plan = diff(known, cohort)
    segment -= set(plan.leave)
    segment |= set(plan.join)
    planned = known._replace(joining=frozenset(plan.join), leaving=frozenset(plan.leave))
    mend = repair(planned, cohort, Seen(frozenset(segment)))
    segment -= set(mend.stray)
    segment |= set(mend.missing)
    assert segment == cohort


@given(knowns, some_ids)
def test_nobody_is_sent_both_ways(known: Known, cohort: Ids) -> None:
    plan = diff(known, cohort)
    assert not set(plan.join) & set(plan.leave)
    assert plan.join == sorted(set(plan.join))
    assert set(plan.leave) <= known.ever
