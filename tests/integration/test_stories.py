"""Every story is played on a fresh workspace and ends well."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest

from fakeio import Fake
from scenarios import stories, storytelling

STORIES = sorted(module.name for module in iter_modules(stories.__path__))


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as started:
        yield started


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_well(name: str, fake: Fake) -> None:
    story = import_module(f"scenarios.stories.{name}")
    storytelling.play(story.MACHINE, story.play, fake)
