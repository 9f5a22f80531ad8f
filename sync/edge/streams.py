"""Standard output and error as a process may find them: closed, full, unread, or in another encoding than UTF-8.

None of that may end a command in a traceback, nor what it does half-way: what was sent was sent, and the ledger
remembers it.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

UNWRITTEN = 2  # the exit code of a command that did what it was asked for, and could not say it


class OutputLost(Exception):
    """What was asked for can't be written; the text says why."""


def prepare_streams() -> None:
    """Before anything is written. A closed stream loses what is written to it; what the encoding of an open one does
    not know comes out escaped."""
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:  # else lines meant for it would come out on stdout
        sys.stderr = _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def end_streams(code: int, program: str, hint: str = "") -> int:
    """Write what is still to be written, or let go of it: the interpreter would try again when it ends, and end with
    120. Returns the exit code, `code` or UNWRITTEN. Whoever read stdout and has seen enough is no error."""
    try:
        sys.stdout.flush()
    except OSError as error:
        let_go(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            code = code or UNWRITTEN
            Forgiving(sys.stderr).write(f"{program}: {unwritten(error)} {hint}".rstrip() + "\n")
    try:
        sys.stderr.flush()
    except OSError:
        let_go(sys.stderr)
    return code


def unwritten(error: OSError) -> str:
    """What to say of it."""
    return f"the output can't be written: {error.strerror}."


@contextlib.contextmanager
def heard_or_not() -> Iterator[None]:
    """For what is written to stdout after something was done: that nobody reads it any more changes nothing about it.

    Raises OutputLost where it can't be written for another reason.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        pass
    except OSError as error:
        raise OutputLost(unwritten(error)) from error


class Forgiving:
    """A stream whose trouble ends nothing: a log on a full disk, or one that nobody reads, loses lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def let_go(stream: TextIO) -> None:
    """What it still holds goes nowhere, and so does what comes."""
    with contextlib.suppress(OSError, ValueError):  # it may be no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _nowhere() -> io.TextIOWrapper:
    return open(os.devnull, "w", encoding="utf-8")
