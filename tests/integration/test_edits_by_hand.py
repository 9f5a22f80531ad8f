"""Edits of a segment by hand, as the cohorts machine plays them: told, left alone by runs, and undone by a repair."""

from __future__ import annotations

from typing import Any

import pytest

from fakeio import Fake
from scenarios.cohorts import Snapshot
from scenarios.machines.cohorts import CohortMachine
from scenarios.mutants.applying import applied
from scenarios.mutants.catalogue import MUTANTS
from scenarios.people import NOBODY, Some
from scenarios.storytelling import play
from scenarios.truth import Truth

A, B, C = (frozenset({who}) for who in range(3))


def cohort_of(*who: int) -> Snapshot:
    return Snapshot(who, compressed=False, with_properties=False)


def begun(state: CohortMachine) -> None:
    """a and b are members, c is there, d is named by the cohort and is not."""
    state.begins(pool=["a", "b", "c", "d", "e"])
    state.a_calm_day(come=A | B | C, go=NOBODY, snapshot=cohort_of(0, 1, 3))


def edited(state: CohortMachine, **how: Any) -> None:
    calm: dict[str, Some] = {"come": NOBODY, "go": NOBODY, "put_in": NOBODY, "taken_out": NOBODY}
    state.somebody_edits_the_segment(**{**calm, "repaired": False, **how})


def is_left_alone(state: CohortMachine) -> None:
    begun(state)
    edited(state, put_in=C, taken_out=A)
    state.a_calm_day(come=NOBODY, go=NOBODY, snapshot=None)
    assert {person.id for person in state.truth.segment} == {"a", "b", "c"}


def is_claimed_by_the_cohort_and_leaves_with_it(state: CohortMachine) -> None:
    begun(state)
    edited(state, put_in=C)
    state.a_calm_day(come=NOBODY, go=NOBODY, snapshot=cohort_of(0, 1, 2))
    state.a_calm_day(come=NOBODY, go=NOBODY, snapshot=cohort_of(0))
    assert {person.id for person in state.truth.segment} == {"a"}


def is_repaired(state: CohortMachine) -> None:
    begun(state)
    edited(state, put_in=C, taken_out=A | B, go=B, repaired=True)
    assert {person.id for person in state.truth.segment} == {"a"}


def is_renamed(state: CohortMachine) -> None:
    begun(state)
    state.somebody_renames_the_segment(name="Customers")
    edited(state, put_in=C, repaired=True)
    state.the_segment_is_deleted()


@pytest.mark.parametrize("moves", [is_left_alone, is_claimed_by_the_cohort_and_leaves_with_it, is_repaired, is_renamed])
def test_a_segment_that_somebody(moves: Any, fake: Fake) -> None:
    play("cohorts", moves, fake)


@pytest.mark.parametrize(
    ("moves", "mutant", "says"),
    [
        pytest.param(is_left_alone, "strangers-removed", "I1: members", id="a guest who is thrown out"),
        pytest.param(is_repaired, "never-removes", "a run ended with 1", id="a repair that removes nobody"),
        pytest.param(is_renamed, "segment-silently-made-anew", r"ended with 1, not \(4,\)", id="a segment made anew"),
    ],
)
def test_the_machine_notices(moves: Any, mutant: str, says: str, fake: Fake) -> None:
    with applied(MUTANTS[mutant]), pytest.raises(AssertionError, match=says):
        play("cohorts", moves, fake)


def test_the_truth_keeps_who_was_put_there_apart_from_who_was_named() -> None:
    truth = Truth()
    for one in ("a", "b", "c", "d"):
        truth.create(one)
    truth.run_cohort(["a", "b"])
    truth.edit_by_hand(["a", "c", "d", "nobody"], ["b", "d"], {"a", "b"})
    assert truth.drift({"a", "b"}) == {"missing": 1, "leftover": 0, "strangers": 1}
    assert truth.run_cohort(["a", "b"])["member"] == 2
    assert {one.id for one in truth.segment} == {"a", "b", "c"}
    truth.delete("c")
    assert truth.by_hand == set()
    truth.edit_by_hand(["d"], [], {"a", "b"})
    truth.run_cohort(["a", "d"])
    truth.run_cohort(["a"])
    assert {one.id for one in truth.segment} == {"a"}
    truth.edit_by_hand(["d"], ["a"], {"a"})
    truth.repair({"a"})
    assert ({one.id for one in truth.segment}, truth.by_hand) == ({"a"}, set())
