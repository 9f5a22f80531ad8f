"""One wheel with three typed packages, their data and their commands; and in CI, it is what the tests have tested.

Reads the record of the installed distribution. An editable installation has no such record: there, and only there,
the tests of the contents are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib import import_module
from importlib.metadata import Distribution, distribution, entry_points
from pathlib import Path

import pytest

from tests.contract.source_tree import CHECKOUT, PACKAGES

COMMANDS = {"fakeio": "fakeio.cli:main", "cio-sync": "sync.cli:main", "cio-scenarios": "scenarios.cli:main"}
SOURCES = (".py", ".pyc")
FIRST_RUN_WITHIN_S = 120


def installed() -> Distribution:
    """The distribution as installed here; skips the test where it is an editable one."""
    found = distribution("fakeio")
    if '"editable": true' in (found.read_text("direct_url.json") or ""):
        pytest.skip("installed as editable: there is no wheel to look into")
    return found


def record() -> set[str]:
    """Every file of the wheel, as paths with forward slashes."""
    return {file.as_posix() for file in installed().files or ()}


@pytest.mark.skipif(not os.environ.get("CI"), reason="outside CI the packages may come from the checkout")
@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_tested_is_what_is_installed(package: str) -> None:
    where = Path(str(import_module(package).__file__)).resolve()
    assert where.parent.parent == Path(sysconfig.get_path("purelib")).resolve()


def test_the_wheel_holds_three_packages_and_nothing_else() -> None:
    tops = {name.partition("/")[0] for name in record() if not name.startswith("..")}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_typed(package: str) -> None:
    assert f"{package}/py.typed" in record()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_a_package_is_in_the_wheel(package: str) -> None:
    there = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / package).rglob("*") if path.is_file()}
    own = {name for name in there if "__pycache__" not in name and not Path(name).name.startswith(".")}
    assert own - record() == set()


def test_the_samples_are_in_the_wheel() -> None:
    samples = {name for name in record() if name.startswith("scenarios/samples/") and not name.endswith(SOURCES)}
    assert {Path(name).suffix for name in samples} >= {".csv", ".gz", ".zip", ".json"}


def test_what_programs_under_exec_load_first_is_in_the_wheel() -> None:
    assert {f"fakeio/preload/{name}" for name in ("sitecustomize.py", "preload.cjs")} <= record()


def test_the_licence_travels_along() -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in record())


def test_the_commands_are_the_ones_in_the_documentation() -> None:
    declared = distribution("fakeio").entry_points.select(group="console_scripts")
    assert {point.name: point.value for point in declared} == COMMANDS


def test_pytest_finds_the_plugin() -> None:
    assert [point.value for point in entry_points(group="pytest11", name="fakeio")] == ["fakeio.pytest_plugin"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("how", ["command", "module"])
def test_a_command_introduces_itself(command: str, how: str) -> None:
    package = COMMANDS[command].partition(".")[0]
    script = Path(sysconfig.get_path("scripts")) / command
    called = [sys.executable, "-m", package] if how == "module" else [str(script)]
    ended = subprocess.run([*called, "--help"], capture_output=True, text=True, timeout=FIRST_RUN_WITHIN_S, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"usage: {command}")
