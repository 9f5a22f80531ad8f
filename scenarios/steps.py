"""Strategies for clock steps: how far a clock moves between two looks, at and around every period that anybody keeps.

In seconds. Whoever keeps slots must neither skip one nor run one twice, whichever of these it meets.
"""

from __future__ import annotations

from hypothesis import strategies as st

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0
_PERIODS_S = (MINUTE_S, HOUR_S, DAY_S, 7 * DAY_S)
_BY_S = (-1.0, -0.001, 0.0, 0.001, 1.0)
_EDGES_S = tuple(sorted({0.0, 0.001, *(period + by for period in _PERIODS_S for by in _BY_S)}))


def steps() -> st.SearchStrategy[float]:
    """Forward: nothing, next to nothing, a period and just about it, several periods, any time up to a month."""
    several = st.builds(lambda period, times: period * times, st.sampled_from(_PERIODS_S), st.integers(2, 5))
    return st.one_of(st.sampled_from(_EDGES_S), several, st.floats(0, 30 * DAY_S))


def setbacks() -> st.SearchStrategy[float]:
    """Backward, as when a machine's clock is put right: as a number of seconds above zero."""
    return st.one_of(st.sampled_from([step for step in _EDGES_S if 0 < step <= DAY_S + 1]), st.floats(0.001, DAY_S))
