"""Every edge case of the Track API is proved by tests that exist and are collected."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.contract.edge_cases_track import EDGE_CASES
from tests.contract.source_tree import CHECKOUT

HOW_MANY = 72
PATIENCE_S = 300  # a bound on hanging, never a measure


def collected(paths: set[str]) -> set[str]:
    """The ids of all tests in these files, as pytest collects them."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *sorted(paths)]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_no_number_is_missing() -> None:
    assert list(EDGE_CASES) == list(range(1, HOW_MANY + 1))


def test_every_case_says_what_it_is_about_and_names_a_test() -> None:
    assert [number for number, case in EDGE_CASES.items() if not case.says or not case.tests] == []
    said = [case.says for case in EDGE_CASES.values()]
    assert sorted(said) == sorted(set(said))


def test_every_test_that_is_named_is_collected() -> None:
    named = {f"tests/{test}" for case in EDGE_CASES.values() for test in case.tests}
    there = collected({test.partition("::")[0] for test in named})
    assert sorted(named - there) == []
