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
    [("nope", 1), ("auto_merge", 1), ("auto_merge", "yes"), ("app_rate_limit", -1), ("app_rate_limit", True),
     ("app_rate_limit", "10"), ("identifiers", None), ("segment_unknown_id", 400)],
)  # fmt: skip
def test_a_bad_setting_is_refused_with_what_is_allowed(name: str, value: object) -> None:
    with pytest.raises(BadSetting, match=name):
        Settings({name: value})


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
