"""Every mutant is noticed by the test that has to kill it: all of them, one after another, in one process.

The whole of the suite's part against each mutant in a process of its own is `cio-scenarios mutants`; this is as much of
it as fits into every run.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from scenarios.mutants import suite
from scenarios.mutants.catalogue import choose
from scenarios.mutants.mutant import ROOMS

PATIENCE_S = 300


def killers(pairs: Mapping[str, str], folder: Path = suite.ROOT) -> subprocess.CompletedProcess[str]:
    """pytest over the tests of these pairs, each against its mutant."""
    wanted = [word for name, test in pairs.items() for word in ("--mutants", f"{name}={test}")]
    line = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-p", "scenarios.mutants.plugin"]
    return subprocess.run(
        [*line, *wanted, *dict.fromkeys(pairs.values())],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_every_mutant_is_killed_by_its_test_in_the_room_of(room: str) -> None:
    pairs = {mutant.name: suite.KILLERS[mutant.name] for mutant in choose(room=room)}
    done = killers(pairs)
    assert (done.returncode, done.stdout.count("was not noticed")) == (0, 0), done.stdout[-4_000:]
    assert f"{len(pairs)} passed" in done.stdout


def test_no_test_has_to_kill_two_mutants() -> None:
    assert len(set(suite.KILLERS.values())) == len(suite.KILLERS)


MINE = "def test_sum():\n    assert 1 + 1 == 2\n\n\ndef test_other():\n    pass\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "test_mine.py").write_text(MINE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def test_a_test_that_notices_nothing_fails(folder: Path) -> None:
    done = killers({"ids-trimmed": "test_mine.py::test_sum"}, folder)
    assert done.returncode == 1
    assert "ids-trimmed was not noticed by this test" in done.stdout


def test_a_killer_that_is_gone_is_told(folder: Path) -> None:
    done = killers({"ids-trimmed": "test_mine.py"}, folder)
    assert done.returncode == 4
    assert "there is no test test_mine.py; what kills its mutant now?" in done.stderr
