"""What the command line prints, and how a command says that it can't: lines on stdout, one clear line on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, TextIO


class CommandFailed(Exception):
    """The command can't do what was asked. `status` is its exit code: 2 for usage and configuration, else 1."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def write(text: str) -> None:
    """One line, or several, on stdout, at once: whoever waits for the ready line reads a pipe.

    Raises CommandFailed where it can't be written, BrokenPipeError where nobody reads it any more.
    """
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        forget(sys.stdout)
        raise CommandFailed(_unwritten(error), status=2) from error


def end_streams(code: int) -> int:
    """Write what is still to be written, the help say, or forget it. Returns the exit code, `code` or 2."""
    try:
        sys.stdout.flush()
    except OSError as error:
        forget(sys.stdout)
        if not isinstance(error, BrokenPipeError):  # whoever read our output has seen enough
            complain(_unwritten(error))
            code = code or 2
    try:
        sys.stderr.flush()
    except OSError:
        forget(sys.stderr)
    return code


def _unwritten(error: OSError) -> str:
    return f"the output can't be written: {error.strerror}"


def forget(stream: TextIO) -> None:
    """Nobody reads it any more: what it still holds goes nowhere, or Python would complain when it ends, with 120."""
    with suppress(OSError, ValueError):  # it may be no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def sentence(says: str) -> str:
    """The line of a list as a sentence of its own; names in it keep their letters, unlike with str.capitalize."""
    return f"{says[:1].upper()}{says[1:]}."


def complain(text: str) -> None:
    """One line on stderr, lost where that can't be written."""
    with suppress(OSError):
        sys.stderr.write(f"fakeio: {text}\n")
        sys.stderr.flush()


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns as wide as their widest cell; never cut, so that a pipe gets whole values."""
    texts = [[_printable(str(cell)) for cell in row] for row in (headings, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    padded = (map(str.ljust, row, widths) for row in texts)
    return "\n".join("  ".join(row).rstrip() for row in padded)


def _printable(text: str) -> str:
    """Identifiers are anybody's text: nothing in them may reach a terminal as a command."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
