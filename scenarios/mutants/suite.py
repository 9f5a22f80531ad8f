"""The part of this project's own suite that kills every mutant: for each, the test that has to notice it first.

Names tests of a checkout, so an installed package alone has none of them: whoever runs it there names a command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scenarios.mutants.mutant import Mutant
from scenarios.mutants.running import CannotRun

#: A checkout: the one that this file is in, or else the one that somebody stands in.
ROOT = next((one for one in (Path(__file__).parents[2], Path.cwd()) if (one / "tests").is_dir()), Path.cwd())
#: mutant -> the test that kills it
KILLERS: Final[Mapping[str, str]] = json.loads(Path(__file__).with_name("killers.json").read_text(encoding="utf-8"))


def suite(room: str | None = None, rooms: Mapping[str, str] | None = None) -> list[str]:
    """The tests, each once, in the order of the mutants; those of one room only, when `rooms` tells whose each is."""
    wanted = [test for name, test in KILLERS.items() if room is None or rooms is None or rooms[name] == room]
    return list(dict.fromkeys(wanted))


def command(mutant: Mutant | None) -> list[str]:
    """pytest on the whole part, the mutant's own killer first. Raises CannotRun where the tests are not."""
    if not (ROOT / "tests").is_dir():
        raise CannotRun("the tests of this project are not installed with it; name your own: mutants -- pytest tests/")
    tests = suite()
    first = [KILLERS[mutant.name]] if mutant is not None and mutant.name in KILLERS else []
    wanted = [str(ROOT / test) for test in dict.fromkeys([*first, *tests])]
    return [sys.executable, "-m", "pytest", "-q", "-n0", "-x", "-p", "no:cacheprovider", *wanted]
