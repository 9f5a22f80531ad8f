"""What a self-check found, in words, as JSON and as an exit code."""

from __future__ import annotations

import json

import pytest

from sync.core.health import Finding, Level, encode_findings, render_findings, skew, worst

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
AT = 1_700_000_000.0
FINDINGS = [Finding("disk", Level.OK, "9 GiB free"), Finding("state", Level.WARN, "others may read it", "chmod 600 x")]


def test_each_finding_is_a_line_with_what_to_do_below() -> None:
    assert list(render_findings(FINDINGS)) == [
        "ok     disk         9 GiB free",
        "WARN   state        others may read it",
        "                    -> chmod 600 x",
    ]


def test_one_object_holds_them_all() -> None:
    assert json.loads(encode_findings(FINDINGS)) == {
        "status": "warn",
        "checks": [
            {"check": "disk", "level": "ok", "message": "9 GiB free", "hint": ""},
            {"check": "state", "level": "warn", "message": "others may read it", "hint": "chmod 600 x"},
        ],
    }


def test_the_gravest_decides() -> None:
    assert [int(worst(some)) for some in ([], FINDINGS[:1], FINDINGS, [*FINDINGS, Finding("x", Level.WRONG, "")])] == [
        0, 0, 1, 2,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("date", "at", "level", "words"),
    [
        pytest.param(DATE, AT + 60, Level.OK, "within a minute", id="a minute is nothing"),
        pytest.param(DATE, AT + 61, Level.WARN, "61 s ahead of", id="ahead"),
        pytest.param(DATE, AT - 7200, Level.WARN, "7200 s behind", id="behind"),
        pytest.param("", AT, Level.OK, "did not say", id="no date"),
        pytest.param("yesterday", AT, Level.OK, "did not say", id="no date that can be read"),
        pytest.param("Tue, 14 Nov 99999 22:13:20 GMT", AT, Level.OK, "did not say", id="no date that can be"),
    ],
)
def test_the_clock_is_compared(date: str, at: float, level: Level, words: str) -> None:
    found = skew(date, at)
    assert (found.check, found.level, words in found.said) == ("clock", level, True)
    assert bool(found.advice) is (level is not Level.OK)
