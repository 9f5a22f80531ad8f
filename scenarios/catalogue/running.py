"""Runs cases on a fake, one workspace each, and says what became of every one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing

from fakeio.client import ControlClient
from scenarios.catalogue.asking import Wire
from scenarios.catalogue.case import Case
from scenarios.catalogue.conformance import DIFFERS, OK, Result
from scenarios.catalogue.places import fake_place
from scenarios.catalogue.playing import Played, judge, play_case


def run_on_fake(server: ControlClient, cases: Iterable[Case]) -> Iterator[Result]:
    """Each case in a workspace of its own. Raises CallFailed when there is no fake, or it refuses what a case gives."""
    for case in cases:
        yield judged(case, play_on_fake(server, case))


def play_on_fake(server: ControlClient, case: Case) -> Played:
    """One case, not judged yet."""
    with fake_place(server, case) as place, closing(Wire(place.keys)) as wire:
        return play_case(case, place, wire)


def judged(case: Case, played: Played) -> Result:
    """The verdict on what was played."""
    differences = judge(case, played)
    return Result(case, DIFFERS if differences else OK, differences)
