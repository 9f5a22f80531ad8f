"""The judge of the two tables of limits: what the vendor publishes, and what the engine allows itself.

Both were typed by hand from the vendor's pages and neither knows the other; here they are joined by rule. A figure must
occur in its row's own words and, where the vendor's descriptions are at hand (the folder that `FAKEIO_VENDOR_SPECS`
names), in theirs. That the fake keeps each row, at it and one over, is in `test_limits_kept.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakeio.core.limits import LIMITS, REFUSED, UNSTATED, V2_ITEM, Limit
from sync.core.budgets import BUDGETS, Budget

PUBLISHED = {row.rule: row for row in LIMITS}
SPECS = os.environ.get("FAKEIO_VENDOR_SPECS", "")

_NUMBER = re.compile(r"(?<!\w)(\d[\d,_]*)\s*(kb|days|hours|minutes)?\b", re.IGNORECASE)
_SCALES = {"": (1,), "kb": (1_000, 1_024), "days": (86_400,), "hours": (3_600,), "minutes": (60,)}


def readings(words: str) -> set[int]:
    """Every inclusive limit that the numbers in a sentence can mean: `32kb` may be 32,000 or 32,768 bytes, or one less.

    One less, because the vendor says both `32kb or smaller` and `smaller than 32kb`.
    """
    found: set[int] = set()
    for digits, unit in _NUMBER.findall(words):
        number = int(re.sub(r"\D", "", digits))
        for scale in _SCALES[unit.lower()]:
            found |= {number * scale, number * scale - 1} if unit.lower() == "kb" else {number * scale}
    return found


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        pytest.param("at most 150 bytes", {150}, id="plain"),
        pytest.param("1 to 1,000 people", {1, 1_000}, id="a range"),
        pytest.param("an item is at most 32 kb", {31_999, 32_000, 32_767, 32_768}, id="nobody says how large a kb is"),
        pytest.param("within 72 hours", {259_200}, id="hours as seconds"),
        pytest.param("five minutes of v2", set(), id="words are no figures"),
    ],
)
def test_a_sentence_can_mean(words: str, meant: set[int]) -> None:
    assert readings(words) == meant


def flaws(row: Limit) -> Iterator[str]:
    """What is wrong with a row by itself."""
    said = readings(row.says)
    if not {row.strict, row.lenient} <= said:
        yield "a figure that its own words do not hold"
    elif row.strict != row.lenient and (row.strict, row.lenient) != (min(said), max(said)):
        yield "a bracket that is not as wide as its own words"
    if row.strict != row.lenient and not row.disputed_by:
        yield "a bracket without the sentence that disputes it"
    if not row.source:
        yield "no source"


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: row.rule)
def test_a_published_row_is_sound(row: Limit) -> None:
    assert list(flaws(row)) == []


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: row.rule)
@pytest.mark.parametrize("field", ["strict", "lenient"])
def test_raising_any_figure_by_one_is_noticed(row: Limit, field: str) -> None:
    assert list(flaws(replace(row, **{field: getattr(row, field) + 1}))) != []


def test_every_rule_is_published_once() -> None:
    assert len(PUBLISHED) == len(LIMITS)


def vendor_texts(folder: Path) -> dict[str, str]:
    """Every description in the folder, as one line of lower-case text each."""
    return {path.name: " ".join(path.read_text(encoding="utf-8").lower().split()) for path in sorted(folder.iterdir())}


@pytest.mark.may_skip_in_ci("the vendor's descriptions may not be published with this project")
@pytest.mark.skipif(not SPECS, reason="FAKEIO_VENDOR_SPECS names no folder with the vendor's descriptions")
def test_the_vendor_says_so_too() -> None:
    texts = vendor_texts(Path(SPECS))
    missing = {
        row.rule: row.pointer
        for row in LIMITS
        if row.pointer
        and not (
            {row.strict, row.lenient} & readings(row.pointer)
            and any(re.search(rf"(?<![\d,]){re.escape(row.pointer.lower())}(?!\d)", text) for text in texts.values())
        )
    }
    assert missing == {}


@pytest.mark.parametrize("row", LIMITS, ids=lambda row: row.rule)
def test_a_row_that_the_fake_enforces_on_the_track_api_points_into_the_vendors_description(row: Limit) -> None:
    if row.breach == REFUSED and row.rule.startswith("track."):
        assert readings(row.pointer), f"{row.rule} names no words that stand beside its figure"


def overruns(budget: Budget, published: dict[str, Limit]) -> Iterator[str]:
    """What is wrong with a budget, given what is published."""
    row = published.get(budget.rule)
    if row is None:
        yield "no published limit of that rule"
    elif budget.most > row.strict:
        yield f"allows itself {budget.most}, the harshest reading is {row.strict}"
    if not budget.source:
        yield "no source"


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.rule)
def test_the_engine_stays_within(budget: Budget) -> None:
    assert list(overruns(budget, PUBLISHED)) == []


@pytest.mark.parametrize("budget", BUDGETS, ids=lambda budget: budget.rule)
def test_a_budget_raised_above_the_harshest_reading_is_noticed(budget: Budget) -> None:
    assert len(list(overruns(budget._replace(most=PUBLISHED[budget.rule].strict + 1), PUBLISHED))) == 1


def test_a_budget_for_a_rule_nobody_published_is_noticed() -> None:
    assert list(overruns(Budget("track.nothing", 1, "nowhere"), PUBLISHED)) == ["no published limit of that rule"]


def test_every_budget_has_a_rule_of_its_own() -> None:
    assert len({budget.rule for budget in BUDGETS}) == len(BUDGETS)


#: Published limits on what the engine never does: it relates no objects, sends nothing anonymously.
NOT_THE_ENGINES = {
    "track.object.id", "track.object.attributes", "track.object.attributes.total",
    "track.anonymous.retention", "track.anonymous.grace", "track.event.trigger_window",
    "app.customers.attributes.ids", "app.activities.page", "app.activities.retention",
    "app.send.recipients", "app.send.attachment.total", "app.broadcast.list", "app.snippet.name", "app.snippet.value",
}  # fmt: skip


def test_every_limit_that_the_engine_can_break_has_a_budget() -> None:
    assert {budget.rule for budget in BUDGETS} | NOT_THE_ENGINES == set(PUBLISHED)


def test_a_bracket_is_as_wide_as_the_vendor_is_vague() -> None:
    assert (V2_ITEM.strict, V2_ITEM.lenient) == (32 * 1_000 - 1, 32 * 1_024)
    assert {row.rule for row in LIMITS if row.breach == UNSTATED} == {"track.rate"}
