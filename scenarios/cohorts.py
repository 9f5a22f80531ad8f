"""Strategies for cohorts: who is in a snapshot, and what the file looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from scenarios.people import overlong_ids
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


def snapshots(members: st.SearchStrategy[Any]) -> st.SearchStrategy[Snapshot]:
    """Any members, repeated or not, among rows that name nobody. `members`: ids, or whatever stands for them."""
    nobody = st.one_of(st.sampled_from(("", " ", "\t")), overlong_ids())
    rows = st.lists(st.one_of(members, members, members, nobody), max_size=30).map(tuple)
    return st.builds(Snapshot, rows, st.booleans(), st.booleans())
