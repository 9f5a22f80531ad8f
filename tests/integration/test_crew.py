"""Scheduled syncs side by side: how many at a time, which never together, and what becomes of the others when one dies.

The processes here are small programs that leave files about and answer as a run would; the last tests run real syncs.
"""

from __future__ import annotations

import io
import signal
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from sync import crew as crew_module
from sync.alone import Labelled, Order, Outcome
from sync.core.configuration import Configuration
from sync.core.errors import ConfigError
from sync.core.report import Ended, EventsReport
from sync.crew import CRASHED, REST_S, Crew
from sync.edge.console import Console
from tests.integration.scheduled_syncs import PATIENCE_S, Scheduled, command

PRELUDE = """
import json, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
name = json.load(sys.stdin)["name"]
def until(condition, patience_s=60):
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            answer(5)
        time.sleep(0.005)
def answer(code, **more):
    report = {"run_id": name, "kind": "events", "sync": name, "status": "success"}
    print(json.dumps({"exit_code": code, "kind": "events", "report": report, **more}), end="", flush=True)
    sys.exit(code)
def here():
    return sorted(path.name for path in folder.glob("run-*"))
mine = folder / f"run-{name}"
mine.touch()
"""


class Planned:
    """Stands in for a Runner: so many syncs, with these keys, due in so many seconds."""

    def __init__(self, keys: dict[str, set[str]], waits_s: dict[str, list[float | None]] | None = None) -> None:
        self.names = list(keys)
        self._keys = keys
        self._waits_s = waits_s or {}

    def keys(self, name: str) -> frozenset[str]:
        return frozenset(self._keys[name])

    def due_in_s(self, name: str) -> float | None:
        waits_s = self._waits_s.get(name, [0.0])
        return waits_s.pop(0) if len(waits_s) > 1 else waits_s[0]


class Told:
    def __init__(self) -> None:
        self.ended: list[tuple[str, int, bool]] = []
        self.said = io.StringIO()

    def tell(self, name: str, ended: Ended, disabled: bool) -> None:
        assert isinstance(ended.report, EventsReport)
        self.ended.append((name, ended.exit_code, disabled))


@pytest.fixture
def told() -> Told:
    return Told()


Build = Callable[..., Crew]


@pytest.fixture
def crew_of(tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch) -> Build:
    def build(program: str, planned: Planned, most: int = 8) -> Crew:
        text = PRELUDE + textwrap.dedent(program)
        monkeypatch.setattr(crew_module, "COMMAND", (sys.executable, "-S", "-c", text, str(tmp_path)))
        order = Order(Configuration(), "", str(tmp_path), {}, quiet=False, log="plain")
        console = Console(stream=told.said)
        return Crew(planned, order, console, told.tell, most=most)  # type: ignore[arg-type]  # what it asks of a Runner

    return build


def apart(*names: str) -> Planned:
    return Planned({name: {name} for name in names})


def test_syncs_run_side_by_side(crew_of: Build, told: Told) -> None:
    with crew_of("until(lambda: len(here()) == 3); answer(0)", apart("a", "b", "c")) as crew:
        assert crew.run_all() == 0
    assert sorted(told.ended) == [("a", 0, False), ("b", 0, False), ("c", 0, False)]


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_run_at_a_time_than_are_allowed(crew_of: Build, told: Told, most: int) -> None:
    program = f"time.sleep(0.05); many = len(here()); mine.unlink(); answer(int(many > {most}))"
    with crew_of(program, apart("a", "b", "c", "d", "e"), most) as crew:
        assert crew.run_all() == 0
    assert len(told.ended) == 5


def test_those_that_share_a_lease_never_run_together(crew_of: Build, told: Told) -> None:
    planned = Planned({"a": {"lease"}, "b": {"lease", "other"}, "c": {"other"}, "d": {"free"}})
    program = """
        together = set(here())
        time.sleep(0.05)
        together |= set(here())
        mine.unlink()
        clash = {"run-a", "run-b"} <= together or {"run-b", "run-c"} <= together
        answer(int(clash))
    """
    with crew_of(program, planned) as crew:
        assert crew.run_all() == 0
    assert sorted(name for name, *_ in told.ended) == ["a", "b", "c", "d"]


def test_the_gravest_code_is_returned_and_who_is_disabled_is_told(crew_of: Build, told: Told) -> None:
    with crew_of('answer({"a": 3, "b": 1}.get(name, 0), disabled=name == "a")', apart("a", "b", "c")) as crew:
        assert crew.run_all() == 3
    assert sorted(told.ended) == [("a", 3, True), ("b", 1, False), ("c", 0, False)]


def test_a_process_that_dies_leaves_the_others_alone(crew_of: Build, told: Told) -> None:
    program = "import os; os.kill(os.getpid(), 9) if name == 'a' else answer(0)"
    with crew_of(program, apart("a", "b")) as crew:
        assert crew.run_all() == CRASHED
    assert told.ended == [("b", 0, False)]
    assert "a: its process died (-9)" in told.said.getvalue()


def test_a_mistake_of_the_configuration_is_raised_when_the_others_have_ended(crew_of: Build, told: Told) -> None:
    program = """
        if name == "a":
            print(json.dumps({"exit_code": 2, "mistake": ["no disk", "make room"]}), end="")
            sys.exit(2)
        answer(0)
    """
    with crew_of(program, apart("a", "b")) as crew, pytest.raises(ConfigError, match="no disk") as raised:
        crew.run_all()
    assert (raised.value.hint, told.ended) == ("make room", [("b", 0, False)])
    with crew_of(program, apart("a")) as crew, pytest.raises(ConfigError, match="no disk"):
        crew.run_forever()


STOPPED = """
    def stop(*_):
        answer(130)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    (folder / f"ready-{name}").touch()
    until(lambda: False)
"""


def interrupted(crew: Crew, folder: Path, ready: int) -> None:
    """Leave the crew as a signal would, when so many runs are under way."""
    with crew:
        for name in crew._runner.names:
            crew._start(name)
        while len(list(folder.glob("ready-*"))) < ready:
            crew._collect(0.01)
        raise KeyboardInterrupt


def test_whoever_leaves_stops_every_run_and_tells_of_it(crew_of: Build, told: Told, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(crew_of(STOPPED, apart("a", "b")), tmp_path, 2)
    assert sorted(told.ended) == [("a", 130, False), ("b", 130, False)]


def test_a_run_that_will_not_stop_is_killed(
    crew_of: Build, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew_module, "STOP_S", 0.1)
    crew = crew_of(STOPPED.replace("signal.SIGTERM, stop", "signal.SIGTERM, signal.SIG_IGN"), apart("a"))
    with pytest.raises(KeyboardInterrupt):
        interrupted(crew, tmp_path, 1)
    assert (told.ended, crew._hands) == ([], [])
    assert "a: its process died (-9)" in told.said.getvalue()


# -- on schedule ------------------------------------------------------------------------------------------------------
def test_a_slow_sync_keeps_no_other_from_its_slots(crew_of: Build, told: Told) -> None:
    planned = Planned({"slow": {"s"}, "quick": {"q"}}, {"slow": [0.0, None], "quick": [0.0, 0.0, 0.0, None]})
    program = """
        done = folder / "quick-runs"
        if name == "quick":
            done.open("a").write("x")
            answer(0)
        until(lambda: done.exists() and len(done.read_text()) == 3)
        answer(0)
    """
    with crew_of(program, planned) as crew:
        crew.run_forever()
    assert told.ended == [("quick", 0, False)] * 3 + [("slow", 0, False)]
    assert "no sync will be due any more" in told.said.getvalue()


@pytest.mark.parametrize("program", ["answer(130)", "sys.exit(1)"], ids=["interrupted", "died"])
def test_a_run_that_was_cut_off_rests_before_it_is_tried_again(crew_of: Build, program: str) -> None:
    with crew_of(program, apart("a")) as crew:
        crew.run_all()
        rest_s = crew._due_in_s("a")
    assert rest_s is not None
    assert 0 < rest_s <= REST_S


def test_a_sync_that_is_not_due_is_not_run(crew_of: Build, told: Told) -> None:
    planned = Planned({"a": {"a"}, "b": {"b"}}, {"a": [60.0], "b": [0.0]})
    with crew_of("answer(0)", planned) as crew:
        assert crew.run_due() == 0
    assert told.ended == [("b", 0, False)]


# -- real syncs -------------------------------------------------------------------------------------------------------
def test_lines_carry_the_name_of_their_sync() -> None:
    stream = io.StringIO()
    labelled = Labelled(stream, "vip")
    console = Console(stream=labelled)  # type: ignore[arg-type]  # write is all it needs
    console.note("made segment 1")
    labelled.write("half ")
    labelled.write("a line\nand")
    assert stream.getvalue() == "vip: made segment 1\nvip: half a line\n"


def test_an_outcome_crosses_whole() -> None:
    ended = Ended(EventsReport(run_id="r1", sync="orders", delivered=3), 1)
    assert Outcome.of(ended, disabled=False).ended() == ended


def test_a_signal_ends_all_runs_of_a_scheduler(scheduled: Scheduled) -> None:
    held = scheduled.engine.workspace.fault("timeout", match={"path": "/v1/workspaces"})
    process = command(scheduled)
    assert process.stdout is not None
    assert "events orders: success" in next(line for line in process.stdout if "orders" in line)
    while not held.fired:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, "cohort vip: stopped" in out) == (0, True), said
    held.remove()
    again = command(scheduled, "--once")
    out, said = again.communicate(timeout=PATIENCE_S)
    assert (again.returncode, "cohort vip: success" in out, "orders" in out) == (0, True, False), said
    assert "vip: made segment 1" in said
    assert scheduled.engine.members() == {"a"}


def test_syncs_run_in_turn_where_the_file_says_so(scheduled: Scheduled) -> None:
    scheduled.path.write_text(scheduled.path.read_text().replace("[engine]", "[engine]\nsyncs_at_once = 1"))
    process = command(scheduled, "--once")
    out, said = process.communicate(timeout=PATIENCE_S)
    told = [line.partition(":")[0] for line in out.splitlines() if ": success" in line]
    assert (process.returncode, told) == (0, ["cohort vip", "events orders"])
    assert "vip: made segment" not in said
    assert "made segment 1" in said
