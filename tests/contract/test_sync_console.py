"""What a person sees: a bar on a terminal, lines elsewhere, only warnings under --json. And how soon: a command loads
what it needs, and nothing of the others."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync import cli
from sync.cli import ADDING, build_parser, main
from sync.core.page import render
from sync.core.report import CohortReport, Ended, Segment
from sync.edge import console as console_module
from sync.edge.console import JSON, PLAIN, Console
from sync.edge.ledger import DeadLetter, Ledger
from sync.edge.settings import secrets_of


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def count_to_three(console: Console, total: int | None) -> None:
    with console.progress("add members", total, "people") as advance:
        for _ in range(3):
            advance(1)


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TERM": "xterm", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    stream = Terminal()
    count_to_three(Console(stream=stream), 3)
    assert "add members" in stream.getvalue()
    assert "3/3" in stream.getvalue()
    assert "/s" in stream.getvalue()


def test_a_file_gets_lines_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_module, "LINE_EVERY_S", 0)
    stream = io.StringIO()
    count_to_three(Console(stream=stream), 3)
    count_to_three(Console(stream=stream), None)
    assert stream.getvalue().splitlines() == [
        "add members: 1 of 3 people", "add members: 2 of 3 people", "add members: 3 of 3 people",
        "add members: 1 people", "add members: 2 people", "add members: 3 people",
    ]  # fmt: skip


NAME = "vip\x1b[2J\nrun 01 ended well\x9b\u2028\u202eé 👩\u200d👧\t"
SHOWN = r"vip\x1b[2J\nrun 01 ended well\x9b\u2028\u202eé 👩" + "\u200d👧" + r"\t"


def test_a_name_ends_no_line_and_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    said = io.StringIO()
    console = Console(stream=said)
    for say in (console.note, console.warn):
        say(f"made segment 1, {NAME}")
    assert said.getvalue() == f"made segment 1, {SHOWN}\n" * 2
    report = CohortReport(run_id="01", sync=NAME, segment=Segment(id=1, name=NAME, created=False))
    console.tell(render(Ended(report, 0)))
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], lines[2]) == (f"cohort {SHOWN}: success (exit code 0)", f"segment {SHOWN} (1)")


def test_a_run_is_one_line_of_the_history_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SYNC_STATE", str(tmp_path / "ledger.db"))
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.start_run("01", "cohort", NAME, "key")
        ledger.add_dead_letters([DeadLetter("01", "cohort", "http_400", "", NAME, msgspec.Raw(b"{}"))])
    for command in ("history", "failed"):
        assert main([command]) == 0
        (line,) = capsys.readouterr().out.removesuffix("\n").split("\n")
        assert SHOWN in line


def test_a_short_job_needs_no_line() -> None:
    stream = io.StringIO()
    count_to_three(Console(stream=stream), 3)
    assert stream.getvalue() == ""


def test_json_silences_all_but_warnings() -> None:
    stream = Terminal()
    console = Console(quiet=True, stream=stream)
    count_to_three(console, 3)
    console.note("made a segment")
    console.waiting(7, "answered 429")
    console.warn("something is wrong")
    assert stream.getvalue() == "something is wrong\n"


def test_waits_and_notes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.waiting(7.4, "answered 429")
    console.tell("the page")
    assert capsys.readouterr() == ("the page\n", "waiting 7 s: answered 429\n")


# -- for a collector of logs ------------------------------------------------------------------------------------------
def logged(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_of_a_log_is_an_object() -> None:
    stream = Terminal()
    console = Console(stream=stream, log=JSON, now=lambda: 1_700_000_000.25)
    console.note("made a segment\nof two lines")
    with console.of_run("01RUN"):
        console.warn("something is odd")
    console.fail("something is wrong")
    at = "2023-11-14T22:13:20.250Z"
    assert logged(stream) == [
        {"at": at, "level": "info", "message": "made a segment\nof two lines"},
        {"at": at, "level": "warning", "message": "something is odd", "run_id": "01RUN"},
        {"at": at, "level": "error", "message": "something is wrong"},
    ]


def test_a_log_has_lines_instead_of_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_module, "LINE_EVERY_S", 0)
    stream = Terminal()
    count_to_three(Console(stream=stream, log=JSON), 3)
    assert [line["message"] for line in logged(stream)] == [f"add members: {n} of 3 people" for n in (1, 2, 3)]


def test_an_error_for_a_person_begins_with_who_says_it() -> None:
    stream = io.StringIO()
    Console(stream=stream, quiet=True).fail("something is wrong")
    assert stream.getvalue() == "cio-sync: something is wrong\n"


@pytest.mark.parametrize("log", [PLAIN, JSON])
def test_a_credential_that_gets_into_a_message_is_masked(log: str) -> None:
    stream = io.StringIO()
    console = Console(stream=stream, log=log)
    console.hide("k3y-of-track", "k3y-of-track-and-more", "", "short")
    for say in (console.note, console.warn, console.fail):
        say("refused: k3y-of-track-and-more, k3y-of-track, short")
    console.waiting(3, "k3y-of-track")
    assert "k3y" not in stream.getvalue()
    assert stream.getvalue().count("refused: ***, ***, short") == 3


def test_secrets_are_known_by_the_names_of_their_variables() -> None:
    environ = {
        "CIO_TRACK_API_KEY": " a ", "CIO_APP_API_KEY": "b", "AMPLITUDE_SECRET_KEY": "c", "CIO_SYNC_LISTEN_SECRET": "d",
        "CIO_SYNC_STATE": "ledger.db", "PATH_KEY": "e",
    }  # fmt: skip
    assert sorted(secrets_of(environ)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("flags", "variable", "as_json"),
    [
        pytest.param([], "", False, id="plain unless asked for"),
        pytest.param([], "json", True, id="the environment"),
        pytest.param(["--log", "json"], "", True, id="the flag"),
        pytest.param(["--log", "plain"], "json", False, id="the flag wins"),
        pytest.param([], "yaml", False, id="no such format"),
    ],
)
def test_who_asks_for_a_log_gets_one(
    flags: list[str], variable: str, as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIO_SYNC_LOG", variable)
    monkeypatch.setenv("CIO_SYNC_STATE", "/nowhere/k3y-of-track/ledger.db")
    monkeypatch.setenv("CIO_TRACK_API_KEY", "k3y-of-track")
    assert main(["history", *flags]) == 2
    first, *_ = capsys.readouterr().err.splitlines()
    said = "there is no state file /nowhere/***/ledger.db, so no run is remembered."
    assert (json.loads(first)["message"] if as_json else first.removeprefix("cio-sync: ")) == said


# ---- the commands ----------------------------------------------------------------------------------------------------

GIVEN = [
    ["check"], ["cohort", "c.csv", "--name", "vip"], ["events", "e.json", "--json"], ["run", "--once", "a", "b"],
    ["listen", "--port", "0", "--workers", "2"], ["reconcile", "vip", "--repair"], ["history", "vip", "--json"],
    ["show", "01", "--people"], ["failed", "01", "--log", "json"], ["retry", "all", "--track-rate", "5"], ["doctor"],
]  # fmt: skip


def test_every_command_is_among_those_that_are_read_here() -> None:
    assert [given[0] for given in GIVEN] == list(ADDING)


@pytest.mark.parametrize("given", GIVEN, ids=lambda given: given[0])
def test_a_command_declared_alone_reads_its_options_as_among_the_others(given: list[str]) -> None:
    assert build_parser(given[0]).parse_args(given) == build_parser().parse_args(given)


def test_a_command_that_nobody_knows_is_told_all_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["histroy"])
    told = capsys.readouterr().err
    assert all(f"'{name}'" in told for name in ADDING)


def test_an_interrupt_while_a_command_is_loaded_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(commands: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "ADDING", {"check": interrupted})
    assert main(["check"]) == 130


@pytest.mark.parametrize(
    ("command", "unused"),
    [
        pytest.param("history", ["httpx", "starlette", "uvicorn", "prometheus_client", "duckdb"], id="looking"),
        pytest.param("cohort", ["starlette", "uvicorn", "prometheus_client", "duckdb"], id="sending"),
    ],
)
def test_a_command_loads_nothing_that_only_others_need(command: str, unused: list[str]) -> None:
    asks = (
        f"import sys\nfrom sync.cli import build_parser\nbuild_parser({command!r})\n"
        f"print([name for name in {unused} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "[]\n"
