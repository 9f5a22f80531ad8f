"""Strategies for cohorts: who is in a snapshot, and what the file looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from scenarios.people import overlong_ids, some_of
from scenarios.samples.formats import COHORT_HEADER, encode_cohort, encode_gzip


class Snapshot(NamedTuple):
    """A cohort file: its values row by row, and whether it comes compressed and with extra columns.

    While a machine draws them, numbers may stand for ids in `values`; `encode` wants texts.
    """

    values: tuple[Any, ...]
    compressed: bool
    with_properties: bool

    def encode(self) -> bytes:
        """The file, as the cohort API would have served it."""
        header = (*COHORT_HEADER, "name", "amplitude_id") if self.with_properties else COHORT_HEADER
        rows = [self._row(number, value) for number, value in enumerate(self.values, start=1)]
        data = encode_cohort(rows, header)
        return encode_gzip(data) if self.compressed else data

    def _row(self, number: int, value: str) -> Sequence[str]:
        plain = (str(300_000_000_000 + number), value)
        return (*plain, f'Listener "{number}"\r\nof many', plain[0]) if self.with_properties else plain


def snapshots(people: int) -> st.SearchStrategy[Snapshot]:
    """Any of so many people, known by number, and then more rows: repeated ones, and some that name nobody."""
    nobody = st.one_of(st.sampled_from(("", " ", "\t")), overlong_ids())
    more = st.lists(st.one_of(st.integers(0, people - 1), nobody), max_size=6)
    rows = st.builds(lambda some, extra: (*sorted(some), *extra), some_of(people), more)
    return st.builds(Snapshot, rows, st.booleans(), st.booleans())
