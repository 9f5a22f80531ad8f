"""Failures in words: how much is shown, how wide, and that nothing in them moves a terminal's cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeio.core.wording import WIDTH, Report, clipped, first, pairs, several, shown, tally

TEXTS = st.text(max_size=400)
LABELS = st.text(st.characters(codec="ascii", categories=["L"]), max_size=11)


def test_a_report_is_a_headline_and_paragraphs_with_labels() -> None:
    report = Report("no event like this")
    report.add("wanted", "name 'order'")
    report.add("request 12", "POST /api/v1/customers/42/events, answered 200", "a word " * 14)
    report.add("nothing to say")
    assert str(report).splitlines() == [
        "no event like this",
        "  wanted      name 'order'",
        "  request 12  POST /api/v1/customers/42/events, answered 200",
        "              a word a word a word a word a word a word a word a word a word a word a",
        "                word a word a word a word",
    ]


@given(headline=TEXTS, label=LABELS, lines=st.lists(TEXTS))
def test_no_report_is_wider_than_a_terminal_or_writes_over_it(headline: str, label: str, lines: list[str]) -> None:
    report = Report(headline)
    report.add(label, *lines)
    text = str(report)
    first_line, *rest = text.split("\n")
    assert len(first_line) <= 240
    assert [line for line in rest if len(line) > WIDTH] == []
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize(("text", "most", "short"), [
    pytest.param("abc", 3, "abc", id="fits"),
    pytest.param("abcd", 3, "ab…", id="does not"),
])
def test_a_text_is_clipped(text: str, most: int, short: str) -> None:
    assert clipped(text, most) == short


def test_a_value_is_shown_as_python_writes_it_and_clipped() -> None:
    assert (shown("3"), shown(3), shown(None)) == ("'3'", "3", "None")
    assert (len(shown(["x" * 1_000])), shown("x" * 1_000)[-1]) == (60, "…")


@pytest.mark.parametrize(("count", "words"), [(0, "0 people"), (1, "1 person"), (1_200, "1,200 people")])
def test_a_number_agrees_with_its_noun(count: int, words: str) -> None:
    assert several(count, "person", "people") == words
    assert several(2, "request") == "2 requests"


def test_a_list_ends_with_how_many_more() -> None:
    assert (first(["a", "b"], 2), first(["a", "b", "c", "d"], 2)) == (["a", "b"], ["a", "b", "… and 2 more"])


def test_names_are_counted_the_most_frequent_first() -> None:
    assert tally(["b", "a", "c", "c"]) == "2 × c, 1 × a, 1 × b"
    assert (tally([]), pairs({"id": "42", "name": "order"})) == ("", "id '42', name 'order'")
