"""One scheduled sync in a process of its own: what to run comes in on stdin, how it ended goes out on stdout.

Started by `crew.py`. A process and not a thread, so that a signal can stop it between two steps, and whatever becomes
of it leaves the others alone. Everything that is said meanwhile goes to stderr, each line with the name of its sync.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn, TextIO

import msgspec

from sync.core.configuration import Configuration
from sync.core.errors import ConfigError
from sync.core.report import KINDS, Ended, Report, encode
from sync.edge.console import PLAIN, Console
from sync.edge.settings import secrets_of
from sync.running import Runner, Surroundings

LOOK_UP_S = 0.5


class Order(msgspec.Struct, frozen=True):
    """What to run: a sync of a configuration that lies in `folder`; `flags` are those of pace, as typed."""

    configuration: Configuration
    name: str
    folder: str
    flags: dict[str, str | None]
    quiet: bool
    log: str


class Outcome(msgspec.Struct, frozen=True):
    """How it ended: with a report of that kind, or with a mistake of the configuration, as message and hint."""

    exit_code: int
    kind: str = ""
    report: msgspec.Raw = msgspec.Raw(b"null")
    disabled: bool = False
    mistake: tuple[str, str] | None = None

    @classmethod
    def of(cls, ended: Ended, *, disabled: bool) -> Outcome:
        return cls(ended.exit_code, ended.report.kind, msgspec.Raw(encode(ended.report)), disabled)

    def ended(self) -> Ended:
        """The end as the other process knew it; a report tells what stopped it."""
        report: Report = msgspec.json.decode(self.report, type=KINDS[self.kind])
        return Ended(report, self.exit_code)


class Labelled(io.TextIOBase):
    """Writes lines with a label before each, so that those of several processes can be told apart."""

    def __init__(self, stream: TextIO, label: str) -> None:
        self._stream = stream
        self._label = label
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._stream.write(f"{self._label}: {line}\n")  # whole lines: another process writes there too
        self._stream.flush()
        return len(text)


def play(order: Order, stderr: TextIO) -> Outcome:
    """Run it once, as the run of its slot."""
    stream = Labelled(stderr, order.name) if order.log == PLAIN else stderr
    console = Console(quiet=order.quiet, stream=stream, log=order.log)  # type: ignore[arg-type]  # write is all it needs
    console.hide(*secrets_of(os.environ))
    told: list[Outcome] = []
    syncs = {order.name: order.configuration.syncs[order.name]}
    around = Surroundings(folder=Path(order.folder), flags=order.flags)
    runner = Runner(
        order.configuration, syncs, around, console,
        lambda name, ended, disabled: told.append(Outcome.of(ended, disabled=disabled)),
    )  # fmt: skip
    try:
        runner.run_all()
    except ConfigError as error:
        return Outcome(error.exit_code, mistake=(error.message, error.hint))
    except KeyboardInterrupt:
        return told[0] if told else Outcome(130)
    return told[0]


def main() -> int:
    """Only its crew sends it a signal: one at the keyboard is for the crew, whose process id is the one argument."""
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    outcome = play(order, sys.stderr)
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
    return outcome.exit_code


def _end_with(crew: int) -> NoReturn:
    """A crew that was killed takes its runs along, which may be killed anywhere: whoever is started in its place would
    find them at work, without anybody to tell how they ended."""
    while os.getppid() == crew:
        time.sleep(LOOK_UP_S)
    os._exit(1)


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
