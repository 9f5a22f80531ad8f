"""The whole catalogue of edge cases against the fake, and what holds for every case in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakeio import Fake, limits
from fakeio.client import ControlClient
from fakeio.core.rules import RULES
from fakeio.core.settings import CATALOGUE
from scenarios.catalogue.case import GRADES, Case, encode_case, parse_case
from scenarios.catalogue.collection import all_cases
from scenarios.catalogue.playing import judge
from scenarios.catalogue.running import play_on_fake
from tests.integration.flips import unnoticed_flips

CASES = all_cases()
KNOWN = {*RULES, *CATALOGUE, *(limit.rule for limit in limits())}  # what a case may name as its rule


@pytest.fixture(scope="module")
def server() -> Iterator[ControlClient]:
    with Fake() as fake:
        yield ControlClient(fake.url)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fake_behaves_as_the_case_says_and_would_be_caught_if_it_did_not(server: ControlClient, case: Case) -> None:
    played = play_on_fake(server, case)
    assert [str(difference) for difference in judge(case, played)] == []
    assert unnoticed_flips(case, played) == []


def test_no_two_cases_share_a_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_there_are_enough_cases_of_every_kind() -> None:
    assert len(CASES) >= 120
    for tag in ("track", "app", "cohort", "events"):
        assert len([case for case in CASES if tag in case.tags]) >= 30


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_written_as_the_catalogue_wants_it(case: Case) -> None:
    assert set(case.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert case.grade in GRADES
    assert case.tags
    assert case.words.endswith(".")
    assert [rule for rule in case.rules if rule not in KNOWN] == []
    assert encode_case(parse_case(encode_case(case))) == encode_case(case)
