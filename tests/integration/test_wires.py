"""The wires of the machines, and I12 of hosts: whom the engine asks with its keys, and that a wrong one is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fakeio import Fake
from scenarios.amplitude import FakeAmplitude
from scenarios.cohorts import Snapshot
from scenarios.events import Sketch
from scenarios.invariants import Broken
from scenarios.machines.cohorts import CohortMachine
from scenarios.machines.events import EventMachine
from scenarios.machines.receivers import ReceiverMachine
from scenarios.mutants.applying import applied
from scenarios.mutants.catalogue import MUTANTS
from scenarios.people import NOBODY
from scenarios.pushes import Push
from scenarios.storytelling import play
from scenarios.wires import AMPLITUDE, ELSEWHERE, STORAGE, AmplitudeWire, HomeWire

POOL = ["a", "b", "c", "d", "e"]
COHORT = Snapshot((0, 1), compressed=False, with_properties=False)


def pulls(state: CohortMachine) -> None:
    state.begins(pool=POOL)
    state.a_day_of_pulling(come=frozenset({0}), go=NOBODY, snapshot=COHORT)


def is_redirected(state: CohortMachine) -> None:
    state.begins(pool=POOL)
    state.a_redirect(snapshot=COHORT, times=1)
    state.a_calm_day(come=frozenset({0}), go=NOBODY, snapshot=None)


def sends_redirected_events(state: EventMachine) -> None:
    state.begins(pool=POOL, sketches=[Sketch(0)], known=NOBODY)
    state.a_redirect(places=[0], times=1)
    state.a_calm_day(places=[0])


def works_redirected(state: ReceiverMachine) -> None:
    state.begins(pool=POOL, known=frozenset({0}))
    state.webhooks_arrive(said=([Push((0,), entered=True)], [0]))
    state.the_worker_is_killed(rounds=3, faults=[], astray=2)
    state.a_calm_day()


WAYS = [
    pytest.param("cohorts", pulls, "keys-follow-links", id="a cohort by its link"),
    pytest.param("cohorts", is_redirected, "redirect-followed", id="a redirected cohort"),
    pytest.param("events", sends_redirected_events, "redirect-followed", id="redirected events"),
    pytest.param("receivers", works_redirected, "redirect-followed", id="redirected pushes"),
]


def test_keys_stay_home_when_a_link_leads_to_a_storage() -> None:
    play("cohorts", pulls)


@pytest.mark.parametrize(("machine", "moves", "mutant"), WAYS)
def test_keys_that_travel_are_noticed_by_the_invariant_of_secrecy(
    fake: Fake, machine: str, moves: Callable[[Any], None], mutant: str
) -> None:
    play(machine, moves, fake)
    with applied(MUTANTS[mutant]), pytest.raises(Broken, match=r"^I12: an Authorization went to (storage|elsewhere)"):
        play(machine, moves, fake)


def test_a_wire_tells_whom_it_was_asked_to_reach_and_sends_astray_as_often_as_it_is_told(fake: Fake) -> None:
    wire = HomeWire(fake.transport, fake.url)
    wire.astray = 1
    key = {"Authorization": "Bearer x"}
    with httpx.Client(transport=wire, base_url=fake.url) as client:
        first, second = (client.get("/v1/segments?x=1", headers=key) for _ in range(2))
        third = client.get(f"{ELSEWHERE}/v1/segments")
    assert (first.status_code, first.headers["location"]) == (307, f"{ELSEWHERE}/v1/segments?x=1")
    assert (second.status_code, third.status_code) == (401, 404)
    asked = [(host, "authorization" in headers) for host, headers in wire.asked]
    assert asked == [(wire.home, True), (wire.home, True), ("elsewhere.test", False)]


def test_the_wire_to_a_project_leads_to_both_of_its_hosts() -> None:
    project = FakeAmplitude()
    project.polls_until_ready = 0
    project.put_cohort("abc", ["a"])
    wire = AmplitudeWire(project)
    keys = httpx.BasicAuth(project.api_key, project.secret_key)
    with httpx.Client(transport=wire, base_url=AMPLITUDE) as client:
        job = client.get("/api/5/cohorts/request/abc", auth=keys).json()["request_id"]
        link = client.get(f"/api/5/cohorts/request/{job}/file", auth=keys).headers["location"]
        refused, served = client.get(link, auth=keys), client.get(link)
    assert link.startswith(f"{STORAGE}/storage/")
    assert (refused.status_code, served.status_code) == (400, 200)
    assert served.text.splitlines()[1].endswith(',"a"')
    assert [one.host for one in project.asked] == ["amplitude.test"] * 2 + ["storage.test"] * 2
