"""The commands that look back: `history`, `show` and `failed` read the ledger and talk to nobody."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sync.core.errors import ConfigError
from sync.core.html_page import render_html
from sync.core.page import render, shown
from sync.core.report import KINDS, Ended, Report
from sync.edge.console import Console
from sync.edge.ledger import DeadLetter, Ledger, RunRow
from sync.edge.named_people import named_people, newest_run
from sync.edge.settings import Settings

_LISTED = ("run_id", "kind", "sync", "status", "exit_code", "started_at", "finished_at")


def add_history_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="only the runs of this sync")


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's id, as history prints it")
    said = "also name those who were refused, were not found or are pending"
    parser.add_argument("--people", action="store_true", help=said)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a web page that stands alone")


def add_failed_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="only what this run gave up")


def history(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    with remembered(settings) as ledger:
        runs = ledger.runs(arguments.name)
    if arguments.json:
        kept = [{name: getattr(run, name) for name in _LISTED} for run in runs]
        sys.stdout.buffer.write(msgspec.json.encode({"runs": kept}) + b"\n")
        return 0
    for run in runs:
        console.tell(_row(run))
    return 0


def show(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    with remembered(settings) as ledger:
        run = _run(ledger, arguments.run)
        if arguments.html is not None:
            _write_html(arguments.html, run)
            return 0
        if arguments.json:
            for text in _shown_json(ledger, run, people=arguments.people):
                sys.stdout.buffer.write(text)
            return 0
        console.tell(_page(run))
        if arguments.people:
            for letter in named_people(ledger, run):
                console.tell(_letter(letter))
            newest = newest_run(ledger, run)
            if newest not in (None, run.run_id):
                console.note(f"who was not found, or is pending, is remembered of the newest run alone: {newest}")
    return 0


def _shown_json(ledger: Ledger, run: RunRow, *, people: bool) -> Iterator[bytes]:
    """The stored report; with people, under `people`, in the shape of dead letters. Written as it is read."""
    report = _ended_report(run)
    if not people:
        yield report + b"\n"
        return
    yield report.removesuffix(b"}") + b',"people":['
    yield from _separated(named_people(ledger, run))
    yield b"]}\n"


def _ended_report(run: RunRow) -> bytes:
    """The stored report. Raises ConfigError for a run without one."""
    if run.report is None:
        raise ConfigError(
            f"run {run.run_id} has no report: it is still running, or was killed",
            hint="the next run of this sync goes on from there",
        )
    return run.report


def _write_html(path: Path, run: RunRow) -> None:
    page = render_html(_ended(run, _ended_report(run)))
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}", hint="name another file with --html") from error


def failed(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    with remembered(settings) as ledger:
        if arguments.run is not None:
            _run(ledger, arguments.run)
        if arguments.json:
            for text in _failed_json(ledger.dead_letters(arguments.run, only_open=True)):
                sys.stdout.buffer.write(text)
            return 0
        for letter in ledger.dead_letters(arguments.run, only_open=True):
            console.tell(_letter(letter))
    return 0


def _failed_json(letters: Iterator[DeadLetter]) -> Iterator[bytes]:
    """One object, written as it is read: there may be many."""
    yield b'{"failed":['
    yield from _separated(letters)
    yield b"]}\n"


def _separated(letters: Iterator[DeadLetter]) -> Iterator[bytes]:
    comma = b""
    for letter in letters:
        yield comma + msgspec.json.encode(letter)
        comma = b","


def remembered(settings: Settings) -> Ledger:
    """The ledger, as it lies there. Raises ConfigError where there is none, rather than making one."""
    ledger = Ledger.peek(settings.state_path)
    if ledger is None:
        raise ConfigError(
            f"there is no state file {settings.state_path}, so no run is remembered",
            hint="name another file in CIO_SYNC_STATE, or run a sync first",
        )
    return ledger


def _run(ledger: Ledger, run_id: str) -> RunRow:
    """Raises ConfigError for a run that nobody made."""
    run = ledger.run(run_id)
    if run is None:
        raise ConfigError(f"no run {run_id!r} is remembered", hint="`cio-sync history` lists them")
    return run


def _row(run: RunRow) -> str:
    started = datetime.datetime.fromtimestamp(run.started_at, datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    status = run.status or "not finished"
    return f"{started}  {run.run_id}  {run.kind:<9} {shown(run.sync or '-'):<24} {status}"


def _page(run: RunRow) -> str:
    if run.report is None:
        return f"{_row(run)}\nIt is still running, or was killed; the next run of this sync goes on from there."
    return render(_ended(run, run.report))


def _ended(run: RunRow, text: bytes) -> Ended:
    report: Report = msgspec.json.decode(text, type=KINDS[run.kind])
    return Ended(report, run.exit_code if run.exit_code is not None else 1)


def _letter(letter: DeadLetter) -> str:
    where = f" ({letter.field})" if letter.field else ""
    said = f": {letter.message}" if letter.message else ""
    return shown(f"{letter.run_id}  {letter.kind}  {letter.reason}{where}{said}  {bytes(letter.item).decode()}")
