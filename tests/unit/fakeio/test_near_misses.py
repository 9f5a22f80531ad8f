"""What a caller probably meant, found only when somebody asks."""

from __future__ import annotations

import pytest

from fakeio.core.near_misses import is_one_edit, of_event, of_identifier, of_person
from tests.unit.fakeio.spaces import Space, ref


def world() -> Space:
    space = Space()
    space.identify("id:User1", email="Ann@x.io")
    return space


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        pytest.param("id:user1", "differs only in case", id="another case"),
        pytest.param("id:User1 ", "white space", id="a trailing space"),
        pytest.param("id:a3000001", "is the cio_id of", id="a cio_id sent as an id"),
        pytest.param("id:cio_a3000001", "looks like a cio_id", id="a prefixed cio_id sent as an id"),
        pytest.param("cio_id:cio_a3000001", "doubled", id="a prefix too many"),
        pytest.param("id:ann@x.io", "is the email of", id="an email sent as an id"),
        pytest.param("email:User1", "is the id of", id="an id sent as an email"),
    ],
)
def test_an_identifier_that_found_nobody_probably_meant(sent: str, words: str) -> None:
    assert any(words in line for line in of_identifier(world().workspace, ref(sent)))


def test_a_stranger_is_like_nobody() -> None:
    assert of_identifier(world().workspace, ref("id:zoe")) == []


def test_the_same_human_being_twice() -> None:
    space = world()
    space.identify("id:ann@x.io")
    assert len(of_person(space.workspace, space.person("id:User1"))) >= 1
    space.identify("id:zoe")
    assert of_person(space.workspace, space.person("id:zoe")) == []


def test_two_people_whose_email_differs_only_in_case() -> None:
    space = Space(identifiers="id")
    space.identify("id:1", email="Ann@x.io")
    space.identify("id:2", email="ann@x.io")
    other = space.person("id:2").cio_id
    found = of_person(space.workspace, space.person("id:1"))
    assert found == [f"'ann@x.io' is the email of person {other} and differs only in case or white space"]


def test_an_event_in_milliseconds_and_one_with_a_typing_error() -> None:
    space = world()
    for _ in range(5):
        space.event("id:User1", "Purchase")
    space.event("id:User1", "Purchse", timestamp=1_700_000_000_000)
    slip = list(space.workspace.events())[-1]
    assert [line.split(" ")[0] for line in of_event(space.workspace, slip)] == ["timestamp", "'Purchse'"]
    assert of_event(space.workspace, next(iter(space.workspace.events()))) == []


@pytest.mark.parametrize(
    ("left", "right", "near"),
    [("buy", "buy", False), ("buy", "bu", True), ("buy", "buuy", True), ("buy", "bux", True), ("buy", "byu", True),
     ("buy", "xbuy", True), ("buy", "", False), ("a", "", True), ("buy", "yub", False), ("buy", "buxx", False)],
)  # fmt: skip
def test_one_edit(left: str, right: str, near: bool) -> None:
    assert is_one_edit(left, right) is is_one_edit(right, left) is near
