"""The demonstration as a stranger starts it, and the proof that it can fail.

Only what is about processes starts some: for the rest the engine runs in this one, with its waits between tries short.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from shutil import copytree
from typing import Any, NamedTuple

import pytest

import scenarios.demo
from scenarios.cli import main
from scenarios.comparing import compare_world
from scenarios.demo import SEGMENT, run_demo
from scenarios.engine import EngineRun, run_engine
from scenarios.findings import Account
from scenarios.inprocess import run_as_typed
from scenarios.samples.generate import FOLDER
from scenarios.truth import Happened, Person, Truth
from scenarios.world import World

ANOMALIES = [entry["name"] for entry in json.loads((FOLDER / "anomalies.json").read_text("utf-8"))["anomalies"]]
PATIENCE_S = 120
TEST_EXTRA = ("pytest", "_pytest", "xdist", "respx", "customerio", "mypy")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of somebody who has installed the package, and nothing of what its tests take."""
    folder = tmp_path_factory.mktemp("stranger")
    blocked = f"import sys\nsys.modules.update(dict.fromkeys({TEST_EXTRA!r}))\n"
    (folder / "sitecustomize.py").write_text(blocked, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(folder)}


def python(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, far from the checkout."""
    line = [sys.executable, "-P", *arguments]
    return subprocess.run(
        line, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd="/"
    )


@pytest.fixture(scope="module")
def told(stranger: dict[str, str]) -> str:
    done = python(stranger, "-m", "scenarios", "demo")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def test_the_account_ends_well(told: str) -> None:
    assert told.splitlines()[-1].startswith("RESULT   Everything is as it ought to be")


def test_the_demo_needs_nothing_of_the_test_extra(stranger: dict[str, str], told: str) -> None:
    assert python(stranger, "-c", "import pytest").returncode == 1, "it must be out of reach"
    assert "RESULT" in told


@pytest.mark.parametrize("name", ANOMALIES)
def test_the_account_tells_what_became_of(name: str, told: str) -> None:
    (line,) = [line for line in told.splitlines() if re.match(rf"  ok +{re.escape(name)} \(\d+\) +\w+", line)]
    assert line


@pytest.mark.parametrize(
    "word",
    [
        "unresolved_mapping", "id_too_long", "missing_identifier", "event_name_blank", "event_name_too_long",
        "event_too_large", "bad_timestamp", "bad_row", "filtered", "duplicate", "segment.person_unknown",
        "person.suppressed",
    ],
)
def test_the_account_names_the_rule(word: str, told: str) -> None:
    assert word in told


@pytest.mark.parametrize(
    "what", ["was answered 500", "with the plea to wait 1 s", "the connection was reset", "the connection was closed"]
)
def test_the_account_tells_of_the_fault_and_how_it_was_survived(what: str, told: str) -> None:
    assert what in told
    assert "LOST" not in told


def test_no_line_of_the_account_is_too_wide_for_a_terminal(told: str) -> None:
    assert max(map(len, told.splitlines())) <= 120


def run_here(arguments: Sequence[str], own: Mapping[str, str]) -> EngineRun:
    """`run_engine` without a process for what sends."""
    return run_engine(arguments, own) if arguments[0] == "failed" else run_as_typed(arguments, own)


@pytest.fixture(scope="module")
def engine_here() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenarios.demo, "run_engine", run_here)
        yield


@pytest.mark.usefixtures("engine_here")
def test_one_more_expected_person_makes_the_demo_exit_1_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["demo", "--expect-also", "somebody-else"])
    told = capsys.readouterr().out
    assert code == 1
    assert "members of the segment: expected and not there: id 'somebody-else'" in told
    assert told.count("RESULT   NOT as it ought to be") == 1


class Kept(NamedTuple):
    """`cio-scenarios demo --keep --json`: its account, the segments of its fake while it stayed, how it ended."""

    account: dict[str, Any]
    segments: str
    code: int


@pytest.fixture(scope="module")
def kept() -> Kept:
    line = [sys.executable, "-P", "-m", "scenarios", "demo", "--keep", "--json"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/")
    assert process.stderr is not None
    try:
        url = re.findall(r"still there, at (http://\S+)", process.stderr.readline())[0]
        asked = [sys.executable, "-P", "-m", "fakeio", "segments", "--url", url]
        segments = subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE_S, check=True, cwd="/")
        os.kill(process.pid, signal.SIGINT)
        told, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    return Kept(json.loads(told), segments.stdout, process.returncode)


def test_the_account_comes_as_one_json_object_too(kept: Kept) -> None:
    assert (kept.account["ok"], kept.account["differences"]) == (True, [])
    assert [oddity["name"] for oddity in kept.account["oddities"]] == ANOMALIES


def test_a_kept_demo_stays_until_it_is_stopped(kept: Kept) -> None:
    assert "[Amplitude] Power users: q3x9d2mk" in kept.segments
    assert kept.code == 0


class Played(NamedTuple):
    """A demonstration that went well: its truth and what its world held in the end."""

    truth: Truth
    people: set[Person]
    members: set[Person]
    events: Counter[Happened]


@pytest.fixture(scope="module")
def played(engine_here: None) -> Played:
    seen: list[Any] = []

    def look(account: Account, world: World) -> None:
        (segment,) = world.segments()
        assert (segment["name"], account.ok) == (SEGMENT, True), account.differences
        seen.extend((world.people(), world.members(segment["id"]), world.events()))

    run_demo(change_expectation=seen.append, afterwards=look)
    return Played(*seen)


def test_what_was_played_is_what_the_truth_expects(played: Played) -> None:
    assert compare_world(*played) == []


U10 = Person("u-0010", "person0010@example.com")


def _forget_a_member(truth: Truth) -> None:
    truth.segment.remove(U10)


def _forget_a_person(truth: Truth) -> None:
    truth.people.remove(U10)


def _expect_an_event_twice(truth: Truth) -> None:
    truth.events[next(iter(truth.events))] += 1


def _expect_another_time(truth: Truth) -> None:
    event = next(iter(truth.events))
    truth.events[event] -= 1
    truth.events[event._replace(at=event.at + 1)] += 1


def _expect_other_properties(truth: Truth) -> None:
    event = next(iter(truth.events))
    truth.events[event] -= 1
    truth.events[event._replace(properties='{"other":1}')] += 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(_forget_a_member, "members of the segment: there and not expected: id 'u-0010'", id="a member"),
        pytest.param(_forget_a_person, "people at Customer.io: there and not expected: id 'u-0010'", id="a person"),
        pytest.param(_expect_an_event_twice, "events at Customer.io: expected and not there", id="an event twice"),
        pytest.param(_expect_another_time, "events at Customer.io: there and not expected", id="an event's time"),
        pytest.param(_expect_other_properties, "events at Customer.io: there and not expected", id="its properties"),
    ],
)
def test_a_changed_expectation_is_a_difference(played: Played, change: Callable[[Truth], None], said: str) -> None:
    truth = deepcopy(played.truth)
    change(truth)
    differences = compare_world(truth, *played[1:])
    assert [difference for difference in differences if difference.startswith(said)], differences


@pytest.mark.usefixtures("engine_here")
def test_an_anomaly_with_another_fate_than_listed_is_a_difference(tmp_path: Path) -> None:
    samples = tmp_path / "samples"
    copytree(FOLDER, samples)
    listed = json.loads((samples / "anomalies.json").read_text("utf-8"))
    listed["anomalies"][0]["becomes"] = "member"
    (samples / "anomalies.json").write_text(json.dumps(listed), "utf-8")
    account: Account = run_demo(samples)
    assert account.differences == [
        "users without a user id: should be member: unresolved_mapping, was skipped: unresolved_mapping"
    ]


ENDS_AT_ONCE = """
import sys
import scenarios.cli as cli
from scenarios.findings import Account
def tell(*, afterwards, **_):
    afterwards(account := Account(segment="s"), None)
    return account
cli.run_demo = tell
sys.exit(cli.main(["demo"]))
"""


def test_an_account_that_nobody_reads_to_the_end_is_no_error() -> None:
    line = [sys.executable, "-P", "-c", ENDS_AT_ONCE]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.wait(PATIENCE_S), process.stderr.read()) == (0, "")
