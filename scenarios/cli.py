"""`cio-scenarios`: the demonstration, and the machines that look for a sequence of events nobody thought of."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from scenarios.account import tell
from scenarios.cli_catalogue import add_catalogue_commands
from scenarios.cli_mutants import add_mutants_command, split_command
from scenarios.demo import run_demo
from scenarios.findings import Account
from scenarios.truth import Truth
from scenarios.world import World
from sync.edge.streams import OutputLost, end_streams, heard_or_not, let_go, prepare_streams

PROGRAM = "cio-scenarios"
OK, DIFFERENT, USAGE, INTERRUPTED = 0, 1, 2, 130
PROFILES = ("dev", "ci", "night")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code (0: as it ought to be, 1: a difference was found)."""
    prepare_streams()
    own, command = split_command(sys.argv[1:] if argv is None else argv)
    try:
        options = _parser().parse_args(own, argparse.Namespace(command=command))
        code: int = options.run(options)
    except SystemExit as told:  # the help, or what is wrong with the command
        raise SystemExit(end_streams(told.code if isinstance(told.code, int) else OK, PROGRAM)) from None
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OutputLost as lost:
        let_go(sys.stdout)
        code = _misused(str(lost))
    return end_streams(code, PROGRAM)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cio-scenarios", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="the main job on real-format input, in bad weather, with an account")
    demo.add_argument("--keep", action="store_true", help="leave the fake running afterwards, to look around")
    demo.add_argument("--json", action="store_true", help="print the account as one JSON object")
    demo.add_argument(
        "--expect-also", metavar="ID", action="append", default=[],
        help="expect one more person in the segment: shows that a wrong result would be noticed",
    )
    demo.set_defaults(run=_demo)
    explore = commands.add_parser("explore", help="let machines look for a sequence of events that ends wrong")
    explore.add_argument("--profile", choices=PROFILES, help="how hard to look (default: ci where CI is set, else dev)")
    explore.add_argument("--seed", type=int, help="repeat a search exactly")
    explore.add_argument("--machine", action="append", default=[], metavar="NAME", help="only this (all); repeatable")
    explore.add_argument("--stories", type=Path, default=Path("stories"), metavar="FOLDER",
                         help="where a failure is written down as a test (./stories)")
    explore.set_defaults(run=_explore)
    swept = commands.add_parser("sweep", help="kill the engine at every request and commit of a story")
    swept.add_argument("names", nargs="*", metavar="STORY", help="which stories (all)")
    swept.set_defaults(run=_sweep)
    writers = commands.add_parser("interleave", help="find the shortest order of concurrent requests that matters")
    writers.add_argument("file", metavar="FILE", help='{"given": SEED, "writers": [[REQUEST…]…]} as JSON')
    writers.set_defaults(run=_interleave)
    add_catalogue_commands(commands)
    add_mutants_command(commands)
    return parser


def _sweep(options: argparse.Namespace) -> int:
    # here, since only this command needs the engine in this process
    from fakeio import Fake
    from scenarios.crashing import sweep
    from scenarios.sweeps import STORIES

    known = {story.name: story for story in STORIES}
    if unknown := [name for name in options.names if name not in known]:
        return _misused(f"there is no story {unknown[0]!r}; the stories are {', '.join(known)}")
    with Fake() as fake:
        swept = [sweep(fake, known[name]()) for name in options.names or known]
    _say("\n".join(one.tell() for one in swept) + "\n")
    return DIFFERENT if any(one.failures for one in swept) else OK


def _interleave(options: argparse.Namespace) -> int:
    # here, since only this command starts a fake of its own
    from fakeio import Fake
    from scenarios.interleaving import explore, parse_story

    try:
        given, writers = parse_story(json.loads(Path(options.file).read_text(encoding="utf-8")))
        with Fake() as fake:
            conflict = explore(fake, given, writers)
    except OSError as error:
        return _misused(f"{options.file} can't be read: {error.strerror}")
    except ValueError as error:
        return _misused(f"{options.file} is no story: {error}")
    _say("every order ends the same\n" if conflict is None else f"{conflict.tell()}\n")
    return OK if conflict is None else DIFFERENT


def _misused(why: str) -> int:
    print(f"cio-scenarios: {why}", file=sys.stderr)  # noqa: T201 - this is a command
    return USAGE


def _demo(options: argparse.Namespace) -> int:
    def change_expectation(truth: Truth) -> None:
        for person in options.expect_also:
            truth.create(person)
            truth.segment |= {known for known in truth.people if known.id == person}

    def afterwards(account: Account, world: World) -> None:
        _say(json.dumps(account.as_dict()) + "\n" if options.json else tell(account))
        if options.keep:
            _wait(world.url)

    account = run_demo(change_expectation=change_expectation, afterwards=afterwards)
    return OK if account.ok else DIFFERENT


def _wait(url: str) -> None:
    """Until somebody stops this process: everything the account speaks of can be looked at."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    print(f"The fake is still there, at {url}\n"  # noqa: T201 - this is a command
          f"Look around:  fakeio people --url {url}   ·   fakeio requests --url {url}\n"
          "Press Ctrl-C to stop it.", file=sys.stderr, flush=True)
    stopped.wait()


def _explore(options: argparse.Namespace) -> int:
    # here, since it brings Hypothesis, whose half a second the demonstration need not wait
    from scenarios import exploring, machines, profiles

    if unknown := [name for name in options.machine if name not in machines.MACHINES]:
        return _misused(f"there is no machine {unknown[0]!r}; the machines are {', '.join(machines.MACHINES)}")
    try:
        options.stories.mkdir(parents=True, exist_ok=True)  # before an hour of looking, not after
        found_nothing = exploring.explore(
            options.profile, options.seed, _say, names=options.machine, folder=options.stories
        )
    except profiles.UnknownProfile as error:
        return _misused(f"{error} ({profiles.VARIABLE})")
    except OSError as error:
        return _misused(f"stories can't be written to {options.stories}: {error.strerror}")
    return OK if found_nothing else DIFFERENT


def _say(text: str) -> None:
    with heard_or_not():  # whoever read the account may have seen enough
        sys.stdout.write(text)
