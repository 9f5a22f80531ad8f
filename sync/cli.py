"""`cio-sync`: reads flags and the environment, runs a command, prints, returns the exit code.

`--json` puts exactly one object on stdout, whatever happened, unless the command itself was wrong (exit code 2).
Everything else that a person reads while a run goes on is on stderr. What only one command needs is loaded by that
command: who lists the runs waits for no server and no client.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from sync.core.errors import SyncError
from sync.core.page import render
from sync.core.report import Ended, encode
from sync.edge.console import FORMATS, PLAIN, Console
from sync.edge.settings import Settings, read_settings, secrets_of
from sync.edge.streams import (
    UNWRITTEN,
    OutputLost,
    end_streams,
    heard_or_not,
    let_go,
    prepare_streams,
    unwritten,
)
from sync.edge.version import USER_AGENT

Sending = Callable[[argparse.Namespace, Settings, Console], Ended]
Looking = Callable[[argparse.Namespace, Settings, Console], int]

LOG_VARIABLE = "CIO_SYNC_LOG"
LOOK_BACK = "`cio-sync history` lists what was done."
DESCRIPTION = """Delivers Amplitude cohorts and events to Customer.io.

Credentials come from the environment: CIO_SITE_ID, CIO_TRACK_API_KEY, CIO_APP_API_KEY. CIO_REGION (us, eu; empty:
find out), CIO_TRACK_URL and CIO_APP_URL choose where to; CIO_SYNC_STATE names the state file."""
EXIT_CODES = """exit codes: 0 all settled; 1 finished, but something was skipped, refused, not found or is pending;
2 usage or configuration; 3 the source failed, nothing was sent; 4 the destination refused the credentials or the
segment; 5 stopped by a guard; 130 interrupted, run it again to go on"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit codes are those of the README."""
    prepare_streams()
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
    except SystemExit as told:  # the help, the version, or what is wrong with the command
        raise SystemExit(_ended(told.code if isinstance(told.code, int) else 0)) from None
    except KeyboardInterrupt:  # at the keyboard, even while the command is still loaded
        code = 130
    return _ended(code)


def _ended(code: int) -> int:
    return end_streams(code, "cio-sync", LOOK_BACK)


def _run(argv: Sequence[str]) -> int:
    arguments = _parsed(argv)
    console = Console(quiet=getattr(arguments, "json", False), log=_log_format(arguments.log, os.environ))
    console.hide(*secrets_of(os.environ))
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = read_settings(
            os.environ,
            track_rate=getattr(arguments, "track_rate", None),
            app_rate=getattr(arguments, "app_rate", None),
            workers=getattr(arguments, "workers", None),
        )
        code: int = arguments.command(arguments, settings, console)
    except SyncError as error:
        console.fail(f"{error.message}.")
        if error.hint:
            console.fail(f"{error.hint}.")
        return error.exit_code
    except sqlite3.Error as error:
        console.fail(f"the state file can't be read: {error}. Nothing more was sent.")
        return 2
    except BrokenPipeError:  # whoever read what was listed has seen enough
        return 0
    except (OSError, OutputLost) as error:  # all other OSErrors are told as errors of their files before they get here
        let_go(sys.stdout)
        console.fail(f"{unwritten(error) if isinstance(error, OSError) else error} {LOOK_BACK}")
        return UNWRITTEN
    return code


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments; ends the process with code 2 where they are wrong. Nothing that is not text can be told in a
    report, so such an argument is refused whatever it stands for."""
    parser = build_parser(next(iter(argv), None))
    for one in argv:
        if any("\udc80" <= letter <= "\udcff" for letter in one):
            parser.error(f"the argument {one!a} is not UTF-8 text; nothing was sent")
    return parser.parse_args(argv)


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Every command and flag that may follow where `command` comes first; without one, all there are."""
    parser = argparse.ArgumentParser(
        prog="cio-sync", description=DESCRIPTION, epilog=EXIT_CODES, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=USER_AGENT.replace("/", " "))
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in [ADDING[command]] if command in ADDING else ADDING.values():
        add(commands)
    return parser


Commands = argparse._SubParsersAction  # typeshed gives this class no public name
Arguments = Callable[[argparse.ArgumentParser], None]


def _add_check(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_check import check_all  # a command loads what it needs, and nothing of the others

    _looking(commands, "check", "prove the credentials and find the region", check_all)


def _add_cohort(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_cohort import add_cohort_arguments, cohort  # as above

    _sending(commands, "cohort", "make a segment equal to a cohort", add_cohort_arguments, cohort)


def _add_events(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_events import add_events_arguments, events  # as above

    _sending(commands, "events", "deliver an export's events", add_events_arguments, events)


def _add_run(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_run import add_run_arguments, run  # as above

    scheduled = _looking(commands, "run", "run the syncs of a configuration", run, add_run_arguments)
    _pace(scheduled)
    _json(scheduled)


def _add_listen(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_listen import add_listen_arguments, listen  # as above

    receiving = _looking(commands, "listen", "receive and deliver what is pushed", listen, add_listen_arguments)
    _pace(receiving)
    _json(receiving)


def _add_reconcile(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_reconcile import add_reconcile_arguments, reconcile  # as above

    _sending(commands, "reconcile", "see whether a segment drifted", add_reconcile_arguments, reconcile)


def _add_history(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_runs import add_history_arguments, history  # as above

    _json(_looking(commands, "history", "list the runs", history, add_history_arguments))


def _add_show(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_runs import add_show_arguments, show  # as above

    _json(_looking(commands, "show", "print one run's report", show, add_show_arguments))


def _add_failed(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_runs import add_failed_arguments, failed  # as above

    _json(_looking(commands, "failed", "list what was given up", failed, add_failed_arguments))


def _add_retry(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_retry import add_retry_arguments, retry  # as above

    _sending(commands, "retry", "send again what was given up", add_retry_arguments, retry)


def _add_doctor(commands: Commands[argparse.ArgumentParser]) -> None:
    from sync.cli_doctor import add_doctor_arguments, doctor  # as above

    _json(_looking(commands, "doctor", "look at everything that a run needs", doctor, add_doctor_arguments))


#: In the order in which they are told.
ADDING: Mapping[str | None, Callable[[Commands[argparse.ArgumentParser]], None]] = {
    "check": _add_check, "cohort": _add_cohort, "events": _add_events, "run": _add_run, "listen": _add_listen,
    "reconcile": _add_reconcile, "history": _add_history, "show": _add_show, "failed": _add_failed,
    "retry": _add_retry, "doctor": _add_doctor,
}

def _looking(
    commands: Commands[argparse.ArgumentParser], name: str, text: str, run: Looking, arguments: Arguments | None = None
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    if arguments is not None:
        arguments(parser)
    _log(parser)
    parser.set_defaults(command=run)
    return parser


def _sending(
    commands: Commands[argparse.ArgumentParser], name: str, text: str, arguments: Arguments, run: Sending
) -> None:
    parser = commands.add_parser(name, help=text, description=text, epilog=EXIT_CODES, allow_abbrev=False)
    arguments(parser)
    _pace(parser)
    _json(parser)
    _log(parser)
    parser.set_defaults(command=_told, sending=run)


def _pace(parser: argparse.ArgumentParser) -> None:
    for api in ("track", "app"):
        parser.add_argument(f"--{api}-rate", metavar="N", help=f"at most N {api} requests a second, 0 for no limit")
    parser.add_argument("--workers", metavar="N", help="requests in flight at a time (4)")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, nothing else")


def _log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log", choices=FORMATS, help=f"how lines on stderr are written (plain; {LOG_VARIABLE})")


def _log_format(flag: str | None, environ: Mapping[str, str]) -> str:
    """The flag, else the environment; what that holds beside a format counts for nothing, so that no log is lost."""
    wanted = environ.get(LOG_VARIABLE, "").strip().lower()
    return flag or (wanted if wanted in FORMATS else PLAIN)


def _told(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Run something that sends, and print its report."""
    ended: Ended = arguments.sending(arguments, settings, console)
    if arguments.json and ended.error is not None:
        console.fail(ended.error.message)
    try:
        with heard_or_not():
            if arguments.json:
                sys.stdout.buffer.write(encode(ended.report) + b"\n")
            else:
                console.tell(render(ended))
    except OutputLost as lost:
        let_go(sys.stdout)
        console.fail(f"{lost} {LOOK_BACK}")
        return ended.exit_code or UNWRITTEN  # how the run ended matters more
    return ended.exit_code


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
