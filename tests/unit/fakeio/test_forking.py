"""Forks: the same state and the same behaviour, and neither of two ever sees what the other does."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given

from fakeio.core.app_operations import SuppressAddress
from fakeio.core.forking import fork
from fakeio.core.snapshots import take
from tests.unit.fakeio.histories import NOW, begin, busy, histories, live, settings, told


@example(values={}, before=[], ours=busy("ours"), theirs=busy("theirs"))
@example(values={}, before=busy("before", held=False), ours=busy("ours"), theirs=busy("theirs"))
@example(values={"segment_build_s": 600}, before=[1.0], ours=[700.0], theirs=[700.0, *busy("theirs")])
@given(values=settings, before=histories, ours=histories, theirs=histories)
def test_forks_go_on_alike_and_never_see_each_other(
    values: dict[str, Any], before: list[Any], ours: list[Any], theirs: list[Any]
) -> None:
    original = begin(values)
    now, _ = live(original, before, NOW)
    document = told(original)
    one, two = fork(original, id=1, name="one"), fork(original, id=1, name="two")
    assert told(one) == told(two) == document
    live(one, theirs, now)
    assert told(original) == told(two) == document
    ended = live(two, ours, now)
    assert told(original) == document
    assert live(original, ours, now) == ended
    assert told(original) == told(two)


@example(values={}, before=[], ours=busy("ours"), theirs=busy("theirs"))
@example(values={}, before=busy("before", held=False), ours=busy("ours"), theirs=busy("theirs"))
@example(values={"segment_build_s": 600}, before=[1.0], ours=[700.0], theirs=[700.0, *busy("theirs")])
@given(values=settings, before=histories, ours=histories, theirs=histories)
def test_what_the_forked_one_does_is_not_seen_by_forks_of_forks(
    values: dict[str, Any], before: list[Any], ours: list[Any], theirs: list[Any]
) -> None:
    original = begin(values)
    now, _ = live(original, before, NOW)
    child = fork(original, id=1, name="child")
    later, _ = live(child, ours, now)
    document = told(child)
    grandchild = fork(child, id=1, name="grandchild")
    live(original, theirs, now)
    live(child, theirs, later)
    assert told(grandchild) == document


def test_a_fork_knows_the_addresses_that_bounced_and_keeps_its_own() -> None:
    original = begin({})
    original.apply(SuppressAddress(list="bounces", email="a@example.com"), NOW)
    child = fork(original, id=1, name="child")
    assert take(child)["esp_suppressions"] == take(original)["esp_suppressions"] != {}
    child.apply(SuppressAddress(list="bounces", email="b@example.com"), NOW)
    assert [row["email"] for row in take(original)["esp_suppressions"]["bounces"]] == ["a@example.com"]
