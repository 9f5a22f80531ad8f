"""Each of the sixteen invariants holds for a short history, and is broken by a wrong variant of fake or engine.

A check that cannot fail proves nothing. A probe plays a history of a few moves and hands what came of it to the
function of `scenarios/invariants.py` that has the number; with the mutant in force that very function must say no.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import HandTurnedClock
from fakeio import Fake
from fakeio.testing import WorkspaceHandle
from scenarios import invariants
from scenarios.mutants.applying import applied
from scenarios.mutants.catalogue import MUTANTS
from sync.core.report import Ended, encode
from tests.integration import cohort_engine, event_engine
from tests.integration.event_engine import IMPATIENT, row
from tests.integration.listening_engine import Listening, webhook


class Stage:
    """A fake and a folder; every engine that is asked for has a workspace and a ledger of its own."""

    def __init__(self, fake: Fake, folder: Path) -> None:
        self.fake = fake
        self._folder = folder
        self._engines = 0

    def _next_folder(self) -> Path:
        self._engines += 1
        folder = self._folder / str(self._engines)
        folder.mkdir()
        return folder

    def cohorts(self, *people: str) -> cohort_engine.Engine:
        engine = cohort_engine.Engine(self.fake, self.fake.new_workspace(), self._next_folder())
        engine.people(*people)
        return engine

    def events(self) -> event_engine.Engine:
        return event_engine.Engine(self.fake, self.fake.new_workspace(), self._next_folder())


Probe = Callable[[Stage], None]


def final_membership(stage: Stage) -> None:
    engine = stage.cohorts("a", "b")
    engine.run("a", "b", max_removal_share=1.0)
    engine.run("a", "unknown")
    invariants.final_membership(engine.members(), {"a"})


def safety(stage: Stage) -> None:
    engine = stage.cohorts("a")
    engine.run("a", "é" * 100)
    sent = {one for call in engine.calls("add") for one in call}
    invariants.safety_during_faults(sent, engine.members(), {"a"})


def minimality(stage: Stage) -> None:
    engine = stage.cohorts("a", "b", "c")
    engine.run("a", "b")
    before = len(engine.calls("add")), len(engine.calls("remove"))
    engine.run("b", "c")
    added, removed = chain(*engine.calls("add")[before[0] :]), chain(*engine.calls("remove")[before[1] :])
    invariants.minimality(list(added), list(removed), {"a", "b"}, {"b", "c"})


def idempotence(stage: Stage) -> None:
    engine = stage.cohorts("a")
    engine.run("a")
    before = engine.writes()
    engine.run("a")
    invariants.idempotence(range(engine.writes() - before))


class Killed(Exception):
    """The process is gone."""


class KilledAt(httpx.BaseTransport):
    """A network that ends the run at its first write."""

    def __init__(self) -> None:
        self._network = httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("_customers"):
            raise Killed
        return self._network.handle_request(request)

    def close(self) -> None:
        self._network.close()


def crash_equivalence(stage: Stage) -> None:
    endings = []
    for kill in (False, True):
        engine = stage.cohorts("a", "b")
        if kill:
            with suppress(Killed):
                engine.run("a", "b", network=KilledAt(), verify="none")
        engine.run("a", "b", verify="none")
        endings.append({"members": engine.members()})
    invariants.crash_equivalence(*endings)


def commutativity(stage: Stage) -> None:
    messages = [webhook("a", at=100), webhook("a", at=200, entered=False), webhook("b", at=200)]
    found = []
    for order in (messages, messages[::-1]):
        engine = stage.cohorts("a", "b")
        listening = Listening(engine, HandTurnedClock(1_777_636_800.0))
        with listening.inbox:
            for message in order:
                listening.push(message)
            listening.settle()
        found.append(engine.members())
    invariants.commutativity_of_receivers(*found)


def batch_law(stage: Stage) -> None:
    engine = stage.cohorts("a")
    engine.run("a")
    invariants.batch_law(engine.calls("add"), {"a"})


def accounting(stage: Stage) -> None:
    engine = stage.cohorts("a")
    engine.run("a")
    invariants.accounting(_document(engine.run("a")))


def exactly_once(stage: Stage) -> None:
    engine = stage.events()
    engine.workspace.fault("lose_reply", match={"path": "*batch"}, times=1)
    engine.run(row(1))
    invariants.exactly_once_visibility(Counter(engine.numbers()), Counter([1]))


def time_law(stage: Stage) -> None:
    engine = stage.events()
    engine.run(row(1, event_time="2026-07-14 10:00:01.000000"))
    (event,) = engine.workspace.events()
    invariants.time_law([("event 1", 1_784_023_201.0, event.timestamp)])


def size_law(stage: Stage) -> None:
    engine = stage.events()
    engine.run(*event_engine.wide(*range(30)))
    invariants.size_law(_tape(engine.workspace))


def secrecy(stage: Stage) -> None:
    engine = stage.events()
    ended = engine.run(row(1), settings=engine.settings(track_url="http://127.0.0.1:9"), policy=IMPATIENT)
    error = ended.error.message if ended.error else ""
    told = [engine.said.getvalue(), error, *(letter.message for letter in engine.letters())]
    key = f"{engine.workspace.site_id}:{engine.workspace.track_api_key}".encode()
    invariants.secrecy(told, [base64.b64encode(key).decode(), engine.workspace.track_api_key])


def isolation(stage: Stage) -> None:
    engine = stage.cohorts("a", "b")
    engine.run("a", name="one")
    before = cohort_engine.counts(engine.report("a", name="one"))
    engine.run("b", name="two")
    invariants.isolation(before, cohort_engine.counts(engine.report("a", name="one")))


def determinism(stage: Stage) -> None:
    calls = []
    for _ in range(2):
        engine = stage.cohorts("a", "b", "c")
        engine.run("a", "b", "c")
        calls.append(engine.calls("add"))
    invariants.determinism(*calls)


def liveness(stage: Stage) -> None:
    engine = stage.cohorts("a")
    engine.workspace.fault("status", status=503, match={"path": "*_customers"}, times=1)
    unsettled = [_document(engine.run("a"))["pending"] for _ in range(3)]
    invariants.liveness(unsettled, within=3)


def round_trip(stage: Stage) -> None:
    engine = stage.events()
    sent = {"n": 1, "list": [1, 1.5, True, "é", {"": 2**53 + 1}]}
    engine.run(row(1, event_properties=sent))
    (event,) = engine.workspace.events()
    invariants.round_trip(sent, event.data)


def _document(ended: Ended) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(encode(ended.report))
    return document


def _tape(workspace: WorkspaceHandle) -> list[dict[str, Any]]:
    return [{"n": one.n, "path": one.path, "body": one.body} for one in workspace.requests]


#: number -> (a history, the mutant that breaks exactly that)
PROOFS: dict[str, tuple[Probe, str]] = {
    "I1": (final_membership, "add-creates-people"),
    "I2": (safety, "long-ids-cut"),
    "I3": (minimality, "everything-every-time"),
    "I4": (idempotence, "everything-every-time"),
    "I5": (crash_equivalence, "plan-taken-for-done"),
    "I6": (commutativity, "computed-time-ignored"),
    "I7": (batch_law, "duplicates-in-a-call"),
    "I8": (accounting, "members-counted-twice"),
    "I9": (exactly_once, "event-id-not-deduped"),
    "I10": (time_law, "local-time"),
    "I11": (size_law, "batches-without-end"),
    "I12": (secrecy, "secrets-in-errors"),
    "I13": (isolation, "two-syncs-one-memory"),
    "I14": (determinism, "order-by-chance"),
    "I15": (liveness, "last-call-forgotten"),
    "I16": (round_trip, "numbers-become-floats"),
}


@pytest.fixture
def stage(fake: Fake, tmp_path: Path) -> Stage:
    return Stage(fake, tmp_path)


def test_every_invariant_is_proven() -> None:
    assert PROOFS.keys() == invariants.INVARIANTS.keys()


@pytest.mark.parametrize("number", PROOFS)
def test_an_invariant_holds_as_things_are(number: str, stage: Stage) -> None:
    probe, _ = PROOFS[number]
    probe(stage)


@pytest.mark.parametrize("number", PROOFS)
def test_an_invariant_is_broken_by_its_mutant(number: str, stage: Stage) -> None:
    probe, name = PROOFS[number]
    with applied(MUTANTS[name]), pytest.raises(invariants.Broken, match=rf"^{number}: "):
        probe(stage)
