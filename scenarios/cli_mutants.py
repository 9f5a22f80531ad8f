"""`cio-scenarios mutants [NAME…] [-- CMD…]`: which wrong variants of fake and engine a suite notices.

Without a command it is the part of this project's own suite that has to kill them all. With `--breakages` it is the
fixed list of twenty, and the machines that look for a story about each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sync.edge.streams import heard_or_not

if TYPE_CHECKING:  # the mutants are loaded by the command that needs them
    from scenarios.mutants.mutant import Mutant

KILLED, ALIVE, USAGE = 0, 1, 2
TIMEOUT_S = 120.0
_ALONE = 3  # a suite that has to run to its end takes longer than one that stops where it fails
EXPLORE = (sys.executable, "-P", "-m", "scenarios", "explore", "--profile", "ci")


def split_command(argv: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """The arguments of `mutants`, and what stands behind `--`, None without; other commands keep all of theirs."""
    if argv[:1] == ["mutants"] and "--" in argv:
        at = list(argv).index("--")
        return list(argv[:at]), list(argv[at + 1 :])
    return list(argv), None


def add_mutants_command(commands: Any) -> None:
    """`mutants` among the commands."""
    parser = commands.add_parser("mutants", help="run a suite against wrong variants of fake and engine")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which mutants (all); -- CMD... names another suite")
    parser.add_argument("--room", choices=("fake", "engine"), help="only those of the fake, or of the engine")
    parser.add_argument("--breakages", action="store_true", help="the fixed twenty; the command is `explore`")
    parser.add_argument("--jobs", type=_jobs, default=os.cpu_count() or 1, help="how many at a time (all cores)")
    parser.add_argument("--timeout", type=_seconds, default=TIMEOUT_S, help="seconds for each (%(default)s)")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--list", action="store_true", help="name them all, with their sources, and run nothing")
    shape.add_argument("--json", action="store_true", help="print one JSON object")
    shape.add_argument("--table", action="store_true", help="print a table for a page")
    parser.set_defaults(run=_mutants)


def _jobs(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError("how many at a time: 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError("seconds, more than 0")
    return seconds


def _mutants(options: argparse.Namespace) -> int:
    # here, since only this command needs the mutants
    from scenarios.mutants import catalogue, running, telling

    try:
        if options.command == []:
            raise ValueError("a command belongs behind --, such as: cio-scenarios mutants -- pytest tests/")
        chosen = catalogue.choose(options.names, options.room)
        if options.breakages:
            chosen = _breakages(chosen, options.names)
        if options.list:
            return _say(telling.as_list(chosen))
        return _run(options, chosen)
    except (ValueError, running.CannotRun) as error:
        print(f"cio-scenarios: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return USAGE


def _breakages(chosen: list[Mutant], named: Sequence[str]) -> list[Mutant]:
    """Those of the fixed twenty, in their order. Raises ValueError for one that was named and is none of them."""
    from scenarios.mutants.catalogue import BREAKAGES  # as above

    if others := [name for name in named if name not in BREAKAGES]:
        raise ValueError(f"{others[0]} is none of the fixed twenty; `mutants --breakages --list` names them")
    known = {mutant.name: mutant for mutant in chosen}
    return [known[name] for name in BREAKAGES if name in known]


def _run(options: argparse.Namespace, chosen: list[Any]) -> int:
    from scenarios.mutants import running, suite, telling  # as above

    quiet = options.json or options.table
    began = time.monotonic()
    ways: dict[str, Any]
    if options.breakages and not options.command:
        from scenarios.mutants import proving  # as above: it brings Hypothesis and the engine

        ways = {"command": _explore, "judge": proving.play_without}
    else:
        ways = {"command": (lambda _: options.command) if options.command else suite.command}
        running.prove(ways["command"](None), _ALONE * options.timeout)
    outcomes = running.run_all(
        chosen, jobs=options.jobs, timeout_s=options.timeout,
        done=lambda outcome: None if quiet else _tell(telling.tell_one(outcome)), **ways,
    )  # fmt: skip
    took_s = time.monotonic() - began
    if options.json:
        _say(json.dumps(telling.as_document(outcomes, took_s)))
    else:
        _say((telling.as_table(outcomes) + "\n\n" if options.table else "") + telling.tell_score(outcomes, took_s))
    return KILLED if all(one.result is running.Result.KILLED for one in outcomes) else ALIVE


def _explore(mutant: Mutant) -> list[str]:
    """One machine on one mutant."""
    from scenarios.mutants.catalogue import BREAKAGES  # as above

    return [*EXPLORE, "--machine", BREAKAGES[mutant.name], "--stories", f"stories/{mutant.name}"]


def _tell(line: str) -> None:
    with heard_or_not():
        sys.stdout.write(f"{line}\n")


def _say(text: str) -> int:
    _tell(text)
    return KILLED
