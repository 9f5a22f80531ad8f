"""`cio-scenarios explore`: repeatable, says what it found and how, and knows its profiles."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakeio import Fake
from scenarios import exploring, machines, profiles
from scenarios.cli import PROFILES, main
from scenarios.events import Sketch
from scenarios.machines.base import Machine, Move, begin, move
from scenarios.storytelling import MOST_LINES, encode_story, save_story


class CountingMachine(Machine):
    """Goes wrong when somebody adds more than five."""

    @move(number=st.integers(0, 100))
    def adds(self, number: int) -> None:
        assert number <= 5, f"added {number}"


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
    monkeypatch.setitem(profiles.WORLDS, "dev", 2)


def explore(*arguments: str) -> int:
    return main(["explore", *arguments])


@pytest.mark.usefixtures("hasty")
def test_machines_that_find_nothing_say_so_and_count(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert explore("--profile", "dev", "--machine", "events", "--stories", str(tmp_path)) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == ["profile dev: 2 worlds a machine, up to 3 moves each", "events: nothing wrong found", ""]
    assert told[3] == f"| {' | '.join(exploring.COLUMNS)} |"
    figures = dict(zip(exploring.COLUMNS, told[5].strip("| ").split(" | "), strict=True))
    assert (figures["machine"], figures["shrinks"]) == ("events", "0")
    assert int(figures["examples"]) >= 2
    assert int(figures["states"]) >= 2
    assert told[-1] == "1 of 1 machines found nothing wrong"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", machines.MACHINES)
def test_two_searches_with_one_seed_send_the_same_requests_in_the_same_order(name: str) -> None:
    chosen = profiles.PROFILES["dev"]

    def fingerprint(seed: int) -> tuple[str, int]:
        with Fake() as fake:
            tally = exploring.search(name, fake, chosen, seed).tally
        return tally.fingerprint, tally.requests

    first = fingerprint(7)
    assert first[1] > 0
    assert fingerprint(7) == first
    assert fingerprint(8) != first


def test_a_machine_that_finds_something_writes_the_shortest_way_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(machines, "MACHINES", {"counting": CountingMachine})
    assert explore("--profile", "ci", "--stories", str(tmp_path)) == 1
    (story,) = tmp_path.iterdir()
    told = capsys.readouterr().out
    assert f"counting: found something; play it with `pytest {story}`" in told
    assert re.findall(r"state\.adds\(number=(\d+)\)", story.read_text()) == ["6"]
    assert story.read_text() in told
    assert told.endswith("0 of 1 machines found nothing wrong\n")
    figures = dict(zip(exploring.COLUMNS, told.splitlines()[-2].strip("| ").split(" | "), strict=True))
    assert (figures["machine"], int(figures["shrinks"]) > 0) == ("counting", True)


def test_what_is_wrong_with_a_machine_itself_is_no_story(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unplayable(Machine):
        @begin(number=st.nothing())
        def begins(self, number: int) -> None: ...

        @move(number=st.integers())
        def adds(self, number: int) -> None: ...

    monkeypatch.setattr(machines, "MACHINES", {"unplayable": Unplayable})
    with Fake() as fake, pytest.raises(Exception, match=r"."):
        exploring.search("unplayable", fake, profiles.PROFILES["ci"])


SENDS_ALL = """
def breaks(patch):
    from sync.core import diff
    patch.setattr("sync.cohort_pass.diff", lambda *known, **flags: diff.diff(*known, **{**flags, "full": True}))
"""
SEES_REPETITIONS = """
def breaks(patch):
    patch.setattr("fakeio.core.eventing._seen", lambda *given: True)
"""
PLAYED_BROKEN = "\nimport pytest\nbreaks(pytest.MonkeyPatch())\n"


@pytest.mark.parametrize(
    ("name", "breakage", "says"),
    [
        pytest.param("cohorts", SENDS_ALL, "I", id="an engine that sends everybody every time"),
        pytest.param("events", SEES_REPETITIONS, "I9: not there", id="a fake that takes every event for a repetition"),
    ],
)
def test_a_breakage_yields_a_short_story_that_fails_the_same_way_when_it_is_played(
    name: str, breakage: str, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The breakage is there for the search, and as a conftest for the story."""
    defined: dict[str, Any] = {}
    exec(breakage, defined)
    defined["breaks"](monkeypatch)
    with Fake() as fake:
        found = exploring.search(name, fake, profiles.PROFILES["ci"], seed=1, shortening_s=1)
    assert 0 < len(found.story.splitlines()) <= MOST_LINES
    error = found.tally.failing.error if found.tally.failing else None
    assert str(error).startswith(says)
    (tmp_path / "conftest.py").write_text(breakage + PLAYED_BROKEN)
    path = save_story(tmp_path, name, found.story)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    played = subprocess.run(line, cwd=path.parent, capture_output=True, text=True, timeout=120, check=False)
    assert played.returncode == 1, played.stdout + played.stderr
    assert str(error)[:60] in played.stdout
    monkeypatch.undo()  # and without the breakage it ends well
    module: dict[str, Any] = {}
    exec(compile(found.story, "story", "exec"), module)
    module["test_it_ends_well"]()


def test_a_long_story_of_long_texts_is_still_short() -> None:
    moves = [Move("a_calm_day", {"text": "x" * 2_000, "known": frozenset({2, 1}), "sketch": Sketch(0, size=10)})] * 45
    story = encode_story("events", moves, AssertionError('says """this"""\nand \\that'), None)
    assert len(story.splitlines()) <= MOST_LINES
    call = "state.a_calm_day(text='x' * 2000, known=frozenset({1, 2}), sketch=Sketch(user=0, size=10))"
    assert story.count(call) == 45
    assert "from scenarios.events import Sketch" in story
    compile(story, "story", "exec")


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=60) | st.frozensets(st.integers(), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    | st.tuples(inner) | st.tuples(inner, inner),
))  # fmt: skip
def test_a_story_keeps_the_values_of_its_moves(value: object) -> None:
    story = encode_story("events", [Move("begins", {"value": value})], AssertionError("wrong"), 3)
    module: dict[str, Any] = {}
    exec(compile(story, "story", "exec"), module)
    told: list[object] = []
    module["play"](SimpleNamespace(begins=lambda value: told.append(value)))
    assert told == [value]
    assert (type(told[0]), module["MACHINE"]) == (type(value), "events")


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
    assert re.findall(r"^    ([a-z]+)(?:  |$)", told, re.MULTILINE) == [
        "demo", "explore", "sweep", "interleave", "list", "show", "run", "report", "serve", "mutants",
    ]  # fmt: skip


def test_the_command_offers_every_profile() -> None:
    assert tuple(profiles.PROFILES) == PROFILES


def test_exploring_can_be_interrupted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(exploring, "explore", interrupted)
    assert main(["explore", "--stories", str(tmp_path)]) == 130


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "required: COMMAND" in capsys.readouterr().err
