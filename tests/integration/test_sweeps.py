"""The crash-point sweep: every story recovers from a kill at every step, and an engine that would not is found out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from fakeio import Fake
from scenarios.cli import main
from scenarios.crashing import AFTER, BEFORE, Fuse, Killed, Point, Story, Swept, sweep
from scenarios.sweeps import STORIES, Export, NewCohort
from sync.edge.event_ledger import ACCEPTED
from sync.segments import Found, Origin, find_segment


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server
        server.raise_first_error()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_recovers_from_a_kill_at_every_step(fake: Fake, story: type[Story]) -> None:
    swept = sweep(fake, story())
    assert swept.failures == (), swept.tell()
    assert swept.kills == 2 * len(swept.steps) >= 16
    assert {"commit"} < set(swept.steps)


# -- an engine that would not recover ---------------------------------------------------------------------------------
def test_a_segment_whose_id_is_never_stored_is_found_out(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.run_cohort.find_segment", _blind)
    swept = sweep(fake, NewCohort(), stop_at_first=True)
    assert [why for _, why in swept.failures] == [["there are 2 segments"]]


def _blind(destination: Any, intent: Any, stored: Any, **flags: Any) -> Found:
    """Looks for no marker: believes the ledger alone."""
    return find_segment(destination, intent, stored, **flags) if stored else Found(Origin.NEW)


def test_events_that_count_as_delivered_before_they_are_sent_are_found_out(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.edge.event_ledger.SENT", ACCEPTED)
    swept = sweep(fake, Export(), stop_at_first=True)
    assert len(swept.failures) == 1
    point, why = swept.failures[0]
    assert point.step == "commit"
    assert any("missing" in line for line in why)


def test_events_under_new_ids_after_a_kill_are_found_out(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = itertools.count()
    monkeypatch.setattr("sync.core.mapping.event_ulid", lambda ms, *_: next(fresh).to_bytes(16, "big"))
    swept = sweep(fake, Export(), stop_at_first=True)
    assert any("too many" in line for _, why in swept.failures for line in why)


def test_what_a_sweep_says_names_the_place() -> None:
    swept = Swept("cohort", ("commit", "GET /x"), 4, ((Point(2, AFTER, "GET /x"), ["a should be a member"]),))
    assert swept.tell() == (
        "cohort: 2 steps, killed 4 times, 1 times not mended\n  killed after step 2, GET /x: a should be a member"
    )


@pytest.mark.parametrize(("side", "done"), [(BEFORE, ["one"]), (AFTER, ["one", "two"])])
def test_a_fuse_burns_at_its_step_and_nothing_happens_after_it(side: str, done: list[str]) -> None:
    fuse, seen = Fuse(2, side), list[str]()

    def step(name: str) -> None:
        with fuse.step(name):
            seen.append(name)

    step("one")
    for name in ("two", "three"):
        with pytest.raises(Killed):
            step(name)
    assert (seen, fuse.has_burnt) == (done, True)


def test_the_command_sweeps_and_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "retry"]) == 0
    assert "0 times not mended" in capsys.readouterr().out
    assert main(["sweep", "nothing"]) == 2
    assert "cohort-first" in capsys.readouterr().err
