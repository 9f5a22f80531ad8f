"""Plans that look like an accident stop; the flag that each names lets them pass."""

from __future__ import annotations

import pytest

from sync.core.errors import GuardStop
from sync.core.guards import guard_empty, guard_mapping, guard_removals


def test_an_empty_cohort_stops_unless_allowed() -> None:
    with pytest.raises(GuardStop) as stopped:
        guard_empty(0, 0, allow_empty=False)
    assert (stopped.value.reason, stopped.value.exit_code) == ("suspicious_empty", 5)
    assert "--allow-empty" in stopped.value.hint
    guard_empty(0, 0, allow_empty=True)
    guard_empty(1, 1, allow_empty=False)


def test_a_cohort_of_which_nothing_can_be_used_is_not_called_empty() -> None:
    with pytest.raises(GuardStop, match=r"none of the 3 rows of the cohort can be used") as stopped:
        guard_empty(0, 3, allow_empty=False)
    assert (stopped.value.reason, "column" in stopped.value.hint) == ("suspicious_empty", True)


@pytest.mark.parametrize(
    ("removals", "members", "share"),
    [
        pytest.param(9, 9, 0.5, id="nine are too few to judge"),
        pytest.param(10, 20, 0.5, id="exactly the share"),
        pytest.param(100, 100, 1.0, id="a share of one allows all"),
        pytest.param(0, 0, 0.0, id="nothing to remove"),
        pytest.param(9, 1_000_000, 0.0, id="a share of nothing still allows nine"),
    ],
)
def test_removals_within_the_share_pass(removals: int, members: int, share: float) -> None:
    guard_removals(removals, members, most_share=share)


@pytest.mark.parametrize(
    ("removals", "members", "share"),
    [
        pytest.param(10, 19, 0.5, id="ten, and more than half"),
        pytest.param(11, 20, 0.5, id="one over the share"),
        pytest.param(10, 1_000, 0.0, id="ten with a share of nothing"),
    ],
)
def test_removals_above_the_share_stop(removals: int, members: int, share: float) -> None:
    with pytest.raises(GuardStop, match=f"{removals} of {members}"):
        guard_removals(removals, members, most_share=share)


@pytest.mark.parametrize("now", [("email", "user_id"), ("id", "email")], ids=["id type", "column"])
def test_another_mapping_stops_until_it_is_confirmed(now: tuple[str, str]) -> None:
    with pytest.raises(GuardStop) as stopped:
        guard_mapping("vip", ("id", "user_id"), now, full=False)
    assert stopped.value.reason == "mapping_changed"
    assert "--full" in stopped.value.hint
    guard_mapping("vip", ("id", "user_id"), now, full=True)


def test_the_same_mapping_passes() -> None:
    guard_mapping("vip", ("id", "user_id"), ("id", "user_id"), full=False)
