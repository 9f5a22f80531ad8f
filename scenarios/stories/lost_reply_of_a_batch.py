"""The reply to a batch is lost every time, then the file comes again: the events are there once, each at its time."""

from __future__ import annotations

from scenarios.events import Sketch
from scenarios.machines.events import EventMachine

MACHINE = "events"


def play(state: EventMachine) -> None:
    """Two events of one person, one of them too large for a batch."""
    sketches = [Sketch(0, properties={"n": 1}), Sketch(0, at="2026-08-17 09:00:01.5", size=60_000)]
    state.begins(pool=["0", "1", "2", "3"], sketches=sketches, known=frozenset({0}))
    lost = [{"kind": "lose_reply", "match": {"api": "track"}, "times": 3}]
    state.a_file_arrives_in(places=[0, 1, 0], faults=lost)
    state.a_calm_day(places=[1])
