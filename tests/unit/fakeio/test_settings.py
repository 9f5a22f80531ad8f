"""Settings and switches: every row is complete, and a bad value is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from fakeio.core.settings import CATALOGUE, ROWS, BadSetting, Settings


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_has_words_a_grade_a_source_and_a_default_it_allows(row: Any) -> None:
    assert row.says
    assert row.source
    assert row.grade in {"documented", "recorded", "client-tested", "assumed"}
    assert Settings({row.name: row.default}).changed() == {}
    for choice in row.choices:
        assert Settings({row.name: choice}).as_dict()[row.name] == choice


def test_names_are_unique() -> None:
    assert len(CATALOGUE) == len(ROWS)


@pytest.mark.parametrize(
    ("name", "value"),
    [("nope", 1), ("auto_merge", 1), ("auto_merge", "maybe"), ("auto_merge", None), ("app_rate_limit", -1),
     ("app_rate_limit", True), ("app_rate_limit", "10"), ("app_rate_limit", 2.5), ("app_rate_limit", 10**9 + 1),
     ("identifiers", None), ("identifiers", []), ("segment_unknown_id", 402), ("segment_unknown_id", 400.0),
     ("segment_unknown_id", True)],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_what_is_allowed(name: str, value: object) -> None:
    with pytest.raises(BadSetting, match=name):
        Settings({name: value})


SECONDS = [row.name for row in ROWS if row.name.endswith("_s")]
WHOLE = [row.name for row in ROWS if not row.choices and row.name not in SECONDS]
YES_NO = [row.name for row in ROWS if row.choices == (True, False)]
STATUSES = [(row.name, choice) for row in ROWS for choice in row.choices if str(choice).isdigit()]
WAYS = [
    *[(name, "yes", True) for name in YES_NO],
    *[(name, "no", False) for name in YES_NO],
    *[(name, int(choice), choice) for name, choice in STATUSES],
    *[(name, written, 0) for name in (*WHOLE, *SECONDS) for written in ("none", None)],
    *[(name, written, 10) for name in (*WHOLE, *SECONDS) for written in (10, 10.0)],
    *[(name, 0.25, 0.25) for name in SECONDS],
]


@pytest.mark.parametrize(("name", "written", "meant"), WAYS)
def test_a_value_may_be_written_in_another_way(name: str, written: object, meant: object) -> None:
    kept = Settings({name: written}).as_dict()[name]
    assert (kept, type(kept)) == (meant, type(meant))


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("seconds", [10**9 + 1, 10**400, float("inf"), float("nan"), -0.5, True, "0.5"])
def test_seconds_that_no_clock_reaches_are_refused(name: str, seconds: object) -> None:
    with pytest.raises(BadSetting, match=f"{name} is a number from 0 to 1000000000, not "):
        Settings({name: seconds})


@pytest.mark.parametrize(("name", "hint"), [
    pytest.param("ratelimits", "perhaps rate_limits or ", id="one that is close"),
    pytest.param("xyzzy" * 30, "; `fakeio settings` lists all ", id="one that is close to none, and long"),
])
def test_an_unknown_setting_is_told_with_those_that_may_be_meant(name: str, hint: str) -> None:
    with pytest.raises(BadSetting) as refused:
        Settings({name: "off"})
    assert hint in str(refused.value)
    assert len(str(refused.value)) < 200


def test_settings_are_read_as_attributes_and_never_change() -> None:
    settings = Settings()
    changed = settings.with_({"auto_merge": False})
    assert (settings.auto_merge, changed.auto_merge) == (True, False)
    assert changed.changed() == {"auto_merge": False}
    with pytest.raises(AttributeError):
        _ = settings.nope
