"""What a dry run foretells: requests by their limits, seconds by rates or answers, whichever is slower."""

from __future__ import annotations

from typing import Any

import pytest

from sync.core.forecast import Forecast, forecast_cohort

RATES = {"track": 100.0, "app": 10.0}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, Forecast(1, 3), id="nothing to change"),
        pytest.param({"join": 1}, Forecast(2, 3), id="one"),
        pytest.param({"join": 1_001, "leave": 1_000}, Forecast(4, 3), id="a thousand a call"),
        pytest.param({"members": 30_001}, Forecast(1, 4), id="thirty thousand a page"),
        pytest.param({"waiting": 1}, Forecast(1, 4), id="somebody to look for"),
        pytest.param({"join": 1_000, "leave": 1, "verify": "search"}, Forecast(3, 4), id="searched"),
        pytest.param({"join": 1, "waiting": 9, "verify": "none"}, Forecast(2, 2), id="not verified"),
        pytest.param({"new": True}, Forecast(1, 4), id="a segment to make"),
    ],
)
def test_a_cohort_run_takes(changes: dict[str, Any], expected: Forecast) -> None:
    plan = {"join": 0, "leave": 0, "members": 0, "waiting": 0, "verify": "membership", "new": False, **changes}
    assert forecast_cohort(**plan) == expected


@pytest.mark.parametrize(
    ("forecast", "rates", "lanes", "expected"),
    [
        pytest.param(Forecast(4, 1), RATES, 1, 1.0, id="few: their answers"),
        pytest.param(Forecast(10_000), RATES, 40, 100.0, id="many: the track rate"),
        pytest.param(Forecast(0, 1_000), RATES, 40, 100.0, id="many: the app rate"),
        pytest.param(Forecast(1_000), {"track": 0.0, "app": 0.0}, 4, 50.0, id="no limit: their answers"),
        pytest.param(Forecast(0), RATES, 1, 0.0, id="nothing"),
    ],
)
def test_it_takes_as_long_as_answers_or_the_rates(
    forecast: Forecast, rates: dict[str, float], lanes: int, expected: float
) -> None:
    assert forecast.seconds(rates, lanes) == pytest.approx(expected)


def test_it_is_told_in_one_sentence() -> None:
    assert Forecast(1_200, 50).sentence(RATES, 40) == (
        "a run would make about 1,250 requests, which take about 12.0 s at the rates allowed"
    )
