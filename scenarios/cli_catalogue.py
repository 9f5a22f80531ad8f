"""`cio-scenarios list`, `show`, `run` and `report`: the catalogue of edge cases on paper, and played; `serve`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from fakeio import Fake
from fakeio.client import CallFailed, ControlClient
from scenarios.catalogue.case import Case, CaseError, RunError, encode_case, read_case
from scenarios.catalogue.collection import UnknownCase, choose
from scenarios.catalogue.conformance import Result, as_dict, is_ok, tell
from scenarios.catalogue.live_report import render
from scenarios.catalogue.showing import show_case
from scenarios.cli_catalogue_arguments import (
    add_list_arguments,
    add_report_arguments,
    add_run_arguments,
    add_serve_arguments,
    add_show_arguments,
)
from sync.edge.streams import heard_or_not

OK, DIFFERENT, USAGE = 0, 1, 2
Command = Callable[[argparse.Namespace], int]
Commands = argparse._SubParsersAction  # typeshed gives this class no public name


def add_catalogue_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """`list`, `show`, `run`, `report` and `serve`."""
    for name, text, arguments, run in (
        ("list", "the catalogue of edge cases, a line each", add_list_arguments, _list),
        ("show", "one edge case in full", add_show_arguments, _show),
        ("run", "play edge cases and print a conformance report", add_run_arguments, _run),
        ("report", "what a run on a real workspace has taught, as a table", add_report_arguments, _show_report),
        ("serve", "a fake Customer.io and a fake Amplitude, wired, with sample data", add_serve_arguments, _serve),
    ):
        parser = commands.add_parser(name, help=text, description=text)
        arguments(parser)
        parser.set_defaults(run=_guarded(run))


def _list(options: argparse.Namespace) -> int:
    cases = choose(tags=options.tag)
    if options.json:
        keys = ("name", "tags", "words", "grade", "source", "rules", "live")
        _say(json.dumps({"cases": [{key: getattr(case, key) for key in keys} for case in cases]}))
        return OK
    width = max(len(case.name) for case in cases)
    for case in cases:
        _say(f"{case.name:<{width}}  {case.grade:<13}  {case.words}")
    return OK


def _show(options: argparse.Namespace) -> int:
    (case,) = choose([options.name])
    _say(encode_case(case) if options.json else show_case(case))
    return OK


def _run(options: argparse.Namespace) -> int:
    cases = _chosen(options)
    if options.live and options.url:
        raise RunError("a run is for either --live or --url")
    if options.live:
        from scenarios.cli_live import ask_live  # brings the engine, which no other command here needs

        return ask_live(options, cases)
    from scenarios.catalogue.running import run_on_fake  # brings the engine, too

    if options.clean or options.report:
        raise RunError("--clean and --report go with --live")
    with _server(options.url) as server:
        where = f"the fake at {options.url}" if options.url else "a private fake"
        return _report(list(run_on_fake(server, cases)), where, options)


def _show_report(options: argparse.Namespace) -> int:
    try:
        page = render(json.loads(options.file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{options.file} is no report of a run: {error}") from None
    _say(page.removesuffix("\n"))
    return OK


def _serve(options: argparse.Namespace) -> int:
    from scenarios.cli_serve import serve  # brings a web server, which no other command here needs

    return serve(options)


def _chosen(options: argparse.Namespace) -> list[Case]:
    """The named ones and those in files; all there are when neither is asked for."""
    own = [read_case(file) for file in options.file]
    return own + (choose(options.names, options.tag) if options.names or options.tag or not own else [])


@contextmanager
def _server(url: str | None) -> Iterator[ControlClient]:
    if url is not None:
        yield ControlClient(url)
        return
    with Fake() as fake:
        yield ControlClient(fake.url)


def _report(results: Sequence[Result], where: str, options: argparse.Namespace) -> int:
    _say(json.dumps(as_dict(results, where)) if options.json else "\n".join(tell(results, where)))
    return OK if is_ok(results) else DIFFERENT


def _guarded(run: Command) -> Command:
    """The command with its failures told in a line."""

    def guarded(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except (UnknownCase, CaseError, CallFailed, RunError) as error:
            print(f"cio-scenarios: {error}", file=sys.stderr)  # noqa: T201 - this is a command
            return USAGE

    return guarded


def _say(text: str) -> None:
    with heard_or_not():
        sys.stdout.write(f"{text}\n")
