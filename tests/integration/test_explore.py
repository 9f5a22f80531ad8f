"""`cio-scenarios explore`: repeatable, says what it found and how, and knows its profiles."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from fakeio import Fake
from scenarios import exploring, profiles
from scenarios.cli import PROFILES, main


class Counting(RuleBasedStateMachine):
    """Goes wrong when somebody adds more than five."""

    @rule(number=st.integers(0, 100))
    def adds(self, number: int) -> None:
        assert number <= 5


def counting(fake: Fake) -> type[RuleBasedStateMachine]:
    assert fake.url
    return Counting


@pytest.fixture(autouse=True)
def profile_of_the_suite() -> Iterator[None]:
    """Exploring loads a profile for the whole process; the tests that follow get theirs back."""
    yield
    profiles.load()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile of two short worlds, in place of `dev`."""
    few = settings(profiles.PROFILES["dev"], max_examples=2, stateful_step_count=3, database=None)
    monkeypatch.setitem(profiles.PROFILES, "dev", few)


@pytest.mark.usefixtures("hasty")
def test_machines_that_find_nothing_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--profile", "dev", "--seed", "1"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "profile dev: 2 worlds a machine, up to 3 moves each",
        *(f"{name}: nothing wrong found" for name in exploring.MACHINES),
        f"{len(exploring.MACHINES)} of {len(exploring.MACHINES)} machines found nothing wrong",
    ]


def test_a_machine_that_finds_something_prints_the_shortest_way_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exploring, "MACHINES", {"counting": counting})
    assert main(["explore", "--profile", "ci"]) == 1
    told = capsys.readouterr().out
    assert "counting: found something" in told
    assert re.findall(r"state\.adds\(number=(\d+)\)", told)[-1] == "6"
    assert told.endswith("0 of 1 machines found nothing wrong\n")


def test_a_profile_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no profile 'noon'; the profiles are dev, ci, night"):
        profiles.load("noon")


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        pytest.param({}, "dev", id="at a desk"),
        pytest.param({"CI": "true"}, "ci", id="in CI"),
        pytest.param({"CI": "true", "HYPOTHESIS_PROFILE": "night"}, "night", id="asked for"),
    ],
)
def test_the_profile_is_chosen_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], name: str
) -> None:
    for variable in ("CI", profiles.VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert profiles.default() == name


def test_only_what_is_built_is_offered() -> None:
    line = [sys.executable, "-P", "-m", "scenarios", "--help"]
    told = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True, cwd="/").stdout
    assert re.findall(r"^    ([a-z]+)  ", told, re.MULTILINE) == ["demo", "explore"]


def test_the_command_offers_every_profile() -> None:
    assert tuple(profiles.PROFILES) == PROFILES


def test_exploring_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(exploring, "explore", interrupted)
    assert main(["explore"]) == 130


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "required: COMMAND" in capsys.readouterr().err
