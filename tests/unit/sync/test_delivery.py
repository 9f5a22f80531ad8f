"""One batch until every event has a verdict: 200, 207, a 400 that names nobody, and ends without an answer."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.batches import Batch
from sync.core.delivery import HOPELESS, End, Refusal, Verdicts, deliver
from sync.core.sending import Fate, FateKind, Reply, Request
from sync.core.wire_v1 import event_request

Answer = Callable[[list[int]], Fate]


def batch(size: int) -> Batch:
    return Batch([b'{"n":%d}' % n for n in range(size)], [n.to_bytes(16, "big") for n in range(size)])


def fate(kind: FateKind, status: int | None = None, body: object = None) -> Fate:
    reply = None if status is None else Reply(status, body=b"" if body is None else json.dumps(body).encode())
    return Fate(kind, reply, 1)


def accepted(numbers: list[int]) -> Fate:
    return fate(FateKind.ACCEPTED, 200, {})


def refusing(guilty: set[int], status: int = 400) -> Answer:
    """A service that refuses a whole request when one of the guilty is in it, and names nobody."""

    def answer(numbers: list[int]) -> Fate:
        if not guilty.intersection(numbers):
            return accepted(numbers)
        return fate(FateKind.REFUSED, status, {"errors": [{"message": "bad"}]})

    return answer


refused = refusing(set(range(1_000)))


def play(batch: Batch, answer: Answer) -> tuple[Verdicts, list[list[int]]]:
    """The verdicts, and the items of each request in order."""
    story, sent = deliver(batch), []
    request: Request = next(story)
    while True:
        numbers = [item["n"] for item in json.loads(request.body or b"")["batch"]]
        sent.append(numbers)
        try:
            request = story.send(answer(numbers))
        except StopIteration as end:
            return end.value, sent


def test_an_accepted_batch_is_settled_by_one_request() -> None:
    verdicts, sent = play(batch(3), accepted)
    assert (verdicts, sent) == (Verdicts(End.SETTLED, {}, []), [[0, 1, 2]])


def partial(*errors: dict[str, Any]) -> Answer:
    return lambda numbers: fate(FateKind.PARTIAL, 207, {"errors": list(errors)})


def test_a_207_names_the_guilty() -> None:
    errors = (
        {"batch_index": 2, "reason": "invalid", "field": "name", "message": "blank"},
        {"batch_index": 0},
    )
    verdicts, sent = play(batch(3), partial(*errors))
    assert verdicts == Verdicts(
        End.SETTLED, {2: Refusal("invalid", "name", "blank"), 0: Refusal("http_207", "", "")}, []
    )
    assert len(sent) == 1


def test_of_two_complaints_about_one_item_the_first_is_kept() -> None:
    verdicts, _ = play(batch(2), partial({"batch_index": 1, "reason": "a"}, {"batch_index": 1, "reason": "b"}))
    assert verdicts.refused == {1: Refusal("a", "", "")}


@pytest.mark.parametrize("index", [None, -1, 8, 1_000, "0", True])
def test_a_207_that_names_nobody_in_the_batch_is_taken_apart(index: Any) -> None:
    def answer(numbers: list[int]) -> Fate:
        if 5 not in numbers:
            return accepted(numbers)
        return fate(FateKind.PARTIAL, 207, {"errors": [{"batch_index": index, "reason": "x"}]})

    verdicts, sent = play(batch(8), answer)
    assert (verdicts.end, list(verdicts.refused)) == (End.SETTLED, [5])
    assert len(sent) == 1 + 2 * 3


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 100, 900])
def test_one_guilty_item_is_found_in_few_requests(size: int, status: int) -> None:
    for guilty in {0, size // 2, size - 1}:
        verdicts, sent = play(batch(size), refusing({guilty}, status))
        assert verdicts == Verdicts(End.SETTLED, {guilty: Refusal(f"http_{status}", "", "bad")}, [])
        assert len(sent) - 1 <= 2 * math.ceil(math.log2(size))


@given(st.integers(1, 60), st.sets(st.integers(0, 59), max_size=8))
def test_every_innocent_item_arrives_in_order(size: int, guilty: set[int]) -> None:
    guilty = {number for number in guilty if number < size}
    verdicts, sent = play(batch(size), refusing(guilty))
    assert verdicts.refused.keys() == guilty
    arrived = [number for numbers in sent if not guilty.intersection(numbers) for number in numbers]
    assert arrived == [number for number in range(size) if number not in guilty]


def test_a_batch_of_which_nothing_is_accepted_is_given_up_as_a_whole() -> None:
    verdicts, sent = play(batch(900), refusing(set(range(900))))
    assert (verdicts.end, len(verdicts.refused), verdicts.open) == (End.SETTLED, 900, [])
    assert len(sent) < 4 * HOPELESS


@pytest.mark.parametrize(("size", "guilty"), [(22, 21), (64, 21), (64, 22), (100, 30), (900, 500), (900, 899)])
def test_whoever_comes_after_many_guilty_ones_arrives(size: int, guilty: int) -> None:
    verdicts, sent = play(batch(size), refusing(set(range(guilty))))
    assert verdicts.refused.keys() == set(range(guilty))
    arrived = [number for numbers in sent if min(numbers) >= guilty for number in numbers]
    assert sorted(arrived) == list(range(guilty, size))


def test_a_part_that_was_given_up_as_a_whole_is_refused_when_the_rest_gets_no_answer() -> None:
    lost = fate(FateKind.THROTTLED)
    verdicts, _ = play(batch(64), lambda numbers: lost if 40 in numbers and len(numbers) < 64 else refused(numbers))
    assert (verdicts.end, sorted(verdicts.refused), verdicts.open) == (
        End.UNSETTLED, list(range(32)), list(range(32, 64)),
    )  # fmt: skip


def test_many_guilty_items_among_good_ones_are_all_found() -> None:
    guilty = set(range(0, 200, 2))
    verdicts, _ = play(batch(200), refusing(guilty))
    assert verdicts.refused.keys() == guilty


@pytest.mark.parametrize("kind", [FateKind.THROTTLED, FateKind.IN_DOUBT, FateKind.UNREACHABLE])
def test_without_a_final_answer_the_rest_stays_open(kind: FateKind) -> None:
    lost = fate(kind)
    verdicts, sent = play(batch(4), lambda numbers: lost)
    assert (verdicts, sent) == (Verdicts(End.UNSETTLED, {}, [0, 1, 2, 3], lost), [[0, 1, 2, 3]])


def test_an_end_in_the_middle_keeps_what_is_known() -> None:
    answers = iter([fate(FateKind.REFUSED, 400), fate(FateKind.REFUSED, 400), fate(FateKind.REFUSED, 400),
                    fate(FateKind.ACCEPTED, 200), fate(FateKind.THROTTLED)])  # fmt: skip
    verdicts, sent = play(batch(4), lambda numbers: next(answers))
    assert sent == [[0, 1, 2, 3], [0, 1], [0], [1], [2, 3]]
    assert (verdicts.end, list(verdicts.refused), verdicts.open) == (End.UNSETTLED, [0], [2, 3])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(fate(FateKind.UNAUTHORISED, 401), id="wrong credentials"),
        pytest.param(fate(FateKind.REFUSED, 404), id="no such page"),
        pytest.param(fate(FateKind.REFUSED, 301), id="a redirect"),
        pytest.param(fate(FateKind.REFUSED, 405), id="no such method"),
    ],
)
def test_a_refusal_of_the_sender_halts_everything(answer: Fate) -> None:
    verdicts, sent = play(batch(3), lambda numbers: answer)
    assert (verdicts, len(sent)) == (Verdicts(End.HALTED, {}, [0, 1, 2], answer), 1)


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_an_event_of_its_own_is_refused_by_any_word_about_it(status: int) -> None:
    alone = Batch([b"{}"], [b"\0" * 16], event_request("42", b"{}"))
    story = deliver(alone)
    assert next(story) == alone.alone
    with pytest.raises(StopIteration) as end:
        story.send(fate(FateKind.REFUSED, status, {"meta": {"error": "bad"}}))
    assert end.value.value == Verdicts(End.SETTLED, {0: Refusal(f"http_{status}", "", "bad")}, [])
