"""What a person sees: a bar on a terminal, lines elsewhere, only warnings under --json."""

from __future__ import annotations

import io

import pytest

from sync.edge import console as console_module
from sync.edge.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def count_to_three(console: Console, total: int | None) -> None:
    with console.progress("add members", total, "people") as advance:
        for _ in range(3):
            advance(1)


def test_a_terminal_gets_a_bar() -> None:
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
