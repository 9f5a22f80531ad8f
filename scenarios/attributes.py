"""Strategies for a person's attributes: any JSON, and names, values and counts at and around every published limit.

`attributes` are such as Customer.io keeps; `any_attributes` may also hold what it refuses, one over a limit.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from scenarios.edges import limit, texts_of

#: Names with a meaning of their own: identifiers, times, preferences. An ordinary attribute is called otherwise.
RESERVED = frozenset({
    "id", "email", "cio_id", "phone", "created_at", "anonymous_id", "unsubscribed", "cio_subscription_preferences",
    "cio_relationships", "_update", "timezone", "_timezone", "face",
})  # fmt: skip
AWKWARD_NAMES = ("plan", "Plan", "first name", "a.b", "$set", "é", "e\u0301", "漢字", "1", "true", "null", "__proto__")


def names() -> st.SearchStrategy[str]:
    """Attribute names of 1 to 150 bytes."""
    most = limit("track.attribute.name")
    edges = st.sampled_from((*texts_of(most - 1), *texts_of(most)))
    return st.one_of(st.sampled_from(AWKWARD_NAMES), edges, _texts(1)).filter(_is_name)


def values() -> st.SearchStrategy[Any]:
    """Values that are kept: texts of 1 to 1,000 bytes (an empty one clears), numbers, truth, lists and objects."""
    most = limit("track.attribute.value") - 2  # bytes; the harshest reader counts the quotation marks too
    texts = st.one_of(_texts(1), st.sampled_from((*texts_of(most - 1), *texts_of(most))))
    scalars = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e15, 1e15).map(_whole), texts)
    small = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), _texts(1))
    nested = st.one_of(st.lists(small, max_size=3), st.dictionaries(_texts(1), small, max_size=3))
    return st.one_of(scalars, nested)


def attributes() -> st.SearchStrategy[dict[str, Any]]:
    """A person's attributes, a few of them."""
    return st.dictionaries(names(), values(), max_size=4)


def any_attributes() -> st.SearchStrategy[dict[str, Any]]:
    """Attributes of which one may be over a limit: its name, its value, or how many there are."""
    name, value = limit("track.attribute.name"), limit("track.attribute.value")
    over = st.one_of(
        st.builds(lambda text: {text: 1}, st.sampled_from(texts_of(name + 1))),
        st.builds(lambda text: {"plan": text}, st.sampled_from(texts_of(value + 1))),
        st.sampled_from([most + by for most in (limit("track.attributes"),) for by in (-1, 0, 1)]).map(
            lambda count: {f"a{number}": number for number in range(count)}
        ),
    )
    return st.one_of(attributes(), over)


def _texts(least: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=least, max_size=12)


def _is_name(text: str) -> bool:
    return text not in RESERVED and text.strip() == text != ""


def _whole(number: float) -> float | int:
    """Without a minus zero, which JSON tells from zero and nobody else does."""
    return 0 if number == 0 else number
