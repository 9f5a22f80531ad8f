"""A month's quota of cohort requests that others used up, told from the limits of minutes that are waited out."""

from __future__ import annotations

import pytest

from scenarios.amplitude import MONTHLY_REQUESTS, Trouble
from sync.edge.amplitude_ledger import AmplitudeLedger
from sync.edge.ledger import Ledger
from tests.integration.amplitude_project import Pull, stopped
from tests.integration.cohort_engine import counts


@pytest.mark.parametrize(
    "usage",
    [
        pytest.param(None, id="nested"),
        pytest.param(Trouble("*/usage", status=200, body=b'{"limit":500,"count":500}'), id="flat"),
        pytest.param(Trouble("*/usage", status=404), id="no count, but words"),
        pytest.param(Trouble("*/usage", cut_bytes=3), id="half a count, but words"),
    ],
)
def test_a_quota_that_others_used_up_ends_the_run_at_once(pull: Pull, usage: Trouble | None) -> None:
    pull.fake.requests_spent = MONTHLY_REQUESTS
    pull.fake.troubles.extend([usage] if usage else [])
    error = stopped(pull)
    assert (error.reason, "as Amplitude counts" in error.message) == ("cohort_quota", True)
    assert "2026-06-01" in error.hint
    assert (len(pull.asked("/request/")), pull.clock.slept) == (1, [])
    with Ledger.open(pull.engine.path) as ledger:
        assert AmplitudeLedger(ledger, pull.settings.project).spent(pull.clock()) == 0


def test_a_limit_of_minutes_is_waited_out_whatever_its_words(pull: Pull) -> None:
    words = b'{"error":{"metadata":{"details":"60 in ten minutes, 500 a month"}}}'
    pull.fake.troubles.append(Trouble("*/request/abc", status=429, body=words, times=2))
    assert counts(pull.report()) == {"added": 3}
    assert (len(pull.asked("/usage")), len(pull.clock.slept) > 2) == (2, True)
