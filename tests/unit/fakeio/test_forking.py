"""Forks: the same state and the same behaviour, and neither of two ever sees what the other does."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from fakeio.core.forking import fork
from fakeio.core.snapshots import take
from tests.unit.fakeio.histories import NOW, begin, histories, live, settings


@given(values=settings, before=histories, ours=histories, theirs=histories)
def test_forks_go_on_alike_and_never_see_each_other(
    values: dict[str, Any], before: list[Any], ours: list[Any], theirs: list[Any]
) -> None:
    original = begin(values)
    now, _ = live(original, before, NOW)
    document = take(original)
    one, two = fork(original, id=1, name="one"), fork(original, id=1, name="two")
    assert take(one) == take(two) == document
    live(one, theirs, now)
    assert take(original) == take(two) == document
    ended = live(two, ours, now)
    assert take(original) == document
    assert live(original, ours, now) == ended
    assert take(original) == take(two)


@given(values=settings, before=histories, ours=histories, theirs=histories)
def test_what_the_forked_one_does_is_not_seen_by_forks_of_forks(
    values: dict[str, Any], before: list[Any], ours: list[Any], theirs: list[Any]
) -> None:
    original = begin(values)
    now, _ = live(original, before, NOW)
    child = fork(original, id=1, name="child")
    later, _ = live(child, ours, now)
    document = take(child)
    grandchild = fork(child, id=1, name="grandchild")
    live(original, theirs, now)
    live(child, theirs, later)
    assert take(grandchild) == document
