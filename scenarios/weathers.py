"""Strategies for weather: faults, as the documents that the fake's control API takes.

Two domains. `weathers` is what an engine that keeps trying gets through: each fault strikes a few times and then no
more (what lasts for ever is no weather but a broken destination), and none of them says, in the destination's own
words, that something was done which was not: a page that says 200 is not its word. `plans` is everything that can be
said: every kind, every field, for tests of whatever carries plans around.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Fault = Mapping[str, Any]

#: Everything a server, a proxy or a load balancer answers on a bad day; some of it an engine must not repeat.
STATUSES = (400, 401, 403, 404, 408, 409, 422, 425, 500, 502, 503, 504)
MOMENTS = ("before_parse", "before_commit", "after_commit")
_BLINK_S = 0.01


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
    throttled = st.sampled_from((
        {"kind": "status", "status": 429, "retry_after": 0}, {"kind": "throttle", "per_s": 2, "retry_after": 0},
    ))  # fmt: skip
    garbage = st.sampled_from(("html", "bad_json")).map(lambda what: {"kind": "garbage", "as": what})
    cut = st.sampled_from((
        {"kind": "reset"}, {"kind": "close"}, {"kind": "truncate", "bytes": 2},
        {"kind": "timeout", "seconds": _BLINK_S},
    ))  # fmt: skip
    late = st.sampled_from((
        {"kind": "latency", "seconds": _BLINK_S}, {"kind": "slow_body", "bytes_per_s": 100_000},
        {"kind": "stall", "after_bytes": 1, "seconds": _BLINK_S},
    ))  # fmt: skip
    placed = st.builds(lambda kind, when: {**kind, **when}, st.one_of(status, throttled, garbage, cut), moment)
    return st.one_of(placed, late, st.just({"kind": "lose_reply"}))


def _matches() -> st.SearchStrategy[Fault]:
    where = st.sampled_from(
        ({}, {"api": "track"}, {"api": "app"}, {"path": "*_customers"}, {"path": "/v1/segments*"}, {"path": "*batch"})
    )
    return st.builds(lambda where, nth: {**where, **nth}, where, st.one_of(st.just({}), _nth()))


def _nth() -> st.SearchStrategy[Fault]:
    return st.integers(1, 4).map(lambda number: {"nth": number})


# ---- everything that can be said -------------------------------------------------------------------------------------

_SECONDS = st.floats(0, 86_400, allow_subnormal=False) | st.integers(0, 86_400)
_BYTES = st.integers(0, 1_000_000)
_RETRY_AFTER = st.none() | st.integers(0, 3_600) | st.sampled_from(("120", "Fri, 01 May 2026 12:00:00 GMT", "soon"))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("meta", "", "é")), inner, max_size=3),
    max_leaves=5,
)
_NO_FIELDS: dict[str, st.SearchStrategy[Any]] = {}

#: kind -> the fields it must have, those it may have, and the moments it can strike at
KINDS: Mapping[str, tuple[Mapping[str, st.SearchStrategy[Any]], Mapping[str, st.SearchStrategy[Any]], tuple[str, ...]]]
KINDS = {
    "status": ({"status": st.integers(200, 599)}, {"body": _JSON, "retry_after": _RETRY_AFTER}, MOMENTS),
    "latency": ({"seconds": _SECONDS}, {"jitter": _SECONDS}, MOMENTS),
    "timeout": (_NO_FIELDS, {"seconds": st.none() | _SECONDS}, MOMENTS),
    "stall": ({"after_bytes": _BYTES, "seconds": _SECONDS}, _NO_FIELDS, MOMENTS),
    "reset": (_NO_FIELDS, _NO_FIELDS, MOMENTS),
    "close": (_NO_FIELDS, _NO_FIELDS, MOMENTS),
    "lose_reply": (_NO_FIELDS, _NO_FIELDS, ("after_commit",)),
    "truncate": ({"bytes": _BYTES}, _NO_FIELDS, MOMENTS),
    "slow_body": ({"bytes_per_s": st.integers(1, 10**9) | st.floats(0.001, 10**9)}, _NO_FIELDS, MOMENTS),
    "garbage": ({"as": st.sampled_from(("html", "bad_json"))}, _NO_FIELDS, MOMENTS),
    "drop": (_NO_FIELDS, _NO_FIELDS, ("before_commit",)),
    "partial": ({"indices": st.lists(st.integers(0, 1_000), min_size=1, max_size=4)}, _NO_FIELDS, ("before_commit",)),
    "throttle": ({"per_s": st.integers(0, 1_000) | st.floats(0, 1_000)}, {"retry_after": _RETRY_AFTER}, MOMENTS),
    "delay_visibility": ({"seconds": _SECONDS}, _NO_FIELDS, ("before_commit",)),
}


def any_faults() -> st.SearchStrategy[dict[str, Any]]:
    """One fault of any kind, with any of its fields, striking anywhere it can, for as long as it likes."""
    return st.one_of([_any_of(kind) for kind in KINDS])


def plans(*, max_size: int = 5) -> st.SearchStrategy[list[dict[str, Any]]]:
    """A whole plan of them."""
    return st.lists(any_faults(), max_size=max_size)


def _any_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    needed, possible, moments = KINDS[kind]
    return st.fixed_dictionaries(
        {"kind": st.just(kind), **needed},
        optional={
            **possible, "match": _any_match(), "times": st.none() | st.integers(1, 5), "when": st.sampled_from(moments),
        },
    )  # fmt: skip


def _any_match() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "api": st.sampled_from(("track", "app", "pipelines")),
            "path": st.sampled_from(("*", "/api/v1/*", "*batch", "/v1/segments*")) | st.text(max_size=20),
            "method": st.sampled_from(("PUT", "post", "DELETE")),
            "nth": st.integers(1, 6),
            "every": st.integers(1, 4),
            "probability": st.floats(0, 1) | st.sampled_from((0, 1)),
            "seed": st.integers(-(2**63), 2**63 - 1),
        },
    )
