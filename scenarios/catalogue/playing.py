"""Plays a case and judges it. Playing only gathers; judging only compares, so an expectation can be judged again.

`play_case` needs a place; `judge` needs nothing but the case, what was learnt and what was seen.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scenarios.catalogue.asking import Answer, Wire, take
from scenarios.catalogue.case import Ask, Case, Ending, Sync
from scenarios.catalogue.filling import fill_struct
from scenarios.catalogue.matching import Difference, any_order, compare
from scenarios.catalogue.places import Place
from scenarios.catalogue.syncing import Told, play


class Played(NamedTuple):
    """What a case led to: one outcome a step, what there was in the end, and how to read the case's texts."""

    outcomes: tuple[Answer | Told, ...]
    ending: Mapping[str, Any]
    prefix: str
    learnt: Mapping[str, Any]


def play_case(case: Case, place: Place, wire: Wire) -> Played:
    """Every step in order, then a look. `wire` leads to the place."""
    learnt = place.prepare(case)
    outcomes: list[Answer | Told] = []
    with tempfile.TemporaryDirectory(prefix="cio-scenarios-") as folder:
        for step in case.steps:
            filled = fill_struct(step, place.prefix, learnt)
            outcomes.append(_play(filled, place, wire, Path(folder)))
            learnt |= _kept(filled, outcomes[-1])
    ending = fill_struct(case.ending, place.prefix, learnt)
    return Played(tuple(outcomes), place.look(ending, learnt), place.prefix, learnt)


def _play(step: Ask | Sync, place: Place, wire: Wire, folder: Path) -> Answer | Told:
    if isinstance(step, Sync):
        if step.faults:
            place.arm(step.faults)
        return play(step, place.keys.environment(str(folder / "ledger.db")), folder)
    if step.after_s:
        place.pass_time(step.after_s)
    return wire.send(step)


def _kept(step: Ask | Sync, outcome: Answer | Told) -> dict[str, Any]:
    if isinstance(step, Sync) or isinstance(outcome, Told):
        return {}
    return {name: take(outcome.body, where) for name, where in step.keep.items()}


def judge(case: Case, played: Played) -> list[Difference]:
    """Everything that is not as the case says; empty when all is."""
    found: list[Difference] = []
    for number, (step, outcome) in enumerate(zip(case.steps, played.outcomes, strict=True), start=1):
        filled = fill_struct(step, played.prefix, played.learnt)
        found += _judge_step(filled, outcome, f"step {number}")
    found += judge_ending(fill_struct(case.ending, played.prefix, played.learnt), played.ending)
    return found


def _judge_step(step: Ask | Sync, outcome: Answer | Told, where: str) -> Iterator[Difference]:
    if isinstance(step, Sync):
        yield from compare({"code": step.code, "report": step.report}, outcome._asdict(), where)
    else:
        yield from compare(wanted(step), outcome._asdict(), where)


def wanted(ask: Ask) -> dict[str, Any]:
    """What an answer must be like, in the answer's own terms."""
    like: dict[str, Any] = {"status": ask.status, "headers": dict(ask.answer_headers)}
    if ask.has_answer:
        like["body"] = ask.answer
    if ask.answer_text is not None:
        like["text"] = ask.answer_text
    return like


def judge_ending(ending: Ending, seen: Mapping[str, Any]) -> Iterator[Difference]:
    """What is not in the end as it must be. `seen` is what `look` found for the same ending."""
    for name in ("people", "events", "activities", "ignored", "refused"):
        expected = getattr(ending, name)
        if expected is not None:
            yield from compare(list(expected), seen[name], name)
    if ending.gone:
        yield from compare(list(ending.gone), seen["gone"], "gone")
    for name, ids in ending.members.items():
        yield from compare(any_order(ids), seen["members"].get(name), f"members of {name}")
