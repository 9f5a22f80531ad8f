"""One request from its first attempt to its fate: what is tried again, how long is waited, what the end means."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.sending import (
    Answer,
    Failure,
    Fate,
    FateKind,
    Reply,
    Request,
    RetryPolicy,
    Send,
    retry_after_s,
    send_until_settled,
)

REQUEST = Request("track", "POST", "/x", b"{}")
CREATE = Request("app", "POST", "/x", b"{}", repeatable=False)
RESET = Failure("reset", may_have_applied=True)
NOBODY = Failure("connect", may_have_applied=False)
PATIENT = RetryPolicy(retries=3, base_s=1, cap_s=8, budget_s=100)


def play(
    answers: Sequence[Reply | Failure],
    *,
    request: Request = REQUEST,
    policy: RetryPolicy = PATIENT,
    usable: Callable[[Reply], bool] = lambda reply: True,
) -> tuple[Fate, list[float]]:
    """The fate and the waits, for a destination that gives `answers` in turn and the last one for ever."""
    story = send_until_settled(request, policy, lambda: 1.0, usable)
    answer: Answer = None
    waits: list[float] = []
    sends = 0
    try:
        while True:
            step = story.send(answer)
            if isinstance(step, Send):
                assert step.request is request
                answer, sends = answers[min(sends, len(answers) - 1)], sends + 1
            else:
                answer = None
                waits.append(step.seconds)
    except StopIteration as end:
        fate: Fate = end.value
        assert fate.attempts == sends
        return fate, waits


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(Reply(200, body=b"{}\n"), FateKind.ACCEPTED, id="accepted"),
        pytest.param(Reply(204), FateKind.ACCEPTED, id="accepted without a body"),
        pytest.param(Reply(200, body=b"<html>"), FateKind.ACCEPTED, id="accepted with a body that is not JSON"),
        pytest.param(Reply(207), FateKind.PARTIAL, id="some items refused"),
        pytest.param(Reply(301), FateKind.REFUSED, id="a redirect is not followed"),
        pytest.param(Reply(400), FateKind.REFUSED, id="malformed"),
        pytest.param(Reply(404), FateKind.REFUSED, id="unknown"),
        pytest.param(Reply(413), FateKind.REFUSED, id="too large"),
        pytest.param(Reply(401), FateKind.UNAUTHORISED, id="wrong key"),
        pytest.param(Reply(403), FateKind.UNAUTHORISED, id="key without the right"),
    ],
)
def test_a_final_answer_ends_it_at_once(answer: Reply, kind: FateKind) -> None:
    assert play([answer]) == (Fate(kind, answer, 1), [])


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(Reply(429), FateKind.THROTTLED, id="told to slow down: nothing applied"),
        pytest.param(Reply(425), FateKind.THROTTLED, id="too early: nothing applied"),
        pytest.param(Reply(408), FateKind.IN_DOUBT, id="the server gave up reading"),
        pytest.param(Reply(500), FateKind.IN_DOUBT, id="broke, perhaps after applying"),
        pytest.param(Reply(503), FateKind.IN_DOUBT, id="unavailable, perhaps after applying"),
        pytest.param(RESET, FateKind.IN_DOUBT, id="connection lost after sending"),
        pytest.param(NOBODY, FateKind.UNREACHABLE, id="never connected"),
    ],
)
def test_what_may_pass_is_tried_until_patience_ends(answer: Reply | Failure, kind: FateKind) -> None:
    fate, waits = play([answer])
    assert (fate.kind, fate.attempts, fate.retries) == (kind, 4, 3)
    assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("answers", "kind", "attempts"),
    [
        pytest.param([Reply(500), Reply(200)], FateKind.ACCEPTED, 2, id="a hiccup"),
        pytest.param([NOBODY, RESET, Reply(200)], FateKind.ACCEPTED, 3, id="two kinds of trouble"),
        pytest.param([RESET, Reply(400)], FateKind.REFUSED, 2, id="doubt, then a clear no"),
        pytest.param([RESET, Reply(401)], FateKind.UNAUTHORISED, 2, id="doubt, then a wrong key"),
        pytest.param([RESET, NOBODY], FateKind.IN_DOUBT, 4, id="one lost reply keeps the doubt"),
        pytest.param([NOBODY, Reply(429)], FateKind.THROTTLED, 4, id="never applied, in the end throttled"),
    ],
)
def test_several_answers_end_in(answers: list[Reply | Failure], kind: FateKind, attempts: int) -> None:
    fate, _ = play(answers)
    assert (fate.kind, fate.attempts) == (kind, attempts)


def test_a_request_that_must_not_be_repeated_is_not_once_it_may_have_been_applied() -> None:
    assert play([RESET], request=CREATE)[0] == Fate(FateKind.IN_DOUBT, None, 1, RESET)
    assert play([Reply(500)], request=CREATE)[0].attempts == 1


def test_a_request_that_must_not_be_repeated_is_while_nobody_can_have_heard_it() -> None:
    assert play([NOBODY, NOBODY, Reply(200)], request=CREATE)[0].kind is FateKind.ACCEPTED
    fate, waits = play([NOBODY, Reply(429), Reply(200)], request=CREATE)
    assert (fate.kind, fate.attempts, len(waits)) == (FateKind.THROTTLED, 2, 1)


def test_an_answer_that_cannot_be_read_is_asked_for_again() -> None:
    fate, _ = play([Reply(200, body=b"<html>"), Reply(200, body=b"{}")], usable=lambda reply: reply.body == b"{}")
    assert (fate.kind, fate.attempts) == (FateKind.ACCEPTED, 2)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param(" 7 ", 7.0, id="seconds with blanks"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("Fri, 02 Jan 1970 00:00:07 GMT", 7.0, id="a date"),
        pytest.param("Friday, 02-Jan-70 00:00:07 GMT", 7.0, id="an old-fashioned date"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 0.0, id="a date that has passed"),
        pytest.param("Fri, 02 Jan 1970 00:00:07 -0000", 7.0, id="a date without a zone"),
        pytest.param("", None, id="nothing"),
        pytest.param("soon", None, id="a word"),
        pytest.param("-1", None, id="a negative number"),
        pytest.param("1.5", None, id="a fraction"),
        pytest.param("Fri, 99 Jan 1970 00:00:07 GMT", None, id="a date that is none"),
    ],
)
def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    assert retry_after_s(Reply(429, {"retry-after": text}, received_at=86_400.0)) == seconds


@pytest.mark.parametrize("ours_is_off_s", [-7_200.0, 7_200.0], ids=["behind", "ahead"])
def test_a_date_is_taken_by_the_clock_of_whoever_wrote_it(ours_is_off_s: float) -> None:
    headers = {"retry-after": "Fri, 02 Jan 1970 00:00:07 GMT", "date": "Fri, 02 Jan 1970 00:00:00 GMT"}
    assert retry_after_s(Reply(429, headers, received_at=86_400.0 + ours_is_off_s)) == 7.0
    assert retry_after_s(Reply(429, {**headers, "date": "today"}, received_at=86_400.0)) == 7.0


def test_retry_after_replaces_the_backoff() -> None:
    told = [Reply(429, {"retry-after": text}) for text in ("7", "0")]
    assert play([*told, Reply(503, {"retry-after": "3"}), Reply(200)])[1] == [7.0, 0.0, 3.0]


def test_a_retry_after_beyond_all_patience_ends_it_at_once() -> None:
    fate, waits = play([Reply(429, {"retry-after": "101"})])
    assert (fate.kind, fate.attempts, waits) == (FateKind.THROTTLED, 1, [])


def test_the_waits_are_capped_and_drawn() -> None:
    policy = RetryPolicy(retries=6, base_s=1, cap_s=5, budget_s=1_000)
    assert [policy.backoff_s(attempt, 1.0) for attempt in range(1, 7)] == [1, 2, 4, 5, 5, 5]
    assert policy.backoff_s(3, 0.25) == 1.0
    assert policy.backoff_s(10_000, 1.0) == 5


answers = st.lists(
    st.one_of(st.sampled_from([RESET, NOBODY]), st.integers(200, 599).map(Reply)), min_size=1, max_size=12
)


@given(answers, st.integers(0, 8))
def test_it_always_ends_within_its_patience(given_answers: list[Reply | Failure], retries: int) -> None:
    policy = RetryPolicy(retries=retries, base_s=1, cap_s=8, budget_s=20)
    fate, waits = play(given_answers, policy=policy)
    assert fate.attempts <= retries + 1
    assert sum(waits) <= 20
    assert fate.attempts == len(waits) + 1
