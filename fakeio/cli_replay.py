"""`fakeio export` and `fakeio replay`: what the tape recorded as a file that runs, and a file run again."""

from __future__ import annotations

import argparse
from typing import Any

from fakeio.cli_calls import add_call_command, client_of, read_json, write_json
from fakeio.cli_text import CommandFailed, complain, table, write


def add_replay_commands(commands: Any) -> None:
    """Declare them on the parser's subcommands."""
    says = "print a reproduction of one recorded request, or of all, that runs by itself"
    export = add_call_command(commands, "export", export_requests, says)
    export.add_argument("n", nargs="?", metavar="N", help="a request's number, as `fakeio requests` shows it")
    export.add_argument("--as", dest="form", choices=("curl", "pytest", "har"), default="curl",
                        help="a shell script, a test file, or an HTTP Archive in JSON (default: curl)")  # fmt: skip
    replay = add_call_command(commands, "replay", replay_file, "send a recording again and show what it can't explain")
    replay.add_argument("file", metavar="FILE", help="a HAR, or what `fakeio requests --json` printed; - for stdin")
    replay.add_argument("--skip-foreign", action="store_true", help="leave out requests to hosts not Customer.io's")


def export_requests(options: argparse.Namespace) -> int:
    """Print it; redirect it into a file to keep it. With --json, the text of the file is in an object."""
    text = client_of(options).export(options.form, options.n)
    if options.json:
        return write_json({"as": options.form, "text": text})
    write(text.removesuffix("\n"))
    return 0


def replay_file(options: argparse.Namespace) -> int:
    """0 when every request is explained, 1 when some are not, 2 when the file holds no recording."""
    # here, since only this command needs to understand recordings
    from fakeio.recordings import Unreadable, parse_recording
    from fakeio.replaying import replay, summary

    try:
        recording = parse_recording(read_json(options.file, "the recording"))
    except Unreadable as bad:
        raise CommandFailed(f"the recording {options.file} can't be replayed: {bad}", status=2) from None
    if options.skip_foreign:
        recording = [one for one in recording if one.foreign is None]
    found = summary(replay(recording, client_of(options)))
    if options.json:
        write_json(found)
    else:
        _show(found)
    return 1 if found["unexplained"] else 0


def _show(found: dict[str, Any]) -> None:
    rows = [
        (row["request"], row["method"], (row["host"] or "") + row["target"], problem["code"], problem["says"])
        for row in found["unexplained"] for problem in row["problems"]
    ]  # fmt: skip
    if rows:
        write(table(("request", "method", "target", "problem", "says"), rows))
    sent = f"{found['sent']} of {found['requests']} requests sent, {found['not_compared']} not compared"
    complain(f"{sent}; {len(found['unexplained'])} unexplained")
