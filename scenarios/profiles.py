"""How hard Hypothesis looks: `dev` at your desk, `ci` the same examples every time, `night` for as long as it takes.

`load` is called by whoever runs machines: the test suite's conftest and `cio-scenarios explore`.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

#: A run of the engine crosses real sockets, so a single step may take long on a busy machine: no deadlines.
_COMMON: dict[str, Any] = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
PROFILES: dict[str, settings] = {
    "dev": settings(**_COMMON, max_examples=10, stateful_step_count=12),
    "ci": settings(**_COMMON, max_examples=15, stateful_step_count=12, derandomize=True, database=None),
    "night": settings(**_COMMON, max_examples=1_000, stateful_step_count=50),
}
#: How many worlds `cio-scenarios explore` gives each machine; the test suite, which also does other things, less.
WORLDS = {"dev": 10, "ci": 50, "night": 1_000}
VARIABLE = "HYPOTHESIS_PROFILE"


class UnknownProfile(ValueError):
    """Nobody knows a profile of that name; the message names those that there are."""


def default() -> str:
    """The profile to use when nobody names one: the environment's, else `ci` on a CI machine, else `dev`."""
    return os.environ.get(VARIABLE) or ("ci" if os.environ.get("CI") else "dev")


def load(name: str | None = None) -> settings:
    """Makes one profile Hypothesis' own; raises UnknownProfile."""
    name = name or default()
    if name not in PROFILES:
        raise UnknownProfile(f"there is no profile {name!r}; the profiles are {', '.join(PROFILES)}")
    for known, profile in PROFILES.items():
        settings.register_profile(known, profile)
    settings.load_profile(name)
    return PROFILES[name]


def explored(name: str) -> settings:
    """A profile for exploring, made Hypothesis' own; raises UnknownProfile."""
    return settings(load(name), max_examples=WORLDS[name])
