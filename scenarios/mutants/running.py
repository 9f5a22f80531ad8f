"""A command against mutants, one process each: killed by what, survived, or never met.

The command must pass first without any: a suite that fails anyway notices nothing. What the command is, and how the
outcomes are told, is for others (`suite.py`, `telling.py`).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from scenarios.mutants.launch import environment
from scenarios.mutants.mutant import Mutant

#: The first of pytest's lines about what failed, in any of its wordings; a colour code may stand before it.
_COLOUR = r"(?:\x1b\[[0-9;]*m)*"
_FAILED = re.compile(rf"^{_COLOUR}(?:FAILED|ERROR){_COLOUR} (\S+?::.+?|\S+)(?: - .*)?$", re.MULTILINE)
#: What `cio-scenarios explore` says of a find: the machine, and the story, which begins with the sentence that failed.
_STORY = re.compile(
    r"^(?P<machine>\w+): found something.*\n\n(?P<story>\"\"\"(?P<sentence>.*)(?:.*\n)+?)\n(?=\||\w+: )", re.MULTILINE
)
_MOST_SHOWN = 100
_LAST_LINES = 15

Command = Callable[[Mutant | None], Sequence[str]]


class Result(StrEnum):
    """How a command ended against a mutant. Only KILLED is good."""

    KILLED = "killed"  #: it failed
    SURVIVED = "survived"  #: it passed
    UNMET = "unmet"  #: it passed, and never used the function that was wrong
    TIMEOUT = "timeout"  #: it did not end
    UNPROVEN = "unproven"  #: it failed, and its story fails without the mutant, too


class Outcome(NamedTuple):
    """`by`: the first test that failed, or the last line of a command that is no pytest; `said` is all it printed."""

    mutant: Mutant
    result: Result
    by: str
    seconds: float
    said: str


class CannotRun(Exception):
    """There is no such command, or it fails without any mutant."""


def prove(command: Sequence[str], timeout_s: float) -> None:
    """Raise CannotRun unless the command passes as things are."""
    code, said = _run(command, dict(os.environ), timeout_s)
    if code != 0:
        ended = "did not end in time" if code is None else f"failed with exit code {code}"
        last = "\n".join(said.rstrip().splitlines()[-_LAST_LINES:])
        raise CannotRun(
            f"without any mutant, `{' '.join(command)[:200]}` {ended};"
            f" a suite has to pass before its kills count\n\n{last}"
        )


def run_all(
    mutants: Iterable[Mutant], command: Command, *, jobs: int, timeout_s: float, done: Callable[[Outcome], None],
    judge: Callable[[Outcome], Outcome] = lambda outcome: outcome,
) -> list[Outcome]:  # fmt: skip
    """The command against each, `jobs` at a time; `done` hears of every outcome as it comes, in order. `judge` may have
    another look at it before."""
    outcomes = []
    with ThreadPoolExecutor(jobs) as pool:
        for outcome in map(judge, pool.map(lambda mutant: run_one(mutant, command(mutant), timeout_s), mutants)):
            outcomes.append(outcome)
            done(outcome)
    return outcomes


def run_one(mutant: Mutant, command: Sequence[str], timeout_s: float) -> Outcome:
    """The command against one mutant."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fakeio-mutant-") as marks:
        code, said = _run(command, environment(mutant.name, Path(marks)), timeout_s)
        met = any(Path(marks).iterdir())
    seconds = round(time.monotonic() - began, 1)
    if code is None:
        return Outcome(mutant, Result.TIMEOUT, "", seconds, said)
    if code == 0:
        return Outcome(mutant, Result.SURVIVED if met else Result.UNMET, "", seconds, said)
    return Outcome(mutant, Result.KILLED, what_failed(said), seconds, said)


def what_failed(said: str) -> str:
    """The first test that pytest names, or the machine that tells a story, else the last line that says anything."""
    failed = _FAILED.search(said)
    if failed is not None:
        return failed[1]
    story = _STORY.search(said)
    if story is not None:
        sentence = story["sentence"].removesuffix('"""')
        return f"{story['machine']}: {sentence}"[:_MOST_SHOWN]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:_MOST_SHOWN] if lines else "its exit code"


def story_lines(said: str) -> int | None:
    """How many lines the first story has, where one is told."""
    story = _STORY.search(said)
    return None if story is None else len(story["story"].rstrip().splitlines())


def _run(command: Sequence[str], own: dict[str, str], timeout_s: float) -> tuple[int | None, str]:
    """Exit code and output; None when it had to be ended, with all that it had started."""
    try:
        process = subprocess.Popen(
            command, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise CannotRun(f"{command[0]} can't be started: {error.strerror}") from error
    try:
        said, _ = process.communicate(timeout=timeout_s)
        return process.returncode, said
    except subprocess.TimeoutExpired:
        _end(process)
        return None, process.communicate()[0]
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)  # the session is its own, so this ends nobody else's
