"""`cio-scenarios list`, `show` and `run`: the catalogue of edge cases on paper, and played."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fakeio import Fake
from fakeio.client import CallFailed, ControlClient
from scenarios.catalogue.case import Case, CaseError, encode_case, read_case
from scenarios.catalogue.collection import UnknownCase, choose
from scenarios.catalogue.conformance import Result, as_dict, is_ok, tell
from scenarios.catalogue.showing import show_case

OK, DIFFERENT, USAGE = 0, 1, 2
Command = Callable[[argparse.Namespace], int]
Commands = argparse._SubParsersAction  # typeshed gives this class no public name


def add_catalogue_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """`list`, `show` and `run`."""
    listing = commands.add_parser("list", help="the catalogue of edge cases, a line each")
    _tags(listing)
    _json(listing)
    listing.set_defaults(run=_told(_list))
    showing = commands.add_parser("show", help="one edge case in full")
    showing.add_argument("name", metavar="NAME")
    _json(showing)
    showing.set_defaults(run=_told(_show))
    running = commands.add_parser("run", help="play edge cases and print a conformance report")
    running.add_argument("names", metavar="NAME", nargs="*")
    running.add_argument("--file", metavar="FILE", type=Path, action="append", default=[], help="a case of your own")
    running.add_argument("--url", help="a fake that is running; each case gets a workspace of its own there")
    _tags(running)
    _json(running)
    running.set_defaults(run=_told(_run))


def _tags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", metavar="T", action="append", default=[], help="only cases of this tag or grade")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


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
    from scenarios.catalogue.running import run_on_fake  # brings the engine, which no other command here needs

    cases = _chosen(options)
    with _server(options.url) as server:
        where = f"the fake at {options.url}" if options.url else "a private fake"
        return _report(list(run_on_fake(server, cases)), where, options)


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


def _told(run: Command) -> Command:
    """The command with its failures told in a line."""

    def guarded(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except (UnknownCase, CaseError, CallFailed) as error:
            print(f"cio-scenarios: {error}", file=sys.stderr)  # noqa: T201 - this is a command
            return USAGE

    return guarded


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
