"""The mutants: each can be put in force and taken back, in this process and in others; what a run against them says.

That each is noticed is `test_mutants_killed.py`; that each invariant can fail is `test_invariants_can_fail.py`.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import fakeio
import scenarios
import sync
from scenarios import machines
from scenarios.cli import main
from scenarios.mutants import running, suite
from scenarios.mutants.applying import CannotMutate, applied, find_target
from scenarios.mutants.catalogue import BREAKAGES, MUTANTS, choose
from scenarios.mutants.launch import environment
from scenarios.mutants.launch import main as launch
from scenarios.mutants.mutant import ENGINE, FAKE, Collection, Mutant, Patch
from scenarios.mutants.proving import play_without
from scenarios.mutants.running import CannotRun, Outcome, Result
from scenarios.mutants.telling import as_document, as_table, tell_one, tell_score
from sync.core.sending import Reply, RetryPolicy, retry_after_s
from tests.contract.readme import between

PACKAGES = {FAKE: "fakeio.", ENGINE: "sync."}
PATIENT, HASTY = MUTANTS["retry-after-ignored"], MUTANTS["retries-in-one-window"]
LOOKS = "from sync.core.sending import Reply, retry_after_s as look; assert look(Reply(429, {'retry-after': '7'})) == 7"
WAIT = Reply(429, {"retry-after": "7"})
PATIENCE_S = 120
HERE = Path(str(scenarios.__path__[0]))


# ---- the list --------------------------------------------------------------------------------------------------------
def test_there_are_enough_of_them() -> None:
    assert len(choose(room=FAKE)) >= 25
    assert len(choose(room=ENGINE)) >= 15


@pytest.mark.parametrize("name", MUTANTS)
def test_every_function_of_a_mutant_exists_in_its_room(name: str) -> None:
    mutant = MUTANTS[name]
    assert mutant.words
    assert mutant.source
    for patch in mutant.patches:
        assert patch.target.startswith(PACKAGES[mutant.room])
        assert find_target(patch.target).__name__ in patch.target


def test_every_mutant_has_a_test_that_has_to_kill_it() -> None:
    assert suite.KILLERS.keys() == MUTANTS.keys()


def test_the_pages_name_every_mutant_and_every_breakage() -> None:
    rows = re.compile(r"^\| `([a-z0-9-]+)` \|", re.MULTILINE)
    assert rows.findall((HERE / "mutants" / "README.md").read_text(encoding="utf-8")) == list(MUTANTS)
    page = (HERE / "README.md").read_text(encoding="utf-8")
    assert rows.findall(between(page, "breakages")) == list(BREAKAGES)


def test_the_fixed_list_has_ten_breakages_of_each_room() -> None:
    assert len(set(BREAKAGES)) == 20
    assert [len(choose(BREAKAGES, room)) for room in (FAKE, ENGINE)] == [10, 10]


def test_two_mutants_of_one_name_are_refused() -> None:
    here = Collection(FAKE)
    here.mutant("a", "fakeio:x", "", "")(print)
    with pytest.raises(ValueError, match="two mutants called a"):
        here.mutant("a", "fakeio:y", "", "")(print)


@pytest.mark.parametrize("package", [pytest.param(fakeio, id="fakeio"), pytest.param(sync, id="sync")])
def test_production_code_knows_of_no_mutant(package: object) -> None:
    folder = Path(str(getattr(package, "__path__", [""])[0]))
    files = list(folder.rglob("*.py"))
    assert len(files) > 50
    assert [str(file) for file in files if "mutant" in file.read_text(encoding="utf-8").lower()] == []


# ---- in this process -------------------------------------------------------------------------------------------------
def test_a_mutant_is_in_force_for_everybody_who_holds_the_function_and_then_no_more() -> None:
    held = retry_after_s
    with applied(PATIENT):
        assert held(WAIT) is None
    assert held(WAIT) == 7


def test_a_method_is_wrong_for_objects_that_are_there_already() -> None:
    policy = RetryPolicy(base_s=1.0)
    with applied(HASTY):
        assert policy.backoff_s(3, 1.0) == 0
    assert policy.backoff_s(3, 1.0) == 4


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_can_be_taken_back(name: str) -> None:
    functions = [find_target(patch.target) for patch in MUTANTS[name].patches]
    before = [(one.__code__, one.__defaults__, one.__kwdefaults__) for one in functions]
    with applied(MUTANTS[name]):
        assert all(one.__code__ is not code for one, (code, *_) in zip(functions, before, strict=True))
        assert [kind(one.__code__) for one in functions] == [kind(code) for code, *_ in before]
    assert [(one.__code__, one.__defaults__, one.__kwdefaults__) for one in functions] == before


def kind(code: types.CodeType) -> int:
    """A function, a generator or a coroutine; Python gives up letting code of one take the place of another."""
    return code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR)


def test_only_one_mutant_is_in_force_at_a_time() -> None:
    with applied(PATIENT), pytest.raises(CannotMutate, match="retry-after-ignored is in force"), applied(HASTY):
        pass
    with applied(HASTY):
        pass


@pytest.mark.parametrize(
    ("target", "why"),
    [
        pytest.param("sync.core.sending:no_such", "was it renamed", id="no such function"),
        pytest.param("sync.core.no_such:f", "was it renamed", id="no such module"),
        pytest.param("sync.core.sending:FateKind", "no plain function", id="a class"),
        pytest.param("sync.core.budgets:PERSON_ID", "no plain function", id="a value"),
    ],
)
def test_a_target_that_can_not_be_exchanged_is_told(target: str, why: str) -> None:
    broken = Mutant("broken", ENGINE, "", "", (Patch("sync.core.sending:_why", print), Patch(target, print)))
    before = find_target("sync.core.sending:_why").__code__
    with pytest.raises(CannotMutate, match=why), applied(broken):
        pass
    assert find_target("sync.core.sending:_why").__code__ is before


# ---- in other processes ----------------------------------------------------------------------------------------------
def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


CHILD = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {LOOKS!r}]).returncode)"
HIDDEN = "import sitecustomize; assert sitecustomize.__file__.endswith('mine/sitecustomize.py'), sitecustomize.__file__"


def test_a_mutant_is_in_force_in_every_process_below(capfd: pytest.CaptureFixture[str]) -> None:
    assert launch([PATIENT.name, "--", *python(CHILD)]) == 1
    assert "AssertionError" in capfd.readouterr().err


def test_the_sitecustomize_that_was_there_is_run_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "sitecustomize.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(mine))
    assert launch([PATIENT.name, "--", *python(HIDDEN)]) == 0


def test_a_folder_of_the_hook_alone_changes_nothing(tmp_path: Path) -> None:
    own = {name: value for name, value in environment(PATIENT.name, tmp_path).items() if "MUTANT" not in name}
    subprocess.run(python(LOOKS), env=own, check=True, timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param([], 2, "usage", id="nothing"),
        pytest.param([PATIENT.name, "--"], 2, "usage", id="no command"),
        pytest.param([PATIENT.name, "pytest"], 2, "usage", id="no dashes"),
        pytest.param(["nobody", "--", "true"], 2, "there is no mutant nobody", id="no such mutant"),
        pytest.param([PATIENT.name, "--", "/no/such"], 127, "/no/such: not found", id="no such command"),
    ],
)
def test_a_launch_that_can_not_be_is_told(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert launch(arguments) == code
    assert said in capsys.readouterr().err


# ---- runs against many -----------------------------------------------------------------------------------------------
def suite_file(folder: Path) -> Path:
    """A user's own suite, in a folder that knows nothing of this project's settings."""
    file = folder / "test_mine.py"
    file.write_text(f"def test_patience():\n    {LOOKS}\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    return file


def test_a_suite_kills_what_it_notices_and_is_told_what_it_does_not(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest_line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(suite_file(tmp_path))]
    names = [PATIENT.name, HASTY.name, "ids-trimmed"]
    assert main(["mutants", *names, "--jobs", "3", "--", *pytest_line]) == 1
    told = capfd.readouterr().out
    assert "test_mine.py::test_patience" in told
    assert "engine: 1 of 2 killed, 1 survived" in told
    assert "fake: 0 of 1 killed, 1 unmet" in told
    assert f"  {HASTY.name}: {HASTY.words}" in told


def test_a_suite_that_kills_all_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", PATIENT.name, "--json", "--", *python(LOOKS)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert told["score"] == {"engine": {"killed": 1}}
    assert [(row["name"], row["by"]) for row in told["mutants"]] == [(PATIENT.name, "AssertionError")]


def test_a_suite_that_does_not_end_is_ended() -> None:
    code = f"import time\ntry:\n    {LOOKS}\nexcept AssertionError:\n    time.sleep(600)"
    outcome = running.run_one(PATIENT, python(code), timeout_s=2.0)
    assert (outcome.result, outcome.by) == (Result.TIMEOUT, "")


def test_a_suite_that_fails_anyway_counts_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", PATIENT.name, "--", *python("raise SystemExit('it is red')")]) == 2
    said = capsys.readouterr().err
    assert "failed with exit code 1; a suite has to pass before its kills count" in said
    assert said.rstrip().endswith("it is red")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["nobody"], "there is no mutant nobody", id="an unknown mutant"),
        pytest.param([PATIENT.name, "--", "/no/such"], "/no/such can't be started", id="an unknown command"),
        pytest.param([PATIENT.name, "--timeout", "0.01", "--", *python(LOOKS)], "did not end in time", id="no time"),
    ],
)
def test_what_can_not_be_run_is_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_an_installed_package_has_no_suite_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    with pytest.raises(CannotRun, match=r"name your own: mutants -- pytest tests/"):
        suite.command(PATIENT)


def test_the_own_suite_begins_with_the_killer() -> None:
    tests = [word for word in suite.command(PATIENT) if "::" in word]
    assert tests[0] == str(suite.ROOT / suite.KILLERS[PATIENT.name])
    assert sorted(tests) == sorted(str(suite.ROOT / test) for test in set(suite.KILLERS.values()))


def test_the_mutants_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutants", "--list", "--room", "engine", "--breakages"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == [one.name for one in choose(BREAKAGES, ENGINE)]
    assert main(["mutants", "--list", "local-time", "--breakages"]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["local-time"]


STORY = '"""I1: missing 1."""\n\nMACHINE = "cohorts"\n\n\ndef play(state: Any) -> None:\n    state.begins()\n'
FOUND = f"cohorts: found something; play it with `pytest x.py`\n\n{STORY}\nevents: nothing wrong found\n\n| machine |\n"


def test_the_lines_of_a_story_are_counted() -> None:
    assert running.story_lines(FOUND) == 7
    assert running.story_lines("cohorts: nothing wrong found\n") is None


def test_about_each_breakage_one_machine_tells_its_story(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: dict[str, list[str]] = {}

    def run_all(mutants: list[Mutant], command: Callable[[Mutant], list[str]], **_: object) -> list[Outcome]:
        lines.update({mutant.name: command(mutant) for mutant in mutants})
        return []

    monkeypatch.setattr(running, "run_all", run_all)
    assert main(["mutants", "--breakages"]) == 0
    assert lines.keys() == set(BREAKAGES)
    assert lines["local-time"][-4:] == ["--machine", "events", "--stories", "stories/local-time"]
    assert set(BREAKAGES.values()) <= machines.MACHINES.keys()


TELLS = """
MACHINE = "events"


def play(state):
    state.begins(pool=["0", "1", "2", "3"], sketches=[], known=frozenset())
"""


@pytest.mark.parametrize(
    ("story", "result", "by"),
    [
        pytest.param(TELLS, Result.KILLED, "events: I9", id="which ends well"),
        pytest.param(f"{TELLS}    assert False, 'always'\n", Result.UNPROVEN, "always", id="which fails anyway"),
        pytest.param(None, Result.UNPROVEN, "no story: events: I9", id="that is not there"),
    ],
)
def test_without_its_breakage_is_played_a_story(story: str | None, result: Result, by: str, tmp_path: Path) -> None:
    file = tmp_path / "story.py"
    file.write_text(story or "")
    said = f"events: found something; play it with `pytest {file}`\n\n" if story else "an accident\n"
    outcome = play_without(Outcome(PATIENT, Result.KILLED, "events: I9", 1.0, said))
    assert (outcome.result, outcome.by) == (result, by)
    survivor = Outcome(PATIENT, Result.SURVIVED, "", 1.0, said)
    assert play_without(survivor) is survivor
    assert ("fails without it, too:  " in tell_one(outcome)) is (result is Result.UNPROVEN)


@pytest.mark.parametrize(
    ("said", "by"),
    [
        pytest.param("F\nFAILED tests/a.py::test_b[x - y] - AssertionError: 1\n", "tests/a.py::test_b[x", id="pytest"),
        pytest.param("\x1b[31mFAILED\x1b[0m a.py::test_b - E\n", "a.py::test_b", id="in colour"),
        pytest.param("ERROR tests/a.py - ImportError\n", "tests/a.py", id="a module that can't be imported"),
        pytest.param("ok 1\nnot ok 2 - sends\n\n", "not ok 2 - sends", id="another runner"),
        pytest.param("", "its exit code", id="silence"),
        pytest.param(f"profile ci\n{FOUND}", "cohorts: I1: missing 1.", id="a machine's story"),
    ],
)
def test_what_failed_is_read_from_the_output(said: str, by: str) -> None:
    assert running.what_failed(said) == by


OUTCOMES = [
    Outcome(PATIENT, Result.KILLED, "a.py::test_b", 1.25, ""),
    Outcome(HASTY, Result.TIMEOUT, "", 120.0, ""),
    Outcome(MUTANTS["ids-trimmed"], Result.UNMET, "", 0.5, ""),
]


def test_outcomes_are_told_in_lines_a_score_and_a_table() -> None:
    assert tell_one(OUTCOMES[0]).endswith("killed  a.py::test_b  (1.2 s)")
    assert "did not end in time" in tell_one(OUTCOMES[1])
    assert "never met" in tell_one(OUTCOMES[2])
    assert tell_score(OUTCOMES, 3.0).splitlines()[:2] == [
        "fake: 0 of 1 killed, 1 unmet", "engine: 1 of 2 killed, 1 timeout",
    ]  # fmt: skip
    assert as_table(OUTCOMES[:1]).splitlines()[-1].endswith("| killed by `a.py::test_b` | 1.2 |")
    assert not as_document(OUTCOMES, 3.0)["ok"]


def test_the_environment_of_a_mutant_keeps_what_was_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", "/mine")
    own = environment(PATIENT.name, tmp_path)
    assert own["PYTHONPATH"].split(os.pathsep)[1:] == ["/mine"]
