"""Machines that look for a sequence of moves nobody thought of; one module a machine, listed here by name."""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.machines.base import Machine
from scenarios.machines.cohorts import CohortMachine
from scenarios.machines.dialects import DialectMachine
from scenarios.machines.events import EventMachine
from scenarios.machines.identities import IdentityMachine
from scenarios.machines.paging import PagingMachine
from scenarios.machines.receivers import ReceiverMachine
from scenarios.machines.schedules import ScheduleMachine

MACHINES: Mapping[str, type[Machine]] = {
    "cohorts": CohortMachine,
    "events": EventMachine,
    "receivers": ReceiverMachine,
    "identities": IdentityMachine,
    "dialects": DialectMachine,
    "paging": PagingMachine,
    "schedules": ScheduleMachine,
}
