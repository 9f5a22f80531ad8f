"""The interleaving explorer: which concurrent writes may meet in any order, and the smallest conflict of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import factorial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio import Fake
from scenarios.cli import main
from scenarios.interleaving import Turn, Write, explore, orders, parse_story

GIVEN = {
    "people": [{"id": "a", "email": "a@example.com"}, {"id": "b"}],
    "segments": [{"id": 1, "name": "vip", "type": "manual"}],
}


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake() as server:
        yield server
        server.raise_first_error()


def identify(who: str, **attributes: object) -> Write:
    return Write("track", "PUT", f"/api/v1/customers/{who}", attributes)


def track(who: str, name: str) -> Write:
    return Write("track", "POST", f"/api/v1/customers/{who}/events", {"name": name})


def change(verb: str, *ids: str) -> Write:
    return Write("track", "POST", f"/api/v1/segments/1/{verb}_customers", {"ids": list(ids)})


def delete(who: str) -> Write:
    return Write("track", "DELETE", f"/api/v1/customers/{who}")


def suppress(who: str) -> Write:
    return Write("track", "POST", f"/api/v1/customers/{who}/suppress")


def merge(primary: str, secondary: str) -> Write:
    body = {"primary": {"id": primary}, "secondary": {"id": secondary}}
    return Write("track", "POST", "/api/v1/merge_customers", body)


# -- orders -----------------------------------------------------------------------------------------------------------
@given(st.lists(st.integers(0, 3), min_size=2, max_size=3))
def test_every_order_is_there_once_and_keeps_each_writers_own(sizes: list[int]) -> None:
    writers = [[identify(f"w{number}", at=at) for at in range(size)] for number, size in enumerate(sizes)]
    found = list(orders(writers))
    ways = factorial(sum(sizes))
    for size in sizes:
        ways //= factorial(size)
    assert len(found) == len(set(map(str, found))) == ways
    for order in found:
        for number, own in enumerate(writers):
            assert [turn.write for turn in order if turn.writer == number] == own
    assert found[0] == tuple(Turn(number, write) for number, own in enumerate(writers) for write in own)


# -- what may meet in any order ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "writers",
    [
        pytest.param([[identify("a", x=1)], [identify("a", y=2)], [identify("b", x=3)]], id="other attributes"),
        pytest.param([[change("add", "a")], [change("add", "b", "a")], [change("remove", "c")]], id="additions"),
        pytest.param([[track("a", "one"), track("a", "two")], [track("a", "three")]], id="events"),
        pytest.param([[identify("a", x=1), track("a", "one")], [identify("b", x=1), track("b", "one")]], id="people"),
        pytest.param([[suppress("a")], [suppress("a"), suppress("b")]], id="suppressions"),
        pytest.param([[suppress("a")], [track("a", "one")]], id="a suppression and an event: gone either way"),
    ],
)
def test_these_end_the_same_in_any_order(fake: Fake, writers: list[list[Write]]) -> None:
    assert explore(fake, GIVEN, writers) is None


# -- and what may not -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("writers", "smallest", "differs"),
    [
        pytest.param(
            [[identify("b", y=1), identify("a", x=1)], [track("b", "one"), identify("a", x=2)]],
            [identify("a", x=1), identify("a", x=2)], "person id=a", id="one attribute, twice",
        ),
        pytest.param(
            [[change("add", "a", "b")], [track("b", "one"), change("remove", "a")]],
            [change("add", "a", "b"), change("remove", "a")], "segment vip", id="in and out of a segment",
        ),
        pytest.param(
            [[change("add", "c"), track("a", "one")], [identify("c", x=1)]],
            [change("add", "c"), identify("c", x=1)], "segment vip", id="added before there is such a person",
        ),
        pytest.param([[delete("a")], [identify("a", x=1)]], [delete("a"), identify("a", x=1)], "person id=a",
                     id="deleted and written"),
        pytest.param([[merge("a", "b")], [track("b", "one"), track("a", "two")]],
                     [merge("a", "b"), track("b", "one")], "events", id="merged and tracked"),
    ],
)  # fmt: skip
def test_the_smallest_conflict_is_found(
    fake: Fake, writers: list[list[Write]], smallest: list[Write], differs: str
) -> None:
    conflict = explore(fake, GIVEN, writers)
    assert conflict is not None
    for order in (conflict.left, conflict.right):
        assert sorted(str(turn.write) for turn in order) == sorted(map(str, smallest))
    assert any(line.startswith(differs) for line in conflict.differences), conflict.tell()


def test_a_conflict_is_told_with_both_orders(fake: Fake) -> None:
    conflict = explore(fake, GIVEN, [[change("add", "a")], [change("remove", "a")]])
    assert conflict is not None
    assert conflict.tell().splitlines() == [
        "2 requests end differently, depending on their order:",
        "  in this order:",
        '    writer 1: POST /api/v1/segments/1/add_customers {"ids": ["a"]}',
        '    writer 2: POST /api/v1/segments/1/remove_customers {"ids": ["a"]}',
        "  in this one:",
        '    writer 2: POST /api/v1/segments/1/remove_customers {"ids": ["a"]}',
        '    writer 1: POST /api/v1/segments/1/add_customers {"ids": ["a"]}',
        "  differs:",
        "    segment vip: none | id=a email=a@example.com",
    ]


def test_too_many_requests_are_refused(fake: Fake) -> None:
    with pytest.raises(ValueError, match="too many orders"):
        explore(fake, GIVEN, [[delete("a")] * 5, [delete("b")] * 5])


# -- the command ------------------------------------------------------------------------------------------------------
def test_the_command_reads_a_story_and_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "story.json"
    writers = [[identify("a", x=1)._asdict()], [identify("a", x=2)._asdict()]]
    file.write_text(json.dumps({"given": GIVEN, "writers": writers}))
    assert main(["interleave", str(file)]) == 1
    assert 'person id=a email=a@example.com: {"x": 2} | {"x": 1}' in capsys.readouterr().out
    file.write_text(json.dumps({"writers": [writers[0], []]}))
    assert main(["interleave", str(file)]) == 0
    assert capsys.readouterr().out == "every order ends the same\n"
    assert main(["interleave", str(tmp_path / "missing.json")]) == 2


@pytest.mark.parametrize("document", [[], {}, {"writers": [[{}]]}, {"writers": [[]]}, {"writers": 7}])
def test_a_story_that_is_none_says_how_it_should_look(document: object) -> None:
    with pytest.raises(ValueError, match="writers"):
        parse_story(document)
