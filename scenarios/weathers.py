"""Strategies for weather: finite faults, as the documents that the fake's control API takes.

Finite means that each fault strikes a few times and then no more: an engine that keeps trying gets through. What lasts
for ever is no weather but a broken destination.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Fault = Mapping[str, Any]

#: Everything a server, a proxy or a load balancer answers on a bad day; some of it an engine must not repeat.
STATUSES = (400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504)
MOMENTS = ("before_parse", "before_commit", "after_commit")


def faults() -> st.SearchStrategy[Fault]:
    """One fault that strikes once, twice or three times."""
    return st.builds(
        lambda kind, match, times: {**kind, "match": match, "times": times}, _kinds(), _matches(), st.integers(1, 3)
    )


def weathers() -> st.SearchStrategy[list[Fault]]:
    """Up to three faults in force together."""
    return st.lists(faults(), max_size=3)


def _kinds() -> st.SearchStrategy[Fault]:
    moment = st.sampled_from(MOMENTS).map(lambda when: {"when": when})
    status = st.sampled_from(STATUSES).map(lambda status: {"kind": "status", "status": status})
    throttled = st.just({"kind": "status", "status": 429, "retry_after": 0})
    cut = st.sampled_from(({"kind": "reset"}, {"kind": "close"}))
    late = st.just({"kind": "latency", "seconds": 0.01})
    placed = st.builds(lambda kind, when: {**kind, **when}, st.one_of(status, throttled, cut), moment)
    return st.one_of(placed, late, st.just({"kind": "lose_reply"}))


def _matches() -> st.SearchStrategy[Fault]:
    where = st.sampled_from(
        ({}, {"api": "track"}, {"api": "app"}, {"path": "*_customers"}, {"path": "/v1/segments*"}, {"path": "*batch"})
    )
    return st.builds(lambda where, nth: {**where, **nth}, where, st.one_of(st.just({}), _nth()))


def _nth() -> st.SearchStrategy[Fault]:
    return st.integers(1, 4).map(lambda number: {"nth": number})
