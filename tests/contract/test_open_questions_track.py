"""Every open question about the Track API is a switch that somebody can turn, and tests turn it to each choice."""

from __future__ import annotations

import pytest

from fakeio.core.settings import CATALOGUE
from tests.contract.open_questions_track import QUESTIONS, READINGS
from tests.contract.proofs import naming, proofs
from tests.contract.test_track_switches import STORIES

HOW_MANY = 12
SWITCHES = sorted(
    {switch for _, switches in QUESTIONS.values() for switch in switches}
    | {switch for chosen in READINGS.values() if isinstance(chosen, tuple) for switch in chosen}
)


def test_no_question_is_missing() -> None:
    assert list(QUESTIONS) == list(range(1, HOW_MANY + 1))
    assert [number for number, (asks, switches) in QUESTIONS.items() if not asks or not switches] == []


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_is_there_with_its_grade_and_sources_and_a_test_turns_it(switch: str) -> None:
    row = CATALOGUE[switch]
    assert row.kind == "switch" or switch in {"identifiers", "trim_event_names"}, "the owner of a workspace chooses"
    assert row.source
    assert naming(switch) is not None


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_choice_beside_the_default_is_named_by_a_test_of_its_switch(switch: str) -> None:
    row = CATALOGUE[switch]
    named = {text for proof in proofs() if switch in proof.texts for text in proof.texts}
    others = {choice for choice in row.choices if isinstance(choice, str) and choice != row.default}
    assert others - named == set()


def test_a_reading_without_a_switch_says_why() -> None:
    assert [reading for reading, chosen in READINGS.items() if not chosen] == []
    assert [chosen for chosen in READINGS.values() if isinstance(chosen, str) and len(chosen.split()) < 4] == []


def test_every_story_of_a_switch_answers_a_question() -> None:
    assert sorted(STORIES.keys() - set(SWITCHES)) == []
