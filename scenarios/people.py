"""Strategies for people: what an id can look like, and who exists."""

from __future__ import annotations

from hypothesis import strategies as st

from scenarios.edges import id_edges

#: Ids that have broken somebody's software: paths, quoting, types, letter case, shapes of other identifiers.
AWKWARD_IDS = (
    "a/b?c#d%20 é@x", "..", "%2F", "a+b", "a,b", 'a"b', "line one\nline two", "one\r\ntwo", "00123", "123", " 123",
    "123 ", "1e3", "true", "null", "NaN", "Case", "case", "😀", "e\u0301", "\u00e9", "cio_", "person@example.com",
    "Person@Example.com", "-1", "0", "'; --", "=1+1", "\u202eabc", "\ufeffx",
)

#: Some of the people of a world, by number.
Some = frozenset[int]
NOBODY: Some = frozenset()


def ids() -> st.SearchStrategy[str]:
    """Every text that can be a person's id: 1 to 150 bytes of UTF-8, not only white space."""
    return st.one_of(_texts(), st.sampled_from(AWKWARD_IDS), st.sampled_from(id_edges(fitting=True))).filter(_is_id)


def emails() -> st.SearchStrategy[str]:
    """Addresses, in all letters: emails that differ only in case are one."""
    names = st.sampled_from(("ada", "Ada", "a.b+c", "o'neil", "ünï", "x" * 64))
    hosts = st.sampled_from(("example.com", "Example.COM", "mail.example.org", "例え.example"))
    return st.builds(lambda name, host: f"{name}@{host}", names, hosts)


def identifiers() -> st.SearchStrategy[dict[str, str]]:
    """One identifier of a person as the v2 API names it: an id, an email or a cio_id, which nobody may have."""
    cio_ids = st.text("0123456789abcdef", min_size=12, max_size=14)
    return st.one_of(
        ids().map(lambda value: {"id": value}), emails().map(lambda value: {"email": value}),
        cio_ids.map(lambda value: {"cio_id": value}),
    )  # fmt: skip


def not_ids() -> st.SearchStrategy[str]:
    """Texts that no id can be: empty, blank, too long."""
    return st.one_of(st.sampled_from(("", " ", "\t", "\n", "\u00a0")), overlong_ids())


def overlong_ids() -> st.SearchStrategy[str]:
    """Texts that are too long for an id by a little or by much."""
    return st.one_of(st.sampled_from(id_edges(fitting=False)), st.integers(151, 2_000).map(lambda size: "x" * size))


def pools(size: int) -> st.SearchStrategy[list[str]]:
    """That many different ids, for a world in which everybody is known by a number."""
    return st.lists(ids(), min_size=size, max_size=size, unique=True)


def some_of(people: int) -> st.SearchStrategy[Some]:
    """Any of so many people, known by number; each is in or out by a toss of its own, so not all sets are small."""
    tosses = st.lists(st.booleans(), min_size=people, max_size=people)
    return tosses.map(lambda toss: frozenset(number for number, is_in in enumerate(toss) if is_in))


def _texts() -> st.SearchStrategy[str]:
    # lone surrogates are no text (they have no bytes); a NUL ends a string for too many readers of CSV files
    return st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)


def _is_id(text: str) -> bool:
    return bool(text.strip()) and len(text.encode()) <= 150
