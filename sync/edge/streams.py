"""Standard output and error as a process may find them: closed, full, or in another encoding than UTF-8.

None of that may end a command in a traceback: what was sent was sent, and the ledger remembers it.
"""

from __future__ import annotations

import io
import os
import sys


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


def give_up_stdout() -> None:
    """Let go of what could not be written, so that the interpreter does not try it again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _nowhere() -> io.TextIOWrapper:
    return open(os.devnull, "w", encoding="utf-8")
