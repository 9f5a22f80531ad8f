"""Machines that look for a sequence of moves nobody thought of; one module a machine, listed here by name."""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.machines.base import Machine
from scenarios.machines.cohorts import CohortMachine
from scenarios.machines.events import EventMachine

MACHINES: Mapping[str, type[Machine]] = {"cohorts": CohortMachine, "events": EventMachine}
