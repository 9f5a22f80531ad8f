"""Every edge case of the App API is held by a test that exists."""

from __future__ import annotations

import pytest

from tests.contract.edge_cases_app import CASES, COUNT
from tests.contract.named_tests import unknown_tests


def test_no_number_is_missing_and_none_is_too_many() -> None:
    assert sorted(CASES) == list(range(1, COUNT + 1))


def test_every_case_names_tests_that_exist() -> None:
    assert {number: case.says for number, case in CASES.items() if not case.tests} == {}
    assert unknown_tests(test for case in CASES.values() for test in case.tests) == []


@pytest.mark.parametrize(
    "stranger",
    [
        pytest.param("test_app_segments.py::test_nothing_of_the_kind", id="no such test"),
        pytest.param("test_app_nothing.py::test_a_page_holds", id="no such module"),
        pytest.param("test_app_segments.py::test_a_page_holds[no such row]", id="no such row"),
        pytest.param("test_app_segments", id="no test at all"),
    ],
)
def test_a_test_that_is_gone_is_missed(stranger: str) -> None:
    known = "test_app_segments.py::test_a_page_holds[none]"
    assert unknown_tests([known, stranger]) == [stranger]
