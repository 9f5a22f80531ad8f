"""Runs the machines against a fake of their own: `cio-scenarios explore`, and the test suite with its own profile.

A failure prints the shortest sequence of moves that Hypothesis found to end wrong, as code to paste into a test.
"""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout

from hypothesis import seed as seeded
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from fakeio import Fake
from scenarios import profiles
from scenarios.machines.cohorts import cohort_machine
from scenarios.machines.events import event_machine

Machine = Callable[[Fake], type[RuleBasedStateMachine]]
MACHINES: Mapping[str, Machine] = {"cohorts": cohort_machine, "events": event_machine}


def explore(profile: str | None, seed: int | None, say: Callable[[str], None]) -> bool:
    """Run every machine; True when none found anything. `profile` None: as the environment says.

    Raises ValueError for a profile nobody knows.
    """
    profile = profile or profiles.default()
    chosen = profiles.load(profile)
    say(f"profile {profile}: {chosen.max_examples} worlds a machine, up to {chosen.stateful_step_count} moves each\n")
    with Fake() as fake:
        found = [name for name, machine in MACHINES.items() if not _clean(name, machine(fake), chosen, seed, say)]
    say(f"{len(MACHINES) - len(found)} of {len(MACHINES)} machines found nothing wrong\n")
    return not found


def _clean(
    name: str, machine: type[RuleBasedStateMachine], chosen: settings, seed: int | None, say: Callable[[str], None]
) -> bool:
    """True when one machine found nothing."""
    say(f"{name}: ")
    factory = machine if seed is None else seeded(seed)(machine)
    moves = io.StringIO()
    try:
        with redirect_stdout(moves):
            run_state_machine_as_test(factory, settings=chosen)
    except Exception as error:  # any exception at all is what the machine was looking for
        report = "".join(traceback.format_exception(error))
        say(f"found something\n\n{moves.getvalue()}{report}\n")
        return False
    say("nothing wrong found\n")
    return True
