"""A story about a breakage counts only when it ends well without it: it is played once more, in this process.

A search without any mutant would take as long as all the others and prove less: not that this very story is about this
very breakage.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from fakeio import Fake
from scenarios.mutants.running import Outcome, Result
from scenarios.storytelling import play

_WRITTEN = re.compile(r"^\w+: found something; play it with `pytest (.+)`$", re.MULTILINE)


def play_without(outcome: Outcome) -> Outcome:
    """The outcome as it was when its story ends well without the mutant, else one that says so."""
    if outcome.result is not Result.KILLED:
        return outcome
    written = _WRITTEN.search(outcome.said)
    if written is None:
        return outcome._replace(result=Result.UNPROVEN, by=f"no story: {outcome.by}")
    try:
        _play(Path(written[1]))
    except Exception as error:
        return outcome._replace(result=Result.UNPROVEN, by=f"{error}"[:100])
    return outcome


def _play(path: Path) -> None:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None, "its name ends in .py"
    assert specification.loader is not None
    story = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(story)
    with Fake() as fake:
        play(story.MACHINE, story.play, fake)
