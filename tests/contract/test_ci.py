"""The gates that CI holds a change to can close: coverage below its share, a part nobody measured, a skipped test."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from conftest import ROOM_BYTES, keep_files_in_memory
from scenarios.scratch import IN_MEMORY
from tests.contract.source_tree import CHECKOUT


@pytest.fixture(scope="module")
def gate() -> ModuleType:
    """`.ci/coverage_gate.py`, which lies in no package."""
    spec = importlib.util.spec_from_file_location("coverage_gate", CHECKOUT / ".ci" / "coverage_gate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(branches: int, lines: int = 100) -> dict[str, Any]:
    """One file of 100 branches and 100 statements in coverage's report."""
    covered = {"covered_branches": branches, "num_branches": 100, "covered_lines": lines, "num_statements": 100}
    return {"summary": covered}


def everywhere(**changed: dict[str, Any]) -> dict[str, Any]:
    """A report with one file in every part, all covered but for those that are changed, by part."""
    names = {
        "fakeio_core": "fakeio/core/people.py", "sync_core": "sync/core/diff.py", "fakeio": "fakeio/app.py",
        "sync": "sync/run.py", "scenarios": "scenarios/truth.py",
    }  # fmt: skip
    return {"files": {name: changed.get(part, measured(100)) for part, name in names.items()}}


@pytest.mark.parametrize(
    ("report", "failed"),
    [
        pytest.param(everywhere(), 0, id="all covered"),
        pytest.param(everywhere(fakeio_core=measured(95), fakeio=measured(90)), 0, id="exactly at the gates"),
        pytest.param(everywhere(fakeio_core=measured(94)), 1, id="a core just below"),
        pytest.param(everywhere(sync_core=measured(94), scenarios=measured(89)), 2, id="two parts below"),
        pytest.param(everywhere(sync=measured(100, lines=89)), 1, id="branches covered, statements not"),
        pytest.param({"files": {"fakeio/core/people.py": measured(100)}}, 4, id="four parts not measured"),
    ],
)
def test_the_coverage_gate_counts(gate: ModuleType, report: dict[str, Any], failed: int) -> None:
    assert gate.failures(gate.parse_report(report), io.StringIO()) == failed


def test_a_file_of_no_part_is_a_mistake_in_the_measuring(gate: ModuleType) -> None:
    with pytest.raises(SystemExit, match="belongs to no part"):
        gate.failures(gate.parse_report({"files": {"elsewhere.py": measured(100)}}), io.StringIO())


SKIPPING = """
import pytest

def test_that_skips_itself():
    pytest.skip("no browser")

@pytest.mark.xfail(reason="known")
def test_that_is_expected_to_fail():
    raise AssertionError

@pytest.mark.may_skip_in_ci("not on any index")
def test_that_may_skip():
    pytest.skip("nothing there")
"""


@pytest.mark.parametrize(
    ("ci", "closing"),
    [
        pytest.param({"CI": "true"}, "1 failed, 1 skipped, 1 xfailed", id="in CI a skip is a failure"),
        pytest.param({}, "2 skipped, 1 xfailed", id="at a desk it is not"),
    ],
)
def test_what_is_skipped(tmp_path: Path, ci: dict[str, str], closing: str) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_skipping.py").write_text(SKIPPING, encoding="utf-8")
    for name in ("conftest.py", "pyproject.toml"):
        (tmp_path / name).write_bytes((CHECKOUT / name).read_bytes())
    env = {name: value for name, value in os.environ.items() if name != "CI"} | ci
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"]
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert closing in ended.stdout


class Place(NamedTuple):
    """What `os.statvfs` says of a file system, as far as anybody asks."""

    f_bavail: int
    f_frsize: int = 4096
    f_flag: int = 0


@pytest.mark.parametrize(
    ("place", "named", "chosen"),
    [
        pytest.param(Place(ROOM_BYTES // 4096), None, str(IN_MEMORY), id="room in memory"),
        pytest.param(Place(ROOM_BYTES // 4096 - 1), None, None, id="too little"),
        pytest.param(Place(ROOM_BYTES // 4096, f_flag=os.ST_NOEXEC), None, None, id="no program may be run from it"),
        pytest.param(Place(ROOM_BYTES // 4096), "/elsewhere", "/elsewhere", id="somebody named a place"),
        pytest.param(None, None, None, id="no such file system"),
    ],
)
def test_files_of_tests_lie_in_memory_where_there_is(
    monkeypatch: pytest.MonkeyPatch, place: Place | None, named: str | None, chosen: str | None
) -> None:
    def asked(_: Path) -> Place:
        if place is None:
            raise FileNotFoundError
        return place

    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", named or "")
    if named is None:
        monkeypatch.delenv("PYTEST_DEBUG_TEMPROOT")
    monkeypatch.setattr(os, "statvfs", asked)
    monkeypatch.setattr(os, "access", lambda *_: True)
    keep_files_in_memory()
    assert os.environ.get("PYTEST_DEBUG_TEMPROOT") == chosen


def test_the_script_of_ci_can_be_run() -> None:
    script = CHECKOUT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[0].startswith("#!")
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=60)
