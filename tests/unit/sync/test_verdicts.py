"""What an answer means: the refused items of a 207, the words of an error, the sentence about an end."""

from __future__ import annotations

import msgspec
import pytest

from sync.core.sending import Failure, Fate, FateKind, Reply
from sync.core.verdicts import Complaint, ItemError, complaint, first_message, is_answer, parse_item_errors, say


def body(document: object) -> Reply:
    return Reply(207, body=msgspec.json.encode(document))


def test_each_refused_item_is_named_by_its_position() -> None:
    reply = body({"errors": [
        {"batch_index": 2, "reason": "required", "field": "identifiers", "message": "no one"},
        {"batch_index": 0, "reason": "invalid", "field": "name", "message": "blank"},
    ]})  # fmt: skip
    assert parse_item_errors(reply, 3) == [
        ItemError(2, "required", "identifiers", "no one"),
        ItemError(0, "invalid", "name", "blank"),
    ]


def test_an_entry_without_words_still_counts() -> None:
    assert parse_item_errors(body({"errors": [{"batch_index": 0, "reason": None}]}), 1) == [ItemError(0, "", "", "")]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(207, body=b"<html>"), id="not JSON"),
        pytest.param(Reply(207, body=b"\xff"), id="not even text"),
        pytest.param(Reply(207, body=b""), id="empty"),
        pytest.param(body([]), id="a list"),
        pytest.param(body({}), id="no errors"),
        pytest.param(body({"errors": []}), id="an empty list of errors"),
        pytest.param(body({"errors": ["bad"]}), id="an entry that is no object"),
        pytest.param(body({"errors": [{"reason": "x"}]}), id="an entry without a position"),
        pytest.param(body({"errors": [{"batch_index": 3}]}), id="a position outside the batch"),
        pytest.param(body({"errors": [{"batch_index": -1}]}), id="a negative position"),
        pytest.param(body({"errors": [{"batch_index": True}]}), id="a position that is no number"),
        pytest.param(body({"errors": [{"batch_index": 0}, {}]}), id="one good entry among bad ones"),
    ],
)
def test_a_207_that_cannot_be_understood_blames_nobody(reply: Reply) -> None:
    assert parse_item_errors(reply, 3) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b'{"meta":{"error":"Unauthorized request"}}', "Unauthorized request", id="Track, one"),
        pytest.param(b'{"meta":{"errors":["first","second"]}}', "first", id="Track, several"),
        pytest.param(b'{"errors":[{"detail":"not found","status":"404"}]}', "not found", id="App"),
        pytest.param(b'{"errors":[{"reason":"invalid","message":"bad"}]}', "bad", id="v2"),
        pytest.param(b'{"meta":{"errors":"none"}}', "", id="errors that are no list"),
        pytest.param(b'{"meta":{"error":7}}', "", id="an error that is no text"),
        pytest.param(b'{"meta":[]}', "", id="meta that is no object"),
        pytest.param(b"[]", "", id="a list"),
        pytest.param(b"Server unavailable", "", id="plain text"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_the_first_message_is_found_in_every_envelope(text: bytes, message: str) -> None:
    assert first_message(text) == message


def test_a_long_message_is_cut() -> None:
    assert len(first_message(msgspec.json.encode({"meta": {"error": "x" * 10_000}}))) == 500


def test_a_complaint_names_the_status() -> None:
    assert complaint(Reply(400, body=b'{"meta":{"errors":["bad"]}}')) == Complaint("http_400", "bad")


@pytest.mark.parametrize(
    ("fate", "sentence"),
    [
        pytest.param(Fate(FateKind.REFUSED, Reply(400), 1), "refused (last answer 400, 1 attempt)", id="refused"),
        pytest.param(
            Fate(FateKind.THROTTLED, Reply(429), 3),
            "told to slow down until patience ran out (last answer 429, 3 attempts)", id="throttled",
        ),
        pytest.param(
            Fate(FateKind.UNREACHABLE, None, 2, Failure("connect", may_have_applied=False, message="no route")),
            "nothing answered (no route, 2 attempts)", id="unreachable",
        ),
        pytest.param(
            Fate(FateKind.IN_DOUBT, None, 1),
            "no final answer came; it may have been applied (no answer, 1 attempt)", id="in doubt",
        ),
    ],
)
def test_an_end_is_one_sentence(fate: Fate, sentence: str) -> None:
    assert say(fate) == sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"{}", True, id="an empty object"),
        pytest.param(b' {"meta":{}}\n', True, id="an object"),
        pytest.param(b"", True, id="nothing"),
        pytest.param(b"<!doctype html><p>Please sign in", False, id="a page"),
        pytest.param(b"OK", False, id="a word"),
        pytest.param(b'"OK"', False, id="a JSON text"),
        pytest.param(b"[]", False, id="a JSON list"),
        pytest.param(b'{"meta": {"error": "unfini', False, id="half an object"),
        pytest.param(b'{"a":"\xff"}', False, id="not even text"),
        pytest.param(b'{"a":' * 5_000, False, id="nested without an end"),
    ],
)
def test_only_an_object_or_nothing_is_an_answer_to_a_write(text: bytes, expected: bool) -> None:
    assert is_answer(Reply(200, body=text)) is expected
