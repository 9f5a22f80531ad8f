"""Runs the machines against a fake of their own: `cio-scenarios explore`, and the test suite with its own profile.

A failure becomes a story, the shortest way to it that was found in time; what a search came to is counted. With a seed
a search is repeated exactly: its fingerprint, of every request in order, is the same.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from fakeio import Fake
from scenarios import machines, profiles
from scenarios.machines.base import Enough, Machine, Tally, aimed
from scenarios.storytelling import encode_story, save_story

STORIES = Path("stories")
SHORTENING_S = 20.0  # how long to look for a shorter way to a failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What one machine's search came to. `story` is empty when it found nothing."""

    name: str
    tally: Tally
    cpu_s: float
    story: str = ""

    def row(self) -> tuple[str, ...]:
        """Its figures, in the order of COLUMNS."""
        moves = sum(self.tally.moves.values())
        counts = (self.tally.worlds, moves, len(self.tally.moves), self.tally.shrinks, len(self.tally.states))
        return (self.name, *map(str, counts), str(self.tally.requests), f"{self.cpu_s:.1f}", self.tally.fingerprint)


COLUMNS = ("machine", "examples", "moves", "rules", "shrinks", "states", "requests", "CPU s", "fingerprint")


def search(
    name: str, fake: Fake, chosen: settings, seed: int | None = None, shortening_s: float = SHORTENING_S
) -> Search:
    """Let one machine look. A seed leaves out what earlier searches remember, so that nothing else decides."""
    machine = aimed(machines.MACHINES[name], fake)
    machine.tally.most_s = shortening_s
    chosen = settings(chosen, print_blob=False, phases=[one for one in chosen.phases if one != Phase.explain])
    if seed is not None:
        chosen = settings(chosen, database=None, derandomize=False)
    began, error = time.process_time(), None
    try:
        with redirect_stdout(io.StringIO()):
            run_state_machine_as_test(machine if seed is None else seeded(seed)(machine), settings=chosen)
    except (Exception, Enough) as raised:  # any exception at all is what the machine was looking for
        error = raised
    story = "" if error is None else _story(name, machine, error, seed)
    return Search(name=name, tally=machine.tally, cpu_s=time.process_time() - began, story=story)


def _story(name: str, machine: type[Machine], error: BaseException, seed: int | None) -> str:
    found = machine.tally.failing
    if found is None:  # not the machine's world but its own making is wrong, such as a strategy
        raise error
    return encode_story(name, found.moves, found.error, seed)


def explore(
    profile: str | None, seed: int | None, say: Callable[[str], None], *, names: Iterable[str] = (),
    folder: Path = STORIES,
) -> bool:  # fmt: skip
    """Run every machine, or those named; True when none found anything. `profile` None: as the environment says.

    Stories are written to `folder`. Raises UnknownProfile, and OSError where they can't be.
    """
    profile = profile or profiles.default()
    chosen = profiles.explored(profile)
    say(f"profile {profile}: {chosen.max_examples} worlds a machine, up to {chosen.stateful_step_count} moves each\n")
    searches = []
    for name in names or machines.MACHINES:
        with Fake() as fake:  # of its own, so that no machine's past decides what another meets
            searches.append(search(name, fake, chosen, seed))
        _tell(searches[-1], folder, say)
    found = sum(bool(one.story) for one in searches)
    say(f"\n{table([one.row() for one in searches])}\n")
    say(f"{len(searches) - found} of {len(searches)} machines found nothing wrong\n")
    return not found


def _tell(one: Search, folder: Path, say: Callable[[str], None]) -> None:
    if not one.story:
        say(f"{one.name}: nothing wrong found\n")
        return
    path = save_story(folder, one.name, one.story)
    say(f"{one.name}: found something; play it with `pytest {path}`\n\n{one.story}\n")


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """The figures of searches as a table of Markdown."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
