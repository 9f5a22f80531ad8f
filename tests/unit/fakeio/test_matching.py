"""What keeps a value from matching an expectation: tables of the rules, and two properties."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio.core.matching import MISSING, Difference, differences, near_misses


@pytest.mark.parametrize(("expected", "actual", "found"), [
    pytest.param({"a": 1}, {"a": 1, "b": 2}, [], id="more than was asked for"),
    pytest.param({"a": 1}, {}, [Difference("a", 1, MISSING)], id="a missing field"),
    pytest.param({"a": None}, {}, [Difference("a", None, MISSING)], id="null is not missing"),
    pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, [Difference("a.b", 1, 2)], id="deep inside"),
    pytest.param({"a": {"b": 1}}, {"a": None}, [Difference("a", {"b": 1}, None)], id="no object where one is expected"),
    pytest.param([1, 2], [1, 2], [], id="equal lists"),
    pytest.param([1, 2], [1, 3], [Difference("1", 2, 3)], id="a list's item"),
    pytest.param([1], [1, 2], [Difference("", [1], [1, 2])], id="a longer list"),
    pytest.param([{"a": 1}], [{"a": 1, "b": 2}], [], id="objects in lists are partial too"),
    pytest.param({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, [Difference("a.0.b", 1, 2)], id="a path through a list"),
    pytest.param(1, 1.0, [], id="numbers are numbers"),
    pytest.param(True, 1, [Difference("", True, 1)], id="true is not one"),
    pytest.param("1", 1, [Difference("", "1", 1)], id="text is not a number"),
    pytest.param("ab", ["a", "b"], [Difference("", "ab", ["a", "b"])], id="text is not a list"),
    pytest.param({}, {"a": 1}, [], id="nothing asked for"),
])
def test_the_differences_are(expected: Any, actual: Any, found: list[Difference]) -> None:
    assert differences(expected, actual) == found


@pytest.mark.parametrize(("difference", "words"), [
    (Difference("data.total", 3, 4), "data.total is 4, expected 3"),
    (Difference("name", "order", MISSING), "name is missing, expected 'order'"),
    (Difference("", 1, 2), "the value is 2, expected 1"),
])
def test_a_difference_is_told_in_words(difference: Difference, words: str) -> None:
    assert str(difference) == words


def test_the_nearest_misses_come_first_and_matches_are_none() -> None:
    one, two = Difference("a", 1, 2), Difference("b", 1, 2)
    found: list[tuple[Any, list[Difference]]] = [("far", [one, two]), ("near", [one]), ("hit", []), ("next", [two])]
    assert near_misses(found, at_most=2) == [("near", [one]), ("next", [two])]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES)
def test_every_value_matches_itself(value: Any) -> None:
    assert differences(value, value) == []


@given(value=st.dictionaries(st.text(max_size=2), VALUES, max_size=3), more=VALUES)
def test_an_object_matches_what_has_more(value: dict[str, Any], more: Any) -> None:
    assert differences(value, {**value, "more than": more}) == []
